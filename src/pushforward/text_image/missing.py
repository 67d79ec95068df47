"""What is missing of records: pictures drawn beside their words, words beside their pictures, and both together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from pushforward.data import Records, Schema, Text
from pushforward.data.holes import exchange, overlay
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.schedule import schedule
from pushforward.text_image.drawing import Drawing
from pushforward.text_image.misfit import NATS, misfit
from pushforward.text_image.painting import LEVELS, Painting
from pushforward.text_image.revising import revised
from pushforward.text_image.telling import BLOCK, SCORED, Telling
from pushforward.text_image.words import MASK
from pushforward.training.randomness import moved

MOST = 4096  # draws that are held at once, of which some are to be chosen
REVISIONS, OTHERS = 4, 6  # times that words which fit best are revised by one, and so many that are looked at
LEAST = 1e-3  # nats by which they have to become more probable
MEET = 1.0  # noise, of points of deviation 1, at which words are drawn where both come together
First = Literal["words", "picture", "together"]


@dataclass(frozen=True)
class Way:
    """How records are drawn.

    Attributes:
        first: which part is drawn before the other, where neither is known.
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
            draw = _Draw(telling, way, gap, holes, source)
            pieces.append(draw.words(part, away) if there[rows[0]] else draw.pairs(part))
            order.append(rows)
    return pieces[0].concat(*pieces[1:]).take(np.argsort(np.concatenate(order)))


@dataclass(frozen=True)
class _Draw:
    """The draws of a block.

    Attributes:
        telling: what is known of the models.
        way: how it draws.
        gap: what stands in a text for a word that is not known.
        holes: whether cells may be drawn that are missing.
        source: of the draws.
    """

    telling: Telling
    way: Way
    gap: str | None
    holes: bool
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
        """Records of which there is no picture: that and their words."""
        telling, painting, way, n = self.telling, self.telling.painting, self.way, len(part)
        assert painting is not None
        sigmas = schedule(way.levels, telling.device)
        each = way.best if way.first == "words" else 1
        x = painting.noise(n * each, sigmas[0], self.source)
        if way.first == "words":
            out = self._told(part, telling.network.blind(n), None)
            # records without a column have no length, and there may be no words
            x = self._refined(x, sigmas, out if each == 1 else out.take(np.repeat(np.arange(n), each)))
            x = x if each == 1 else self._fittest(x, out)
        elif way.first == "picture":
            x = self._refined(x, sigmas, part)
            out = self._told(part, self._seen(x), x)
        else:
            meet = int((sigmas > MEET).sum())
            x = self._refined(x, sigmas[: meet + 1], part)
            # words given a picture in noise are those of any picture that may be behind it
            behind = painting.behind(self._led(part, n), x, sigmas[meet:], self.source)
            out = self._told(part, self._seen(behind), None)
            x = self._refined(x, sigmas[meet:], out)
        picture = painting.records(x)
        return Records(telling.schema.select([*out.names, picture.names[0]]), _beside(out, picture, telling.schema))

    @torch.no_grad()
    def _fittest(self, x: Tensor, told: Records) -> Tensor:
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
        telling, best = self.telling, self.way.best
        seen = telling.network.see(views)
        if best == 1 or x is None or telling.painting is None:
            return self._with(part, self._tokens(part, seen))
        many = part.take(np.repeat(np.arange(len(part)), best))
        draws = self._tokens(many, seen.repeat_interleave(best, 0)).unflatten(0, (-1, best))
        fit = self._fit(part, draws, x)
        at, each = fit.argmax(1), torch.arange(len(part), device=x.device)
        return self._with(part, self._revised(part, seen, draws[each, at], fit[each, at], x))

    def _revised(self, part: Records, seen: Tensor, tokens: Tensor, fit: Tensor, x: Tensor) -> Tensor:
        """(n, length) tokens of which one was changed after the other, as long as log p(picture | words) + log p(words)
        became more: what words fit a picture best without regard to the second may be no sentence.
        """
        network, (open_, able), rows = self.telling.network, self._open(part), torch.arange(len(part), device=x.device)
        for _ in range(REVISIONS):
            others, gain = revised(network, seen[rows], tokens[rows], open_[rows], able[rows], OTHERS)
            found = self._fit(part.take(rows.cpu().numpy()), others, x[rows])
            more, at = (found - fit[rows, None] + gain).max(1)
            better = (more > LEAST).nonzero()[:, 0]
            if not len(better):
                break
            rows, at = rows[better], at[better]
            tokens[rows], fit[rows] = others[better, at], found[better, at]
        return tokens

    def _fit(self, part: Records, tokens: Tensor, x: Tensor) -> Tensor:
        """(n, many) log p(picture | words) of the points of pictures and (n, many, length) tokens, about, up to what
        all words have in common.
        """
        painting = self.telling.painting
        assert painting is not None
        rows = np.repeat(np.arange(len(part)), tokens.shape[1])
        told = self._with(part.take(rows), tokens.flatten(0, 1))
        told = told.select([name for name in told.names if name in painting.given])
        first, same = _distinct(rows, told)
        left = misfit(painting, x[torch.from_numpy(rows[first]).to(x.device)], told.take(first))
        return -NATS * left[torch.from_numpy(same).to(x.device)].view(len(part), -1)

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
        telling, way = self.telling, self.way
        tokens, (_, able) = telling.tokens(part, self.gap), self._open(part)
        drawing = Drawing(telling.network, way.steps, way.slack, way.temperature)
        return drawing.fill(seen, tokens, telling.closed, able, self.source)

    def _open(self, part: Records) -> tuple[Tensor, Tensor]:
        """(n, length) bool, places that are to be drawn, and (n, length, symbols) bool, what may stand at each."""
        telling = self.telling
        tokens = telling.tokens(part, self.gap)
        able = telling.layout.able(holes=self.holes).expand(len(tokens), -1, -1).to(telling.device)
        if self.gap is not None:
            able = able & telling.layout.wordly(tokens.cpu()).to(telling.device)
        return (tokens == MASK) & ~telling.closed, able

    def _with(self, part: Records, tokens: Tensor) -> Records:
        """The records with what was drawn where nothing was known; a picture only where there was one."""
        telling = self.telling
        columns = {name: c for name, c in telling.layout.decode(tokens).items() if name not in telling.given}
        kept = {*telling.given, *([telling.picture.name] if telling.there(part).all() else [])}
        columns |= {name: part.column(name) for name in part.names if name in kept}
        schema = telling.schema.select(columns)
        drawn = Records(schema, pa.table({name: columns[name] for name in schema.names}, schema=schema.arrow))
        return overlay(drawn, part if self.gap is None else _without_gaps(part, self.gap))


def _distinct(rows: np.ndarray, told: Records) -> tuple[np.ndarray, np.ndarray]:
    """Where each pair of a record and its words is found first, and for all pairs which of those it is."""
    columns = [told.column(name).to_pylist() for name in told.names]
    pairs: dict[tuple[Any, ...], int] = {}
    same = [pairs.setdefault(pair, len(pairs)) for pair in zip(rows.tolist(), *columns, strict=True)]
    return np.unique(same, return_index=True)[1], np.array(same)


def _beside(one: Records, other: Records, schema: Schema) -> pa.Table:
    """Columns of both, in the order of the schema."""
    columns = {r.names[i]: r.column(r.names[i]) for r in (one, other) for i in range(len(r.names))}
    order = schema.select(columns)
    return pa.table({name: columns[name] for name in order.names}, schema=order.arrow)


def _without_gaps(records: Records, gap: str) -> Records:
    """Records in which a text that has a gap is not known."""
    columns = {field.name: records.column(field.name) for field in records.schema}
    for field in records.schema.of_kind(Text):
        texts = columns[field.name].to_pylist()
        columns[field.name] = pa.array([None if text is None or gap in text else text for text in texts], pa.string())
    return Records(records.schema, pa.table(columns, schema=records.schema.arrow))
