"""How words that are not known come into records."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
from torch import Tensor

from pushforward.data import Records, Text
from pushforward.data.holes import overlay
from pushforward.text_image.telling import Telling
from pushforward.text_image.words import MASK


@dataclass(frozen=True)
class Filling:
    """What may stand where nothing is known, and records in which it does.

    Attributes:
        telling: what is known of the models.
        gap: what stands in a text for a word that is not known.
        holes: whether cells may be drawn that are missing.
    """

    telling: Telling
    gap: str | None
    holes: bool

    def tokens(self, part: Records) -> Tensor:
        """(n, length) tokens, `MASK` where nothing is known."""
        return self.telling.tokens(part, self.gap)

    def open(self, tokens: Tensor) -> Tensor:
        """(n, length) bool, which of them are to be drawn."""
        return (tokens == MASK) & ~self.telling.closed

    def able(self, tokens: Tensor) -> Tensor:
        """(n, length, symbols) bool, what may stand at each place."""
        telling = self.telling
        able = telling.layout.able(holes=self.holes).expand(len(tokens), -1, -1).to(telling.device)
        return able if self.gap is None else able & telling.layout.wordly(tokens.cpu()).to(telling.device)

    def records(self, part: Records, tokens: Tensor) -> Records:
        """Records with what was drawn where nothing was known; a picture only where there was one."""
        telling = self.telling
        columns = {name: c for name, c in telling.layout.decode(tokens).items() if name not in telling.given}
        kept = {*telling.given, *([telling.picture.name] if telling.there(part).all() else [])}
        columns |= {name: part.column(name) for name in part.names if name in kept}
        schema = telling.schema.select(columns)
        drawn = Records(schema, pa.table({name: columns[name] for name in schema.names}, schema=schema.arrow))
        return overlay(drawn, part if self.gap is None else _without_gaps(part, self.gap))


def _without_gaps(records: Records, gap: str) -> Records:
    """Records in which a text that has a gap is not known."""
    columns = {field.name: records.column(field.name) for field in records.schema}
    for field in records.schema.of_kind(Text):
        texts = columns[field.name].to_pylist()
        columns[field.name] = pa.array([None if text is None or gap in text else text for text in texts], pa.string())
    return Records(records.schema, pa.table(columns, schema=records.schema.arrow))
