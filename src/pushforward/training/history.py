"""What a training told of itself, kept: its numbers step by step, its alarms, and looks at the game."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from torch import Tensor

from pushforward.drawing.scene import Scene
from pushforward.errors import ArgumentError, one_of
from pushforward.training.progress import Progress
from pushforward.training.series import Series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["History", "Scene"]

NOTES = 200  # that are kept; alarms that go on ringing say nothing new
APART, GROWTH = 4, 1.13  # steps between scenes at first, and their ratio later: 60 up to step 20,000
_ARRAYS = ("real", "drawn", "surface", "arrows")  # of a scene


@final
class History:
    """The numbers (tᵢ, vᵢ) that a training told, by name, with notes and scenes.

    Of each name at most 4,000 points are kept, at even distances in time, the first and the newest always among them.
    A neural model has one as `history`; it goes on where a run is resumed, and is not part of a saved model.

    Attributes:
        notes: (step, text) of each alarm or event, in order; the first 200 are kept.
        scenes: looks at the game, where two numbers are modelled; early steps lie closer together.

    >>> history = History()
    >>> for step in range(1, 4):
    ...     history.add(Progress("train", step, {"loss": 1 / step}))
    >>> history.note(3, "the batch is halved")
    >>> history["loss"][0].tolist(), history.names, len(history)
    ([1, 2, 3], ('loss',), 3)
    """

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}
        self._told, self._last = 0, 0
        self.notes: list[tuple[int, str]] = []
        self.scenes: list[Scene] = []

    def add(self, progress: Progress) -> None:
        """Take in what a step told."""
        for name, value in progress.losses.items():
            if name not in self._series:
                self._series[name] = Series()
            self._series[name].add(progress.step, value)
        if progress.note:
            self.note(progress.step, progress.note)
        if progress.step > self._last:
            self._told, self._last = self._told + 1, progress.step

    def note(self, step: int, text: str) -> None:
        """Take in an alarm or event; one that is told twice is kept once."""
        if (step, text) not in self.notes and len(self.notes) < NOTES:
            self.notes.append((step, text))

    @property
    def last(self) -> int:
        """The last step that was told of."""
        return self._last

    @property
    def names(self) -> tuple[str, ...]:
        """The numbers that were told, in the order in which they came."""
        return tuple(self._series)

    def __contains__(self, name: object) -> bool:
        return name in self._series

    def __getitem__(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(n,) the steps, and (n,) the values of a number.

        Raises:
            ArgumentError: no such number was told.
        """
        if name not in self._series:
            raise ArgumentError(f"history[{name!r}] was never told; {one_of(str(name), self.names)}")
        return self._series[name].arrays()

    def __len__(self) -> int:
        """How many steps were told of."""
        return self._told

    def __repr__(self) -> str:
        return f"History({self._told} steps of {', '.join(self.names) or 'nothing'})"

    # Scenes

    def due(self, step: int) -> bool:
        """Whether it is time for another scene."""
        last = self.scenes[-1].step if self.scenes else None
        return last is None or step >= max(last + APART, math.ceil(GROWTH * last))

    def keep(self, scene: Scene) -> None:
        """Take in a scene."""
        self.scenes.append(scene)

    # Pictures

    def plot(self, path: str | Path | None = None) -> Figure:
        """Every number over the steps: those that share what stands before a ``/`` in one panel, plain names together.

        Args:
            path: where the figure is written too, as PNG, SVG or PDF, whole or not at all.

        Raises:
            ArgumentError: nothing was told yet, or the file cannot be written.
            PushforwardError: matplotlib is not installed.
        """
        from pushforward.drawing.curves import curves
        from pushforward.drawing.style import save

        if not self._series:
            raise ArgumentError("the history is empty; fit the model, since one that was saved and loaded has none")
        figure = curves({name: self[name] for name in self.names}, self.notes)
        if path is not None:
            save(figure, path)
        return figure

    def animate(self, path: str | Path) -> Path:
        """The scenes as a moving picture: the plane as the other side judges it, the data in it, and what is drawn.

        Args:
            path: a GIF, which is written whole or not at all.

        Raises:
            ArgumentError: there are no scenes, or the file cannot be written.
            PushforwardError: matplotlib is not installed.
        """
        from pushforward.drawing.game import animate

        if not self.scenes:
            raise ArgumentError(
                "the history holds no scenes; they are kept while a model that plays a game is fitted to two numbers, "
                "such as those of 'moons', and are not saved with it"
            )
        return animate(self.scenes, path)

    # A checkpoint holds the numbers and scenes as tensors, and the rest as plain JSON values.

    def tensors(self) -> dict[str, Tensor]:
        """The arrays, by name."""
        out: dict[str, Tensor] = {}
        for i, name in enumerate(self.names):
            steps, values = self[name]
            out |= {f"number.{i}.steps": torch.from_numpy(steps), f"number.{i}.values": torch.from_numpy(values)}
        for i, scene in enumerate(self.scenes):
            arrays = {name: getattr(scene, name) for name in _ARRAYS}
            out |= {f"scene.{i}.{k}": torch.from_numpy(v.copy()) for k, v in arrays.items() if v is not None}
        return out

    def facts(self) -> dict[str, Any]:
        """All else."""
        return {
            "told": [self._told, self._last],
            "names": {name: series.place() for name, series in self._series.items()},
            "notes": self.notes,
            "scenes": [{"step": s.step, "extent": s.extent, "names": s.names} for s in self.scenes],
        }

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Take back what `tensors` and `facts` gave."""
        self._told, self._last = facts["told"]
        arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
        self._series = {
            name: Series.restored(arrays[f"number.{i}.steps"], arrays[f"number.{i}.values"], tuple(place))
            for i, (name, place) in enumerate(facts["names"].items())
        }
        self.notes = [(step, text) for step, text in facts["notes"]]
        self.scenes = [_scene(i, said, arrays) for i, said in enumerate(facts["scenes"])]


def _scene(i: int, said: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Scene:
    found = {name: arrays.get(f"scene.{i}.{name}") for name in _ARRAYS}
    return Scene(step=said["step"], extent=tuple(said["extent"]), names=tuple(said["names"]), **found)  # type: ignore[arg-type]
