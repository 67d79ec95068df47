"""What a sampler went through, from noise to data: as strips and as films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, final

import numpy as np
from PIL import Image as Pillow

from pushforward.data import Image, Number, Records
from pushforward.data.sheet import contact_sheet
from pushforward.drawing.style import COLOURS, blank, styled, written
from pushforward.errors import ArgumentError

PANELS = 8  # states that stand beside each other, unless asked otherwise
FRAME, LAST = 120, 1600  # milliseconds of a state, and of the last one
SIDE = 2.1  # inches of a panel


@final
@dataclass(frozen=True)
class Trail:
    """The records at each noise level on the way from noise to data.

    Attributes:
        states: as many records each, in the same order; the first is noise, the last what was drawn.
        sigmas: the noise level of each, in units of the data's deviation.
    """

    states: tuple[Records, ...]
    sigmas: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, i: int) -> Records:
        return self.states[i]

    def sheet(self, panels: int | None = None) -> Pillow.Image:
        """Some of the states side by side: pictures with a line for each record, two numbers as points of the plane.

        Args:
            panels: how many states; they are spread evenly, the first and the last among them.

        Raises:
            ArgumentError: the records hold neither a picture nor two numbers, or `panels` is out of range.
        """
        if panels is not None and (isinstance(panels, bool) or not isinstance(panels, int) or panels < 2):
            raise ArgumentError(f"panels={panels!r} is out of range; it must be a whole number, at least 2")
        many = min(panels or PANELS, len(self.states))
        shown = np.unique(np.linspace(0, len(self.states) - 1, many).round().astype(int)).tolist()
        if name := self._picture:
            columns = [self.states[i].select([name]) for i in shown]
            lines = [column[row : row + 1] for row in range(len(columns[0])) for column in columns]
            return contact_sheet(lines[0].concat(*lines[1:]), columns=len(shown))
        return self._points(shown)

    def save(self, path: str | Path, *, panels: int | None = None) -> Path:
        """Write a strip (``.png``) or a film (``.gif``), whole or not at all.

        Args:
            path: where to.
            panels: of a strip; see `sheet`.

        Raises:
            ArgumentError: the extension is another, or the records cannot be shown.
        """
        if Path(path).suffix.lower() == ".gif":
            frames = self._frames()
            durations = [FRAME] * (len(frames) - 1) + [LAST]

            def film(file: IO[bytes]) -> None:
                frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)

            return written(path, (".gif",), film)
        strip = self.sheet(panels)
        return written(path, (".png", ".gif"), lambda file: strip.save(file, "PNG"))

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        out = BytesIO()
        self.sheet().save(out, "PNG")
        return out.getvalue()

    @property
    def _picture(self) -> str | None:
        return next((field.name for field in self.states[0].schema.of_kind(Image)), None)

    def _frames(self) -> list[Pillow.Image]:
        if name := self._picture:
            return [contact_sheet(state.select([name])) for state in self.states]
        with styled():
            pictures = [self._points([i]) for i in range(len(self.states))]
        return pictures

    def _points(self, shown: Sequence[int]) -> Pillow.Image:
        """Panels of points; all have the same axes, which hold what was drawn and most of the noise."""
        names = [field.name for field in self.states[0].schema.of_kind(Number)]
        if len(names) != 2:
            raise ArgumentError(
                f"records of {', '.join(self.states[0].names)} cannot be drawn as a path; pictures and two numbers "
                "can, and trail[i] gives the records of a state"
            )
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        points = [np.stack([state.to_numpy()[name].astype(float) for name in names], 1) for state in self.states]
        centre, reach = points[-1].mean(0), 1.35 * np.abs(points[-1] - points[-1].mean(0)).max(0)
        with styled():
            figure = blank(
                SIDE * len(shown) + (1.4 if len(shown) == 1 else 0), SIDE + (1.6 if len(shown) == 1 else 0.8)
            )
            canvas = FigureCanvasAgg(figure)
            for axes, i in zip(np.ravel(figure.subplots(1, len(shown))), shown, strict=True):
                axes.scatter(*points[i].T, s=5, color=COLOURS[0], alpha=0.6, linewidth=0)
                axes.set(xlim=(centre[0] - reach[0], centre[0] + reach[0]), title=f"σ = {self.sigmas[i]:.3g}")
                axes.set(ylim=(centre[1] - reach[1], centre[1] + reach[1]), xlabel=names[0])
                axes.set_box_aspect(1)
                axes.locator_params(nbins=4)
                if i == shown[0]:
                    axes.set_ylabel(names[1])
                else:
                    axes.tick_params(labelleft=False)
            canvas.draw()
            return Pillow.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
