"""A game of two numbers as a moving picture: the plane as the discriminator judges it, the data, and what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pillow

from pushforward.drawing.scene import Scene
from pushforward.drawing.style import COLOURS, GREY, INK, blank, styled, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAKE, MIDDLE, REAL = "#f5bf94", "#fbfaf8", "#a6cbe9"  # of the plane where it is found unreal, either, and real
DRAWN = COLOURS[1]  # of points
SIDE = 4.6  # inches
LONGEST = 0.09  # of the plane's width, that the longest arrows go over
SHOWN, LAST = 160, 2400  # milliseconds of a scene, and of the last one
POINTS = 1500  # of either kind that are shown
SOFT = 0.9  # share of all arrows that are shown in proportion; those that are longer are cut
WHITE = 255  # the code of white in a GIF; all other colours come before it
FAINTEST = 1e-12  # length, below which an arrow is none


def animate(scenes: Sequence[Scene], path: str | Path) -> Path:
    """Write scenes as a GIF, one picture each, whole or not at all.

    Arrows point where those of the scenes do, and their lengths are in proportion over all scenes; the longest are cut.

    Args:
        scenes: at least one.
        path: ends in ``.gif``.

    Raises:
        ArgumentError: the file cannot be written.
        PushforwardError: matplotlib is not installed.
    """

    def content(file: IO[bytes]) -> None:
        frames = _frames(scenes)
        durations = [SHOWN] * (len(frames) - 1) + [LAST]
        frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False)

    return written(path, (".gif",), content)


def _frames(scenes: Sequence[Scene]) -> list[Pillow.Image]:
    with styled():
        stage = Stage(scenes)
        pictures = [stage.show(scene) for scene in scenes]
    return _in_few_colours(pictures)


def _in_few_colours(pictures: Sequence[Pillow.Image]) -> list[Pillow.Image]:
    """Pictures in the 256 colours that a GIF has, the same for all: else the plane would flicker."""
    some = [pictures[i] for i in sorted({0, len(pictures) // 2, len(pictures) - 1})]
    ramp = np.array([_rgb(c) for c in (FAKE, MIDDLE, REAL)])
    across = np.linspace(0, 2, some[0].width)
    line = np.stack([np.interp(across, [0, 1, 2], ramp[:, i]) for i in range(3)], 1).round().astype(np.uint8)
    some.append(Pillow.fromarray(np.repeat(line[None], some[0].height, 0)))  # every colour that the plane may have
    strip = Pillow.new("RGB", (some[0].width, sum(p.height for p in some)))
    for i, picture in enumerate(some):
        strip.paste(picture, (0, i * picture.height))
    palette = strip.quantize(WHITE, Pillow.Quantize.MEDIANCUT)
    colours = [*(palette.getpalette() or [])[: 3 * WHITE], 255, 255, 255]
    out = []
    for picture in pictures:
        codes = np.array(picture.quantize(palette=palette, dither=Pillow.Dither.NONE))
        codes[(np.asarray(picture) == 255).all(-1)] = WHITE  # paper is white, not the mean of what is nearly so
        frame = Pillow.fromarray(codes)
        frame.putpalette(colours)
        out.append(frame)
    return out


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


class Stage:
    """The figure on which scenes are shown, one after another; what stays the same is drawn once.

    Args:
        scenes: all that will be shown.
    """

    def __init__(self, scenes: Sequence[Scene]):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self._judged = any(scene.surface is not None for scene in scenes)
        self._pushed = any(scene.arrows is not None and len(scene.arrows) for scene in scenes)
        self._pull = _pull(scenes)
        self.figure: Figure = blank(SIDE + (0.9 if self._judged else 0), SIDE + 0.5)
        self._canvas = FigureCanvasAgg(self.figure)
        self._axes: Axes = self.figure.subplots()
        self._plane: Any = self._field(scenes[0]) if self._judged else None
        alike: dict[str, Any] = {"linewidth": 0, "clip_on": True}
        self._real = self._axes.scatter([], [], s=13, color=GREY, alpha=0.5, label="data", **alike)
        self._drawn = self._axes.scatter([], [], s=7, color=DRAWN, alpha=0.85, label="drawn", **alike)
        self._arrows: Any = None
        self._dress(scenes)
        self._canvas.draw()
        self.figure.set_layout_engine("none")  # else the plane would shift from picture to picture

    def _field(self, scene: Scene) -> Any:
        from matplotlib.colors import LinearSegmentedColormap

        colours = LinearSegmentedColormap.from_list("game", [FAKE, MIDDLE, REAL])
        plane = self._axes.imshow(
            [[0.5]], cmap=colours, vmin=0, vmax=1, origin="lower", extent=scene.extent, aspect="auto",
            interpolation="bicubic", zorder=0,
        )  # fmt: skip
        bar: Any = self.figure.colorbar(plane, ax=self._axes, shrink=0.62, aspect=24, pad=0.02)
        bar.set_ticks([0, 0.5, 1], labels=["unreal", "½", "real"])
        bar.set_label("what the discriminator finds", fontsize=8.5, labelpad=2)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0)
        return plane

    def _dress(self, scenes: Sequence[Scene]) -> None:
        axes, extents = self._axes, np.array([scene.extent for scene in scenes])
        axes.set_xlim(extents[:, 0].min(), extents[:, 1].max())
        axes.set_ylim(extents[:, 2].min(), extents[:, 3].max())
        axes.set_box_aspect(1)
        axes.set(xlabel=scenes[0].names[0], ylabel=scenes[0].names[1])
        axes.locator_params(nbins=5)
        self._title = axes.set_title("step 0", fontsize=11)
        marks = [self._real, self._drawn]
        if self._pushed:
            marks.append(axes.scatter([], [], marker=r"$\rightarrow$", s=70, color=INK, label="pull of the gradient"))
        axes.legend(
            handles=marks, loc="lower right", bbox_to_anchor=(1.01, 1.005), ncols=len(marks), handletextpad=0.2,
            columnspacing=1.0, borderpad=0.2, scatterpoints=1, markerscale=1.3,
        )  # fmt: skip

    def show(self, scene: Scene) -> Pillow.Image:
        """A scene as a picture."""
        if self._plane is not None:
            self._plane.set_visible(scene.surface is not None)
            if scene.surface is not None:
                self._plane.set_data(np.clip(scene.surface, 0, 1))
                self._plane.set_extent(scene.extent)
        self._real.set_offsets(scene.real[:POINTS])
        self._drawn.set_offsets(scene.drawn[:POINTS])
        self._point(scene)
        self._title.set_text(f"step {scene.step:,}")
        self._canvas.draw()
        return Pillow.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3].copy())

    def _point(self, scene: Scene) -> None:
        """The arrows of a scene, in place of those before."""
        if self._arrows is not None:
            self._arrows.remove()
            self._arrows = None
        if scene.arrows is None or not len(scene.arrows):
            return
        x, y, dx, dy = scene.arrows.T
        x0, x1, y0, y1 = scene.extent
        across = self._pull * np.hypot(dx / (x1 - x0), dy / (y1 - y0))  # shares of the plane
        pull = self._pull * np.minimum(1, LONGEST / np.maximum(across, FAINTEST))
        self._arrows = self._axes.quiver(
            x, y, dx * pull, dy * pull, angles="xy", scale_units="xy", scale=1, units="width", width=0.0034,
            headwidth=4, headlength=4.5, headaxislength=4, minlength=0.4, color=INK, alpha=0.65, zorder=3,
        )  # fmt: skip


def _pull(scenes: Sequence[Scene]) -> float:
    """What arrows are multiplied by, so that all but a few of the longest go over `LONGEST` of the plane at most."""
    shares = [np.zeros(1)]
    for scene in scenes:
        if scene.arrows is not None and len(scene.arrows):
            x0, x1, y0, y1 = scene.extent
            shares.append(np.hypot(scene.arrows[:, 2] / (x1 - x0), scene.arrows[:, 3] / (y1 - y0)))
    return LONGEST / max(float(np.quantile(np.concatenate(shares), SOFT)), FAINTEST)
