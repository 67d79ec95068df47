"""Intervals hold what they should as often as they say, and areas are those of scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pushforward.errors import UnmeasurableError
from pushforward.metrics.intervals import SIGMAS, area, bootstrap, share


@pytest.mark.parametrize("p", [0.02, 0.5])
def test_shares_lie_in_their_interval_as_often_as_said(p):
    hits = np.random.default_rng(0).binomial(200, p, 1000)
    ends = [share(h, 200)[1:] for h in hits]
    assert np.mean([low <= p <= high for low, high in ends]) > 0.92


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_areas_and_how_they_vary(shift):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(300):
        ones, zeros = rng.normal(size=80).round(1) + shift, rng.normal(size=120).round(1)  # with ties
        found.append(area(ones, zeros))
    label = np.repeat([1, 0], [80, 120])
    assert found[-1][0] == pytest.approx(roc_auc_score(label, np.concatenate([ones, zeros])), abs=1e-12)
    values, variances = map(np.array, zip(*found, strict=True))
    assert values.var() == pytest.approx(variances.mean(), rel=0.25)  # 5 sigma of 300 draws would be 0.41


def test_a_bootstrap_of_the_mean_is_the_standard_error():
    x = np.random.default_rng(0).normal(size=400)
    value, low, high = bootstrap(lambda w: float(w @ x), (400,), seed=0, repeats=400)
    assert value == pytest.approx(x.mean()) and low < value < high
    assert (high - low) / 2 / SIGMAS == pytest.approx(x.std() / 20, rel=0.18)  # 5 sigma of 400 repeats


def test_nothing_has_no_share_and_one_score_no_area():
    with pytest.raises(UnmeasurableError, match="no records"):
        share(0, 0)
    with pytest.raises(UnmeasurableError, match="at least two"):
        area(np.ones(1), np.ones(3))
