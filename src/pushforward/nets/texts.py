"""Texts as vectors: learned words with their characters, in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from pushforward.data.encodings.tokens import hashed
from pushforward.nets.seen import Seen

ROWS = 1 << 14  # of the table that words and n-grams share
SPAN = (5, 3)  # words that a convolution sees


class TextEncoder(Protocol):
    """What turns texts into vectors: strings to tokens outside of a step, tokens to vectors within it.

    Attributes:
        width: of the vectors.
    """

    width: int

    def tokens(self, texts: Sequence[str | None]) -> Tensor:
        """(n, …) one row a text: hashes of its words, or what else a step needs; all 0 where there is no text."""

    def __call__(self, tokens: Tensor, drop: float = 0.0) -> Tensor:
        """(n, width) vectors; in training a share of words may be left out."""


class Texts(nn.Module):
    """Words with their characters, in order, as one vector.

    A word is a vector of its own and the sum of those of its character n-grams (Bojanowski et al. 2017, arXiv
    1607.04606), so that a word never seen has neighbours. Each is the sum of two rows of one table, which hashes choose
    (Svenstrup, Hansen, Winther 2017, arXiv 1709.03933): there is no vocabulary, and two pieces hardly ever share both.
    Gated convolutions (Dauphin et al. 2017, arXiv 1612.08083) see which word follows which, so "a red circle left of a
    blue circle" is not "a blue circle left of a red circle".

    What was never learned is only noise: once it is said what there was to learn from (`remember`), a word that was not
    there is known by those of its n-grams that were, and left out where there are none.

    Args:
        width: of the vectors.
        forget: share of words that are known by their characters alone in training, so that these are learned.

    >>> texts = Texts(8)
    >>> texts(texts.tokens(["a red circle", None])).shape
    torch.Size([2, 8])
    """

    def __init__(self, width: int, forget: float = 0.0):
        super().__init__()
        self.width, self.forget = width, forget
        self.table = nn.EmbeddingBag(ROWS, width, mode="sum", padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.5)
        self.see = nn.ModuleList(nn.Conv1d(width, 2 * width, span, padding=span // 2) for span in SPAN)
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(2 * width, width)
        self.words, self.grams = Seen(), Seen()

    def remember(self, tokens: Tensor) -> None:
        """Take the words of (n, words, pieces) for some of those that there are to learn from."""
        self.words.keep(tokens[..., 0])
        self.grams.keep(tokens[..., 1:])

    def tokens(self, texts: Sequence[str | None]) -> Tensor:
        """(n, words, pieces) int32 hashes; see `hashed`."""
        return hashed(texts)

    def forward(self, tokens: Tensor, drop: float = 0.0) -> Tensor:
        """(n, width) vectors.

        Args:
            tokens: (n, words, pieces) such as `tokens` gives.
            drop: share of words that are left out in training.
        """
        return self.read(tokens, drop)[0]

    def read(self, tokens: Tensor, drop: float | Tensor = 0.0) -> tuple[Tensor, Tensor, Tensor]:
        """(n, width) vectors, (n, words, width) of each word among those around it, and (n, words) where there is one.

        There are as many words as the longest text has. `drop` may be one number a text, (n, 1).
        """
        there = tokens[..., 0] > 0
        longest = int(there.any(0).nonzero().max()) + 1 if bool(there.any()) else 1
        tokens, there = tokens[:, :longest], there[:, :longest]
        if self.training and (isinstance(drop, Tensor) or drop):
            kept = there & (torch.rand(there.shape, device=there.device) >= drop)
            there = torch.where(kept.any(1, keepdim=True), kept, there)
        x, known = self._words(tokens)
        there = there & known
        x = x * there[..., None]
        y = x.transpose(1, 2)
        for conv in self.see:
            value, gate = conv(y).chunk(2, 1)
            y = (y + value * gate.sigmoid()) * there[:, None]
        each = y.transpose(1, 2)
        found = each.masked_fill(~there[..., None], -torch.inf).amax(1)
        found = torch.where(there.any(1, keepdim=True), found, torch.zeros_like(found))
        mean = self.norm(x.sum(1) / there.sum(1, keepdim=True).clamp_min(1).sqrt())
        return self.last(torch.cat([mean, found], 1)), each, there

    def _words(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(n, words, width), each different word looked up once, and (n, words) whether anything is known of it."""
        names, where = tokens[..., 0].unique(return_inverse=True)
        at = torch.arange(where.numel(), device=where.device)
        first = torch.empty_like(names, dtype=torch.int64).scatter_(0, where.flatten(), at)
        rows = tokens.flatten(0, 1)[first].long()
        rows = torch.where(torch.cat([self.words(rows[:, :1]), self.grams(rows[:, 1:])], 1), rows, 0)
        own, grams = self.table(_two_of(rows[:, :1])), rows[:, 1:]
        if self.training and self.forget:
            own = own * (torch.rand(len(own), 1, device=own.device) >= self.forget)
        spelt = self.table(_two_of(grams)) / (grams > 0).sum(1, keepdim=True).clamp_min(1).sqrt()
        return (own + spelt)[where], rows.any(1)[where]


def _two_of(hashes: Tensor) -> Tensor:
    """(n, 2 pieces) rows of the table, from 1; 0 where there is no piece."""
    one, other = hashes % (ROWS - 1), hashes // (ROWS - 1) % (ROWS - 1)
    return torch.cat([1 + one, 1 + other], 1) * (hashes > 0).repeat(1, 2)


def equal(one: Tensor, other: Tensor) -> Tensor:
    """(n, m) bool, which texts are alike, word by word.

    >>> tokens = hashed(["red", "blue", "Red"])
    >>> equal(tokens, tokens).int().tolist()
    [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    """
    rows = [tokens if tokens.is_floating_point() else tokens[..., 0] for tokens in (one, other)]
    _, which = torch.cat(rows).unique(dim=0, return_inverse=True)
    return which[: len(one), None] == which[None, len(one) :]
