"""Small data sets, halved, for metrics to be held to."""

import numpy as np
import pytest

import pushforward as pf


def some(name, n, seed=0):
    """n records of a built-in data set at random, in two halves."""
    records = pf.read(name)
    return records.take(np.random.default_rng(seed).permutation(len(records))[:n]).split(0.5, seed=seed)


@pytest.fixture(scope="session")
def penguins():
    return some("penguins", 344)


@pytest.fixture(scope="session")
def adult():
    return some("adult:train", 1600)


@pytest.fixture(scope="session")
def moons():
    return some("moons", 1200)


@pytest.fixture(scope="session")
def digits():
    return some("digits", 1200)
