import numpy as np
import pytest

import pushforward as pf


@pytest.fixture(scope="session")
def penguin_numbers():
    """(n, 4) bill, bill, flipper and mass of the penguins without holes, as plain floats."""
    columns = pf.read("penguins").to_numpy()
    names = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
    x = np.stack([columns[name].astype(float) for name in names], 1)
    return x[~np.isnan(x).any(1)]


@pytest.fixture(scope="session")
def clusters():
    """(600, 3) floats of three Gaussians that lie apart, each with a correlation of its own."""
    rng = np.random.default_rng(3)
    centres = np.array([[0.0, 0, 0], [9, 0, 4], [0, 9, -4]])
    shapes = rng.standard_normal((3, 3, 3))
    which = np.arange(600) % 3
    return centres[which] + np.einsum("nij,nj->ni", shapes[which], rng.standard_normal((600, 3)))
