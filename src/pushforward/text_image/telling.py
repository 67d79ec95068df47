"""What is known of records to a network of words and one of pictures, and how probable it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from pushforward.data import Category, Image, Records, Schema, Text, pictures
from pushforward.data.encodings.pixels import from_pixels
from pushforward.text_image.layout import Layout
from pushforward.text_image.masking import log_bound
from pushforward.text_image.network import Reading
from pushforward.text_image.painting import Painting
from pushforward.text_image.words import MASK
from pushforward.training.randomness import generator as seeded

BLOCK = 256  # records that are drawn or scored together
SCORED = 8  # draws of what is hidden, over which a bound is the mean


@dataclass(frozen=True)
class Telling:
    """Pictures by their denoiser, words by their network, and each beside the other.

    Attributes:
        schema: of the records.
        given: the fields that are conditions.
        painting: draws pictures given all else; None where the picture is a condition.
        layout: what brings texts and categories to tokens.
        network: what tells the hidden ones.
        device: where both are.
    """

    schema: Schema
    given: tuple[str, ...]
    painting: Painting | None
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
        """(n, channels + 1, height, width) pictures as they are looked at.

        Args:
            known: records.
            unknown: (n, channels, height, width) bool, pixels that are not known.
        """
        x = from_pixels(torch.from_numpy(self.pixels(known)).to(self.device))
        shown = torch.from_numpy(self.there(known)).to(self.device)[:, None, None, None].expand(-1, 1, *x.shape[2:])
        if unknown is not None:
            shown = shown & ~unknown[:, :1].to(self.device)
        return self.network.view(x, shown)

    def tokens(self, known: Records, gap: str | None = None) -> Tensor:
        """(n, length) tokens, `MASK` where nothing is known."""
        return self.layout.encode(known, holes=False, gap=gap).to(self.device)

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
        if self.painting is not None and of in (None, image) and (there := self.there(records)).any():
            total[torch.from_numpy(there)] += self.painting.log_prob(records.take(np.flatnonzero(there)))
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
