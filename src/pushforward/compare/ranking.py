"""Who is ahead, and whether that is beyond doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student

from pushforward.metrics import Measured, about
from pushforward.metrics.intervals import LEVEL, SIGMAS, around

if TYPE_CHECKING:
    from pushforward.compare.result import Cell, Comparison

ROWS = ("two-sample", "two-sample AUC", "pair trends", "kernel ratio", "column shapes", "coverage")
PICTURES = ("two-sample, network", "two-sample", "Fréchet ratio")
COPYING = ("copies", "near copies")
DRAWS = 4000  # of what would have been measured with other seeds and records


@dataclass(frozen=True)
class Summary:
    """A model over its seeds.

    Attributes:
        model: its words.
        seeds: how many were tried.
        failed: why, by seed that failed.
        found: by metric the mean over seeds, with an interval that holds the spread over seeds and the metric's own.
        worst: by metric the value of the worst seed.
        spread: by metric the standard deviation over seeds; absent with fewer than two.
        why_not: by metric the reason why no seed has an answer.
        nats: the mean over seeds with its interval.
        density: what nats are: exact, bound, estimate or none.
        cost: by name the mean over seeds.
        alarms: sentences, each once.
        stopped: how many seeds stopped before their time was over.
        oscillation: the mean over seeds.
        merit: what models are ranked by, where less is better; see `ranked`.
    """

    model: str
    seeds: int
    failed: dict[int, str] = field(default_factory=dict)
    found: dict[str, Measured] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    why_not: dict[str, str] = field(default_factory=dict)
    nats: Measured | None = None
    density: str = "none"
    cost: dict[str, float] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()
    stopped: int = 0
    oscillation: float | None = None
    merit: Measured | None = None


def deciding(comparison: Comparison) -> tuple[str, ...]:
    """The metrics that models are ranked by, without those that are greyed.

    For rows that is the first of `ROWS` that can be measured, in the end the accuracy with which boosted trees tell
    draws from held-out records: it is proper (½ only for the true distribution), and trees see single columns, pairs
    and rules alike, so that no other metric can find what is hidden from it but copies. For pictures no judge is that
    much better than all others: trees on principal components see brightness and pose, a small network sees edges,
    the Fréchet ratio sees missing kinds, and each has been fooled alone. Their scales have nothing in common, since an
    accuracy ends at 1 and a ratio nowhere, so it is their ranks that are averaged.
    """
    there = {name for cell in comparison.cells for name, value in cell.found.items() if isinstance(value, Measured)}
    able = there - set(comparison.greyed)
    pictures = {"two-sample, network", "Fréchet ratio"} & set(comparison.metrics)
    if pictures and (chosen := tuple(name for name in PICTURES if name in able)):
        return chosen
    return next(((name,) for name in ROWS if name in able), ())


def ranked(comparison: Comparison) -> tuple[Summary, ...]:
    """The models in order of merit, those without any last.

    By one metric the merit is the gap from ideal, with its interval; by several it is the mean of the ranks of these
    gaps, with the interval that other seeds and records would have given.
    """
    names = deciding(comparison)
    summaries = [_summary(model, comparison.of(model)) for model in dict.fromkeys(c.model for c in comparison.cells)]
    able = [s for s in summaries if names and all(name in s.found for name in names)]
    rest = [s for s in summaries if s not in able]
    merits = _ranks(able, names) if len(names) > 1 else [_gap(s.found[names[0]]) for s in able]
    done = [_with_merit(s, merit) for s, merit in zip(able, merits, strict=True)]
    done.sort(key=lambda s: s.merit.value if s.merit else np.inf)
    return (*done, *sorted(rest, key=lambda s: len(s.failed) == s.seeds))


def winner(comparison: Comparison) -> tuple[str | None, str]:
    """The model that is ahead of all others beyond doubt, or None; and the sentence that says why.

    That takes several seeds, none of which failed, and intervals that have nothing in common with those of any other.
    A model most of whose draws are training records wins nothing.
    """
    summaries = [s for s in ranked(comparison) if s.merit is not None]
    names = deciding(comparison)
    if not summaries:
        return None, f"no clear winner: {_why_nothing(comparison)}"
    first, others = summaries[0], summaries[1:]
    by = names[0] if len(names) == 1 else f"mean rank ({'; '.join(names)})"
    said = f"first by {by} is {first.model} with {_shown(first, names)}"
    if copied := _copied(first):
        return None, f"no clear winner: {said}, but most of its draws are training records ({copied})"
    beware = _beware(first)
    then = f", then {others[0].model} with {_shown(others[0], names)}" if others else None
    said += then or "; no other model could be measured"
    if first.failed:
        seed, why = next(iter(first.failed.items()))
        return None, f"no clear winner: {said}, but {first.model} failed with seed {seed} ({why}){beware}"
    if first.seeds < 2:
        return None, f"no clear winner: {said}; one seed does not tell what others would do, take 3{beware}"
    if not others:
        return first.model, f"{said}{beware}"
    close = [s.model for s in others if not _apart(first, s)]
    if close:
        near = ", ".join(close[:3]) + (f" and {len(close) - 3} more" if len(close) > 3 else "")
        return None, f"no clear winner: {said}; its interval meets that of {near}{beware}"
    words = f" ({about(names[0]).words})" if len(names) == 1 else ""
    return first.model, f"{said}, and its interval is clear of all others{words}{beware}"


def over_seeds(found: list[Measured], least: float = -np.inf, most: float = np.inf) -> Measured:
    """The mean of what was measured with several seeds.

    Half its interval is the root of two squares: Student's interval of the mean over seeds, and the mean of the
    metric's own, which is not divided by the number of seeds, as all were compared with the same held-out records.

    Args:
        found: by seed.
        least, most: what can be measured at all, where the interval ends.

    >>> round(over_seeds([Measured(v, v - 0.01, v + 0.01, "lower", 0.5) for v in (0.6, 0.62, 0.64)]).high, 3)
    0.671
    """
    if len(found) == 1:
        return found[0]
    values = np.array([one.value for one in found])
    seeds = student.ppf((1 + LEVEL) / 2, len(found) - 1) * values.std(ddof=1) / len(found) ** 0.5
    below = np.hypot(seeds, np.mean([one.value - one.low for one in found]))
    above = np.hypot(seeds, np.mean([one.high - one.value for one in found]))
    mean, flagged = float(values.mean()), sum(one.flag for one in found) * 2 > len(found)
    words = next((one.words for one in found if one.flag == flagged), "")
    ideal, detail = float(np.mean([one.ideal for one in found])), _merged([one.detail for one in found])
    low, high = max(mean - float(below), min(least, mean)), min(mean + float(above), max(most, mean))
    return Measured(mean, low, high, found[0].better, ideal, flagged, words, detail)


def _summary(model: str, cells: tuple[Cell, ...]) -> Summary:
    done = [cell for cell in cells if cell.failed is None]
    names = dict.fromkeys(name for cell in done for name in cell.found)
    by_name = {name: [cell.found.get(name) for cell in done] for name in names}
    measured = {name: [v for v in values if isinstance(v, Measured)] for name, values in by_name.items()}
    there = {name: values for name, values in measured.items() if values}
    nats = [cell.nats for cell in done if cell.nats is not None]
    costs = dict.fromkeys(name for cell in done for name in cell.cost)
    waves = [wave for cell in done if (wave := cell.facts.get("oscillation")) is not None]
    return Summary(
        model=model,
        seeds=len(cells),
        failed={cell.seed: cell.failed for cell in cells if cell.failed is not None},
        found={name: over_seeds(values, *_ends(name, values[0])) for name, values in there.items()},
        worst={name: max(values, key=lambda one: one.gap).value for name, values in there.items()},
        spread={name: float(np.std([v.value for v in vs], ddof=1)) for name, vs in there.items() if len(vs) > 1},
        why_not={name: str(next(v for v in by_name[name] if v)) for name in names if name not in there},
        nats=over_seeds(nats) if nats else None,
        density=next((cell.density for cell in done), "none"),
        cost={name: float(np.mean([cell.cost[name] for cell in done if name in cell.cost])) for name in costs},
        alarms=tuple(dict.fromkeys(alarm for cell in done for alarm in cell.facts.get("alarms", ()))),
        stopped=sum(bool(cell.facts.get("stopped")) for cell in done),
        oscillation=float(np.mean(waves)) if waves else None,
    )


def _ends(name: str, found: Measured) -> tuple[float, float]:
    """What a metric can be; one that is not ours, in a file of another version, may be anything."""
    try:
        least, most = about(name).least, about(name).most
    except KeyError:
        return -np.inf, np.inf
    accuracy = about(name).group == "control" and found.better == "higher"  # of a category; of a number it is an error
    return least, 1.0 if accuracy else most


def _with_merit(summary: Summary, merit: Measured) -> Summary:
    return Summary(**{**vars(summary), "merit": merit})


def _gap(found: Measured) -> Measured:
    """The distance from ideal with its interval, which ends where nothing is worse than ideal."""
    ends = [Measured(end, end, end, found.better, found.ideal).gap for end in (found.low, found.high)]
    around_ideal = found.better == "near" and found.low <= found.ideal <= found.high
    return Measured(found.gap, 0.0 if around_ideal else min(*ends, found.gap), max(*ends, found.gap), "lower", 0.0)


def _ranks(summaries: list[Summary], names: tuple[str, ...]) -> list[Measured]:
    """The mean ranks with their intervals: the values are shaken as their own intervals allow, and ranked again."""
    if not summaries:
        return []
    rng = np.random.default_rng(0)
    value, again = np.zeros(len(summaries)), np.zeros((DRAWS, len(summaries)))
    for name in names:
        found = [s.found[name] for s in summaries]
        value += rankdata([one.gap for one in found]) / len(names)
        centre, sigma = np.array([one.value for one in found]), np.array([one.high - one.low for one in found])
        drawn = centre + rng.normal(size=again.shape) * sigma / (2 * SIGMAS)
        worse = np.array([{"lower": 1.0, "higher": -1.0}.get(one.better, 0.0) for one in found])
        apart = drawn - np.array([one.ideal for one in found])
        again += rankdata(np.where(worse == 0, np.abs(apart), np.maximum(0, worse * apart)), axis=1) / len(names)
    low, high = np.quantile(again, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    ends = zip(value, np.minimum(low, value), np.maximum(high, value), strict=True)
    return [Measured(float(v), float(below), float(above), "lower", 1.0) for v, below, above in ends]


def _apart(first: Summary, other: Summary) -> bool:
    assert first.merit is not None and other.merit is not None
    return first.merit.high < other.merit.low


def _copied(summary: Summary) -> str:
    """In a few words that most draws are training records, if they are."""
    there = ((name, summary.found[name]) for name in COPYING if name in summary.found)
    return next((f"{name} {one.value:.0%}" for name, one in there if one.flag and one.low > 0.5), "")


def _beware(summary: Summary) -> str:
    there = [f"{name} {summary.found[name].value:.1%}" for name in COPYING if name in summary.found]
    flagged = [name for name in COPYING if name in summary.found and summary.found[name].flag]
    return f"; beware of copies of training records among its draws ({', '.join(there)})" if flagged else ""


def _why_nothing(comparison: Comparison) -> str:
    if not comparison.cells:
        return "no family can model these fields"
    failed = [cell for cell in comparison.cells if cell.failed is not None]
    if len(failed) == len(comparison.cells):
        return f"every model failed; {failed[0].model}: {failed[0].failed}"
    found = [cell.found for cell in comparison.cells]
    for name in (*ROWS, *PICTURES):
        why = comparison.greyed.get(name) or next((str(one[name]) for one in found if name in one), None)
        if why:
            return f"{name}: {why}"
    return "nothing could be measured"


def _shown(summary: Summary, names: tuple[str, ...]) -> str:
    one = summary.merit if len(names) > 1 else summary.found[names[0]]
    assert one is not None
    digits = 1 if len(names) > 1 else 3
    return f"{one.value:.{digits}f} ({one.low:.{digits}f} to {one.high:.{digits}f})"


def _merged(details: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What measures were made of, with numbers by name averaged over seeds, and all else as the first seed has it."""
    out = dict(details[0])
    for key, first in details[0].items():
        every = [detail[key] for detail in details if key in detail]
        if isinstance(first, Mapping) and all(isinstance(v, int | float) for one in every for v in one.values()):
            named = dict.fromkeys(name for one in every for name in one)
            means = {name: float(np.mean([one[name] for one in every if name in one])) for name in named}
            out[key] = dict(sorted(means.items(), key=lambda item: item[1])) if _rising(first) else means
        elif isinstance(first, float) and all(isinstance(v, int | float) for v in every):
            out[key] = float(np.mean(every))
    return out


def _rising(scores: Mapping[Any, float]) -> bool:
    values = list(scores.values())
    return values == sorted(values)


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """The mean of numbers and its interval."""
    error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return around(float(values.mean()), float(error))
