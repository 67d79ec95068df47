"""Points of a latent space in the plane, coloured by what they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pushforward.drawing.style import COLOURS, FAINT, GREY, INK, PAPER, blank, save, styled
from pushforward.errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVELS = len(COLOURS)  # that have colours of their own
HOLE, REST = "not known", "all others"


def scatter(
    points: Any, by: Any, *, label: str, axes: Sequence[str], title: str = "", path: str | Path | None = None
) -> Figure:
    """The figure of points, coloured by a category or a number of each.

    Points of more than two numbers are shown along the two directions u₁, u₂ in which they vary most (principal
    components), and the axes then say how much: (Var u₁ᵀz) / Σᵢ Var zᵢ.

    Args:
        points: (n, k) numbers, k at least 2.
        by: (n,) words, truth values, whole numbers of at most ten different values: a category, whose ten most frequent
            levels get a colour each; other numbers: from dark to light. None and NaN are grey.
        label: what `by` is called.
        axes: the names of the two axes.
        title: stands above.
        path: where the figure is written too, as PNG, SVG or PDF, whole or not at all.

    Raises:
        ArgumentError: shapes do not fit, or the file cannot be written.
        PushforwardError: matplotlib is not installed.
    """
    points, by = _checked(points, by, axes)
    flat, shares = plane(points)
    names = [f"{n}, {s:.0%} of the variance" if s is not None else n for n, s in zip(axes, shares, strict=True)]
    with styled():
        figure = blank(5.6, 4.6)
        ax = figure.subplots()
        if categorical(by):
            _levels(ax, flat, by, label)
        else:
            _numbers(figure, ax, flat, by.astype(np.float64), label)
        ax.set(xlabel=names[0], ylabel=names[1], title=title)
        ax.set_box_aspect(1)
        ax.locator_params(nbins=5)
    if path is not None:
        save(figure, path)
    return figure


def _checked(points: Any, by: Any, axes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    points, by = np.asarray(points, dtype=np.float64), np.asarray(by)
    if points.ndim != 2 or points.shape[1] < 2 or len(points) < 2:
        raise ArgumentError(f"points have shape {points.shape}; they must be (n, k), n and k at least 2")
    if not np.isfinite(points).all():
        raise ArgumentError("points hold numbers that are not finite; leave those rows out")
    if by.shape != (len(points),):
        raise ArgumentError(f"by has shape {by.shape}; it must be ({len(points)},), one for each point")
    if isinstance(axes, str) or len(axes) != 2:
        raise ArgumentError(f"axes={axes!r} must be two names")
    return points, by


def plane(points: np.ndarray) -> tuple[np.ndarray, tuple[float | None, float | None]]:
    """(n, k) points as (n, 2), and the share of the variance along each axis where they had to be turned.

    The sign of a direction is such that its largest entry is above zero.

    >>> plane(np.array([[0.0, 0, 0], [4, 0, 0], [0, 3, 0], [4, 3, 0]]))[1]
    (0.64, 0.36)
    """
    if points.shape[1] == 2:
        return points, (None, None)
    centred = points - points.mean(0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(directions[np.arange(2), np.abs(directions[:2]).argmax(1)])
    total = float((sizes**2).sum()) or 1.0
    first, second = (round(float(size**2) / total, 6) for size in sizes[:2])
    return centred @ (directions[:2] * signs[:, None]).T, (first, second)


def categorical(by: np.ndarray) -> bool:
    """Whether values are levels rather than amounts.

    >>> categorical(np.array([1, 2, 2])), categorical(np.array([0.5, 2.0])), categorical(np.array(["a", None]))
    (True, False, True)
    """
    if by.dtype.kind in "iu":
        return len(np.unique(by)) <= LEVELS
    if by.dtype.kind != "O":
        return by.dtype.kind != "f"
    return not all(value is None or isinstance(value, float | np.floating) for value in by)


def _levels(ax: Axes, flat: np.ndarray, by: np.ndarray, label: str) -> None:
    words = np.array([HOLE if _missing(value) else str(value) for value in by], dtype=np.object_)
    known, counts = np.unique(words[words != HOLE].astype(str), return_counts=True)
    kept = set(known[np.argsort(-counts, kind="stable")[:LEVELS]])
    order = sorted(kept, key=lambda word: (0, float(word), word) if _number(word) else (1, 0.0, word))
    groups = [(word, COLOURS[i], words == word) for i, word in enumerate(order)]
    rest = ~np.isin(words, order) & (words != HOLE)
    behind = [(REST, GREY, rest), (HOLE, FAINT, words == HOLE)]
    for zorder, (word, colour, rows) in enumerate([*behind, *groups]):
        if rows.any():
            ax.scatter(
                flat[rows, 0], flat[rows, 1], s=_size(len(flat)), color=colour, alpha=0.75, linewidth=0, label=word,
                zorder=1 + zorder / 100,
            )  # fmt: skip
    handles, texts = ax.get_legend_handles_labels()
    late = sum(rows.any() for _, _, rows in behind)
    legend = ax.legend(
        handles[late:] + handles[:late], texts[late:] + texts[:late], title=label, loc="center left",
        bbox_to_anchor=(1.0, 0.5), handletextpad=0.1, alignment="left", markerscale=(30 / _size(len(flat))) ** 0.5,
    )  # fmt: skip
    legend.get_title().set_fontsize(9)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    _call(ax, flat, groups)


def _call(ax: Axes, flat: np.ndarray, groups: Sequence[tuple[str, str, np.ndarray]]) -> None:
    """The short names of levels at the medians of their points, so that no one need match colours."""
    from matplotlib.patheffects import withStroke

    if max(len(word) for word, _, _ in groups) > 3:
        return
    for word, _, rows in groups:
        x, y = np.median(flat[rows], 0)
        ax.text(
            float(x), float(y), word, ha="center", va="center", fontsize=11, fontweight="bold", color=INK,
            path_effects=[withStroke(linewidth=3, foreground=PAPER)], zorder=3,
        )  # fmt: skip


def _numbers(figure: Figure, ax: Axes, flat: np.ndarray, by: np.ndarray, label: str) -> None:
    known = np.isfinite(by)
    if not known.all():
        ax.scatter(flat[~known, 0], flat[~known, 1], s=_size(len(flat)), color=FAINT, linewidth=0, label=HOLE)
        ax.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), borderpad=0.2, handletextpad=0.2)
    dots = ax.scatter(
        flat[known, 0], flat[known, 1], s=_size(len(flat)), c=by[known], cmap="viridis", alpha=0.8, linewidth=0
    )
    bar: Any = figure.colorbar(dots, ax=ax, shrink=0.62, aspect=24, pad=0.02)
    bar.solids.set_alpha(1)
    bar.set_label(label, fontsize=9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)


def _size(many: int) -> float:
    """The area of a point: smaller where there are many."""
    return float(np.clip(9000 / many, 3, 22))


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
