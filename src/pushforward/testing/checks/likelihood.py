"""Likelihoods in the units of the data, so that two families' numbers mean the same."""

from __future__ import annotations

import itertools

import numpy as np

from pushforward.testing.case import Case, Inapplicable


def check_units(case: Case) -> None:
    """A float column times 1000 moves log_prob by -ln 1000, in any family."""
    case.need("log_prob")
    x = np.random.default_rng(0).standard_normal((48, 3)) @ np.array([[1.0, 0.5, 0], [0, 1, -0.7], [0, 0, 2]])
    one, two = case.try_fit(x), case.try_fit(x * [1, 1000, 1])
    moved = two.log_prob(x * [1, 1000, 1]) - one.log_prob(x)
    worst = np.abs(moved + np.log(1000)).max()
    allowed = 1e-6 if case.tolerance <= 1e-9 else 1e-3
    assert worst <= allowed, f"log_prob moves by {moved.mean():.6g} instead of {-np.log(1000):.6g} (off by {worst:.2g})"


def check_probabilities_add_up(case: Case) -> None:
    """Those of all records that there can be add up to 1, where they are exact."""
    case.need("log_prob")
    rng = np.random.default_rng(0)
    data = {"a": rng.choice(list("pqr"), 60).tolist(), "b": rng.choice(list("uv"), 60).tolist()}
    model = case.try_fit(data)
    if model.density != "exact":
        raise Inapplicable("log_prob is not exact")
    pairs = list(itertools.product("pqr", "uv"))
    total = np.exp(model.log_prob({"a": [p for p, _ in pairs], "b": [q for _, q in pairs]})).sum()
    assert abs(total - 1) <= 1e-6, f"the probabilities of all records add up to {total:.6g}"


def check_densities_integrate(case: Case) -> None:
    """An exact density of one float integrates to 1."""
    case.need("log_prob")
    x = np.random.default_rng(0).standard_normal((60, 1)) * 2 + 1
    model = case.try_fit(x)
    if model.density != "exact":
        raise Inapplicable("log_prob is not exact")
    axis = np.linspace(-60, 60, 120_001)  # fine enough for densities with steps in them
    total = np.exp(model.log_prob(axis[:, None])).sum() * (axis[1] - axis[0])
    assert abs(total - 1) <= 1e-3, f"the density integrates to {total:.6g}"
