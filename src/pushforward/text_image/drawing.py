"""Masked diffusion of tokens: the order in which what is not known is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.text_image.masking import at_places, hidden
from pushforward.text_image.network import Reading
from pushforward.text_image.words import MASK


@dataclass(frozen=True)
class Drawing:
    """How words that are hidden are drawn, place by place.

    Attributes:
        network: what was learned.
        steps: in how many steps, at random places; None: the most certain places first, as many at once as `slack`
            allows.
        slack: nats that may be lost in a step by drawing places at once.
        temperature: below 1 the probable becomes more so.
    """

    network: Reading
    steps: int | None = None
    slack: float = 0.0
    temperature: float = 1.0

    @torch.no_grad()
    def fill(self, seen: Tensor, tokens: Tensor, closed: Tensor, able: Tensor, generator: torch.Generator) -> Tensor:
        """(n, length) tokens of which nothing is hidden any more.

        Args:
            seen: what the network sees of pictures.
            tokens: `MASK` where there is one to be drawn.
            closed: (length,) bool, places that stay as they are, known or not.
            able: (n or 1, length, symbols) bool, the tokens that may stand at each place.
            generator: of the draws.
        """
        able, tokens, done = able.expand(len(tokens), -1, -1), tokens.clone(), 0
        while (left := ((open_ := (tokens == MASK) & ~closed).any(1))).any():
            # records that are done are left alone, but of a round number, as in training
            rows = left.int().argsort(descending=True, stable=True)[: 1 << (int(left.sum()) - 1).bit_length()]
            tokens[rows] = self._step(seen[rows], tokens[rows], open_[rows], able[rows], done, generator)
            done += 1
        return tokens

    def _step(
        self, seen: Tensor, tokens: Tensor, open_: Tensor, able: Tensor, done: int, generator: torch.Generator
    ) -> Tensor:
        """Tokens with some more of the open places drawn."""
        if not open_.any():
            return tokens
        logits = at_places(self.network.read(seen, tokens), open_, self.network.of_token).float()
        entropy, draws = torch.zeros(tokens.shape, device=tokens.device), tokens.clone()
        self._draw(logits.masked_fill(~able[open_], -math.inf), open_, entropy, draws, generator)
        if self.steps is None:
            chosen = certain(entropy, open_, self.slack)
        else:
            share = torch.full((len(tokens),), 1 / max(1, self.steps - done), device=tokens.device)
            chosen = hidden(open_, share, generator)
        return torch.where(chosen, draws, tokens)

    def _draw(self, logits: Tensor, where: Tensor, entropy: Tensor, draws: Tensor, generator: torch.Generator) -> None:
        """Write down what is drawn at some places, and how uncertain each of them is."""
        log = logits.log_softmax(-1)  # what is lost by drawing places at once is a matter of what was learned
        entropy[where] = -(log.exp() * log.clamp_min(-1e4)).sum(-1)
        noise = torch.rand(logits.shape, generator=generator, device=logits.device).clamp_min_(1e-20)
        draws[where] = (logits / self.temperature - (-noise.log_()).log_()).argmax(-1)


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
