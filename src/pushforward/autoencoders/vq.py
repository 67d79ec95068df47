"""Vector quantisation as a family: records as few whole numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge, Le, doc
from torch import Tensor, nn

from pushforward.autoencoders.capacity import bits_of
from pushforward.autoencoders.coder import Coder, some
from pushforward.autoencoders.grid import GridNetwork
from pushforward.autoencoders.network import Outputs
from pushforward.autoencoders.quantisers import characters
from pushforward.autoencoders.quantisers.codebook import Codebook
from pushforward.autoencoders.quantisers.fsq import FSQ, levels_of
from pushforward.autoencoders.quantisers.quantiser import Quantiser
from pushforward.conditional import BLOCK, SMALLEST
from pushforward.data import Category, Image, Number, Records, Schema, Text, pictures
from pushforward.data.encodings.noise import Source
from pushforward.data.encodings.pixels import from_pixels
from pushforward.errors import ArgumentError
from pushforward.nets.conv import map_of
from pushforward.training.player import Player, adam

COUNTED = 1 << 13  # records that the frequencies of codes are counted over
FIRST = 1 << 12  # records that the codebook is begun on


@dataclass(kw_only=True, eq=False)
class VQ(Coder):
    """x ≈ g(e_c), c = the codes that f(x) is nearest to: pictures and rows as a few whole numbers.

    Each of k vectors that the encoder gives is brought to one of a finite number: by rounding its entries (``fsq``:
    Mentzer et al. 2023, arXiv 2309.15505), or to the nearest of vectors that are learned (van den Oord et al. 2017,
    arXiv 1711.00937; gradients by Fifty et al. 2024, arXiv 2410.06424). A picture becomes a grid of codes, a row
    `positions` of them. With `adversarial` and `perceptual` a critic that is trained beside it makes pictures sharp
    (Esser, Rombach, Ommer 2021, arXiv 2012.09841).

    Records are drawn as if the codes of a record were independent, which is rough, and `log_prob` is the bound
    log p(c) + log p(x | c) under that; ``Latent("vq", prior=…)`` learns how codes hang together, and draws better.

    >>> model = VQ(positions=4, width=16).fit("penguins", given="species", steps=20)
    >>> model.encode("penguins").shape, model.measurements["codes"]
    ((344, 4), 240)
    """

    assumes = "the codes of a record are independent"

    network: ClassVar[GridNetwork]
    certain: ClassVar[bool] = True  # a record has one code

    codes: Annotated[int, Ge(2), Le(1 << 16), doc("size of the codebook; fsq takes the nearest it can")] = 256
    codebook: Annotated[Literal["fsq", "learned"], doc("rounded entries, or vectors that are learned")] = "fsq"
    positions: Annotated[int, Ge(1), doc("codes of a row, or of a picture if dense")] = 8
    stages: Annotated[int, Ge(1), Le(6), doc("of pictures, each after the first a grid half as fine")] = 2
    local: Annotated[bool, doc("whether the code of a cell of a picture sees the pixels of that cell alone")] = False

    # Learning

    def _quantiser(self) -> Quantiser:
        return FSQ(levels_of(self.codes)) if self.codebook == "fsq" else Codebook(self.codes)

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        shape = {"positions": self.positions, "stages": self.stages, "local": self.local, **self._shape(rest)}
        return GridNetwork(rest, given, self._quantiser(), **shape)

    @torch.no_grad()
    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        super()._prepare(tensors, generator)
        vectors = [self._vectors(batch).flatten(0, 1) for batch in _blocks_of(some(tensors, FIRST, generator))]
        self.network.quantiser.prepare(torch.cat(vectors), generator)

    def players(self) -> list[Player]:
        """Encoder, codebook and decoder together; and the critic, where there is one."""
        return self._against_critic(Player("reconstruction", self.network, self._loss, adam(self.lr)))

    def _vectors(self, batch: Mapping[str, Tensor]) -> Tensor:
        return self.network.encode(self.network.inputs(batch), self.network.embed(batch))

    def _loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        x, given = self.network.inputs(batch), self._heard(batch, generator)
        h = self.network.encode(x, given)
        found = self.network.quantiser(h)
        if self.network.training:
            self.network.quantiser.learn(h, found.codes, generator)
        out = self.network.decode(found.values, given)
        share = batch["weight"] if "weight" in batch else torch.ones_like(found.cost)
        errors = (self.network.nll(out, batch, x) * share).mean()
        cost = (found.cost * share).mean()
        facts = {"errors": errors} if self.codebook == "fsq" else {"errors": errors, "distance": cost}
        return errors + cost + self._pull(x, out, errors, batch), facts

    @torch.no_grad()
    def _settle(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        super()._settle(tensors, generator)
        counted = some(tensors, COUNTED, generator)
        codes = torch.cat([self._codes(batch) for batch in _blocks_of(counted)])
        self.network.frequencies.count(codes, counted.get("weight"))

    def _measured(self) -> dict[str, Any]:
        network, quantiser = self.network, self.network.quantiser
        found = {
            "codes": quantiser.size,
            "positions": network.k,
            "bits": round(network.k * math.log2(quantiser.size), 2),
            "entropy_bits": round(network.frequencies.entropy() / math.log(2), 2),
            "used": round(network.frequencies.used(), 4),
        }
        return super()._measured() | found | ({"levels": list(quantiser.levels)} if isinstance(quantiser, FSQ) else {})

    # Codes

    def _width_of_codes(self) -> int:
        return self.network.k

    def _excess(self) -> str | None:
        # several codes for one number are digits of it, so bits are what counts here
        schema, given = self.learning
        k, size, most = self.network.k, self.network.quantiser.size, bits_of(schema.without(given))
        found = k * math.log2(size)
        if found <= most:
            return None
        return (
            f"{k} codes of {size} are {found:.4g} bits, more than the {most:.4g} that tell all possible records apart; "
            "take fewer codes=, fewer positions= or, of pictures, more stages="
        )

    def _codes(self, batch: Mapping[str, Tensor]) -> Tensor:
        return self.network.quantiser(self._vectors(batch)).codes

    def _outputs(self, codes: Tensor, given: Tensor | None) -> Outputs:
        return self.network.decode(self.network.quantiser.values(codes), given)

    def _checked(self, codes: Tensor) -> Tensor:
        size = self.network.quantiser.size
        whole = codes.double()
        able = (whole == whole.round()) & (whole >= 0) & (whole < size)
        if not bool(able.all()):
            raise ArgumentError(
                f"codes hold {whole[~able][0].item():g}, which is no code of this model; they are whole numbers from "
                f"0 to {size - 1}, as encode() gives them"
            )
        return codes.long()

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        return self.network.frequencies.sample(n, generator)

    # Codes as records

    def code_schemas(self, rest: Schema | None = None) -> tuple[Schema, ...]:
        """Codes as categories c0, c1, …, as one text of a character each, the grid row by row, or those of rounded
        entries of a picture as a small picture (see `squares`).

        Args:
            rest: the fields that will be learned, for a model that is not fitted; else a row is taken for granted.
        """
        # said without making a codebook, whose vectors would be drawn
        each = levels_of(self.codes) if self.codebook == "fsq" else (self.codes,)
        size, beside = self._grid(rest)
        k, levels = math.prod(size) + beside, tuple(range(math.prod(each)))
        cells = Schema(tuple(Category(name=f"c{i}", values=levels, type="int64") for i in range(k)))
        forms = cells, Schema((Text(name="codes", longest=k),))
        if beside or self.codebook != "fsq" or min(size) < SMALLEST:
            return forms
        return *forms, Schema((Image(name="codes", channels=len(each), height=size[0], width=size[1]),))

    def _grid(self, rest: Schema | None) -> tuple[tuple[int, int], int]:
        """Rows and columns of the codes of a picture, and codes beside them, of a record with these fields."""
        if rest is None and (self._learned is not None or self.fitted):
            schema, given = self.learning
            rest = schema.without(given)
        image = None if rest is None else next(iter(rest.of_kind(Image)), None)
        if rest is None or image is None or self.body == "dense":
            return (1, 0), self.positions
        beside = self.positions if rest.of_kind(Number, Category) else 0
        return map_of(image.height, image.width, self.stages), beside

    def code_records(self, codes: Tensor, schema: Schema, source: Source) -> tuple[Records, Tensor]:
        whole, many = codes.cpu().numpy(), torch.zeros(len(codes), dtype=torch.float64)
        columns: list[Any]
        if schema.of_kind(Image):
            pixels, many = self.network.painted(codes.to(self.device), source)
            columns = [pictures.to_arrow(pixels.cpu().numpy())]
        else:
            columns = [characters.written(whole)] if schema.of_kind(Text) else list(whole.T)
        records = Records(schema, pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema.arrow))
        return records, many.cpu()

    def codes_of(self, records: Records, schema: Schema) -> Tensor:
        """(n, k) codes that records of one of `code_schemas` stand for.

        Raises:
            ArgumentError: a text is no text of codes.
        """
        if schema.of_kind(Image):
            x = from_pixels(torch.from_numpy(pictures.or_black(records.column(schema.names[0]))))
            return self.network.of_squares(x.to(self.device)).cpu()
        if schema.of_kind(Text):
            size, beside = self._grid(None)
            codes = characters.read(records.column(schema.names[0]).to_pylist(), math.prod(size) + beside)
        else:
            codes = np.stack([records.column(name).to_numpy() for name in schema.names], 1)
        return self._checked(torch.from_numpy(codes))

    # Likelihood

    def _density(self) -> str:
        return "bound"

    @torch.no_grad()
    def _log_prob(self, records: Records) -> Tensor:
        codes = self._encode(records)
        return self.network.frequencies.log_prob(codes.to(self.device)).cpu() + self._log_given(records, codes)

    @torch.no_grad()
    def _log_given(self, records: Records, codes: Tensor) -> Tensor:
        """(n,) log p(record | codes), in the units of the data."""
        out = []
        for start, tensors in zip(range(0, len(records), BLOCK), self._blocks(records), strict=True):
            said = self._outputs(codes[start : start + BLOCK].to(self.device), self.network.embed(tensors))
            out.append(self.network.log_prob(said, tensors).cpu())
        return torch.cat(out)


def _blocks_of(tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    n = len(next(iter(tensors.values())))
    return [{name: t[i : i + BLOCK] for name, t in tensors.items()} for i in range(0, n, BLOCK)]
