"""What another seed, or another learning rate, would have given."""

from __future__ import annotations

from pushforward.compare.ranking import Summary
from pushforward.compare.report.blocks import head, note, table
from pushforward.compare.report.charts.scale import Scale, around
from pushforward.compare.report.charts.strip import GUTTER, WIDTH, strip
from pushforward.compare.report.elements import Child, Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import decimals, number
from pushforward.metrics import Measured

TITLE = "Stability"
HEADS = ("Model", "Spread", "Worst seed", "Failed", "Stopped early", "Oscillation", "Alarms")
NOTE = (
    "A crossed mark is a run that failed. Spread is the standard deviation over seeds; oscillation is how much the "
    "loss still swings in the second half of its training."
)


def stability(view: View) -> Safe | None:
    """A strip for each model with a dot a seed, then the numbers behind it."""
    name = next(iter(view.deciding), None)
    if not view.summaries:
        return None
    values = {one.model: [m.value for m in view.found_of(one.model, name)] if name else [] for one in view.summaries}
    found = [one.found[name] for one in view.ran if name and name in one.found]
    ideals = found[0].ideal if found else None
    scale = around(
        [value for each in values.values() for value in each] + ([ideals] if ideals is not None else []),
        8, WIDTH - GUTTER, logs=True,
    )  # fmt: skip
    digits = max(2, decimals(found))
    rows = [_row(view, one, name, values[one.model], scale, ideals, digits) for one in view.summaries]
    first, *others = (head(words) for words in HEADS)
    heads = [first, head(f"{name or 'nothing measured'}, a dot a seed"), *others]
    return join(
        note(NOTE), table("Stability by model", heads, rows), _failures(view), _alarms(view), _sensitivity(view)
    )


def _row(
    view: View, one: Summary, name: str | None, values: list[float], scale: Scale, ideal: float | None, digits: int
) -> Safe:
    words = f"{one.model}: " + (", ".join(number(v, digits) for v in values) or "no value")
    words += f"; {len(one.failed)} of {one.seeds} failed" if one.failed else ""
    spread, worst = one.spread.get(name or ""), one.worst.get(name or "")
    return el(
        "tr",
        el("th", view.name(one.model), scope="row"),
        el("td", strip(values, len(one.failed), scale, ideal, words, view.shape(one.model))),
        _number(spread, digits + 1),
        _number(worst, digits),
        el("td", f"{len(one.failed)} of {one.seeds}", class_="right bad" if one.failed else "right"),
        el("td", f"{one.stopped} of {one.seeds}", class_="right"),
        _number(one.oscillation, 2),
        el("td", len(one.alarms), class_="right bad" if one.alarms else "right"),
        class_=view.colour(one.model),
    )


def _number(value: float | None, digits: int | None) -> Safe:
    return el("td", "—" if value is None else number(value, digits), class_="right")


def _failures(view: View) -> Safe | None:
    failed = [(one, seed, why) for one in view.summaries for seed, why in sorted(one.failed.items())]
    if not failed:
        return None
    items = [el("li", view.name(one.model), f", seed {seed}: {why}") for one, seed, why in failed]
    return join(el("h3", "Why runs failed"), el("ul", items, class_="notes"))


def _alarms(view: View) -> Safe | None:
    raised = [(one, alarm) for one in view.summaries for alarm in one.alarms]
    if not raised:
        return None
    items = [el("li", view.name(one.model), f": {alarm}") for one, alarm in raised]
    return join(el("h3", "Alarms during the fit"), el("ul", items, class_="notes"))


def _sensitivity(view: View) -> Safe | None:
    """What a tenth and ten times the learning rate would have given."""
    found = view.comparison.sensitivity
    if not found:
        return None
    factors = list(dict.fromkeys(factor for each in found.values() for factor in each))
    heads = [head("Model"), *(head(f"× {factor}", "right") for factor in factors)]
    rows = [
        el("tr", el("th", view.name(model) if model in view.comparison.models else model, scope="row"),
           [_answer(each.get(factor)) for factor in factors])
        for model, each in found.items()
    ]  # fmt: skip
    words = "Two-sample accuracy of one seed, with the learning rate times each factor; ½ is ideal."
    return join(el("h3", "With another learning rate"), note(words), table("Learning rates by model", heads, rows))


def _answer(found: Measured | str | None) -> Safe:
    if isinstance(found, Measured):
        return el("td", number(found.value), class_="right")
    said: Child = found or "—"
    return el("td", said, class_="right muted")
