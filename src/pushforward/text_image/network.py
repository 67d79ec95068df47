"""What a network says of the codes of a picture and of tokens, of which some are hidden."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, layer_norm, silu

HANDED = 8  # numbers of each place that a stream hands to the summary


class Pairs(nn.Module):
    """Two streams, convolutions over the grid of codes and gated convolutions over tokens, that exchange a summary.

    In each block the summary sees every place of both streams (a mixer: Tolstikhin et al. 2021, arXiv 2105.01601) and
    steers both. A hidden code or token is one of its own, and no time is told, which the share that is hidden shows (Ou
    et al. 2025, arXiv 2406.03736).

    Args:
        grid: rows and columns of codes.
        levels: of the numbers that a code counts through, whose product is how many codes there are; one number where
            codes are of a codebook that was learned.
        length: tokens of a record.
        symbols: tokens that there are.
        width: channels of both streams.
        layers: blocks.
    """

    digits: Tensor

    def __init__(
        self, grid: tuple[int, int], levels: tuple[int, ...], length: int, symbols: int, *, width: int, layers: int
    ):
        super().__init__()
        self.grid, self.cells, self.codes = grid, math.prod(grid), math.prod(levels)
        self.hidden_code = self.codes  # the number of a code that is not known
        self.register_buffer("digits", _digits(levels), persistent=False)
        self.code_in, self.code_out = (_Codes(self.codes, sum(levels), width) for _ in range(2))
        self.hidden = nn.Parameter(0.1 * torch.randn(1, width))
        self.place = nn.Parameter(0.1 * torch.randn(self.cells, width))
        self.code_bias = nn.Parameter(torch.zeros(self.codes))
        self.token_in = nn.Embedding(symbols, width)
        nn.init.normal_(self.token_in.weight, std=0.3)
        self.token_place = nn.Parameter(0.1 * torch.randn(length, width))
        self.token_out = nn.Linear(width, symbols)
        self.blocks = nn.ModuleList(_Block(width, self.cells, length) for _ in range(layers))
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, codes: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(n, cells) codes and (n, length) tokens → (n, cells, width) and (n, length, width) features of each place.

        `of_code` and `of_token` make logits of them.
        """
        table = torch.cat([self.code_in(self.digits), self.hidden])
        x = (embedding(codes, table) + self.place).transpose(1, 2).unflatten(2, self.grid)
        x = x.contiguous(memory_format=torch.channels_last)
        w = self.token_in(tokens) + self.token_place
        for block in self.blocks:
            x, w = block(x, w)
        return _normal(x).flatten(2).transpose(1, 2), layer_norm(w, w.shape[-1:])

    def of_code(self, features: Tensor) -> Tensor:
        """(…, width) features → (…, codes) logits."""
        table = self.code_out(self.digits)
        return features @ table.T * (2 * table.shape[1] ** -0.5) + self.code_bias

    def of_token(self, features: Tensor) -> Tensor:
        """(…, width) features → (…, symbols) logits."""
        return self.token_out(features)


class _Codes(nn.Module):
    """A vector for each code, and for each of its digits, so that codes that share some have something in common."""

    def __init__(self, codes: int, digits: int, width: int):
        super().__init__()
        self.whole = nn.Parameter(0.1 * torch.randn(codes, width))
        self.parts = nn.Parameter(0.1 * torch.randn(digits, width))

    def forward(self, digits: Tensor) -> Tensor:
        return self.whole + digits @ self.parts


class _Block(nn.Module):
    def __init__(self, width: int, cells: int, length: int):
        super().__init__()
        middle = 2 * width
        self.hand_cells, self.hand_tokens = nn.Conv2d(width, HANDED, 1), nn.Linear(width, HANDED)
        self.summary = nn.Sequential(
            nn.Linear((cells + length) * HANDED + width, middle), nn.SiLU(), nn.Linear(middle, middle), nn.SiLU()
        )
        self.steer_cells, self.steer_tokens = (nn.Linear(middle, 2 * width) for _ in range(2))
        self.give_cells, self.give_tokens = nn.Linear(middle, cells * HANDED), nn.Linear(middle, length * HANDED)
        self.take_cells, self.take_tokens = nn.Conv2d(HANDED, width, 1), nn.Linear(HANDED, width)
        self.one, self.two = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.gated, self.back = nn.Conv1d(width, 2 * width, 3, padding=1), nn.Linear(width, width)
        for layer in (self.two, self.back):  # a block begins as the identity
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        xs, ws = _normal(x), layer_norm(w, w.shape[-1:])
        handed = [self.hand_cells(xs).flatten(1), self.hand_tokens(ws).flatten(1), xs.mean((2, 3))]
        summary = self.summary(torch.cat(handed, 1))
        scale, shift = self.steer_cells(summary)[:, :, None, None].chunk(2, 1)
        shift = shift + self.take_cells(self.give_cells(summary).unflatten(1, (HANDED, *x.shape[2:])))
        x = x + self.two(silu(torch.addcmul(shift, self.one(silu(xs)), 1 + scale)))
        scale, shift = self.steer_tokens(summary)[:, None].chunk(2, 2)
        shift = shift + self.take_tokens(self.give_tokens(summary).unflatten(1, (-1, HANDED)))
        value, gate = self.gated((ws * (1 + scale) + shift).transpose(1, 2)).transpose(1, 2).chunk(2, 2)
        return x, w + self.back(value * silu(gate))


def _normal(x: Tensor) -> Tensor:
    """The channels of each place brought to mean 0 and deviation 1."""
    flat = x.permute(0, 2, 3, 1)
    return layer_norm(flat, flat.shape[3:]).permute(0, 3, 1, 2)


def _digits(levels: tuple[int, ...]) -> Tensor:
    """(codes, sum of levels) which level each digit of a code has; nothing where a code is one digit only."""
    codes = math.prod(levels)
    if len(levels) == 1:
        return torch.zeros(codes, sum(levels))
    out, base, first = torch.zeros(codes, sum(levels)), 1, 0
    for many in levels:
        out[torch.arange(codes), first + torch.arange(codes) // base % many] = 1
        base, first = base * many, first + many
    return out
