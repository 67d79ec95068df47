"""What gives draws away: by column how alike it is distributed, and what trees tell draws by."""

from __future__ import annotations

import numpy as np

from pushforward.compare.report.blocks import head, note, table
from pushforward.compare.report.columns import detail
from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import listed, number

TITLE = "What gives draws away"
MOST, TOLD = 20, 4


def worst(view: View) -> Safe | None:
    """A shaded table of columns by models, and the fields that trees tell each model's draws by."""
    scores = {one.model: detail(one.found.get("column shapes"), "columns") for one in view.ran}
    shades = _table(view, {model: columns for model, columns in scores.items() if columns})
    told = _told(view)
    return join(shades, told) if shades or told else None


def _table(view: View, scores: dict) -> Safe | None:
    names = list(dict.fromkeys(name for columns in scores.values() for name in columns))
    if not names:
        return None
    names.sort(key=lambda name: float(np.mean([columns[name] for columns in scores.values() if name in columns])))
    lowest = min(columns[name] for columns in scores.values() for name in names if name in columns)
    heads = [head("Column"), *(head(view.name(model)) for model in scores)]
    rows = [
        el("tr", el("th", name, scope="row"), [_cell(columns.get(name), lowest) for columns in scores.values()])
        for name in names[:MOST]
    ]
    more = f" Shown are the worst {MOST} of {len(names)}." if len(names) > MOST else ""
    words = f"How alike each column is distributed, worst first; 1: alike. The stronger the shade, the worse.{more}"
    return join(note(words), table("Columns by model", heads, rows, "heat"))


def _cell(score: float | None, lowest: float) -> Safe:
    if score is None:
        return el("td", "—", class_="muted")
    heat = 60 * (1 - score) / max(1e-6, 1 - min(lowest, 0.9))
    return el("td", number(score, 2), style=f"--heat:{heat:.0f}%")


def _told(view: View) -> Safe | None:
    items = []
    for one in view.ran:
        importance = detail(one.found.get("two-sample"), "importance")
        if len(importance) < 2:  # a picture is told by itself
            importance = {}
        lost = sorted(((float(v), str(k)) for k, v in importance.items() if v > 0.002), reverse=True)[:TOLD]
        pairs = sorted((float(v), k) for k, v in detail(one.found.get("pair trends"), "pairs").items())[:2]
        said = [listed(f"{name} ({number(v, 3)})" for v, name in lost) if lost else "no single column"]
        said += [f"; worst pairs: {listed(f'{a} × {b} ({number(v, 2)})' for v, (a, b) in pairs)}"] if pairs else []
        if importance or pairs:
            items.append(el("li", view.name(one.model), ": told by ", said))
    if not items:
        return None
    words = "The columns that boosted trees tell draws by: in brackets how much of their AUC is lost without each."
    return join(el("h3", "By model"), note(words), el("ul", items, class_="notes"))
