"""How figures look, and how they become files: thin lines, quiet axes, colours that every eye tells apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pushforward.data.write import whole
from pushforward.errors import ArgumentError, PushforwardError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY, FAINT, PAPER = "#22262e", "#7b838f", "#d5d9df", "#ffffff"
# After Okabe and Ito, and Tol: told apart also by who sees no red or no green, and by their lightness in print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#332288", "#56b4e9", "#e69f00", "#882255", "#8adcc4", "#8f7fe8")
FILES = (".png", ".svg", ".pdf")
SHARP = 200  # dots an inch of a PNG

_LOOK = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.6,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titlecolor": INK,
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so a figure looks alike everywhere
    "font.size": 9,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
}


@contextmanager
def styled() -> Iterator[None]:
    """Inside, what is drawn looks like this house's; the settings of the person are back after it.

    Raises:
        PushforwardError: matplotlib is not installed.
    """
    try:
        import matplotlib.style
    except ImportError as error:
        raise PushforwardError(
            f"drawing needs matplotlib, which cannot be imported ({error}); pip install 'pushforward[plots]'"
        ) from error
    with matplotlib.style.context(["default", _LOOK]):
        yield


def blank(width: float, height: float) -> Figure:
    """An empty figure of this size in inches; no window and no global state belong to it."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def gridded(axes: Axes) -> None:
    """Faint lines to read values by."""
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure in the format of the extension; what stood at `path` stays until the new file is whole.

    Raises:
        ArgumentError: the extension is none of PNG, SVG and PDF, or the file cannot be written.
    """
    ending = Path(path).suffix.lower()

    def content(file: IO[bytes]) -> None:
        with styled():
            figure.savefig(file, format=ending[1:], dpi=SHARP)

    return written(path, FILES, content)


def written(path: str | Path, endings: tuple[str, ...], content: Callable[[IO[bytes]], None]) -> Path:
    """Write a file whole or not at all, if its extension is one of these.

    Raises:
        ArgumentError: it is not, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise ArgumentError(f"path={str(path)!r} cannot be drawn as {path.suffix or 'a folder'}; end it with "
                            f"{' or '.join(endings)}")  # fmt: skip
    if not path.parent.is_dir():
        raise ArgumentError(f"path={str(path)!r} is in a folder that does not exist; make {path.parent} first")
    if path.is_dir():
        raise ArgumentError(f"path={str(path)!r} is a folder; name a file")
    try:
        return whole(path, content)
    except OSError as error:
        raise ArgumentError(f"path={str(path)!r} cannot be written ({error}); choose another place") from error
