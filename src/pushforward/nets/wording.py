"""Texts as vectors that can be drawn, and words again: an auto-encoder of short texts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, layer_norm, silu

from pushforward.training.randomness import mix, scope

MOST, LONGEST = 4096, 40  # words that are known, and words of a text
INNER, HIDDEN = 64, 512  # numbers of a word, and hidden units of the way back
BATCH, STEPS, RATE = 128, 1000, 2e-3
CALM = 0.3  # share of the steps, the last ones, in which the rate falls to nothing
GOOD = 0.05  # nats that a text costs, below which that begins
NOISE = 0.45  # deviation of what is added to a vector in training, at most, for one that is drawn is never exact
_PIECE = re.compile(r" ?\w+(?:[-'’]\w+)*| ?[^\w\s]")


class Wording(nn.Module):
    """Text → vector → text, word by word in order.

    Words are convolved, laid out by their places and brought to a vector; the way back names a word for each place
    until the text ends. Noise on the vector in training keeps the texts around a text like it, so what a generator
    draws nearby still reads as one; places are told apart, so combinations that were never seen are read back too.
    Every number of a vector has mean 0 and deviation 1 over the texts that it was learned from.

    Args:
        words: how many words are known, the end of a text among them.
        longest: words of a text, at most.
        letters: bytes of all known words.
        width: of the vectors.

    >>> texts = [f"a {size} {colour} square" for size in ("small", "large") for colour in ("red", "blue", "green")]
    >>> wording = Wording.of(texts, width=8).learn(texts, steps=150)
    >>> vectors = wording.encode(["a small red square", "a large blue square"])
    >>> vectors.shape, wording.decode(vectors)
    (torch.Size([2, 8]), ['a small red square', 'a large blue square'])
    """

    spelling: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, *, words: int, longest: int, letters: int, width: int = 64):
        super().__init__()
        self.width, self.longest = width, longest
        self.sizes = {"words": words, "longest": longest, "letters": letters, "width": width}
        self.heard, self.named = (nn.Parameter(torch.randn(words, INNER) * 2 * INNER**-0.5) for _ in range(2))
        self.often = nn.Parameter(torch.zeros(words))
        self.into = _Beside()
        self.shorten = nn.Linear(longest * INNER, width)
        self.widen = nn.Sequential(nn.Linear(width, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, longest * INNER))
        self.back = _Beside()
        self.register_buffer("spelling", torch.zeros(letters, dtype=torch.uint8))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self._known: dict[str, int] = {}

    @classmethod
    def of(cls, texts: Iterable[str | None], width: int = 64) -> Self:
        """One that knows the words of some texts, and has learned nothing yet; `sizes` is what it is made of."""
        split = [_pieces(text) for text in texts]
        counted = Counter(word for text in split for word in text)
        words = [word for word, _ in counted.most_common(MOST - 1)]
        spelling = torch.tensor(list("\n".join(words).encode()), dtype=torch.uint8)
        longest = 1 + max((len(text) for text in split), default=0)
        with scope(0):
            out = cls(words=1 + len(words), longest=longest, letters=len(spelling), width=width)
        out.spelling.copy_(spelling)
        return out

    @property
    def words(self) -> list[str]:
        """The known words, with the space before them where there was one; the first is the end of a text."""
        return ["", *bytes(self.spelling.tolist()).decode().split("\n")] if len(self.spelling) else [""]

    def learn(self, texts: Sequence[str | None], *, steps: int = STEPS, seed: int = 0) -> Self:
        """Learn to bring texts back, until they come back in spite of the noise, or for so many steps."""
        tokens = self._tokens(texts)
        optimizer = torch.optim.AdamW(self.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        self.train()
        with scope(mix(seed), self.mean.device):
            step, lost = 0, math.inf
            while step < steps:
                for group in optimizer.param_groups:
                    group["lr"] = RATE * min(1.0, (steps - step) / (CALM * steps))
                loss = self._loss(tokens[torch.randint(len(tokens), (BATCH,), device=tokens.device)])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step, lost = step + 1, 0.95 * min(lost, 1e3) + 0.05 * float(loss.detach())
                if lost < GOOD and step < (1 - CALM) * steps:
                    steps = math.ceil(step / (1 - CALM))
        self.eval()
        with torch.no_grad():
            raw = torch.cat([self._raw(part) for part in tokens.split(1024)])
            self.mean.copy_(raw.mean(0))
            self.deviation.copy_(raw.std(0, unbiased=False).clamp_min(1e-3))
        return self

    @torch.no_grad()
    def encode(self, texts: Sequence[str | None]) -> Tensor:
        """(n, width) vectors; words that are not known are left out, and texts too long are cut."""
        raw = [self._raw(part) for part in self._tokens(texts).split(1024)]
        return (torch.cat(raw) - self.mean) / self.deviation

    @torch.no_grad()
    def decode(self, vectors: Tensor) -> list[str]:
        """The texts that vectors are nearest to."""
        words, out = self.words, []
        for part in vectors.to(self.mean).split(1024):
            for row in self._scores(part * self.deviation + self.mean).argmax(-1).tolist():
                ends = row.index(0) if 0 in row else len(row)
                out.append("".join(words[i] for i in row[:ends]).strip())
        return out

    def _tokens(self, texts: Sequence[str | None]) -> Tensor:
        """(n, longest) numbers of words, 0 from the end on."""
        if not self._known:
            self._known = {word: i for i, word in enumerate(self.words)}
        rows = [[self._known[word] for word in _pieces(text) if word in self._known] for text in texts]
        cut = [row[: self.longest - 1] for row in rows]
        return torch.tensor([row + [0] * (self.longest - len(row)) for row in cut], device=self.mean.device)

    def _raw(self, tokens: Tensor) -> Tensor:
        """(n, longest) → (n, width), before it is scaled."""
        h = self.into(self.heard[tokens].transpose(1, 2))
        return layer_norm(self.shorten(h.flatten(1)), (self.width,))

    def _scores(self, raw: Tensor) -> Tensor:
        """(n, width) → (n, longest, words)."""
        h = self.back(self.widen(raw).unflatten(1, (INNER, self.longest)))
        return h.transpose(1, 2) @ self.named.T + self.often

    def _loss(self, tokens: Tensor) -> Tensor:
        """Minus the log probability of texts up to and with their end, a text."""
        raw = self._raw(tokens)
        loud = NOISE * torch.rand(len(raw), 1, device=raw.device)
        scores = self._scores(raw + loud * torch.randn_like(raw))
        each = cross_entropy(scores.flatten(0, 1), tokens.flatten(), reduction="none").view(tokens.shape)
        told = nn.functional.pad(tokens[:, :-1] > 0, (1, 0), value=True)
        return (each * told).sum(1).mean()


class _Beside(nn.Module):
    """Each place adds what stands beside it: x + conv(SiLU(conv(x)))."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = (nn.Conv1d(INNER, INNER, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.two(silu(self.one(x)))


def _pieces(text: str | None) -> list[str]:
    """Words and signs, with the space before them where there is one: joined they are the text again."""
    return _PIECE.findall(" ".join((text or "").split()))[: LONGEST - 1]
