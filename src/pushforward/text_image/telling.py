"""What a network that learned pictures and texts tells of records: what is missing, and how probable they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from pushforward.autoencoders.vq import VQ
from pushforward.data import Category, Image, Records, Schema, Text, pictures
from pushforward.data.holes import overlay
from pushforward.data.masks import repainted
from pushforward.text_image.drawing import Drawing
from pushforward.text_image.layout import Layout
from pushforward.text_image.masking import log_bound
from pushforward.text_image.network import Pairs
from pushforward.text_image.words import MASK
from pushforward.training.place import half_pays
from pushforward.training.randomness import generator as seeded
from pushforward.training.randomness import moved

BLOCK = 256  # records that are drawn or scored together


@dataclass(frozen=True)
class Telling:
    """Records as codes and tokens, and back.

    Attributes:
        schema: of the records.
        given: the fields that are conditions.
        coder: what brings pictures to codes.
        layout: what brings texts and categories to tokens.
        network: what tells the hidden ones.
        device: where it is.
    """

    schema: Schema
    given: tuple[str, ...]
    coder: VQ
    layout: Layout
    network: Pairs
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
        """(cells + length,) bool, the places of conditions, which are not drawn."""
        cells = torch.full((self.network.cells,), self.picture.name in self.given, device=self.device)
        return torch.cat([cells, ~self.free[self.layout.owner.to(self.device)]])

    def seen(self, known: Records, gap: str | None = None) -> tuple[Tensor, Tensor]:
        """(n, cells) codes and (n, length) tokens, hidden where nothing is known."""
        tokens = self.layout.encode(known, holes=False, gap=gap)
        return codes_of(self.coder, known, self.picture.name).to(self.device), tokens.to(self.device)

    # What is missing

    @torch.no_grad()
    def drawn(
        self, known: Records, generator: torch.Generator, *, unknown: Tensor | None = None, gap: str | None = None,
        holes: bool = True, **how: Any,
    ) -> Records:  # fmt: skip
        """Records that hold what is known, and draws where nothing is.

        Args:
            known: what is known; a missing cell is not.
            generator: of the draws.
            unknown: (n, channels, height, width) bool, pixels that are not known.
            gap: what stands in a text for a word that is not known.
            holes: whether cells may be drawn that are missing.
            how: see `Drawing`.
        """
        source, drawing = moved(generator, self.device), Drawing(self.network, **how)
        able = self.layout.able(holes=holes)[None].to(self.device)
        pieces = []
        for start in range(0, len(known), BLOCK):
            part, away = known[start : start + BLOCK], None if unknown is None else unknown[start : start + BLOCK]
            codes, tokens = self.seen(part, gap)
            if away is not None:
                touched = self.coder.network.touched(away.any(1).to(self.device))
                codes = codes.masked_fill(touched, self.network.hidden_code)
            may = able if gap is None else able & self.layout.wordly(tokens.cpu()).to(self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=half_pays(self.device)):
                codes, tokens = drawing.fill(codes, tokens, self.closed.expand(len(codes), -1), may, source)
            pieces.append(self._written(codes, tokens, part, away, gap))
        return pieces[0].concat(*pieces[1:])

    def _written(
        self, codes: Tensor, tokens: Tensor, known: Records, unknown: Tensor | None, gap: str | None
    ) -> Records:
        """Codes and tokens as records, with what is known over them."""
        columns, image = self.layout.decode(tokens), self.picture.name
        if image not in self.given:
            columns[image] = self.coder._drawn(codes, None, None).column(image)
        columns = {name: column for name, column in columns.items() if name not in self.given}
        columns |= {name: known.column(name) for name in known.names if name in self.given}
        schema = self.schema.select(columns)
        drawn = Records(schema, pa.table({name: columns[name] for name in schema.names}, schema=schema.arrow))
        out = overlay(drawn, known if gap is None else _without_gaps(known, gap))
        if unknown is None:
            return out
        pixels = torch.from_numpy(pictures.to_pixels(drawn.column(image)).copy())
        return repainted(out, image, pixels, ~unknown)

    # How probable

    def bound(self, records: Records, of: str | None, samples: int) -> Tensor:
        """(n,) a bound of the log probability of one field given the others, or of all.

        Of all it is that of the texts, and then of the picture given them. What is missing is left out.

        Args:
            records: some records.
            of: a field, or None.
            samples: draws of what is hidden.
        """
        codes, tokens = self.seen(records)
        image, total = self.picture.name, torch.zeros(len(records), dtype=torch.float64)
        if of != image:
            own = ~self.closed[self.network.cells :] if of is None else self.layout.place(of).to(self.device)
            alone = of is None and image not in self.given
            shown = torch.full_like(codes, self.network.hidden_code) if alone else codes
            total += self._bound(shown, tokens, (tokens != MASK) & own, False, samples).cpu()
        if of == image or (of is None and image not in self.given):
            there = codes != self.network.hidden_code
            total += self._bound(codes, tokens, there, True, samples).cpu()
            given = self.coder._log_given(records.select([image]), codes.masked_fill(~there, 0))
            total += torch.where(there[:, 0].cpu(), given, 0.0)
        return total

    def _bound(self, codes: Tensor, tokens: Tensor, asked: Tensor, of_codes: bool, samples: int) -> Tensor:
        noise = seeded(0, device=self.device)  # the same for all records, so that none depends on its company
        return log_bound(self.network, codes, tokens, asked, of_codes, samples, noise)

    @torch.no_grad()
    def levels(self, records: Records, field: Category) -> Tensor:
        """(n, levels) float64 the probability of each level given all else that is known."""
        place = int(self.layout.place(field.name).nonzero())
        codes, tokens = self.seen(records)
        tokens[:, place] = MASK
        _, words = self.network(codes, tokens)
        logits = self.network.of_token(words[:, place])[:, self.layout.levels(field)]
        return logits.double().softmax(1).cpu()

    def among(self, records: Records, field: Text, captions: list[str], samples: int) -> Tensor:
        """(n, captions) p(caption | all else), where each is as probable as any other before one looks.

        That is the softmax of log p(caption | record) - log p(caption), so that frequent captions have no advantage.
        """
        said = Records(Schema((field,)), pa.table({field.name: captions}))
        self.layout.warn(said)
        codes, tokens = self.seen(records)
        texts, own = self.layout.encode(said).to(self.device), self.layout.place(field.name).to(self.device)
        codes = torch.cat([torch.full_like(codes[:1], self.network.hidden_code), codes])
        tokens = torch.cat([torch.full_like(tokens[:1], MASK), tokens])  # first a record of which nothing is known
        n, m, out = len(codes), len(texts), []
        for rows in torch.arange(n * m, device=self.device).split(BLOCK):
            row, text = rows // m, rows % m
            told = torch.where(own, texts[text], tokens[row])
            out.append(self._bound(codes[row], told, own.expand(len(rows), -1), False, samples))
        found = torch.cat(out).view(n, m).cpu()
        return (found[1:] - found[:1]).softmax(1)


def codes_of(coder: VQ, records: Records, image: str) -> Tensor:
    """(n, cells) the codes of pictures; the one after the last where there is none."""
    cells, nothing = coder.network.k, coder.network.quantiser.size
    if image not in records.names:
        return torch.full((len(records), cells), nothing)
    there = torch.from_numpy(records.column(image).is_valid().to_numpy())
    return coder._encode(records.select([image])).cpu().masked_fill(~there[:, None], nothing)


def _without_gaps(records: Records, gap: str) -> Records:
    """Records in which a text that has a gap is not known."""
    columns = {field.name: records.column(field.name) for field in records.schema}
    for field in records.schema.of_kind(Text):
        texts = columns[field.name].to_pylist()
        columns[field.name] = pa.array([None if text is None or gap in text else text for text in texts], pa.string())
    return Records(records.schema, pa.table(columns, schema=records.schema.arrow))
