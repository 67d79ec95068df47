"""What a network says of tokens of which some are hidden, beside a picture."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, silu

from pushforward.nets.conv import Shrink
from pushforward.nets.look import Look
from pushforward.text_image.towers import Colours

HANDED = 16  # numbers of each token that are handed to a summary, and back
WHOLE = 4  # vectors that say what there is in the whole picture
HEADS = 8  # places of a picture that are looked at, wherever they are
DROPPED = 0.05  # share of what is seen of a picture that is dropped in training


class Reading(nn.Module):
    """Convolutions look at a picture, gated convolutions go along tokens, and in each block a summary of both, which
    sees every place (a mixer: Tolstikhin et al. 2021, arXiv 2105.01601), steers each token, which looks for itself at
    the map of the picture: at the one of several things that it speaks of.

    What there is in a picture is what is found anywhere in it, most of all, on the mean, and at a few places that are
    looked for; a map of all places, each with weights of its own, takes far longer to learn.

    A hidden token is one of its own, and no time is told, which the share that is hidden shows (Ou et al. 2025, arXiv
    2406.03736).

    Args:
        shape: channels, height and width of pictures.
        length: tokens of a record.
        symbols: tokens that there are.
        width: channels.
        layers: blocks.
    """

    mean: Tensor
    scale: Tensor
    where: Tensor

    def __init__(self, shape: tuple[int, int, int], length: int, symbols: int, *, width: int, layers: int):
        super().__init__()
        channels = shape[0]
        self.shape = shape
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("scale", torch.full((channels, 1, 1), 0.5))
        self.shrink = Shrink(channels + 3, *shape[1:], hidden=(width // 2, width), layers=1)
        self.found, self.score = nn.Conv2d(width, width, 1), nn.Conv2d(width, HEADS, 1)
        self.colours = Colours(channels)
        self.gather = nn.Sequential(nn.Linear((2 + HEADS) * width, WHOLE * width), nn.SiLU(), nn.Dropout(DROPPED))
        self.tint = nn.Sequential(nn.Linear(self.colours.outputs, WHOLE * width), nn.Dropout(DROPPED))
        self.lay, self.take = nn.Linear(WHOLE * width, length * HANDED), nn.Linear(HANDED, width)
        self.cells = nn.Parameter(0.1 * torch.randn(math.prod(self.shrink.size), width))
        self.register_buffer("where", _coordinates(*shape[1:]), persistent=False)
        self.token_in = nn.Embedding(symbols, width)
        nn.init.normal_(self.token_in.weight, std=0.3)
        self.place = nn.Parameter(0.1 * torch.randn(length, width))
        self.token_out = nn.Linear(width, symbols)
        self.blocks = nn.ModuleList(_Block(width, length) for _ in range(layers))

    def view(self, x: Tensor, known: Tensor) -> Tensor:
        """(n, channels + 1, height, width) a picture as it is looked at: nothing where it is not known.

        Args:
            x: (n, channels, height, width) pictures in [-1, 1].
            known: (n, 1, height, width) bool.
        """
        there = known.to(x.dtype)
        return torch.cat([(x - self.mean) / self.scale * there, there], 1)

    def blind(self, n: int) -> Tensor:
        """`view` of n pictures of which nothing is known."""
        return torch.zeros(n, self.shape[0] + 1, *self.shape[1:], device=self.mean.device)

    def see(self, views: Tensor) -> Tensor:
        """(n, channels + 1, height, width) → (n, 4 + cells, width): the whole, and each cell of a map."""
        h = self.shrink(torch.cat([views, self.where.to(views.dtype).expand(len(views), -1, -1, -1)], 1))
        found, weights = self.found(h).flatten(2), self.score(h).flatten(2).softmax(2)
        looked = weights @ h.flatten(2).transpose(1, 2)  # (n, heads, width): what stands where each head looks
        tints = self.colours((views[:, :-1] * self.scale + self.mean).float())
        whole = self.gather(torch.cat([found.amax(2), found.mean(2), looked.flatten(1)], 1)).unflatten(1, (WHOLE, -1))
        cells = h.flatten(2).transpose(1, 2) + self.cells
        # features grow without bounds, and blocks multiply what follows from them: without norms that overflowed.
        # Colours do not grow, and would not be heard beside them. A picture of which nothing is seen says nothing
        whole = layer_norm(whole, whole.shape[-1:]) + self.tint(tints.to(h.dtype)).unflatten(1, (WHOLE, -1))
        there = (views[:, -1] > 0).flatten(1).any(1)
        return torch.cat([whole, layer_norm(cells, cells.shape[-1:])], 1) * there[:, None, None]

    def read(self, seen: Tensor, tokens: Tensor) -> Tensor:
        """What is seen of pictures and (n, length) tokens → (n, length, width) of each place; `of_token` goes on."""
        laid = self.lay(seen[:, :WHOLE].flatten(1)).unflatten(1, (-1, HANDED))
        w = self.token_in(tokens) + self.place + self.take(laid)
        for block in self.blocks:
            w = block(seen, w)
        return layer_norm(w, w.shape[-1:])

    def forward(self, views: Tensor, tokens: Tensor) -> Tensor:
        """`read` of what `see` sees."""
        return self.read(self.see(views), tokens)

    def of_token(self, features: Tensor) -> Tensor:
        """(…, width) features → (…, symbols) logits."""
        return self.token_out(features)


class _Block(nn.Module):
    def __init__(self, width: int, length: int):
        super().__init__()
        middle = 2 * width
        self.hand = nn.Linear(width, HANDED)
        self.summary = nn.Sequential(
            nn.Linear(length * HANDED + 2 * middle, middle), nn.SiLU(), nn.Linear(middle, middle), nn.SiLU()
        )
        self.steer, self.give = nn.Linear(middle, 2 * width), nn.Linear(middle, length * HANDED)
        self.take = nn.Linear(HANDED, width)
        self.gated, self.back = nn.Conv1d(width, 2 * width, 3, padding=1), nn.Linear(width, width)
        nn.init.zeros_(self.back.weight)  # a block begins as the identity
        nn.init.zeros_(self.back.bias)
        self.look = Look(width, width)

    def forward(self, seen: Tensor, w: Tensor) -> Tensor:
        """(n, 4 + cells, width) and (n, length, width) → (n, length, width)."""
        w = self.look(w, seen[:, WHOLE:])
        normal = layer_norm(w, w.shape[-1:])
        summary = self.summary(torch.cat([self.hand(normal).flatten(1), seen[:, :WHOLE].flatten(1)], 1))
        scale, shift = self.steer(summary)[:, None].chunk(2, 2)
        own = self.take(self.give(summary).unflatten(1, (-1, HANDED)))
        value, gate = self.gated((normal * (1 + scale) + shift + own).transpose(1, 2)).transpose(1, 2).chunk(2, 2)
        return w + self.back(value * silu(gate))


def _coordinates(height: int, width: int) -> Tensor:
    """(1, 2, height, width) how far right and down each pixel is, from -1 to 1."""
    down, right = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    return torch.stack([right, down])[None]
