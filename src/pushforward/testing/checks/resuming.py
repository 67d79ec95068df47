"""A run that was stopped goes on as if it had not been."""

from __future__ import annotations

import itertools

from pushforward.errors import FormatError
from pushforward.testing.case import Case, Inapplicable, folder, refused, same_state


def check_a_stopped_run_goes_on(case: Case) -> None:
    """Closed half way and started again, it ends with the same weights to the last bit."""
    _need(case, "steps", "folder")
    steps = 2 * (case.options.get("steps") or 2)
    options = {**case.options, **case.beside(), "given": case.example.given, "steps": steps, "device": "cpu"}
    whole = case.make()
    phase = [progress.phase for progress in whole.fitting(case.example.data, **options)][-1]  # others come before it
    with folder() as place:
        first = case.make().fitting(case.example.data, **options, folder=str(place / "run"))
        for progress in first:
            if progress.phase == phase and progress.step >= steps // 2:
                break
        first.close()  # type: ignore[attr-defined]
        resumed = case.make()
        seen = [p.step for p in resumed.fitting(case.example.data, **options, folder=str(place / "run"))]
        assert seen[0] > 1, "a run that was stopped starts again at its first step"
        assert same_state(whole, resumed), "a run that was stopped ends otherwise than one that was not"


def check_progress_counts(case: Case) -> None:
    """`fitting` tells every step, one phase after the other, and how long is left."""
    _need(case, "steps")
    steps = case.options.get("steps") or 2
    options = {**case.options, **case.beside(), "given": case.example.given, "steps": steps}
    seen = list(case.make().fitting(case.example.data, **options))
    phases = {phase: [p.step for p in told] for phase, told in itertools.groupby(seen, lambda p: p.phase)}
    for phase, told in phases.items():
        assert told == list(range(1, len(told) + 1)), f"steps told of {phase} are {told}"
    assert max(map(len, phases.values())) == steps, f"steps told are {phases}"
    assert all(a.elapsed <= b.elapsed for a, b in itertools.pairwise(seen)), "time runs backwards"
    assert all(p.losses for p in seen), "a step tells no loss"
    assert seen[-1].remaining == 0, "time is left after the last step"


def check_a_run_of_another_kind_is_refused(case: Case) -> None:
    """The checkpoints of another seed are not taken."""
    _need(case, "folder")
    with folder() as place:
        case.fit(folder=str(place / "run"), seed=1)
        with refused("going on from checkpoints of another seed", FormatError, "seed"):
            case.fit(folder=str(place / "run"), seed=2)


def _need(case: Case, *keywords: str) -> None:
    """Let off a family to which keywords of a run mean nothing."""
    for name in keywords:
        if name not in case.make().budget():
            raise Inapplicable(f"fit takes no {name}")
