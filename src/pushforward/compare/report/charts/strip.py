"""One dot a seed, on a line; runs that failed stand at its end."""

from __future__ import annotations

from pushforward.compare.report.charts.marks import cross, line, mark, picture
from pushforward.compare.report.charts.scale import Scale
from pushforward.compare.report.elements import Safe

WIDTH, HEIGHT = 260.0, 22.0
GUTTER = 60.0  # where failed runs stand


def strip(values: list[float], failed: int, scale: Scale, ideal: float | None, words: str, shape: int = 0) -> Safe:
    """The seeds of a model on the scale of all models.

    Args:
        values: one a seed that ran.
        failed: how many did not.
        scale: of all models; it ends before the gutter.
        ideal: where a dot would be best.
        words: what is seen, for who cannot see it.
        shape: of the mark.
    """
    middle = HEIGHT / 2
    parts = [line(scale.start, middle, scale.stop, middle, "grid")]
    if ideal is not None and not scale.beyond(ideal):
        parts.append(line(scale(ideal), 2, scale(ideal), HEIGHT - 2, "ideal"))
    if len(values) > 1:
        parts.append(line(scale(min(values)), middle, scale(max(values)), middle, "whisker"))
    parts += [mark(scale(value), middle, shape, 4.2, "mark see-through") for value in values]
    parts += [cross(scale.stop + 18 + 11 * i, middle) for i in range(min(failed, 4))]
    return picture(WIDTH, HEIGHT, parts, words=words, class_="strip", fluid=False)
