"""What each metric says of draws of which is known what it has to say."""

from __future__ import annotations

from pushforward.compare.report.blocks import head, note, table
from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import decimals, interval, number
from pushforward.errors import UnmeasurableError
from pushforward.metrics import METRICS, Measured, blind
from pushforward.metrics.blindness import REALS

TITLE = "What the controls say"
NOTE = (
    "Each metric was also asked about records of which the answer is known. One that cannot tell any control from real "
    "records here says nothing of models either, and is greyed. ○ marks what a metric does not tell apart."
)


def controls(view: View) -> Safe | None:
    """Metrics by controls."""
    found = view.comparison.controls
    names = [name for name in view.metrics("quality", "privacy") if any(name in each for each in found.values())]
    if not names:
        return None
    unseen = _blind(view)
    heads = [head("Metric"), *(head(control) for control in found)]
    rows = [_row(view, name, unseen.get(name, {})) for name in names]
    return join(note(NOTE), table("Metrics by control", heads, rows, "plain controls"))


def _blind(view: View) -> dict[str, dict[str, str]]:
    """By metric the controls that it does not tell from real records, and why."""
    found = {
        control: {
            name: one if isinstance(one, Measured) else UnmeasurableError(one)
            for name, one in each.items()
            if name in METRICS
        }
        for control, each in view.comparison.controls.items()
    }
    return blind(found) if REALS in found else {}


def _row(view: View, name: str, unseen: dict[str, str]) -> Safe:
    found = view.comparison.controls
    class_ = "greyed" if name in view.comparison.greyed else None
    reasons = {one for each in found.values() if isinstance(one := each.get(name), str)}
    if len(reasons) == 1 and not any(isinstance(each.get(name), Measured) for each in found.values()):
        said = el("td", reasons.pop(), colspan=len(found), class_="muted")
        return el("tr", el("th", name, scope="row"), said, class_=class_)
    digits = decimals(one for each in found.values() if isinstance(one := each.get(name), Measured))
    cells = [_cell(each.get(name), digits, unseen.get(control)) for control, each in found.items()]
    return el("tr", el("th", name, scope="row"), cells, class_=class_)


def _cell(found: Measured | str | None, digits: int, unseen: str | None) -> Safe:
    if not isinstance(found, Measured):
        return el("td", "—", el("small", found) if found else None, class_="muted")
    flag = el("b", " copied", class_="flag") if found.flag else None
    sign = el("span", " ○", class_="muted") if unseen else None
    return el("td", number(found.value, digits), sign, flag, el("small", interval(found, digits)), title=unseen)
