"""What more weight on a condition gives, and what it takes."""

from __future__ import annotations

from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import decimals, interval, number
from pushforward.metrics import Measured

TITLE = "Guidance"


def guidance(view: View) -> Safe | None:
    """By model and weight of guidance, what was obeyed and what was covered."""
    found = {model: each for model, each in view.comparison.guidance.items() if each}
    if not found:
        return None
    names = list(dict.fromkeys(name for each in found.values() for one in each.values() for name in one))
    digits = {
        name: decimals(m for each in found.values() for one in each.values() if isinstance(m := one.get(name), Measured))
        for name in names
    }
    known = {cell.model for cell in view.comparison.cells}
    rows = [
        el("tr", el("th", view.name(model) if model in known else model, scope="row"), el("td", weight, class_="right"),
           [_cell(one.get(name), digits[name]) for name in names])
        for model, each in found.items()
        for weight, one in each.items()
    ]  # fmt: skip
    heads = [el("th", name, scope="col", class_="right") for name in names]
    head = el("tr", el("th", "Model", scope="col"), el("th", "weight", scope="col", class_="right"), heads)
    note = "More weight on what was asked for makes draws obey more, and differ less."
    return join(
        el("p", note, class_="note"),
        el("div", el("table", el("thead", head), el("tbody", rows), class_="plain"), class_="scroll", tabindex="0"),
    )


def _cell(found: Measured | str | None, digits: int) -> Safe:
    if not isinstance(found, Measured):
        return el("td", found or "—", class_="right muted")
    return el("td", number(found.value, digits), el("small", interval(found, digits)), class_="right")
