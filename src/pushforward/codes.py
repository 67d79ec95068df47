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

from pushforward.data import Field, Number, Records, Schema
from pushforward.data.encodings.noise import Source
from pushforward.model import Model


@dataclass(kw_only=True, eq=False)
class Codes(Model):
    """A family that turns records into codes and back.

    Attributes:
        certain: whether a record has one code only, so that drawing its code again gives nothing new.
    """

    wanted: ClassVar[tuple[str, str]] = ("an auto-encoder", "vae:latent=8")
    certain: ClassVar[bool] = False

    @abstractmethod
    def code_schemas(self) -> tuple[Schema, ...]:
        """The ways in which its codes can stand as records, the best first.

        They are asked for before the fit as well, as many and of the same kinds; how many codes a record has may
        then not be known yet. A text of codes has a character for each, so many as its `longest` says.
        """

    @abstractmethod
    def code_records(self, codes: Tensor, schema: Schema) -> Records:
        """(n, k) codes as records of one of `code_schemas`."""

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
