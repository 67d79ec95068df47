"""Pictures to maps of features at low resolution, and back, by residual convolutions without normalisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle

FINEST = 16  # the largest side at which convolutions work; larger pictures are folded into channels first


def fold_of(height: int, width: int) -> int:
    """How many pixels a side are folded into channels before the first convolution."""
    fold = 1
    while max(height, width) > FINEST * fold:
        fold *= 2
    return fold


class Shrink(nn.Module):
    """A picture to a map of features, half as fine with every stage.

    Args:
        channels, height, width: of the picture, any size of at least 4.
        hidden: channels of the stages, one each.
        layers: residual blocks a stage.
        act: what stands between convolutions.

    >>> Shrink(1, 28, 28, hidden=(8, 16), layers=1)(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 16, 7, 7])
    """

    def __init__(
        self, channels: int, height: int, width: int, *, hidden: Sequence[int], layers: int,
        act: Callable[[], nn.Module] = nn.SiLU,
    ):  # fmt: skip
        super().__init__()
        self.fold = fold_of(height, width)
        self.size = map_of(height, width, len(hidden))
        unit = self.fold * 2 ** (len(hidden) - 1)
        self._pad = (self.size[1] * unit - width, self.size[0] * unit - height)
        parts: list[nn.Module] = [nn.Conv2d(channels * self.fold**2, hidden[0], 3, padding=1)]
        for i, own in enumerate(hidden):
            if i:
                parts.append(nn.Conv2d(hidden[i - 1], own, 2, stride=2))
            parts += [Residual(own, act) for _ in range(layers)]
        self.body = _quick(nn.Sequential(*parts, act()))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) → (n, hidden[-1], rows, columns)."""
        if any(self._pad):
            x = pad(x, (0, self._pad[0], 0, self._pad[1]), mode="replicate")
        return self.body(pixel_unshuffle(x, self.fold).contiguous(memory_format=torch.channels_last))


class Grow(nn.Module):
    """A map of features to a picture, twice as fine with every stage: the mirror of `Shrink`.

    Args:
        channels, height, width: of the picture.
        hidden: channels of the stages, from the picture inwards as for `Shrink`.
        layers: residual blocks a stage.
    """

    def __init__(self, channels: int, height: int, width: int, *, hidden: Sequence[int], layers: int):
        super().__init__()
        self.fold, self._crop = fold_of(height, width), (height, width)
        self.size = map_of(height, width, len(hidden))
        parts: list[nn.Module] = []
        for i, own in reversed(list(enumerate(hidden))):
            parts += [Residual(own) for _ in range(layers)]
            if i:
                parts += [nn.Conv2d(own, 4 * hidden[i - 1], 1), nn.PixelShuffle(2)]
        parts += [nn.SiLU(), nn.Conv2d(hidden[0], channels * self.fold**2, 3, padding=1)]
        self.body = _quick(nn.Sequential(*parts))

    @property
    def last(self) -> Tensor:
        """The weights of the layer that pictures come out of."""
        return self.body[-1].weight  # type: ignore[return-value]

    def forward(self, h: Tensor) -> Tensor:
        """(n, hidden[-1], rows, columns) → (n, channels, height, width)."""
        out = pixel_shuffle(self.body(h.contiguous(memory_format=torch.channels_last)), self.fold)
        return out[:, :, : self._crop[0], : self._crop[1]]


class Patches(nn.Module):
    """A picture to a map as fine as that of `Shrink`, each cell of which sees its own pixels and no others.

    Args:
        channels, height, width: of the picture.
        hidden: channels of the stages, one each; a cell has four times the last between its layers.
        layers: residual blocks.

    >>> Patches(1, 28, 28, hidden=(8, 16), layers=1)(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 16, 7, 7])
    """

    def __init__(self, channels: int, height: int, width: int, *, hidden: Sequence[int], layers: int):
        super().__init__()
        self.size = map_of(height, width, len(hidden))
        self.unit = fold_of(height, width) * 2 ** (len(hidden) - 1)
        self._pad = (self.size[1] * self.unit - width, self.size[0] * self.unit - height)
        inner = 4 * hidden[-1]
        parts: list[nn.Module] = [nn.Conv2d(channels * self.unit**2, inner, 1)]
        parts += [Residual(inner, span=1) for _ in range(layers)]
        self.body = _quick(nn.Sequential(*parts, nn.SiLU(), nn.Conv2d(inner, hidden[-1], 1)))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) → (n, hidden[-1], rows, columns)."""
        if any(self._pad):
            x = pad(x, (0, self._pad[0], 0, self._pad[1]), mode="replicate")
        return self.body(pixel_unshuffle(x, self.unit).contiguous(memory_format=torch.channels_last))


class Residual(nn.Module):
    """x → x + conv(act(conv(act(x)))), which begins as the identity; `span` is the side of the convolutions."""

    def __init__(self, channels: int, act: Callable[[], nn.Module] = nn.SiLU, span: int = 3):
        super().__init__()
        self.one, self.two = (nn.Conv2d(channels, channels, span, padding=span // 2) for _ in range(2))
        self.act = act()
        nn.init.zeros_(self.two.weight)
        nn.init.zeros_(self.two.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, rows, columns) → the same."""
        return x + self.two(self.act(self.one(self.act(x))))


def map_of(height: int, width: int, stages: int) -> tuple[int, int]:
    """Rows and columns of the map that a picture becomes."""
    unit = fold_of(height, width) * 2 ** (stages - 1)
    return -(-height // unit), -(-width // unit)


def _quick(body: nn.Sequential) -> nn.Sequential:
    """With the channels of a pixel side by side in memory, as convolutions on processors want them."""
    return body.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
