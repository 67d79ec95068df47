"""What charts are made of: the mark of a model, axes, and the picture around them."""

from __future__ import annotations

from collections.abc import Callable

from pushforward.compare.report.charts.scale import Scale
from pushforward.compare.report.elements import Child, Safe, el, text
from pushforward.compare.report.words import number


def picture(
    width: float, height: float, *children: Child, words: str, class_: str = "chart", fluid: bool = True
) -> Safe:
    """An SVG of this size in pixels, which says in words what it shows.

    Args:
        fluid: whether it may shrink with the page.
    """
    size = {"width": width, "height": height} if not fluid else {"style": f"max-width:{width:g}px"}
    return el(
        "svg", el("title", words), *children, viewBox=f"0 0 {width:g} {height:g}", role="img", class_=class_, **size
    )


def mark(x: float, y: float, shape: int, size: float = 4.0, class_: str = "mark") -> Safe:
    """The mark of a model: round, square or a diamond, so that more models than colours can be told apart."""
    if shape % 3 == 0:
        return el("circle", cx=x, cy=y, r=size, class_=class_)
    side = 1.7 * size
    turned = f"rotate(45 {x:.1f} {y:.1f})" if shape % 3 == 2 else None
    return el("rect", x=x - side / 2, y=y - side / 2, width=side, height=side, class_=class_, transform=turned)


def cross(x: float, y: float, size: float = 3.5) -> Safe:
    """A run that failed."""
    return el("path", d=f"M{x - size:.1f} {y - size:.1f}l{2 * size} {2 * size}m0 {-2 * size}l{-2 * size} {2 * size}",
              class_="cross")  # fmt: skip


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Safe:
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def label(x: float, y: float, words: object, anchor: str = "start", class_: str = "label") -> Safe:
    return el("text", text(words), x=x, y=y, text_anchor=anchor, class_=class_)


def below(scale: Scale, y: float, start: float, words: str, write: Callable[[float], str], most: int = 5) -> list[Safe]:
    """A horizontal axis from `start`, with its ticks and what it shows."""
    out = [line(start, y, scale.stop, y, "axis")]
    for tick in scale.ticks(most):
        at = scale(tick)
        out += [line(at, y, at, y + 4, "axis"), label(at, y + 16, write(tick), "middle", "tick")]
    return [*out, label(scale.stop, y + 34, words, "end", "title")]


def beside(scale: Scale, x: float, width: float, words: str, most: int = 5) -> list[Safe]:
    """A vertical axis with its ticks, faint lines of this width beside it, and, above it, what it shows."""
    out: list[Safe] = []
    ticks = scale.ticks(most)
    digits = max((len(f"{tick:.6f}".rstrip("0").partition(".")[2]) for tick in ticks), default=0)
    for tick in ticks:
        y, said = scale(tick), number(tick) if scale.log else number(tick, digits)
        out += [line(x, y, x + width, y, "grid"), label(x - 8, y + 3.5, said, "end", "tick")]
    return [*out, label(0.0, min(scale.start, scale.stop) - 14, words, "start", "title")]
