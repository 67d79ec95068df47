"""Masked diffusion over two parts: the order in which what is not known is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pushforward.text_image.masking import at_places, hidden
from pushforward.text_image.network import Pairs
from pushforward.text_image.words import MASK

First = Literal["words", "picture", "together"]
PHASES = {"words": ("tokens", "codes"), "picture": ("codes", "tokens"), "together": ("both",)}


@dataclass(frozen=True)
class Drawing:
    """How what is hidden is drawn, place by place.

    Attributes:
        network: what was learned.
        first: which part is drawn before the other, where neither is known.
        steps: in how many steps a part is drawn, at random places; None: the most certain places first, as many at once
            as `slack` allows.
        slack: nats that may be lost in a step by drawing places at once.
        guidance: how strongly a picture is led by its words; 1 as learned.
        temperature: below 1 the probable becomes more so.
    """

    network: Pairs
    first: First = "words"
    steps: int | None = None
    slack: float = 0.0
    guidance: float = 1.0
    temperature: float = 1.0

    @torch.no_grad()
    def fill(
        self, codes: Tensor, tokens: Tensor, closed: Tensor, able: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """(n, cells) codes and (n, length) tokens of which nothing is hidden any more.

        Args:
            codes: the hidden code where there is one to be drawn.
            tokens: `MASK` where there is one to be drawn.
            closed: (n, cells + length) bool, places that stay as they are, known or not.
            able: (n or 1, length, symbols) bool, the tokens that may stand at each place.
            generator: of the draws.
        """
        able = able.expand(len(codes), -1, -1)
        both, many = torch.cat([codes, tokens], 1), codes.shape[1]
        of_codes = torch.arange(both.shape[1], device=codes.device) < many
        nothing = torch.where(of_codes, self.network.hidden_code, MASK)
        for phase in PHASES[self.first]:
            now = of_codes if phase == "codes" else ~of_codes if phase == "tokens" else torch.ones_like(of_codes)
            done = 0
            while True:
                open_ = (both == nothing) & ~closed & now
                left = open_.any(1)
                if not left.any():
                    break
                # records that are done are left alone, but of a round number, as in training
                rows = left.int().argsort(descending=True, stable=True)[: 1 << (int(left.sum()) - 1).bit_length()]
                both[rows] = self._step(both[rows], open_[rows], many, able[rows], done, generator)
                done += 1
        return both[:, :many], both[:, many:]

    def _step(
        self, both: Tensor, open_: Tensor, many: int, able: Tensor, done: int, generator: torch.Generator
    ) -> Tensor:
        """Codes and tokens, side by side, with some more of the open places drawn."""
        cells, words = self.network(both[:, :many], both[:, many:])
        entropy, draws = torch.zeros(both.shape, device=both.device), both.clone()
        if (where := open_[:, :many]).any():
            logits = at_places(cells, where, self.network.of_code).float()
            if self.guidance != 1:
                untold, _ = self.network(both[:, :many], torch.full_like(both[:, many:], MASK))
                least = at_places(untold, where, self.network.of_code).float()
                logits = least + self.guidance * (logits - least)
            self._draw(logits, where, entropy[:, :many], draws[:, :many], generator)
        if (where := open_[:, many:]).any():
            logits = at_places(words, where, self.network.of_token).float()
            self._draw(
                logits.masked_fill(~able[where], -math.inf), where, entropy[:, many:], draws[:, many:], generator
            )
        if self.steps is None:
            chosen = certain(entropy, open_, self.slack)
        else:
            share = torch.full((len(both),), 1 / max(1, self.steps - done), device=both.device)
            chosen = hidden(open_, share, generator)
        return torch.where(chosen, draws, both)

    def _draw(self, logits: Tensor, where: Tensor, entropy: Tensor, draws: Tensor, generator: torch.Generator) -> None:
        """Write down what is drawn at some places, and how uncertain each of them is."""
        logits = logits / self.temperature
        log = logits.log_softmax(-1)
        entropy[where] = -(log.exp() * log.clamp_min(-1e4)).sum(-1)
        noise = torch.rand(logits.shape, generator=generator, device=logits.device).clamp_min_(1e-20)
        draws[where] = (logits - (-noise.log_()).log_()).argmax(-1)


def certain(entropy: Tensor, open_: Tensor, slack: float) -> Tensor:
    """(n, length) bool: the places that are drawn next, those that are most certain.

    As many as their entropies allow: those of all but the largest, which bound what is lost by drawing them at once
    instead of one after the other, add up to no more than the slack (Ben-Hamu et al. 2025, arXiv 2505.24857). The
    choice looks at what is drawn already and no further, so that with slack 0 draws are those of the model.

    Args:
        entropy: (n, length) nats of what stands at a place.
        open_: (n, length) bool, places that are not drawn yet.
        slack: nats.

    >>> certain(torch.tensor([[0.1, 0.3, 2.0, 0.0]]), torch.tensor([[True, True, True, False]]), 0.2)
    tensor([[ True,  True, False, False]])
    """
    ranked, order = entropy.masked_fill(~open_, math.inf).sort(1)
    finite = ranked.masked_fill(ranked.isinf(), 0.0)
    chosen = torch.zeros_like(open_).scatter(1, order, finite.cumsum(1) - finite <= slack)
    return chosen & open_
