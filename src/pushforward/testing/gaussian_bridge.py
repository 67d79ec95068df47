"""The Schrödinger bridge between two Gaussians in closed form: what bridges, couplings and samplers are held to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class GaussianBridge:
    """The bridge from N(m, A) to N(n, B) with reference √ε dW.

    Its ends have the cross-covariance C = ½ (A^½ D A^-½ - ε I) with D = (4 A^½ B A^½ + ε² I)^½, and at time t it is
    normal of covariance (1 - t)² A + t² B + t (1 - t) (C + Cᵀ + ε I) (Janati, Muzellec, Peyré, Cuturi 2020, arXiv
    2006.02572; Bunne, Hsieh, Cuturi, Krause 2022, arXiv 2202.05722).

    Args:
        means: (2, d), m and n.
        covariances: (2, d, d), A and B, both positive definite.
        epsilon: variance of the reference a unit of time.

    >>> GaussianBridge(np.zeros((2, 1)), np.array([[[1.0]], [[4.0]]]), 3.0).cross.round(3)
    array([[1.]])
    """

    means: np.ndarray
    covariances: np.ndarray
    epsilon: float

    @cached_property
    def cross(self) -> np.ndarray:
        """(d, d) the covariance of where a way begins and where it ends."""
        a, b = self.covariances
        eye = np.eye(len(a))
        root = _root(a)
        d = _root(4 * root @ b @ root + self.epsilon**2 * eye)
        return (root @ d @ np.linalg.inv(root) - self.epsilon * eye) / 2

    def mean(self, t: float) -> np.ndarray:
        """(d,) the mean at time t."""
        return (1 - t) * self.means[0] + t * self.means[1]

    def covariance(self, t: float) -> np.ndarray:
        """(d, d) the covariance at time t."""
        a, b = self.covariances
        between = self.cross + self.cross.T + self.epsilon * np.eye(len(a))
        return (1 - t) ** 2 * a + t**2 * b + t * (1 - t) * between

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        """(n, d) → (n, d) the velocity (E[y | x_t] - x_t) / (1 - t) of the way forth at time t < 1."""
        to_end = (1 - t) * self.cross.T + t * self.covariances[1]
        away = x - self.mean(t)
        end = self.means[1] + away @ np.linalg.solve(self.covariance(t), to_end.T)
        return (end - x) / (1 - t)

    def joint(self) -> np.ndarray:
        """(2 d, 2 d) the covariance of both ends together."""
        a, b = self.covariances
        return np.block([[a, self.cross], [self.cross.T, b]])


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root of a positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values)) @ vectors.T
