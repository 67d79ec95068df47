"""A U-Net for pictures of 8 to 64 pixels, which does its work at low resolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, interpolate, layer_norm, pad, pixel_shuffle, pixel_unshuffle

from pushforward.nets.look import Look

FINEST = 16  # the largest side at which convolutions work; larger pictures are folded into channels first


class UNet(nn.Module):
    """Residual convolutions down to half the resolution and back, with skips, steered by an embedding.

    Pictures whose side is more than 16 are folded (2×2 pixels into channels, or 4×4, …), since at full
    resolution convolutions cost most and learn least.

    Args:
        channels: of the picture.
        height, width: of the picture, any size of at least 4.
        hidden: channels of the first level; the second has twice as many.
        layers: residual blocks at each level.
        condition: width of the embedding.
        extra: numbers to give out besides the picture, from the middle of the network.
        words: whether places at half the resolution look at words, each as wide as the embedding.
        drop: share of the hidden units of blocks that are left out in training (dropout).
    """

    def __init__(
        self, channels: int, height: int, width: int, *, hidden: int, layers: int, condition: int, extra: int = 0,
        words: bool = False, drop: float = 0.0,
    ):  # fmt: skip
        super().__init__()
        self.fold = 1
        while max(height, width) > FINEST * self.fold:
            self.fold *= 2
        unit = 2 * self.fold
        self._pad = (-width % unit, -height % unit)
        folded = channels * self.fold**2
        self.first = nn.Conv2d(folded, hidden, 3, padding=1)
        self.down = nn.ModuleList(_Block(hidden, hidden, condition, drop) for _ in range(layers))
        self.shrink = nn.Conv2d(hidden, 2 * hidden, 2, stride=2)
        self.middle = nn.ModuleList(_Block(2 * hidden, 2 * hidden, condition, drop) for _ in range(layers + 1))
        looks = (_Look(2 * hidden, condition, _half(height, unit), _half(width, unit)) for _ in self.middle)
        self.looks = nn.ModuleList(looks if words else ())
        self.grow = nn.Conv2d(2 * hidden, hidden, 1)
        self.up = nn.ModuleList(_Block(2 * hidden, hidden, condition, drop) for _ in range(layers))
        self.last = nn.Conv2d(hidden, folded, 3, padding=1)
        self.numbers = nn.Linear(2 * hidden, extra) if extra else None
        for layer in (self.last, self.numbers):
            if layer is not None:
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        for convolution in self.modules():
            if isinstance(convolution, nn.Conv2d):
                convolution.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, c: Tensor, words: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """(n, channels, height, width), (n, condition), (n, words, condition) → a picture of the same shape, and (n,
        extra).
        """
        height, width = x.shape[2:]
        if any(self._pad):
            x = pad(x, (0, self._pad[0], 0, self._pad[1]))
        h = self.first(pixel_unshuffle(x, self.fold).contiguous(memory_format=torch.channels_last))
        skips = []
        for block in self.down:
            h = block(h, c)
            skips.append(h)
        h = self.shrink(h)
        for i, block in enumerate(self.middle):
            h = block(h, c)
            if words is not None:
                h = self.looks[i](h, words)
        numbers = self.numbers(h.mean((2, 3))) if self.numbers is not None else None
        h = interpolate(self.grow(h), scale_factor=2, mode="nearest")
        for block in self.up:
            h = block(torch.cat([h, skips.pop()], 1), c)
        out = pixel_shuffle(self.last(nn.functional.silu(_normalised(h))), self.fold)
        return out[:, :, :height, :width], numbers


class _Block(nn.Module):
    """One normalisation a block: two, and over groups of channels, took as long as the convolutions."""

    def __init__(self, inputs: int, outputs: int, condition: int, drop: float):
        super().__init__()
        self.drop = drop
        self.act = nn.SiLU()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.steer = nn.Linear(condition, 2 * outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        scale, shift = self.steer(c)[:, :, None, None].chunk(2, 1)
        h = self.conv1(self.act(_normalised(x)))
        h = self.act(h * (1 + scale) + shift)
        return self.skip(x) + self.conv2(dropout(h, self.drop, self.training))


class _Look(nn.Module):
    """Each place of a map looks at words; it knows where it is."""

    def __init__(self, channels: int, words: int, height: int, width: int):
        super().__init__()
        self.look = Look(channels, words)
        self.where = nn.Parameter(0.1 * torch.randn(height * width, channels))

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        found = self.look(x.permute(0, 2, 3, 1).flatten(1, 2), words, self.where)
        return found.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)


def _half(side: int, unit: int) -> int:
    """Places a side at half the resolution."""
    return -(-side // unit)


def _normalised(x: Tensor) -> Tensor:
    """Each picture brought to mean 0 and deviation 1 over all of its numbers, which lie next to each other in memory.

    Pixel by pixel it would be as fast, but contrast is lost: then denoising learns more slowly.
    """
    flat = x.permute(0, 2, 3, 1)
    return layer_norm(flat, flat.shape[1:]).permute(0, 3, 1, 2)
