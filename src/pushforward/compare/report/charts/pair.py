"""Two columns of drawn records over those of real ones: dots, spans by level, or rings by pairs of levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pushforward.compare.report.charts.marks import label, line, picture
from pushforward.compare.report.elements import Safe, el
from pushforward.compare.report.words import clipped, number

SIDE = 200.0
EDGE, NAMES = 8.0, 62.0
LEVELS = 7
DOTS = 350
MOST = 15  # letters of a name on an axis
ROW = 28.0  # pixels of a level


def clouds(
    real: tuple[np.ndarray, np.ndarray], drawn: tuple[np.ndarray, np.ndarray], names: tuple[str, str], words: str
) -> Safe:
    """Two numbers: real records as grey dots, drawn ones over them.

    Args:
        real, drawn: (n,) numbers across and up; NaN where there is none.
        names: of both.
        words: what is seen, for who cannot see it.
    """
    spans = [_span(values, 0.08) for values in real]
    grey, ours = (_dots(part, spans) for part in (real, drawn))
    frame = el("rect", x=1.0, y=1.0, width=SIDE - 2, height=SIDE - 2, class_="frame")
    parts = [frame, el("path", d=grey, class_="dots real"), el("path", d=ours, class_="dots")]
    across, up = (clipped(name, MOST) for name in names)
    parts += [
        label(SIDE - 1, SIDE + 13, f"{across} →", "end", "tick"),
        label(0.0, SIDE + 13, f"↑ {up}", "start", "tick"),
    ]
    return picture(SIDE, SIDE + 18, parts, words=words)


def _span(values: np.ndarray, margin: float = 0.0) -> tuple[float, float]:
    """The ends of what numbers span but for a few, with a margin."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = np.quantile(known, [0.005, 0.995])
    pad = margin * (high - low) if high > low else 0.5
    return float(low - pad), float(high + pad)


def _dots(part: tuple[np.ndarray, np.ndarray], spans: list[tuple[float, float]]) -> str:
    """The first records as a path of points; those beyond the frame stand at its edge."""
    x, y = (np.asarray(values, float)[:DOTS] for values in part)
    there = np.isfinite(x) & np.isfinite(y)
    across = np.interp(x[there], spans[0], (EDGE, SIDE - EDGE))
    up = np.interp(y[there], spans[1], (SIDE - EDGE, EDGE))
    return "".join(f"M{a:.0f} {b:.0f}h0" for a, b in zip(across, up, strict=True))


def spans(
    real: tuple[np.ndarray, np.ndarray], drawn: tuple[np.ndarray, np.ndarray], names: tuple[str, ...], words: str,
    said: Callable[[float], str] = number,
) -> Safe:  # fmt: skip
    """A number by the levels of a category: where its middle half lies, and its median.

    Args:
        real, drawn: (n,) numbers of levels, and numbers.
        names: of levels.
        words: what is seen, for who cannot see it.
        said: how a number is written.
    """
    chosen = _frequent(real[0], len(names))
    low, high = _span(real[1])
    floor = EDGE + ROW * len(chosen)
    parts: list[Safe] = []
    for i, level in enumerate(chosen):
        middle = EDGE + ROW * (i + 0.5)
        parts.append(label(NAMES - 6, middle + 3.5, clipped(names[level], 10), "end", "tick"))
        for (codes, values), y, class_ in ((real, middle, "real"), (drawn, middle, "")):
            known = values[(codes == level) & np.isfinite(values)]
            if len(known):
                a, b, c = np.interp(np.quantile(known, [0.25, 0.5, 0.75]), (low, high), (NAMES, SIDE - EDGE))
                wide = 15.0 if class_ else 3.5
                parts.append(
                    el("rect", x=a, y=y - wide / 2, width=max(1.0, c - a), height=wide, class_=class_ or "bar")
                )
                half = wide / 2 + 2
                parts.append(line(b, y - half, b, y + half, "median real" if class_ else "median"))
    parts.append(line(NAMES, EDGE, NAMES, floor, "axis"))
    parts += [
        label(NAMES, floor + 14, said(low), "start", "tick"),
        label(SIDE - EDGE, floor + 14, said(high), "end", "tick"),
    ]
    return picture(SIDE, floor + 18, parts, words=words)


def rings(
    real: tuple[np.ndarray, np.ndarray], drawn: tuple[np.ndarray, np.ndarray],
    names: tuple[tuple[str, ...], tuple[str, ...]], words: str,
) -> Safe:  # fmt: skip
    """Two categories: grey discs as large as the share of each pair among real records, rings as among drawn ones."""
    across, up = (_frequent(codes, len(some)) for codes, some in zip(real, names, strict=True))
    cell = min((SIDE - NAMES - EDGE) / max(1, len(across)), (SIDE - 28) / max(1, len(up)), 2 * ROW)
    theirs, ours = (_table(part, across, up) for part in (real, drawn))
    most = max(theirs.max(initial=1e-9), ours.max(initial=1e-9))
    parts: list[Safe] = []
    for j, level in enumerate(up):
        y = EDGE + cell * (j + 0.5)
        parts.append(label(NAMES - 6, y + 3.5, clipped(names[1][level], 10), "end", "tick"))
        for i in range(len(across)):
            x = NAMES + cell * (i + 0.5)
            grey, ring = (cell / 2 * (share[j, i] / most) ** 0.5 for share in (theirs, ours))
            parts += [el("circle", cx=x, cy=y, r=float(grey), class_="real") if grey > 0.3 else Safe(),
                      el("circle", cx=x, cy=y, r=float(ring), class_="outline") if ring > 0.3 else Safe()]  # fmt: skip
    letters = max(2, int(cell / 5.6))
    for i, level in enumerate(across):
        at = NAMES + cell * (i + 0.5), EDGE + cell * len(up) + 14
        parts.append(label(*at, clipped(names[0][level], letters), "middle", "tick"))
    return picture(SIDE, EDGE + cell * len(up) + 20, parts, words=words)


def _frequent(codes: np.ndarray, levels: int) -> list[int]:
    counts = np.bincount(codes[codes >= 0], minlength=levels)
    return [int(i) for i in np.argsort(-counts, kind="stable")[:LEVELS] if counts[i]]


def _table(part: tuple[np.ndarray, np.ndarray], across: list[int], up: list[int]) -> np.ndarray:
    """(up, across) shares of pairs."""
    a, b = part
    return np.array([[np.mean((a == i) & (b == j)) for i in across] for j in up]).reshape(len(up), len(across))
