"""What a generator's last layer says, as records: pixels within their range, and rows of every kind of field."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from pushforward.data.encodings.vector import VectorEncoding, triangular


class _Within(torch.autograd.Function):
    """A clamp whose slope is 1, but for what pushes further out: a pixel beyond black can come back."""

    @staticmethod
    def forward(ctx, x: Tensor, low: Tensor, high: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x < low, x > high)
        return torch.minimum(torch.maximum(x, low), high)

    @staticmethod
    def backward(ctx, slope: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[no-untyped-def]
        below, above = ctx.saved_tensors
        # a step goes against the slope
        outwards = (below & (slope > 0)) | (above & (slope < 0))
        return slope.masked_fill(outwards, 0.0), None, None


def within(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """x cut to [low, high], with a slope by which what lies outside can come back.

    >>> x = torch.tensor([-2.0, 2.0], requires_grad=True)
    >>> y = within(x, torch.tensor(-1.0), torch.tensor(1.0))
    >>> y.sum().backward()
    >>> y.tolist(), x.grad.tolist()
    ([-1.0, 1.0], [0.0, 1.0])
    """
    return _Within.apply(x, low, high)


class RowHead(nn.Module):
    """Raw outputs as a row such as `VectorEncoding` makes of a real one.

    Numbers are given out as they are. Levels and holes are drawn by a straight-through Gumbel softmax (Jang, Gu, Poole
    2016, arXiv 1611.01144): hard on the way out, soft on the way back. What is a hole or an atom has no number, and
    the noise that real rows are encoded with is added, so neither gives a drawn row away.

    Args:
        vector: how rows are encoded; it is looked at, not owned.
        temperature: of the soft side.
    """

    def __init__(self, vector: VectorEncoding, temperature: float = 0.7):
        super().__init__()
        self._vector = [vector]  # in a list, lest it become a part of this module
        cells = vector.cells
        self.temperature = temperature
        self.outputs = cells.width + sum(vector.levels) + 2 * len(cells.may_miss)
        self._holes = {name: i for i, name in enumerate(cells.may_miss)}

    def forward(self, out: Tensor, generator: torch.Generator | None, whole: bool = False) -> Tensor:
        """(n, outputs) → (n, width) coordinates.

        Args:
            out: raw outputs.
            generator: of levels, holes and noise; without one, the most probable levels and no noise.
            whole: whether nothing may be a hole.
        """
        (vector,) = self._vector
        cells, d = vector.cells, vector.cells.width
        y, *logits = out.split([d, *vector.levels, *[2] * len(cells.may_miss)], 1)
        picked = [self._picked(each, generator) for each in logits]
        levels, holes = picked[: len(vector.levels)], [each[:, 1:] for each in picked[len(vector.levels) :]]
        if whole:
            holes = [torch.zeros_like(each) for each in holes]
        for i, factor in enumerate(cells.factors):
            if factor.field in self._holes:  # a hole has no level
                levels[i] = levels[i] * (1 - holes[self._holes[factor.field]])
        if d:
            y = self._numbers(y, levels, holes, generator)
        if not picked:
            return y
        bits = torch.cat([*levels, *holes], 1)
        soft = bits if generator is None else bits + triangular(bits, generator)
        return torch.cat([y, (soft - vector.scale.mean[d:]) / vector.scale.scale[d:]], 1)

    def _picked(self, logits: Tensor, generator: torch.Generator | None) -> Tensor:
        """(n, levels) one-hot."""
        if generator is not None:
            noise = torch.rand(logits.shape, generator=generator, device=logits.device).clamp(1e-6, 1 - 1e-6)
            logits = logits - (-noise.log()).log()
        soft = (logits / self.temperature).softmax(1)
        hard = one_hot(soft.argmax(1), logits.shape[1]).to(soft.dtype)
        return hard + soft - soft.detach()

    def _numbers(
        self, y: Tensor, levels: list[Tensor], holes: list[Tensor], generator: torch.Generator | None
    ) -> Tensor:
        (vector,) = self._vector
        cells, d = vector.cells, vector.cells.width
        blank = torch.zeros_like(y)
        if generator is not None:
            blank = torch.randn(y.shape, generator=generator, device=y.device)
        blank = (blank - vector.scale.mean[:d]) / vector.scale.scale[:d]
        columns = []
        for name, at in cells.columns.items():
            there = torch.ones_like(y[:, :1])
            factor = cells.factor_of(name)
            if factor is not None:
                there = levels[factor][:, :1]
            elif name in self._holes:
                there = 1 - holes[self._holes[name]]
            columns.append(there * y[:, at] + (1 - there) * blank[:, at])
        return torch.cat(columns, 1)
