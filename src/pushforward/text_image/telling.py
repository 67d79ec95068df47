"""What is told of records by a network of words and one of pictures: what is missing, and how probable they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from pushforward.data import Category, Image, Records, Schema, Text, pictures
from pushforward.data.encodings.pixels import from_pixels
from pushforward.data.holes import blank, exchange, overlay
from pushforward.diffusion.diffusion import Diffusion, last
from pushforward.diffusion.samplers.heun import Heun
from pushforward.diffusion.schedule import schedule
from pushforward.text_image.drawing import Drawing
from pushforward.text_image.layout import Layout
from pushforward.text_image.masking import log_bound
from pushforward.text_image.network import Reading
from pushforward.text_image.words import MASK
from pushforward.training.place import half_pays
from pushforward.training.randomness import generator as seeded
from pushforward.training.randomness import moved

BLOCK = 256  # records that are drawn or scored together
SCORED = 8  # draws of what is hidden, over which a bound is the mean
MEET = 1.0  # noise, of pictures of deviation 1, through which words are drawn where both come together
LEVELS = 18  # of noise that a picture goes through
First = Literal["words", "picture", "together"]


@dataclass(frozen=True)
class Way:
    """How records are drawn.

    Attributes:
        first: which part is drawn before the other, where neither is known.
        guidance: how strongly a picture is led by its words; 1 as learned.
        best: pictures that are drawn of a record, of which the one that its words fit best is kept.
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


@dataclass(frozen=True)
class Telling:
    """Pictures by their denoiser, words by their network, and each beside the other.

    Attributes:
        schema: of the records.
        given: the fields that are conditions.
        diffusion: draws pictures given all else; None where the picture is a condition.
        layout: what brings texts and categories to tokens.
        network: what tells the hidden ones.
        device: where both are.
    """

    schema: Schema
    given: tuple[str, ...]
    diffusion: Diffusion | None
    layout: Layout
    network: Reading
    device: torch.device

    @property
    def picture(self) -> Image:
        """The field of the picture."""
        return self.schema.of_kind(Image)[0]

    @property
    def free(self) -> Tensor:
        """(fields,) bool, the texts and categories that are no conditions."""
        return torch.tensor([field.name not in self.given for field in self.layout.fields], device=self.device)

    @property
    def closed(self) -> Tensor:
        """(length,) bool, the tokens of conditions, which are not drawn."""
        return ~self.free[self.layout.owner.to(self.device)]

    # What is known

    def there(self, known: Records) -> np.ndarray:
        """(n,) bool, of which records there is a picture."""
        name = self.picture.name
        return known.column(name).is_valid().to_numpy() if name in known.names else np.zeros(len(known), bool)

    def pixels(self, known: Records) -> np.ndarray:
        """(n, height, width, channels) uint8 the pictures of records; black where there is none."""
        image = self.picture
        column = known.column(image.name) if image.name in known.names else pa.nulls(len(known), image.arrow_type)
        return pictures.or_black(pa.chunked_array([column]) if isinstance(column, pa.Array) else column)

    def views(self, known: Records, unknown: Tensor | None = None) -> Tensor:
        """(n, channels + 2, height, width) pictures as they are looked at.

        Args:
            known: records.
            unknown: (n, channels, height, width) bool, pixels that are not known.
        """
        there = self.there(known)
        pixels = torch.from_numpy(self.pixels(known)).to(self.device)
        x = (from_pixels(pixels) - self.network.mean) / self.network.scale
        seen = torch.from_numpy(there).to(self.device)
        shown = seen[:, None, None, None].expand(-1, 1, *x.shape[2:])
        if unknown is not None:
            shown = shown & ~unknown[:, :1].to(self.device)
        return self.network.view(x, shown, torch.where(seen, 0.0, 1.0))

    def tokens(self, known: Records, gap: str | None = None) -> Tensor:
        """(n, length) tokens, `MASK` where nothing is known."""
        return self.layout.encode(known, holes=False, gap=gap).to(self.device)

    # What is missing

    @torch.no_grad()
    def drawn(
        self, known: Records, generator: torch.Generator, way: Way, *, unknown: Tensor | None = None,
        gap: str | None = None, holes: bool = True,
    ) -> Records:  # fmt: skip
        """Records that hold what is known, and draws where nothing is.

        Args:
            known: what is known; a missing cell is not.
            generator: of the draws.
            way: how.
            unknown: (n, channels, height, width) bool, pixels that are not known.
            gap: what stands in a text for a word that is not known.
            holes: whether cells may be drawn that are missing.
        """
        source, pieces, order = moved(generator, self.device), [], []
        there = self.there(known) | (self.diffusion is None)
        for group in (np.flatnonzero(there), np.flatnonzero(~there)):
            for start in range(0, len(group), BLOCK):
                rows = group[start : start + BLOCK]
                part, away = known.take(rows), None if unknown is None else unknown[torch.from_numpy(rows)]
                draw = _Draw(self, way, gap, holes, source)
                pieces.append(draw.words(part, away) if there[rows[0]] else draw.pairs(part))
                order.append(rows)
        return pieces[0].concat(*pieces[1:]).take(np.argsort(np.concatenate(order)))

    # How probable

    def bound(self, records: Records, of: str | None, samples: int) -> Tensor:
        """(n,) the log probability of one field given the others, or of all: of words a bound, of pictures an estimate.

        Of all it is that of the texts, and then of the picture given them. What is missing is left out.

        Args:
            records: some records.
            of: a field, or None.
            samples: draws of what is hidden.
        """
        tokens, image, total = self.tokens(records), self.picture.name, torch.zeros(len(records), dtype=torch.float64)
        if of != image:
            own = ~self.closed if of is None else self.layout.place(of).to(self.device)
            alone = of is None and image not in self.given
            seen = self._seen(self.network.blind(len(records)) if alone else self.views(records))
            total += self._bound(seen, tokens, (tokens != MASK) & own, samples).cpu()
        if self.diffusion is not None and of in (None, image) and (there := self.there(records)).any():
            some = overlay(blank(self.diffusion.schema, len(records)), records).take(np.flatnonzero(there))
            total[torch.from_numpy(there)] += self.diffusion._log_prob(some)
        return total

    @torch.no_grad()
    def _seen(self, views: Tensor) -> Tensor:
        return self.network.see(views)

    def _bound(self, seen: Tensor, tokens: Tensor, asked: Tensor, samples: int) -> Tensor:
        noise = seeded(0, device=self.device)  # the same for all records, so that none depends on its company
        return log_bound(self.network, seen, tokens, asked, samples, noise)

    @torch.no_grad()
    def levels(self, records: Records, field: Category) -> Tensor:
        """(n, levels) float64 the probability of each level given all else that is known."""
        place = int(self.layout.place(field.name).nonzero())
        tokens = self.tokens(records)
        tokens[:, place] = MASK
        words = self.network(self.views(records), tokens)
        logits = self.network.of_token(words[:, place])[:, self.layout.levels(field)]
        return logits.double().softmax(1).cpu()

    def among(self, records: Records, field: Text, captions: list[str], samples: int) -> Tensor:
        """(n, captions) p(caption | all else), where each is as probable as any other before one looks.

        That is the softmax of log p(caption | record) - log p(caption), so that frequent captions have no advantage.
        """
        said = Records(Schema((field,)), pa.table({field.name: captions}))
        self.layout.warn(said)
        tokens, texts = self.tokens(records), self.layout.encode(said).to(self.device)
        own = self.layout.place(field.name).to(self.device)
        tokens = torch.cat([torch.full_like(tokens[:1], MASK), tokens])  # first a record of which nothing is known
        seen = torch.cat([self._seen(self.network.blind(1)), self._seen(self.views(records))])
        n, m, out = len(tokens), len(texts), []
        for rows in torch.arange(n * m, device=self.device).split(BLOCK):
            row, text = rows // m, rows % m
            told = torch.where(own, texts[text], tokens[row])
            out.append(self._bound(seen[row], told, own.expand(len(rows), -1), samples))
        found = torch.cat(out).view(n, m).cpu()
        return (found[1:] - found[:1]).softmax(1)


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
        out = self._with(part, self._tokens(part, telling.views(part, unknown)))
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
        many = n * way.best  # more than one only where words come first
        x = torch.randn(many, flat.size, generator=self.source, device=telling.device) * (1 + sigmas[0] ** 2).sqrt()
        x = self._refined(x, sigmas[: meet + 1], part)
        out = self._with(part, self._tokens(part, self._through(x, sigmas[meet]) if meet else telling.network.blind(n)))
        if way.best == 1:
            x = self._refined(x, sigmas[meet:], out)
        else:
            x = self._fittest(self._refined(x, sigmas[meet:], out.take(np.repeat(np.arange(n), way.best))), out)
        picture = model._records(x, None)
        return Records(telling.schema.select([*out.names, picture.names[0]]), _beside(out, picture, telling.schema))

    @torch.no_grad()
    def _fittest(self, x: Tensor, told: Records) -> Tensor:
        """(n, size) of so many pictures of each record the one beside which its words are most probable."""
        telling, best = self.telling, self.way.best
        tokens = telling.tokens(told).repeat_interleave(best, 0)
        seen = telling.network.see(self._through(x, x.new_zeros(())))
        fit = telling._bound(seen, tokens, (tokens != MASK) & ~telling.closed, SCORED).view(-1, best)
        return x[fit.argmax(1) + best * torch.arange(len(fit), device=x.device)]

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

    def _tokens(self, part: Records, views: Tensor) -> Tensor:
        """(n, length) tokens, drawn where they are not known."""
        telling, way = self.telling, self.way
        tokens = telling.tokens(part, self.gap)
        able = telling.layout.able(holes=self.holes)[None].to(telling.device)
        if self.gap is not None:
            able = able & telling.layout.wordly(tokens.cpu()).to(telling.device)
        drawing = Drawing(telling.network, way.steps, way.slack, way.temperature)
        return drawing.fill(telling.network.see(views), tokens, telling.closed, able, self.source)

    def _with(self, part: Records, tokens: Tensor) -> Records:
        """The records with what was drawn where nothing was known; a picture only where there was one."""
        telling = self.telling
        columns = {name: c for name, c in telling.layout.decode(tokens).items() if name not in telling.given}
        kept = {*telling.given, *([telling.picture.name] if telling.there(part).all() else [])}
        columns |= {name: part.column(name) for name in part.names if name in kept}
        schema = telling.schema.select(columns)
        drawn = Records(schema, pa.table({name: columns[name] for name in schema.names}, schema=schema.arrow))
        return overlay(drawn, part if self.gap is None else _without_gaps(part, self.gap))


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
