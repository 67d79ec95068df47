"""What a family must answer so that another can learn how its codes are distributed."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow.compute as pc
import torch
from torch import Tensor

from pushforward.data import Field, Number, Records, Schema, Text
from pushforward.data.encodings.noise import Source
from pushforward.errors import DataError
from pushforward.model import Model

LENGTH, LONGEST = "length", "longest"  # options of families of texts; how long a text of codes is, the coder says


@dataclass(kw_only=True, eq=False)
class Codes(Model):
    """A family that turns records into codes and back.

    Attributes:
        certain: whether a record has one code only, so that drawing its code again gives nothing new.
    """

    wanted: ClassVar[tuple[str, str]] = ("an auto-encoder", "vae:latent=8")
    certain: ClassVar[bool] = False

    @abstractmethod
    def code_schemas(self, rest: Schema | None = None) -> tuple[Schema, ...]:
        """The ways in which its codes can stand as records, the best first.

        A text of codes has a character for each, so many as its `longest` says.

        Args:
            rest: the fields that will be learned, for a model that is not fitted.
        """

    @abstractmethod
    def code_records(self, codes: Tensor, schema: Schema, source: Source) -> tuple[Records, Tensor]:
        """(n, k) codes as records of one of `code_schemas`, and (n,) the log of how many records of the same code there
        are, of which each is one by chance.
        """

    @abstractmethod
    def codes_of(self, records: Records, schema: Schema) -> Tensor:
        """(n, k) codes that records of one of `code_schemas` stand for."""

    @abstractmethod
    def _draw_codes(self, records: Records, generator: Source) -> tuple[Tensor, Tensor]:
        """(n, k) codes drawn from q(codes | record), and (n,) log q of them; 0 where a record has one code.

        A generator that is `Alike` gives every record the same noise, so that no record depends on its company.
        """

    @abstractmethod
    def _sample_given(self, codes: Tensor, given: Any, generator: torch.Generator) -> Records:
        """Draw records from p(record | codes); further keyword-only arguments, annotated, are options of `sample`."""

    if TYPE_CHECKING:  # of coders that have a likelihood

        def _log_given(self, records: Records, codes: Tensor) -> Tensor: ...  # (n,) log p(record | codes)


def ranged(records: Records, names: Collection[str]) -> Records:
    """Records of which these numbers say between what values they were seen, as numbers that are read do."""
    fields: list[Field] = []
    for kept in records.schema:
        if isinstance(kept, Number) and kept.name in names:
            seen = pc.min_max(records.column(kept.name)).as_py()
            fields.append(dataclasses.replace(kept, low=seen["min"], high=seen["max"]))
        else:
            fields.append(kept)
    return Records(Schema(tuple(fields)), records.table)


def check_lengths(prior: Model, schema: Schema) -> None:
    """Refuse a family that does not draw a text of codes as long as there are codes, one character each.

    Raises:
        DataError: codes stand as a text here, and it does not.
    """
    if schema.of_kind(Text) and LENGTH not in prior.options():
        raise DataError("it cannot draw texts of a length that is said")
    if schema.of_kind(Text) and getattr(prior, "unit", "character") != "character":
        raise DataError("codes are characters of a text; say unit=character")
