"""Randomness: a function of the seed, and nobody else's."""

from __future__ import annotations

from pushforward.saving import load
from pushforward.testing.case import Case, folder, random_state_untouched, same, same_state
from pushforward.testing.checks.holes import punched


def check_same_seed_same_sample(case: Case) -> None:
    """One seed, one sample."""
    one, two = (case.draw(9, seed=3) for _ in range(2))
    assert same(one, two), "two samples of one seed differ"


def check_same_seed_same_completion(case: Case) -> None:
    """One seed, one completion."""
    case.need("complete")
    holed = punched(case)
    one, two = (case.model.complete(holed, seed=3) for _ in range(2))
    assert same(one, two), "two completions of one seed differ"


def check_other_seed_other_sample(case: Case) -> None:
    """Two seeds, or none, give different samples."""
    case.need("sample")
    one, two = (case.draw(30, seed=seed) for seed in (3, 4))
    assert not same(one, two), "two seeds draw the same records"
    one, two = (case.draw(30) for _ in range(2))
    assert not same(one, two), "without a seed the same records are drawn twice"


def check_samples_are_as_long_as_asked(case: Case) -> None:
    """Any number of records can be drawn."""
    for n in (1, 2, 33):
        assert len(case.draw(n, seed=0)) == n, f"sample({n}) has {len(case.draw(n, seed=0))} records"


def check_global_random_state(case: Case) -> None:
    """The generators of PyTorch, NumPy and Python belong to the user."""
    with random_state_untouched("fit"):
        model = case.fit()
    if case.draws:
        with random_state_untouched("sample"):
            case.draw_by(model, 3, seed=0)
            case.draw_by(model, 3)
    for verb in ("log_prob", "encode", "reconstruct", "responsibilities", "similarity"):
        if hasattr(model, verb):
            with random_state_untouched(verb):
                getattr(model, verb)(case.whole)
    if hasattr(model, "complete"):
        with random_state_untouched("complete"):
            model.complete(punched(case))
    with folder() as place, random_state_untouched("save and load"):
        load(model.save(place / "model"), cls=type(model))


def check_fit_depends_on_its_seed_alone(case: Case) -> None:
    """Two fits of one seed are the same to the last bit, whatever was drawn in between."""
    one = case.fit(seed=5)
    if case.draws:
        case.draw_by(one, 3)
    assert same_state(one, case.fit(seed=5)), "two fits of one seed differ"
