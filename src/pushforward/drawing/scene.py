"""One look at a game of two numbers: the data, what is drawn, and how the other side judges the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pushforward.errors import ArgumentError


@dataclass(frozen=True, eq=False)
class Scene:
    """How a model of two numbers stands at one step of its training.

    Attributes:
        step: steps done.
        real: (n, 2) records of the data, in its units.
        drawn: (m, 2) records that the model draws.
        extent: (x0, x1, y0, y1) of the plane that is looked at.
        names: of the two numbers.
        surface: (k, k) in [0, 1], how real the discriminator finds the plane: ``surface[i, j]`` at the i-th of k even
            steps from y0 to y1 and the j-th from x0 to x1; None where there is none.
        arrows: (a, 4) as (x, y, dx, dy), where the gradient would push records; None where there is none.

    Raises:
        ArgumentError: an array has another shape, or the plane no area.

    >>> Scene(step=0, real=[[0, 0]], drawn=[[1, 1], [2, 0]], extent=(-1, 3, -1, 2)).drawn.shape
    (2, 2)
    """

    step: int
    real: np.ndarray
    drawn: np.ndarray
    extent: tuple[float, float, float, float]
    names: tuple[str, str] = ("x", "y")
    surface: np.ndarray | None = None
    arrows: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, columns in (("real", 2), ("drawn", 2), ("arrows", 4)):
            if (value := getattr(self, name)) is not None:
                array = np.asarray(value, dtype=np.float64)
                if array.ndim != 2 or array.shape[1] != columns:
                    raise ArgumentError(f"{name} has shape {array.shape}; it must be (n, {columns})")
                object.__setattr__(self, name, array)
        if self.surface is not None:
            surface = np.asarray(self.surface, dtype=np.float64)
            if surface.ndim != 2 or surface.shape[0] != surface.shape[1]:
                raise ArgumentError(f"surface has shape {surface.shape}; it must be (k, k)")
            object.__setattr__(self, "surface", surface)
        x0, x1, y0, y1 = self.extent
        if not (x0 < x1 and y0 < y1):
            raise ArgumentError(f"extent={self.extent} has no area; it must be (x0, x1, y0, y1), x0 < x1 and y0 < y1")
