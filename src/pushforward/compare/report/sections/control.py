"""What may be asked of a model, whether it does what is asked, and what more weight on that gives."""

from __future__ import annotations

from pushforward.compare.report.blocks import head, note, table
from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import decimals, interval, number
from pushforward.metrics import Measured

TITLE = "Control"
NOTE = (
    "What may be held fixed when drawing, and the share of draws that hold exactly what was asked for. "
    "Whether the rest of a record fits to it is among the metrics above."
)


def control(view: View) -> Safe | None:
    """What each model can hold fixed, then curves of guidance."""
    rows = []
    for one in view.ran:
        facts = next(cell.facts for cell in view.comparison.of(one.model) if cell.failed is None)
        if "holds" in facts:
            exact = facts.get("exact")
            said = el("td", "—" if exact is None else f"{exact:.1%}", class_="right")
            rows.append(el("tr", el("th", view.name(one.model), scope="row"), el("td", facts["holds"]), said))
    heads = [head("Model"), head("may be given"), head("held exactly", "right")]
    curves = _guidance(view)
    if not rows and curves is None:
        return None
    return join([note(NOTE), table("Control by model", heads, rows)] if rows else None, curves)


def _guidance(view: View) -> Safe | None:
    """By model and weight of guidance, what was obeyed and what was covered."""
    found = {model: each for model, each in view.comparison.guidance.items() if each}
    if not found:
        return None
    names = list(dict.fromkeys(name for each in found.values() for one in each.values() for name in one))
    digits = {
        name: decimals(
            m for each in found.values() for one in each.values() if isinstance(m := one.get(name), Measured)
        )
        for name in names
    }
    known = {cell.model for cell in view.comparison.cells}
    rows = [
        el("tr", el("th", view.name(model) if model in known else model, scope="row"), el("td", weight, class_="right"),
           [_cell(one.get(name), digits[name]) for name in names])
        for model, each in found.items()
        for weight, one in each.items()
    ]  # fmt: skip
    heads = [head("Model"), *(head(name, "right") for name in ("weight", *names))]
    words = "More weight on what was asked for makes draws obey more, and differ less."
    return join(el("h3", "Guidance"), note(words), table("Guidance by model", heads, rows))


def _cell(found: Measured | str | None, digits: int) -> Safe:
    if not isinstance(found, Measured):
        return el("td", found or "—", class_="right muted")
    return el("td", number(found.value, digits), el("small", interval(found, digits)), class_="right")
