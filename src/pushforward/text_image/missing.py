"""What is missing of records: pictures drawn beside their words, words beside their pictures, and both together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from pushforward.data import Records, Schema, Text
from pushforward.data.holes import blank, exchange, overlay
from pushforward.diffusion.diffusion import last
from pushforward.diffusion.samplers.heun import Heun
from pushforward.diffusion.schedule import schedule
from pushforward.text_image.drawing import Drawing
from pushforward.text_image.misfit import misfit
from pushforward.text_image.telling import BLOCK, SCORED, Telling
from pushforward.text_image.words import MASK
from pushforward.training.place import half_pays
from pushforward.training.randomness import moved

MOST = 4096  # draws that are held at once, of which some are to be chosen
MEET = 1.0  # noise, of pictures of deviation 1, through which words are drawn where both come together
LEVELS = 18  # of noise that a picture goes through
First = Literal["words", "picture", "together"]


@dataclass(frozen=True)
class Way:
    """How records are drawn.

    Attributes:
        first: which part is drawn before the other, where neither is known.
        guidance: how strongly a picture is led by its words; 1 as learned.
        best: how often what comes second is drawn, of which the draw is kept that fits the first best.
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
    there, many = telling.there(known) | (telling.diffusion is None), max(1, min(BLOCK, MOST // way.best))
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
        telling = self.telling
        x = telling.scaled(part).flatten(1) if unknown is None else None
        out = self._told(part, telling.views(part, unknown), x)
        if unknown is None or telling.diffusion is None:
            return out
        whole = overlay(blank(telling.diffusion.schema, len(part)), out)
        drawn = telling.diffusion._complete(whole, self.source, mask=unknown[:, 0].numpy())
        return exchange(out, drawn, [telling.picture.name])

    def pairs(self, part: Records) -> Records:
        """Records of which there is no picture: that and their words."""
        telling, model, way = self.telling, self.telling.diffusion, self.way
        assert model is not None
        flat, n = model.network.flat, len(part)
        sigmas = schedule(way.levels, telling.device)
        meet = {"words": 0, "together": int((sigmas > MEET).sum()), "picture": len(sigmas) - 1}[way.first]
        each = way.best if way.first == "words" else 1
        x = torch.randn(n * each, flat.size, generator=self.source, device=telling.device) * (1 + sigmas[0] ** 2).sqrt()
        x = self._refined(x, sigmas[: meet + 1], part)
        if meet:
            out = self._told(part, self._through(x, sigmas[meet]), x if way.first == "picture" else None)
        else:
            out = self._told(part, telling.network.blind(n), None)
        # records without a column have no length, and there may be no words
        told = out if each == 1 else out.take(np.repeat(np.arange(n), each))
        x = self._refined(x, sigmas[meet:], told)
        picture = model._records(x if each == 1 else self._fittest(x, out), None)
        return Records(telling.schema.select([*out.names, picture.names[0]]), _beside(out, picture, telling.schema))

    @torch.no_grad()
    def _fittest(self, x: Tensor, told: Records) -> Tensor:
        """(n, size) of so many pictures of each record the one beside which its words are most probable."""
        telling, best = self.telling, self.way.best
        tokens = telling.tokens(told).repeat_interleave(best, 0)
        seen = telling.network.see(self._through(x, x.new_zeros(())))
        fit = telling._bound(seen, tokens, (tokens != MASK) & ~telling.closed, SCORED).view(-1, best)
        return x[fit.argmax(1) + best * torch.arange(len(fit), device=x.device)]

    def _told(self, part: Records, views: Tensor, x: Tensor | None) -> Records:
        """Records with the words that are not known; where there are pictures, those that they fit best.

        Args:
            part: what is known.
            views: (n, channels + 2, height, width) pictures as they are looked at.
            x: (n, size) the same as they are, if they choose among words.
        """
        telling, best = self.telling, self.way.best
        seen = telling.network.see(views)
        if best == 1 or x is None or telling.diffusion is None:
            return self._with(part, self._tokens(part, seen))
        rows = np.repeat(np.arange(len(part)), best)
        many = part.take(rows)
        out = self._with(many, self._tokens(many, seen.repeat_interleave(best, 0)))
        known = [name for name in out.names if name in telling.diffusion.given]
        first, same = _distinct(rows, out.select(known))
        left = misfit(telling.diffusion, x[torch.from_numpy(rows[first]).to(x.device)], out.select(known).take(first))
        return out.take(left.cpu().numpy()[same].reshape(-1, best).argmin(1) + best * np.arange(len(part)))

    def _through(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Pictures at a noise level as they are looked at."""
        network, n = self.telling.network, len(x)
        shown = (x * (1 + sigma**2).rsqrt()).view(n, *network.shape)
        noise = (sigma.atan() / (math.pi / 2)).expand(n)
        return network.view(shown, torch.ones_like(shown[:, :1], dtype=torch.bool), noise)

    def _refined(self, x: Tensor, sigmas: Tensor, told: Records) -> Tensor:
        """Pictures from one noise level to another."""
        model = self.telling.diffusion
        assert model is not None
        if len(sigmas) < 2:
            return x
        known = [name for name in told.names if name in model.given]
        given = told.select(known) if known else None
        weight = self.way.guidance if known else 1.0
        denoiser = model._led(model.network.strong, len(x), given, weight, "untold", (0.0, math.inf))
        with torch.autocast(x.device.type, torch.bfloat16, enabled=half_pays(x.device)):
            return last(Heun()(denoiser, x, sigmas, self.source))

    def _tokens(self, part: Records, seen: Tensor) -> Tensor:
        """(n, length) tokens, drawn where they are not known, beside what is seen of pictures."""
        telling, way = self.telling, self.way
        tokens = telling.tokens(part, self.gap)
        able = telling.layout.able(holes=self.holes)[None].to(telling.device)
        if self.gap is not None:
            able = able & telling.layout.wordly(tokens.cpu()).to(telling.device)
        drawing = Drawing(telling.network, way.steps, way.slack, way.temperature)
        return drawing.fill(seen, tokens, telling.closed, able, self.source)

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
