"""Quality against time: to fit, and to draw."""

from __future__ import annotations

from pushforward.compare.report.blocks import note
from pushforward.compare.report.charts.plane import Point, plane
from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import ideal, listed, seconds

TITLE = "Quality against time"
AXES = {"seconds to fit": "time to fit", "seconds per 1,000": "time to draw 1,000 records"}


def time(view: View) -> Safe | None:
    """The metric that decides, against each kind of time, on a logarithmic axis."""
    if not view.deciding:
        return None
    ranks = len(view.deciding) > 1
    name = f"mean rank in {listed(view.deciding)}" if ranks else view.deciding[0]
    figures = []
    for cost, across in AXES.items():
        points = [
            Point(one.model, view.colour(one.model), view.shape(one.model), max(one.cost[cost], 1e-4), found)
            for one in view.ran
            if cost in one.cost and (found := one.merit if ranks else one.found.get(name)) is not None
        ]
        if points:
            up = f"{'mean rank' if ranks else name} ({ideal(points[0].y)})"
            words = f"{name} against {across}: " + "; ".join(
                f"{p.name} {seconds(p.x)}, {p.y.value:.3g}" for p in points
            )
            figures.append(el("figure", plane(points, f"{across}, log axis", up, words, seconds)))
    if not figures:
        return None
    words = "Each mark is a model, the mean of its seeds, with its 95% interval. Best is at the dashed line, and left."
    return join(note(words), el("div", figures, class_="grid wide"))
