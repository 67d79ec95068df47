"""The answer first: which model, and why; or that none is clearly ahead."""

from __future__ import annotations

from collections.abc import Sequence

from pushforward.compare.report.elements import Child, Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import count, decimals, interval, listed, number, seconds


def answer(view: View) -> Safe:
    """The head of the page."""
    data = view.comparison.data
    model, why = view.comparison.winner()
    return el(
        "header",
        el("p", "Comparison of generative models", class_="overline"),
        el("h1", *_headline(view, model)),
        el("p", why.removeprefix("no clear winner: "), ".", class_="lede"),
        _glance(view, model) if model else None,
        el("p", [el("span", fact) for fact in _facts(view, data)], class_="facts"),
        id="answer",
    )


def _headline(view: View, model: str | None) -> list[Child]:
    name = view.comparison.data.get("name", "these data")
    if model:
        return ["For ", el("em", name), ": ", el("strong", model)]
    if not view.ran:
        return ["For ", el("em", name), ": ", el("strong", "no model was fitted")]
    between = view.contenders
    more = [*between[:2], f"{len(between) - 2} more"] if len(between) > 3 else between
    if len(between) > 1:
        return ["For ", el("em", name), ": ", el("strong", "no clear winner"), " between ", _together(more)]
    return ["For ", el("em", name), ": ", el("strong", "no clear winner")]


def _together(names: Sequence[str]) -> Child:
    """Names in a sentence, each of which stays on one line."""
    *first, last = [el("span", name, class_="whole") for name in names]
    return [join(name, ", " if i < len(first) - 1 else " ") for i, name in enumerate(first)], "and ", last


def _facts(view: View, data: dict) -> list[str]:
    setting = view.comparison.setting
    given = data.get("given") or ()
    kinds = [kind for _, kind in data.get("fields", ())]
    out = [f"{data['rows']:,} records learned from"] if "rows" in data else []
    out += [f"{data['held out']:,} held out"] if "held out" in data else []
    out += [listed(count(kinds.count(kind), kind, _many(kind)) for kind in dict.fromkeys(kinds))] if kinds else []
    out += [f"given {listed(given)}"] if given else []
    out += [count(len(view.summaries), "model")]
    out += [f"{float(setting['minutes']):g} min each"] if setting.get("minutes") is not None else []
    out += [count(_seeds(view), "seed")]
    out += [str(setting["date"])] if setting.get("date") else []
    return out


def _many(kind: str) -> str:
    return "categories" if kind == "category" else kind + "s"


def _seeds(view: View) -> int:
    return len({cell.seed for cell in view.comparison.cells})


def _glance(view: View, model: str) -> Safe | None:
    """A few numbers of the winner."""
    one = next(summary for summary in view.summaries if summary.model == model)
    tiles: list[tuple[str, str, str]] = []
    for name in view.metrics("quality"):
        if len(tiles) < 2 and name in (*view.deciding, "coverage", "column shapes") and name in one.found:
            found = one.found[name]
            digits = decimals([found])
            tiles.append((number(found.value, digits), name, interval(found, digits)))
    if "seconds to fit" in one.cost:
        tiles.append((seconds(one.cost["seconds to fit"]), "to fit", ""))
    if "seconds per 1,000" in one.cost:
        tiles.append((seconds(one.cost["seconds per 1,000"]), "to draw 1,000", ""))
    if not tiles:
        return None
    cells = [
        el("div", el("dd", value, el("small", below) if below else None), el("dt", name))
        for value, name, below in tiles
    ]
    return el("dl", cells, class_="glance")
