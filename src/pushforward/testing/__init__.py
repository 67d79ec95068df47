"""Checks for people who add a family, an encoding or a bijection of their own."""

from pushforward.testing.bijection import check_bijection
from pushforward.testing.contract import check_model, checks
from pushforward.testing.examples import Example
from pushforward.testing.gaussian_bridge import GaussianBridge
from pushforward.testing.invertible import check_invertible

__all__ = ["Example", "GaussianBridge", "check_bijection", "check_invertible", "check_model", "checks"]
