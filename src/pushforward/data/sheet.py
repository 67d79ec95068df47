"""Records to look at: pictures on one contact sheet, and tables in a notebook."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from pushforward.data import pictures
from pushforward.data.records import Records
from pushforward.data.schema import Category, Field, Image, Text
from pushforward.errors import ArgumentError

CELL, WIDE = 64, 128  # pixels that a small picture is scaled up to, or the first multiple beyond; with a text below
GAP, EDGE = 8, 16  # white between pictures, and around the sheet
INK, PAPER, FRAME = (71, 77, 87), (255, 255, 255), (226, 228, 233)
FONT, CAPTION = 13, 20  # size of the letters under a picture, and of the line they stand on
SMALL, LINE, LINES = 11, 14, 3  # of a text: size of its letters, height of a line, and how many lines it may have
ONE_ROW = 8  # pictures that stand in one row unless asked otherwise
SIDE = 16_384  # pixels of a sheet's longest side
ROWS = 10  # rows of a table that a notebook shows


@dataclass(frozen=True)
class _Grid:
    """Where the pictures of a sheet stand."""

    columns: int
    rows: int
    width: int
    height: int
    line: int

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the sheet."""
        across = self.columns * (self.width + GAP) - GAP + 2 * EDGE
        return across, self.rows * (self.height + self.line + GAP) - GAP + 2 * EDGE

    def corner(self, i: int) -> tuple[int, int]:
        """(left, top) of picture `i`."""
        row, column = divmod(i, self.columns)
        return EDGE + column * (self.width + GAP), EDGE + row * (self.height + self.line + GAP)


def contact_sheet(records: Records, columns: int | None = None) -> Pillow.Image:
    """The pictures side by side, in order, scaled up by whole factors where they are small.

    Where the records have exactly one category beside the picture, its value stands under each; or else their text, in
    up to three lines, if it is one.

    Args:
        records: what to show; of several fields of pictures, the first.
        columns: pictures a row; without it, as many as have the same value one after another, or about as many as
            make a square.

    Raises:
        ArgumentError: there are no pictures, or so many that no sheet could hold them.
    """
    images = records.schema.of_kind(Image)
    if not images:
        raise ArgumentError("the records have no pictures for a contact sheet; save as .csv or .parquet")
    if not len(records):
        raise ArgumentError("there are no records for a contact sheet; give at least one")
    if columns is not None and (not isinstance(columns, int) or isinstance(columns, bool) or columns < 1):
        raise ArgumentError(f"columns={columns!r} is out of range; it must be a whole number, at least 1")
    pixels = pictures.to_pixels(records.column(images[0].name))
    captions, lines = _captions(records)
    factor = max(1, math.ceil((WIDE if lines > 1 else CELL) / max(images[0].height, images[0].width)))
    size = images[0].width * factor, images[0].height * factor
    below = 0 if not captions else CAPTION if lines == 1 else lines * LINE + LINE // 2
    grid = _grid(len(pixels), columns or _run(captions), *size, below)
    if max(grid.size) > SIDE:
        raise ArgumentError(
            f"a contact sheet of {len(pixels):,} pictures would be {grid.size[0]:,}×{grid.size[1]:,} pixels; "
            "take fewer records, or save a folder (a path without extension)"
        )
    return _drawn(pixels, captions, lines, factor, grid)


def _grid(n: int, columns: int | None, width: int, height: int, line: int) -> _Grid:
    if columns is None and n <= ONE_ROW:
        columns = n
    elif columns is None:  # about square on the screen, and a last row as full as it can be
        ideal = math.sqrt(n * (height + line + GAP) / (width + GAP))
        columns = next((c for c in range(math.ceil(ideal), math.ceil(1.4 * ideal)) if n % c == 0), math.ceil(ideal))
    columns = min(columns, n)
    return _Grid(columns, -(-n // columns), width, height, line)


def _drawn(pixels: np.ndarray, captions: Sequence[str], lines: int, factor: int, grid: _Grid) -> Pillow.Image:
    sheet = Pillow.new("RGB", grid.size, PAPER)
    draw = ImageDraw.Draw(sheet)
    font, apart = ImageFont.load_default(size=FONT if lines == 1 else SMALL), CAPTION if lines == 1 else LINE
    for i, picture in enumerate(pixels):
        left, top = grid.corner(i)
        shown = _shown(picture).resize((grid.width, grid.height), Pillow.Resampling.NEAREST if factor > 1 else None)
        sheet.paste(shown, (left, top))
        # a hairline, so that pictures on white have an edge
        draw.rectangle((left - 1, top - 1, left + grid.width, top + grid.height), outline=FRAME)
        if captions:
            for j, text in enumerate(_wrapped(captions[i], font, grid.width + GAP - 2, lines)):
                middle = (left + grid.width / 2, top + grid.height + (j + 0.5) * apart + 1)
                draw.text(middle, text, fill=INK, font=font, anchor="mm")
    return sheet


def _shown(pixels: np.ndarray) -> Pillow.Image:
    """A picture as it can be looked at: of two or four channels, the last is transparency over white."""
    if pixels.shape[-1] in (1, 3):
        return pictures.picture(pixels).convert("RGB")
    layered = Pillow.fromarray(pixels, "LA" if pixels.shape[-1] == 2 else "RGBA").convert("RGBA")
    return Pillow.alpha_composite(Pillow.new("RGBA", layered.size, PAPER), layered).convert("RGB")


def _run(captions: list[str]) -> int | None:
    """How many captions in a row are the same, if that is so from the first to the last: a row of the sheet each."""
    starts = [i for i, caption in enumerate(captions) if i == 0 or caption != captions[i - 1]]
    length = starts[1] if len(starts) > 1 else 0
    even = starts == list(range(0, len(captions), length)) if length else False
    return length if even and 3 <= length <= 64 and length * len(starts) == len(captions) else None


def _captions(records: Records) -> tuple[list[str], int]:
    """What stands below the pictures, and in how many lines at most."""
    for kind, lines in ((Category, 1), (Text, LINES)):
        fields = records.schema.of_kind(kind)
        if len(fields) == 1:
            values = records.column(fields[0].name).to_pylist()
            return ["" if value is None else str(value) for value in values], lines
    return [], 1


def _wrapped(text: str, font: Any, width: float, lines: int) -> list[str]:
    """The text in lines of whole words, the last of which is cut where it does not fit."""
    words, out = text.split(), list[str]()
    while words and len(out) < lines - 1:
        n = next((n for n in range(len(words), 1, -1) if font.getlength(" ".join(words[:n])) <= width), 1)
        out.append(_fitting(" ".join(words[:n]), font, width))
        words = words[n:]
    return [*out, _fitting(" ".join(words), font, width)] if words else out


def _fitting(text: str, font: Any, width: float) -> str:
    """The text, cut with an ellipsis where it is wider than `width`."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def to_html(records: Records) -> str:
    """The first rows as a small table for a notebook, with the kinds of the fields in its head."""
    head = "".join(f"<th>{html.escape(f.name)}<br><small>{_kind(f)}</small></th>" for f in records.schema)
    shown = records[:ROWS]
    columns = [_cells(shown, field) for field in records.schema]
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*columns, strict=True))
    more = f", the first {len(shown)}" if len(records) > len(shown) else ""
    caption = f"{len(records):,} {'row' if len(records) == 1 else 'rows'}{more}"
    return (
        "<table><caption style='caption-side: bottom; text-align: left'>"
        f"{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _kind(field: Field) -> str:
    return f"<span title='{html.escape(field.describe(), quote=True)}'>{field.kind}</span>"


def _cells(records: Records, field: Field) -> list[str]:
    column = records.column(field.name)
    if isinstance(field, Image):
        return [f"<td>{_inline(pixels)}</td>" for pixels in pictures.to_pixels(column)]
    align = "left" if column.type == "string" else "right"
    if pa.types.is_temporal(column.type) and not pa.types.is_duration(column.type):
        column = column.cast(pa.string())  # Arrow knows dates beyond the years that Python counts
    return [f"<td style='text-align: {align}'>{_cell(value)}</td>" for value in column.to_pylist()]


def _inline(pixels: np.ndarray) -> str:
    code = base64.b64encode(pictures.packed(_shown(pixels))).decode()
    style = f"height: {CELL}px; image-rendering: pixelated"
    return f"<img src='data:image/png;base64,{code}' alt='' style='{style}'>"


def _cell(value: Any) -> str:
    if value is None:
        return "<span style='opacity: 0.4'>missing</span>"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return html.escape(text if len(text) <= 80 else text[:79] + "…")
