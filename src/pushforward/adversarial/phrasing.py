"""Records whose texts are numbers, so that a game can draw them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa
import torch
from torch import Tensor

from pushforward.data import Number, Records, Schema, Text
from pushforward.errors import FormatError
from pushforward.nets.wording import STEPS, Wording
from pushforward.training.randomness import scope
from pushforward.training.run import Run

DIGITS = 3  # of the numbers that a text becomes
LEAST, MOST, A_DOUBLING = 16, 64, 4  # numbers of a text; so many more, where there are twice as many texts
A_MINUTE = 300  # steps that learn texts, about a tenth of a minute's: steps, so that a run goes on to the same words


@dataclass(frozen=True)
class Phrasing:
    """Records with numbers in place of texts, and back.

    Args:
        wordings: by field of texts.
    """

    wordings: Mapping[str, Wording]

    @classmethod
    def of(cls, records: Records, fields: Sequence[Text], run: Run) -> Self:
        """For these fields, learned from some records, in a part of a run."""
        steps = STEPS if run.minutes is None else min(STEPS, math.ceil(A_MINUTE * run.minutes))
        steps = min(steps, run.steps or steps)
        return cls({field.name: _learned(records.column(field.name).to_pylist(), steps) for field in fields})

    @property
    def widths(self) -> dict[str, int]:
        """By field the numbers that a text becomes."""
        return {name: wording.width for name, wording in self.wordings.items()}

    def schema(self, schema: Schema) -> Schema:
        """The schema with so many numbers in place of each text."""
        return widened(schema, self.widths)

    def numbers(self, records: Records) -> Records:
        """Records with numbers in place of texts; none where there is no text."""
        columns: dict[str, Any] = {}
        for name in records.names:
            column = records.column(name)
            if name not in self.wordings:
                columns[name] = column
                continue
            # rounded, since a text has to be the same numbers in any company, to the bit
            y = self.wordings[name].encode(column.to_pylist()).numpy().round(DIGITS)
            missing = column.is_null().to_numpy()
            columns |= {part: pa.array(y[:, i], mask=missing) for i, part in enumerate(parts(name, y.shape[1]))}
        schema = self.schema(records.schema)
        return Records(schema, pa.table(columns, schema=schema.arrow))

    def texts(self, records: Records, schema: Schema) -> Records:
        """Records with texts in place of numbers; none where a number is missing.

        Args:
            records: such as `numbers` makes.
            schema: that of the outcome.
        """
        columns: dict[str, Any] = {}
        for name in schema.names:
            if name not in self.wordings:
                columns[name] = records.column(name)
                continue
            wording = self.wordings[name]
            y = [torch.from_numpy(records.column(part).to_numpy().copy()) for part in parts(name, wording.width)]
            vectors = torch.stack(y, 1).float()
            missing = vectors.isnan().any(1).numpy()
            said = pa.array(wording.decode(vectors.nan_to_num()), schema[name].arrow_type)
            columns[name] = pa.compute.if_else(pa.array(missing), None, said)
        return Records(schema, pa.table(columns, schema=schema.arrow))

    def tensors(self) -> dict[str, Tensor]:
        """All that there is to keep, by field and name."""
        return {
            f"{name}.{key}": value
            for name, wording in self.wordings.items()
            for key, value in wording.state_dict().items()
        }

    @property
    def sizes(self) -> dict[str, dict[str, int]]:
        """What `empty` needs, by field."""
        return {name: wording.sizes for name, wording in self.wordings.items()}

    @classmethod
    def empty(cls, sizes: Mapping[str, Mapping[str, int]]) -> Self:
        """One without weights yet, of these sizes."""
        with scope(0):  # layers begin at random, and that of others is not ours
            return cls({name: Wording(**own).eval() for name, own in sizes.items()})

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take the weights that `tensors` gave.

        Raises:
            FormatError: the letters are no words, or not as many as there are weights.
        """
        for name, wording in self.wordings.items():
            own = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
            wording.load_state_dict(own)
            try:
                known = len(set(wording.words))
            except UnicodeDecodeError:
                known = 0
            if known != wording.sizes["words"]:
                raise FormatError(f"the words of {name!r} cannot be read; copy the model again")


def _learned(texts: Sequence[str | None], steps: int) -> Wording:
    known = [text for text in texts if text is not None]
    width = min(MOST, max(LEAST, math.ceil(A_DOUBLING * math.log2(1 + len(set(known))))))
    return Wording.of(known, width).learn(known or [""], steps=steps)


def widened(schema: Schema, widths: Mapping[str, int]) -> Schema:
    """The schema with numbers in place of texts, so many for each field that is named."""
    fields: list[Any] = []
    for field in schema:
        if field.name in widths:
            # one of them says for all whether there is a text: each by itself, hardly any text would be whole
            names = parts(field.name, widths[field.name])
            fields += [Number(name=name, missing=field.missing and name == names[0]) for name in names]
        else:
            fields.append(field)
    return Schema(tuple(fields))


def parts(name: str, width: int) -> list[str]:
    """What the numbers of a text are called."""
    return [f"{name}·{i}" for i in range(width)]
