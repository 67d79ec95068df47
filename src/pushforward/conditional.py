"""What neural families share that drop conditions in training, so that any may be left out when drawing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from annotated_types import Ge, Lt, doc
from torch import Tensor, nn

from pushforward.data import Image, Records, Schema, Text, pictures
from pushforward.data.encodings.cells import CellEncoding
from pushforward.data.holes import blank
from pushforward.errors import ArgumentError, DataError
from pushforward.nets.condition import Condition
from pushforward.nets.sentences import LEARNED, Frozen, Sentences
from pushforward.neural import NeuralModel
from pushforward.training.place import to_device

SMALLEST = 4  # side of a picture
BLOCK = 1024  # records that go through a network together


class Steered(ABC):
    """A network with conditions: `condition` is None where it has none."""

    condition: Condition | None

    def embed(self, given: Mapping[str, Tensor], drop: Tensor | None = None) -> Tensor | None:
        """(n, embedding) of the conditions; None for a network that has none.

        Args:
            given: tensors that `Condition.encode` made.
            drop: (n, fields) bool, conditions that are not told.
        """
        return None if self.condition is None else self.condition(given, drop)


@dataclass(kw_only=True, eq=False)
class ConditionalModel(NeuralModel):
    """A neural family whose network is `Steered`: conditions may be told when drawing, or some, or none."""

    absent: Annotated[float, Ge(0), Lt(1), doc("share of conditions dropped in training")] = 0.1
    text_encoder: Annotated[
        str, doc("what reads texts that are given: learned, or folder or hub name of a sentence encoder beside it")
    ] = LEARNED

    @property
    @abstractmethod
    def _steered(self) -> Steered:
        """The network."""

    def _built(self, schema: Schema, given: Sequence[str]) -> nn.Module:
        network = super()._built(schema, given)
        if self.text_encoder == LEARNED:
            return network
        sentences = Sentences(self.text_encoder, **self._reader)
        for part in network.modules():
            if isinstance(part, Condition):
                part.read_by(sentences)
        return network

    def _meet(self, tensors: dict[str, Tensor]) -> None:
        for part in self.network.modules():
            if isinstance(part, Condition):
                part.meet(tensors)

    @property
    def _frozen(self) -> Frozen | None:
        condition = self._steered.condition
        return None if condition is None else condition.sentences

    def _named(self, records: Records, encoding: CellEncoding, pictured: bool) -> dict[str, Tensor]:
        """Records as named tensors: cells, the picture that is learned, and conditions.

        Args:
            records: of the schema that is learned.
            encoding: of the cells.
            pictured: whether a picture is learned.
        """
        out = named(records, encoding, self._picture_field(records.schema) if pictured else None)
        condition = self._steered.condition
        return out if condition is None else out | condition.encode(records)

    def _check_fields(self, rest: Schema, verb: str) -> None:
        """Refuse texts, more than one picture, and pictures too small, by name.

        Args:
            rest: the fields that are learned.
            verb: what the family would do with them.
        """
        for field in rest.of_kind(Text):
            what = f"{type(self).__name__} cannot {verb}"
            raise DataError(f"field {field.name!r} is text, which {what}; name it in given= or leave it out")
        self._check_pictures(rest)

    def _check_texts(self, given: Schema) -> None:
        """Refuse an encoder that has nothing to read, or cannot."""
        if self.text_encoder == LEARNED:
            return
        if not given.of_kind(Text):
            raise ArgumentError(
                f"text_encoder={self.text_encoder!r} reads texts that are given, and none is; name one in given= (read "
                "with text= what is taken for a category), or leave it out"
            )
        Sentences(self.text_encoder)

    def _check_pictures(self, rest: Schema) -> None:
        """Refuse more than one picture, and pictures too small, by name."""
        images = rest.of_kind(Image)
        if len(images) > 1:
            raise DataError(f"fields {[f.name for f in images]} are pictures; name all but one in given=")
        check_sides(rest)

    def _blocks(self, records: Records, rows: int = BLOCK) -> Iterator[dict[str, Tensor]]:
        """Records as named tensors where the network is, so many at a time."""
        for start in range(0, len(records), rows):
            yield to_device(self._tensors(records[start : start + rows]), self.device)

    def _picture_field(self, schema: Schema) -> str:
        """The name of the picture that is learned."""
        _, given = self.learning
        return next(f.name for f in schema.of_kind(Image) if f.name not in given)

    def _heard(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor | None:
        """(n, embedding) of the conditions in training, where some are dropped."""
        return self._steered.embed(batch, self._dropped(batch, generator))

    def _dropped(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor | None:
        """(n, fields) bool: the conditions that are not told in a step of training."""
        condition = self._steered.condition
        if condition is None:
            return None
        return dropped(len(next(iter(batch.values()))), len(condition.schema), self.absent, generator)

    def _embedding(self, n: int, given: Records | None, by: Steered | None = None) -> Tensor | None:
        """(n, embedding) of what is given; conditions that are not named, or None, are not told.

        Args:
            n: how many records.
            given: what they are told.
            by: the network that embeds, where it is not the main one.
        """
        network = by or self._steered
        condition = network.condition
        if condition is None:
            return None
        tensors = to_device(condition.encode(blank(condition.schema, n) if given is None else given), self.device)
        untold: Any = tensors["given.holes"]
        if self.absent == 0 and bool(untold.any()):
            raise ArgumentError(f"with absent=0 all of {list(self.given)} must be given; fit again with absent=0.1")
        return network.embed(tensors, untold)


def dropped(n: int, many: int, share: float, generator: torch.Generator) -> Tensor:
    """(n, many) bool: which of so many conditions are not told of n records.

    Args:
        n: how many records.
        many: conditions.
        share: of the conditions that is dropped, about.
        generator: draws which.
    """
    if many == 1:
        return torch.rand(n, 1, generator=generator, device=generator.device) < share
    # half of the share falls on all conditions at once: apart from one another, hardly any record would lose all
    chance = torch.rand(n, many + 1, generator=generator, device=generator.device) < share / 2
    return chance[:, :many] | chance[:, many:]


def named(records: Records, encoding: CellEncoding, picture: str | None) -> dict[str, Tensor]:
    """Records as named tensors: their cells, and one picture of each where a field is named."""
    cells = encoding.encode(records)
    out = {"numbers": cells.numbers, "codes": cells.codes, "holes": cells.holes}
    return out if picture is None else out | {"image": torch.from_numpy(pictures.or_black(records.column(picture)))}


def check_sides(schema: Schema) -> None:
    """Refuse pictures that are too small.

    Raises:
        DataError: a side is.
    """
    for image in schema.of_kind(Image):
        if min(image.height, image.width) < SMALLEST:
            what = f"pictures of {image.name!r} are {image.describe()}"
            raise DataError(f"{what}; their sides must be at least {SMALLEST}")
