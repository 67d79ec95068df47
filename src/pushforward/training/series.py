"""One number as it went, in bounded memory: at even distances, the first and the newest always among them."""

from __future__ import annotations

from array import array

import numpy as np

MOST = 4000  # points that are kept, which is more than a picture has pixels across


class Series:
    """Values by step. When they are more than `most`, every second is dropped, and from then on every second is kept.

    Args:
        most: points that are kept, an even number.

    >>> series = Series(most=4)
    >>> for step in range(1, 9):
    ...     series.add(step, step / 10)
    >>> series.arrays()[0].tolist()
    [1, 5, 8]
    """

    def __init__(self, most: int = MOST):
        self._most, self._stride, self._count = most, 1, 0
        self._steps, self._values = array("q"), array("d")
        self._last: tuple[int, float] | None = None

    def add(self, step: int, value: float) -> None:
        """Take in the value of a step; of a step that is told twice, the newer counts."""
        if self._last is not None and step == self._last[0]:
            if self._steps[-1] == step:
                self._values[-1] = value
        else:
            if self._count % self._stride == 0:
                self._keep(step, value)
            self._count += 1
        self._last = (step, value)

    def _keep(self, step: int, value: float) -> None:
        self._steps.append(step)
        self._values.append(value)
        if len(self._steps) == self._most:
            self._steps, self._values, self._stride = self._steps[::2], self._values[::2], 2 * self._stride

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) steps, int64, and (n,) values, float64."""
        steps, values = np.array(self._steps, np.int64), np.array(self._values, np.float64)
        if self._last is not None and steps[-1] != self._last[0]:
            steps, values = np.append(steps, self._last[0]), np.append(values, self._last[1])
        return steps, values

    def place(self) -> tuple[int, int]:
        """(stride, count): what `restored` needs beside the arrays."""
        return self._stride, self._count

    @classmethod
    def restored(cls, steps: np.ndarray, values: np.ndarray, place: tuple[int, int]) -> Series:
        """The series that gave these arrays and this place; it goes on as if it had never been put away."""
        out = cls()
        out._stride, out._count = place
        kept = -(-out._count // out._stride)
        out._steps, out._values = array("q", steps[:kept].tolist()), array("d", values[:kept].tolist())
        out._last = (int(steps[-1]), float(values[-1]))
        return out
