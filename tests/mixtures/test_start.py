"""Where EM begins."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.start import clusters


def cells(n=300):
    """Numbers that do not tell the level, of which one is rare."""
    rng = np.random.default_rng(0)
    codes = torch.from_numpy(rng.choice(3, n, p=[0.6, 0.3, 0.1]))[:, None]
    return Cells(torch.from_numpy(rng.standard_normal((n, 4))), codes, torch.empty(n, 0, dtype=torch.bool))


@pytest.mark.parametrize("k", [3, 5, 20])
def test_clusters_given_a_category_are_of_one_level_and_as_many_as_its_share(k):
    some, one = cells(), torch.ones(300)
    labels = clusters(some, (3,), k, one, 0, apart=[0])
    assert set(labels.tolist()) == set(range(k))
    level = {int(label): set(some.codes[labels == label, 0].tolist()) for label in labels.unique()}
    assert all(len(levels) == 1 for levels in level.values())
    own = np.bincount([levels.pop() for levels in level.values()], minlength=3)
    share = np.bincount(some.codes[:, 0].numpy()) / 300
    assert (np.abs(own - k * share) < 2).all() and (own >= 1).all()


def test_fewer_clusters_than_levels_are_of_all_records():
    some, one = cells(), torch.ones(300)
    labels = clusters(some, (3,), 2, one, 0, apart=[0])
    assert torch.equal(labels, clusters(some, (3,), 2, one, 0))


def test_what_is_drawn_given_a_category_is_of_its_own_components():
    rng = np.random.default_rng(0)
    side = rng.integers(0, 2, 2000)
    # ten numbers that outvote the category, and one that hangs on it
    x = np.concatenate([3 * rng.standard_normal((2000, 10)), 0.3 * rng.standard_normal((2000, 1)) + side[:, None]], 1)
    data = pf.read({f"x{i}": x[:, i] for i in range(11)} | {"side": np.array(["left", "right"])[side]})
    model = pf.GaussianMixture(components=4, smoothing=0.01).fit(data, given="side", seed=0)
    drawn = model.sample(2000, given={"side": "right"}, seed=0).to_numpy()["x10"]
    assert abs(drawn.mean() - x[side == 1, 10].mean()) < 0.05
