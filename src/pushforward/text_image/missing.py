"""What is missing of records: pictures drawn beside their words, words beside their pictures, and both together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from pushforward.data import Records, Schema
from pushforward.data.holes import exchange
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.schedule import schedule
from pushforward.text_image.drawing import Drawing
from pushforward.text_image.filling import Filling
from pushforward.text_image.fitting import fittest_words
from pushforward.text_image.painting import LEVELS, Painting
from pushforward.text_image.telling import BLOCK, SCORED, Telling
from pushforward.text_image.words import MASK
from pushforward.training.randomness import moved

MOST = 4096  # draws that are held at once, of which some are to be chosen
MEET = 1.0  # noise, of points of deviation 1, at which words are drawn where both come together
First = Literal["words", "picture", "together"]


@dataclass(frozen=True)
class Way:
    """How records are drawn.

    Attributes:
        first: which part is drawn before the other, where neither is known; words told to a picture that comes first
            are not those that led to it.
        guidance: how strongly a picture is led by its words; 1 as learned.
        best: how often what comes second is drawn, of which the draw is kept that fits the first best; of words one is
            then changed, as long as they become more probable.
        levels: of noise that a picture goes through.
        temperature, steps, slack: of words, see `Drawing`.
    """

    first: First = "words"
    guidance: float = 1.0
    best: int = 1
    levels: int = LEVELS
    temperature: float = 1.0
    steps: int | None = None
    slack: float = 0.0


@torch.no_grad()
def drawn(
    telling: Telling, known: Records, generator: torch.Generator, way: Way, *, unknown: Tensor | None = None,
    gap: str | None = None, holes: bool = True,
) -> Records:  # fmt: skip
    """Records that hold what is known, and draws where nothing is.

    Args:
        telling: what is known of the models.
        known: what is known; a missing cell is not.
        generator: of the draws.
        way: how.
        unknown: (n, channels, height, width) bool, pixels that are not known.
        gap: what stands in a text for a word that is not known.
        holes: whether cells may be drawn that are missing.
    """
    source, pieces, order = moved(generator, telling.device), [], []
    there, many = telling.there(known) | (telling.painting is None), max(1, min(BLOCK, MOST // way.best))
    for group in (np.flatnonzero(there), np.flatnonzero(~there)):
        for start in range(0, len(group), many):
            rows = group[start : start + many]
            part, away = known.take(rows), None if unknown is None else unknown[torch.from_numpy(rows)]
            draw = _Draw(telling, way, Filling(telling, gap, holes), source)
            pieces.append(draw.words(part, away) if there[rows[0]] else draw.pairs(part))
            order.append(rows)
    return pieces[0].concat(*pieces[1:]).take(np.argsort(np.concatenate(order)))


@dataclass(frozen=True)
class _Draw:
    """The draws of a block.

    Attributes:
        telling: what is known of the models.
        way: how it draws.
        filling: how words that are not known come into records.
        source: of the draws.
    """

    telling: Telling
    way: Way
    filling: Filling
    source: torch.Generator

    def words(self, part: Records, unknown: Tensor | None) -> Records:
        """Records of which there is a picture, with their words, and then the pixels that were not known."""
        telling, painting = self.telling, self.telling.painting
        chosen = painting is not None and unknown is None and self.way.best > 1
        x = painting.of(part) if chosen and painting is not None else None
        out = self._told(part, telling.views(part, unknown), x)
        if unknown is None or painting is None:
            return out
        drawn = painting.completed(out, unknown, schedule(self.way.levels, telling.device), self.source)
        return exchange(out, drawn, [telling.picture.name])

    def pairs(self, part: Records) -> Records:
        """Records of which there is no picture: that and their words.

        A picture that comes first is led by words too, which nobody sees: p(x) is the sum of p(words) p(x | words) over
        them. A denoiser of few and manifold pictures that is told nothing knows too little of what goes with what, and
        draws nicer ones by way of something simpler (Li, Katabi, He 2023, arXiv 2312.03701).
        """
        telling, painting, way, n = self.telling, self.telling.painting, self.way, len(part)
        assert painting is not None
        sigmas = schedule(way.levels, telling.device)
        each = way.best if way.first == "words" else 1
        x = painting.noise(n * each, sigmas[0], self.source)
        if way.first == "together":
            meet = int((sigmas > MEET).sum())
            x = self._refined(x, sigmas[: meet + 1], part)
            # words given a picture in noise are those of any picture that may be behind it
            behind = painting.behind(self._led(part, n), x, sigmas[meet:], self.source)
            out = self._told(part, self._seen(behind), None)
            x = self._refined(x, sigmas[meet:], out)
        else:
            out = self._told(part, telling.network.blind(n), None)
            # records without a column have no length, and there may be no words
            x = self._refined(x, sigmas, out if each == 1 else out.take(np.repeat(np.arange(n), each)))
            x = x if each == 1 else self._fittest_picture(x, out)
            if way.first == "picture":  # of which the words that led it are forgotten
                out = self._told(part, self._seen(x), x)
        picture = painting.records(x)
        return Records(telling.schema.select([*out.names, picture.names[0]]), _beside(out, picture, telling.schema))

    @torch.no_grad()
    def _fittest_picture(self, x: Tensor, told: Records) -> Tensor:
        """(n, size) of so many pictures of each record the one beside which its words are most probable."""
        telling, best = self.telling, self.way.best
        tokens = telling.tokens(told).repeat_interleave(best, 0)
        seen = telling.network.see(self._seen(x))
        fit = telling._bound(seen, tokens, (tokens != MASK) & ~telling.closed, SCORED).view(-1, best)
        return x[fit.argmax(1) + best * torch.arange(len(fit), device=x.device)]

    def _told(self, part: Records, views: Tensor, x: Tensor | None) -> Records:
        """Records with the words that are not known; where there are pictures, those that they fit best.

        Args:
            part: what is known.
            views: (n, channels + 1, height, width) pictures as they are looked at.
            x: (n, size) their points, if they choose among words.
        """
        filling, best, seen = self.filling, self.way.best, self.telling.network.see(views)
        if best == 1 or x is None:
            return filling.records(part, self._tokens(part, seen))
        many = part.take(np.repeat(np.arange(len(part)), best))
        draws = self._tokens(many, seen.repeat_interleave(best, 0)).unflatten(0, (-1, best))
        return filling.records(part, fittest_words(filling, part, seen, draws, x))

    def _seen(self, x: Tensor) -> Tensor:
        """(n, size) points as pictures that are looked at."""
        telling = self.telling
        assert telling.painting is not None
        shown = telling.painting.pictures(x).clamp(-1, 1)
        return telling.network.view(shown, torch.ones_like(shown[:, :1], dtype=torch.bool))

    def _refined(self, x: Tensor, sigmas: Tensor, told: Records) -> Tensor:
        """Points from one noise level to another."""
        return Painting.refined(self._led(told, len(x)), x, sigmas, self.source)

    def _led(self, told: Records, n: int) -> Denoiser:
        """The denoiser of n points that are told what is known."""
        painting = self.telling.painting
        assert painting is not None
        return painting.denoiser(told, n, self.way.guidance)

    def _tokens(self, part: Records, seen: Tensor) -> Tensor:
        """(n, length) tokens, drawn where they are not known, beside what is seen of pictures."""
        telling, way, tokens = self.telling, self.way, self.filling.tokens(part)
        drawing = Drawing(telling.network, way.steps, way.slack, way.temperature)
        return drawing.fill(seen, tokens, telling.closed, self.filling.able(tokens), self.source)


def _beside(one: Records, other: Records, schema: Schema) -> pa.Table:
    """Columns of both, in the order of the schema."""
    columns = {r.names[i]: r.column(r.names[i]) for r in (one, other) for i in range(len(r.names))}
    order = schema.select(columns)
    return pa.table({name: columns[name] for name in order.names}, schema=order.arrow)
