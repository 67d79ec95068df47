"""What models cost: time, memory, and room."""

from __future__ import annotations

from pushforward.compare.report.blocks import head, table
from pushforward.compare.report.elements import Safe, el
from pushforward.compare.report.view import View
from pushforward.compare.report.words import number, seconds
from pushforward.compare.result import COSTS

TITLE = "Cost"
HEADS = {"seconds to fit": "time to fit", "seconds per 1,000": "to draw 1,000"}


def cost(view: View) -> Safe | None:
    """A table of costs, each with a bar as long as its share of the dearest."""
    names = [name for name in COSTS if any(name in one.cost for one in view.ran)]
    if not names:
        return None
    most = {name: max(one.cost.get(name, 0.0) for one in view.ran) or 1.0 for name in names}
    heads = [head("Model"), *(head(HEADS.get(name, name), "right") for name in names)]
    rows = [
        el("tr", el("th", view.name(one.model), scope="row"),
           [_cell(one.cost.get(name), name, most[name]) for name in names], class_=view.colour(one.model))
        for one in view.ran
    ]  # fmt: skip
    return table("Cost by model", heads, rows, "plain cost")


def _cell(value: float | None, name: str, most: float) -> Safe:
    if value is None:
        return el("td", "—", class_="right muted")
    said = seconds(value) if name.startswith("seconds") else number(value, 0 if value >= 100 else None)
    return el("td", said, class_="right", style=f"--part:{100 * value / most:.1f}%")
