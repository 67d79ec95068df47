"""What all auto-encoders share: records to codes, codes to records."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge, Gt, Le, doc
from torch import Tensor

from pushforward.autoencoders.critic import Critic
from pushforward.autoencoders.network import Inputs, Network, Outputs
from pushforward.codes import Codes
from pushforward.conditional import BLOCK, ConditionalModel
from pushforward.data import Image, Number, Records, Schema, pictures
from pushforward.data.encodings.cells import Cells
from pushforward.data.encodings.noise import Source
from pushforward.data.encodings.pixels import to_pixels
from pushforward.errors import ArgumentError, CollapsedWarning, DataError
from pushforward.evidence import Evidence
from pushforward.training.player import Player, adam
from pushforward.training.randomness import moved, scope

RANGE = 2.0  # of pixels, which networks see in [-1, 1]
SETTLED = 2048  # records that the variances are taken from in the end
FASTER = 3.0  # times the learning rate, for a critic: one whose slopes are bounded learns slowly
Grain = Annotated[float, Ge(0), doc("of drawn pixels, as a share of the learned deviation; 0: mean pictures")]


@dataclass(kw_only=True, eq=False)
class Coder(ConditionalModel, Codes):
    """A family with an encoder and a decoder.

    A family says what a code is (`_codes`), how a step is judged (`players`), and how codes are drawn.
    """

    network: ClassVar[Network]
    _critic: ClassVar[Critic | None] = None  # while a fit is under way

    width: Annotated[int | None, Ge(4), doc("channels (pictures, 32) or hidden units (rows, 256)")] = None
    layers: Annotated[int, Ge(0), Le(64), doc("residual blocks a stage, or hidden layers; 0: linear, if dense")] = 1
    body: Annotated[Literal["auto", "convolutional", "dense"], doc("how pictures are gone through")] = "auto"
    sigma: Annotated[Literal["column", "shared"], doc("whether each number has an error of its own")] = "column"
    scores: Annotated[Literal["normal", "plain"], doc("numbers by their normal scores, or only scaled")] = "normal"
    lr: Annotated[float, Gt(0), doc("learning rate")] = 1e-3
    adversarial: Annotated[float, Ge(0), doc("pull of a critic that tells made pictures from real ones; try 0.5")] = 0.0
    perceptual: Annotated[float, Ge(0), doc("pull of how far its features of both are apart; try 0.5")] = 0.0
    patience: Annotated[int, Ge(0), doc("steps before the critic pulls, and over which its pull then grows")] = 500

    @property
    def _steered(self) -> Network:
        return self.network

    # What a family answers

    @abstractmethod
    def _codes(self, batch: Mapping[str, Tensor]) -> Tensor:
        """(n, k) the code of each record."""

    @abstractmethod
    def _outputs(self, codes: Tensor, given: Tensor | None) -> Outputs:
        """What records of these codes look like."""

    @abstractmethod
    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, k) codes drawn from what the model takes them to be distributed like."""

    @abstractmethod
    def _width_of_codes(self) -> int:
        """k."""

    @abstractmethod
    def _excess(self) -> str | None:
        """In what a code holds more than a record does, and what to do about it; None where it does not."""

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        self._check_fields(rest, "encode")
        self._check_texts(given)
        for name in ("adversarial", "perceptual"):
            if getattr(self, name) and not rest.of_kind(Image):
                raise DataError(f"{name}={getattr(self, name):g} needs a picture to be judged, and the data has none")

    def _shape(self, rest: Schema) -> dict[str, Any]:
        """The arguments of the network that all families share."""
        pictures_ = bool(rest.of_kind(Image)) and self.body != "dense"
        return {
            "width": self.width or (32 if pictures_ else 256),
            "layers": self.layers,
            "kind": self.body,
            "shared": self.sigma == "shared",
            "plain": self.scores == "plain",
        }

    def _batch_size(self) -> int:
        return 64 if self.network.convolutional else 256

    def _tensors(self, records: Records) -> dict[str, Tensor]:
        return self._named(records, self.network.row.cells, self.network.picture is not None)

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        if excess := self._excess():
            warnings.warn(f"a code holds more than a record: {excess}", CollapsedWarning, stacklevel=2)
        self.network.prepare(tensors, generator)
        self.network.to(self.device)
        self.__dict__.pop("_critic", None)
        if self.network.picture is not None and (self.adversarial or self.perceptual):
            seed = int(torch.randint(2**62, (1,), generator=generator, device=self.device))
            with scope(seed, self.device):
                critic = Critic(self.network.picture.shape, patience=self.patience)
            self.__dict__["_critic"] = critic.to(self.device)

    def _against_critic(self, player: Player) -> list[Player]:
        """The player, and the critic after it where there is one."""
        if self._critic is None:
            return [player]
        return [
            player,
            Player("critic", self._critic, self._critic.loss, adam(FASTER * self.lr, (0.5, 0.99)), averages=()),
        ]

    def _pull(self, x: Inputs, out: Outputs, errors: Tensor, batch: Mapping[str, Tensor]) -> Tensor | float:
        """What the critic adds to the errors of a step; nothing where there is none, or where nothing is learned."""
        if self._critic is None or not self.network.training:
            return 0.0
        made, last = out.picture, self.network.last
        return self._critic.pull(x.picture, made, batch.get("weight"), errors, last, self.adversarial, self.perceptual)

    @torch.no_grad()
    def _settle(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        """Take the variances of the errors that the averaged weights leave."""
        batch = some(tensors, SETTLED, generator)
        x = self.network.inputs(batch)
        self.network.settle(self._judged(batch, generator), batch, x)
        self.__dict__.pop("_critic", None)

    def _judged(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Outputs:
        """What the decoder says of records in training, where its errors are taken from."""
        return self._outputs(self._codes(batch), self.network.embed(batch))

    def _beyond(self, latent: int, name: str = "latent") -> str | None:
        """What `_excess` says of a code of real numbers."""
        most = self.network.numbers
        if latent <= most:
            return None
        return (
            f"{name}={latent} is more than the {most} numbers that say all of it (pixels, numbers, levels, holes), "
            f"so that some carry nothing or the code is a copy; take {name}={most} or less"
        )

    # Verbs

    @torch.no_grad()
    def _encode(self, records: Records) -> Tensor:
        return torch.cat([self._codes(tensors).cpu() for tensors in self._blocks(records)])

    def _decode(self, codes: Tensor, given: Evidence | None) -> Records:
        k = self._width_of_codes()
        if codes.ndim != 2 or codes.shape[1] != k:
            raise ArgumentError(f"codes have shape {tuple(codes.shape)}; they must be (n, {k})")
        return self._drawn(self._checked(codes), None if given is None else given.values, None)

    def _checked(self, codes: Tensor) -> Tensor:
        """Codes as the decoder takes them.

        Raises:
            ArgumentError: there are no such codes.
        """
        codes = codes.float()  # in which huge numbers of a double are infinite
        if not bool(codes.isfinite().all()):
            raise ArgumentError("codes hold numbers that are not finite; encode() gives codes that can be decoded")
        return codes

    def _reconstruct(self, records: Records) -> Records:
        given = records.select(self.given) if self.given else None
        return self._drawn(self._encode(records), given, None)

    def _sample(
        self,
        n: int,
        given: Evidence | None,
        generator: torch.Generator,
        *,
        noise: Grain = 0.0,
    ) -> Records:
        generator = moved(generator, self.device)
        return self._sample_given(self._draw(n, generator), given, generator, noise=noise)

    def _sample_given(
        self,
        codes: Tensor,
        given: Evidence | None,
        generator: torch.Generator,
        *,
        noise: Grain = 0.0,
    ) -> Records:
        values = None if given is None else given.values
        return self._drawn(self._checked(codes), values, moved(generator, self.device), noise)

    # What a prior over its codes needs

    def code_schemas(self, rest: Schema | None = None) -> tuple[Schema, ...]:
        return (Schema(tuple(Number(name=f"z{i}") for i in range(self._width_of_codes()))),)

    def code_records(self, codes: Tensor, schema: Schema, source: Source) -> tuple[Records, Tensor]:
        columns = dict(zip(schema.names, codes.detach().cpu().double().numpy().T, strict=True))
        return Records(schema, pa.table(columns, schema=schema.arrow)), torch.zeros(len(codes), dtype=torch.float64)

    def codes_of(self, records: Records, schema: Schema) -> Tensor:
        return torch.from_numpy(np.stack([records.column(name).to_numpy() for name in schema.names], 1)).float()

    def _draw_codes(self, records: Records, generator: Source) -> tuple[Tensor, Tensor]:
        return self._encode(records), torch.zeros(len(records), dtype=torch.float64)

    @torch.no_grad()
    def _drawn(
        self, codes: Tensor, given: Records | None, generator: torch.Generator | None, noise: float = 0.0
    ) -> Records:
        """The records of codes: the most probable ones, or with a generator such as are drawn from p(record | code)."""
        pieces = []
        for start in range(0, len(codes), BLOCK):
            z = codes[start : start + BLOCK].to(self.device)
            part = None if given is None else given[start : start + BLOCK]
            out = self._outputs(z, self._embedding(len(z), part))
            pieces.append(self._records(out, part, generator, noise))
        return pieces[0].concat(*pieces[1:])

    def _records(
        self,
        out: Outputs,
        given: Records | None,
        generator: torch.Generator | None,
        noise: float = 0.0,
        *,
        holes: bool = True,
    ) -> Records:
        """What a decoder says as records, with what was given beside it."""
        columns: dict[str, Any] = {}
        row = self.network.row
        if row.outputs:
            cells = row.point(out.row) if generator is None else row.draw(out.row, generator)
            missing = cells.holes if holes else torch.zeros_like(cells.holes)
            drawn = row.cells.decode(Cells(cells.numbers.cpu(), cells.codes.cpu(), missing.cpu()))
            columns |= {name: drawn.column(name) for name in drawn.names}
        if self.network.picture is not None:
            x = out.picture
            if generator is not None and noise > 0:
                x = self.network.picture.draw(x, generator, noise)
            columns[self._picture_field(self.schema)] = pictures.to_arrow(to_pixels(x).cpu().numpy())
        if given is not None:
            columns |= {name: given.column(name) for name in given.names}
        schema = self.schema.select([f.name for f in self.schema if f.name in columns])
        return Records(schema, pa.table({n: columns[n] for n in schema.names}, schema=schema.arrow))


def some(tensors: Mapping[str, Tensor], most: int, generator: torch.Generator) -> dict[str, Tensor]:
    """At most so many records, drawn from all over what there is: data may be sorted, or go round in turns."""
    n = len(next(iter(tensors.values())))
    if n <= most:
        return dict(tensors)
    rows = torch.randperm(n, generator=generator, device=generator.device)[:most].sort().values
    return {name: tensor[rows] for name, tensor in tensors.items()}
