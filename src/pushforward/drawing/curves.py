"""The numbers of a training over its steps, in panels."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pushforward.drawing.panels import Line, Panel, limits, logarithmic, panels, smooth
from pushforward.drawing.style import COLOURS, GREY, INK, blank, gridded, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, HIGH = 4.4, 2.7  # inches of a panel
TOLD = 6  # notes whose words are shown
SIZE, LETTERS = 8, 16  # of the words of notes, and how many of them an inch holds


def curves(numbers: Mapping[str, Line], notes: Sequence[tuple[int, str]] = ()) -> Figure:
    """The figure of numbers over steps.

    What stands before a ``/`` in a name is the title of a panel, what follows names the line; see `panels`. Lines of
    many points are shown as they are, faint, and as their running mean.

    Args:
        numbers: name → (n,) steps and (n,) values.
        notes: (step, text), marked by thin lines with their words below.

    Raises:
        PushforwardError: matplotlib is not installed.
    """
    shown = panels(numbers)
    columns = min(len(shown), 1 if len(shown) == 1 else 2 if len(shown) in (2, 4) else 3)
    rows = -(-len(shown) // columns)
    with styled():
        width = columns * WIDE + (1.2 if columns == 1 else 0)
        words = _words(notes, int(width * LETTERS))
        below = 0.18 * len(words) + (0.1 if words else 0)
        figure = blank(width, rows * HIGH + 0.2 + below)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=False)
        end = max(int(steps[-1]) for steps, _ in numbers.values())
        windows = [_draw(axes, panel, end) for axes, panel in zip(grid.flat, shown, strict=False)]
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        for axes, panel in zip(grid.flat, shown, strict=False):
            axes.set_title(panel.title, pad=16 if notes else None)  # numbers of notes stand below it
            _mark(axes, notes)
        if max(windows) > 1:
            words = [f"Faint: as told. Strong: running mean of up to {max(windows)} points.", *words]
        if words:
            figure.supxlabel("\n".join(words), x=0.01, ha="left", fontsize=SIZE, color=GREY, linespacing=1.5)
    return figure


def _draw(axes: Axes, panel: Panel, end: int) -> int:
    """Draw a panel; over how many points its lines are smoothed."""
    windows = [1]
    for i, (_, line) in enumerate(panel.lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        (steps, values), window = smooth(line)
        if window > 1:
            axes.plot(*line, color=colour, alpha=0.18, linewidth=0.6)
        few = len(steps) < 25
        axes.plot(steps, values, color=colour, marker="o" if few else None, markersize=3)
        windows.append(window)
    log = logarithmic(panel.lines)
    axes.set_yscale("log" if log else "linear")
    if (ends := limits(panel.lines, log)) is not None:
        axes.set_ylim(*ends)
    axes.set_xlim(0, 1.02 * end)
    axes.set_xlabel("steps")
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    axes.locator_params(axis="x", nbins=5, integer=True)
    gridded(axes)
    if list(panel.lines) != [panel.title]:
        _name(axes, panel)
    return max(windows)


def _name(axes: Axes, panel: Panel) -> None:
    """Names beside the ends of the lines, in their colours, moved apart where they would lie on one another."""
    heights = np.array([_height(axes, smooth(line)[0][1]) for line in panel.lines.values()])
    for i, (name, height) in enumerate(zip(panel.lines, _apart(heights, 0.085), strict=True)):
        axes.annotate(
            name, (1, height), xycoords="axes fraction", xytext=(3, 0), textcoords="offset points",
            color=COLOURS[i % len(COLOURS)], fontsize=8.5, va="center", annotation_clip=False,
        )  # fmt: skip


def _height(axes: Axes, values: np.ndarray) -> float:
    """How high in the panel a line ends, from 0 to 1."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.5
    point = axes.transData.transform((0.0, finite[-1]))
    return float(np.clip(axes.transAxes.inverted().transform(point)[1], 0, 1))


def _apart(heights: np.ndarray, gap: float) -> np.ndarray:
    """Heights in [0, 1] moved as little as need be, so that no two are closer than `gap`, their order kept."""
    order = np.argsort(heights, kind="stable")
    out = heights[order].copy()
    for _ in range(100):
        close = np.flatnonzero(np.diff(out) < gap - 1e-9)
        if not len(close):
            break
        for i in close:
            middle = (out[i] + out[i + 1]) / 2
            out[i], out[i + 1] = middle - gap / 2, middle + gap / 2
    out -= min(0.0, out[0] + 0.02)
    back = np.empty_like(out)
    back[order] = out
    return back


def _mark(axes: Axes, notes: Sequence[tuple[int, str]]) -> None:
    """A thin line at the step of each note, with the number that its words have below."""
    for i, (step, _) in enumerate(notes):
        axes.axvline(step, color=GREY, alpha=0.8, linewidth=0.6, linestyle=(0, (2, 2)), zorder=1)
        if i < TOLD:
            axes.annotate(
                str(i + 1), (step, 1), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
                ha="center", va="bottom", fontsize=7, color=INK,
            )  # fmt: skip


def _words(notes: Sequence[tuple[int, str]], letters: int) -> list[str]:
    """The notes as lines of text."""
    out = []
    for i, (step, text) in enumerate(notes[:TOLD]):
        whole = f"{i + 1}   step {step:,}: {' '.join(text.split())}"
        out += textwrap.wrap(whole, letters, subsequent_indent="     ", max_lines=2, placeholder=" …")
    if len(notes) > TOLD:
        out.append(f"and {len(notes) - TOLD} more, in history.notes")
    return out
