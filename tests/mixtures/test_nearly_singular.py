"""Components that hold little more than a line of records, on a grid and with holes."""

import warnings

import numpy as np

import pushforward as pf


def test_draws_and_completions_of_covariances_that_are_nearly_singular():
    rng = np.random.default_rng(0)
    base = rng.normal(100, 20, 60)
    columns = {f"x{i}": np.rint(base * (1 + 0.1 * i) + rng.normal(0, 0.2, 60)).astype(int) for i in range(9)}
    holed = pf.read(
        {name: [None if rng.random() < 0.2 else int(v) for v in values] for name, values in columns.items()}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.CollapsedWarning)
        model = pf.GaussianMixture(components=6).fit(holed, steps=20)
    whole = model.complete(holed, seed=0)
    assert all(whole.column(name).null_count == 0 for name in whole.names)
    assert np.isfinite(model.log_prob(holed)).all()
    assert len(model.sample(200, given={"x0": pf.between(90, 120), "x3": 130}, seed=0)) == 200
