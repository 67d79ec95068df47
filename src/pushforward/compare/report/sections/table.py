"""All models by all metrics: a number with its interval in each cell, in order of merit."""

from __future__ import annotations

from pushforward.compare.ranking import Summary
from pushforward.compare.report import blocks
from pushforward.compare.report.charts.scale import Scale
from pushforward.compare.report.charts.whisker import column, whisker
from pushforward.compare.report.elements import Child, Safe, el, join
from pushforward.compare.report.view import View, meaning
from pushforward.compare.report.words import KIND, SIGN, decimals, ideal, interval, listed, number
from pushforward.metrics import Measured

TITLE = "What was measured"
NATS = "nats a record"
RANK = "mean rank"
LEGEND = (
    "Bold: the best of a column, and all whose interval overlaps with its, if that is not all. The line beneath spans "
    "the 95% interval, over seeds and records; the faint upright is what is ideal."
)
NATS_WORDS = (
    "mean log-likelihood of held-out records; more is better. ≥ marks a lower bound and ≈ an estimate, "
    "which must not be ranked with exact ones as if they were the same"
)


def table(view: View) -> Safe | None:
    """The table of quality and control, with what its columns mean and why cells are empty."""
    if not view.summaries:
        return None
    first = [RANK] if len(view.deciding) > 1 else []
    first += [NATS] if any(one.nats for one in view.ran) else []
    return metric_table(view, first + view.metrics("control", "quality"))


def metric_table(view: View, names: list[str]) -> Safe:
    """Models by these metrics, followed by what they mean, and the reasons for cells that are empty or grey."""
    notes: dict[str, int] = {}  # reasons that cells refer to, numbered as they come
    columns = {name: _of_column(view, name) for name in names}
    heads = [blocks.head("Model"), *(_head(view, name, columns[name]) for name in names)]
    rows = [_row(view, one, columns, notes) for one in view.ran]
    failed = [one for one in view.summaries if len(one.failed) == one.seeds]
    rows += [_failed(view, one, len(names)) for one in failed]
    shown = blocks.table("Metrics by model", heads, rows, "metrics")
    return join(shown, blocks.note(LEGEND), _reasons(notes), _meanings(view, names))


Column = tuple[dict[str, Measured], Scale, int, set[str]]


def _of_column(view: View, name: str) -> Column:
    """By model what was measured, its scale and decimals, and the models that are best."""
    found = {one.model: m for one in view.ran if (m := _measured(one, name)) is not None}
    scale, digits = column(list(found.values())), decimals(found.values())
    if name == NATS or name in view.comparison.greyed or len(found) < 2:
        return found, scale, digits, _best_nats(view, found) if name == NATS else set()
    best = min(found.values(), key=lambda one: one.gap)
    able = {model for model, one in found.items() if one is best or not one.clear_of(best)}
    return found, scale, digits, able if len(able) < len(found) else set()


def _measured(one: Summary, name: str) -> Measured | None:
    return one.nats if name == NATS else one.merit if name == RANK else one.found.get(name)


def _words(view: View, name: str) -> str:
    """What a column shows."""
    if name == NATS:
        return NATS_WORDS
    return f"mean of the ranks in {listed(view.deciding)}; 1: first in all" if name == RANK else meaning(name).words


def _best_nats(view: View, found: dict[str, Measured]) -> set[str]:
    """The best among exact ones, with which no others may be ranked."""
    exact = {one.model: found[one.model] for one in view.ran if one.model in found and one.density == "exact"}
    if len(exact) < 2:
        return set()
    best = max(exact.values(), key=lambda one: one.value)
    able = {model for model, one in exact.items() if one is best or not one.clear_of(best)}
    return able if len(able) < len(exact) else set()


def _head(view: View, name: str, column: Column) -> Safe:
    words = _words(view, name)
    reason = view.comparison.greyed.get(name)
    found, scale, *_ = column
    under = ideal(next(iter(found.values()))) if found else ""
    small = "says nothing here" if reason else "more is better" if name == NATS else under
    logs = " · log scale" if scale.log else ""
    title = f"{words}. Greyed: {reason}" if reason else words
    return el("th", name, el("small", small + logs), scope="col", title=title, class_="greyed" if reason else None)


def _row(view: View, one: Summary, columns: dict[str, Column], notes: dict[str, int]) -> Safe:
    partly = f"{len(one.failed)} of {one.seeds} seeds failed" if one.failed else None
    head = el("th", view.name(one.model), el("small", partly, class_="bad") if partly else None, scope="row")
    return el("tr", head, [_cell(view, one, name, column, notes) for name, column in columns.items()],
              class_=view.colour(one.model))  # fmt: skip


def _cell(view: View, one: Summary, name: str, column: Column, notes: dict[str, int]) -> Safe:
    found, scale, digits, best = column
    reason = view.comparison.greyed.get(name)
    class_ = "greyed" if reason else "best" if one.model in best else None
    if one.model not in found:
        why = _why_not(view, one, name)
        mark = el("sup", notes.setdefault(why, len(notes) + 1))
        return el("td", "— ", mark, class_="empty", title=why)
    measured = found[one.model]
    sign = SIGN[one.density] if name == NATS else ""
    kind = f" ({KIND[one.density]})" if name == NATS else ""
    words = f"{one.model}, {name}: {number(measured.value, digits)}{kind}, {interval(measured, digits)}"
    dot = whisker(measured, scale, words, view.shape(one.model), open_=bool(sign))
    below: Child = interval(measured, digits) if measured.high > measured.low else "no interval"
    return el("td", el("span", sign, number(measured.value, digits), class_="number"), dot, el("small", below),
              class_=class_, title=reason)  # fmt: skip


def _why_not(view: View, one: Summary, name: str) -> str:
    if name == NATS:
        said = [why for cell in view.comparison.of(one.model) if (why := cell.facts.get("no nats"))]
        return str(said[0]) if said else "it has no log-likelihood of these records"
    return one.why_not.get(name, "it was not measured")


def _failed(view: View, one: Summary, width: int) -> Safe:
    why = "; ".join(dict.fromkeys(one.failed.values()))
    said = el("td", el("span", "failed in every seed: ", why, class_="bad"), colspan=max(1, width), class_="failed")
    return el("tr", el("th", view.name(one.model), scope="row"), said, class_=view.colour(one.model))


def _reasons(notes: dict[str, int]) -> Safe | None:
    if not notes:
        return None
    items = [el("li", why) for why in notes]
    return join(el("h3", "Why cells are empty"), el("ol", items, class_="notes"))


def _meanings(view: View, names: list[str]) -> Safe:
    """What each metric is, and why it is grey."""
    greyed = view.comparison.greyed
    items = [
        el("div", el("dt", name), el("dd", _words(view, name) + ".", _grey(greyed[name]) if name in greyed else None),
           class_="greyed" if name in greyed else None)
        for name in names
    ]  # fmt: skip
    return join(el("h3", "What the columns say"), el("dl", items, class_="meanings")) if items else join()


def _grey(reason: str) -> Safe:
    return el("span", " Greyed: ", reason, ".", class_="why")
