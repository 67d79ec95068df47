"""Pictures in and out: decoding that refuses before it allocates, and pixels as Arrow columns."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from pushforward.data.sources.normal import line
from pushforward.errors import DataError

ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
PIXELS = 2**26  # 64 megapixels: a larger picture is refused before it is decoded
TURNED = ("JPEG", "MPO", "WEBP")  # formats in which cameras note how they were held
ORIENTATION = 0x0112  # the number of that note
STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})  # how `datasets` stores a picture


def holds(kind: pa.DataType) -> bool:
    """Whether a column of this type holds pictures."""
    if isinstance(kind, pa.FixedShapeTensorType):
        return kind.value_type == pa.uint8() and len(kind.shape) == 3
    if pa.types.is_struct(kind):
        return {kind.field(i).name for i in range(kind.num_fields)} == {"bytes", "path"}
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary_view()


def from_paths(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of words as pictures that stand under those paths; a column of pictures as it is."""
    if not pa.types.is_string(column.type):
        return column
    entries = [None if path is None else {"bytes": None, "path": path} for path in column.to_pylist()]
    return pa.chunked_array([pa.array(entries, STRUCT)])


def shapes(column: pa.ChunkedArray, name: str, folder: str | None) -> set[tuple[int, int, int]]:
    """The (height, width, channels) that occur in a column, read from the headers alone."""
    if isinstance(column.type, pa.FixedShapeTensorType):
        return {tuple(column.type.shape)}
    found = set()
    for entry in column:
        if entry.is_valid:
            with _open(entry.as_py(), name, folder) as (opened, _):
                found.add((*_upright_size(opened), _channels(opened)))
    return found


def decode(column: pa.ChunkedArray, name: str, shape: tuple[int, int, int], folder: str | None = None) -> pa.Array:
    """A column of pictures as one Arrow tensor column of this (height, width, channels)."""
    if isinstance(column.type, pa.FixedShapeTensorType):
        if tuple(column.type.shape) != shape:
            raise DataError(f"pictures of {name!r} are {_words(column.type.shape)}, but the schema has {_words(shape)}")
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    try:
        out = np.empty((len(column), *shape), np.uint8)
    except MemoryError as error:
        raise DataError(f"{len(column):,} pictures of {_words(shape)} in {name!r} exceed memory; say size=") from error
    for row, entry in enumerate(column):
        if not entry.is_valid:
            raise DataError(f"row {row} of {name!r} has no picture; leave the row out")
        out[row] = _pixels(entry.as_py(), name, shape, folder)
    return to_arrow(out)


def to_arrow(pixels: np.ndarray) -> pa.Array:
    """(n, height, width, channels) uint8 as an Arrow tensor column."""
    pixels = np.ascontiguousarray(pixels)
    flat = pa.array(pixels.reshape(-1))
    storage = pa.FixedSizeListArray.from_arrays(flat, int(np.prod(pixels.shape[1:])))
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.uint8(), pixels.shape[1:]), storage)


def to_pixels(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """An Arrow tensor column as (n, height, width, channels) uint8, without a copy where it is one piece."""
    if isinstance(column, pa.ChunkedArray):
        if len(column) == 0:
            return np.empty((0, *column.type.shape), np.uint8)
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if len(column) == 0:
        return np.empty((0, *column.type.shape), np.uint8)
    return column.to_numpy_ndarray()


def or_black(column: pa.ChunkedArray) -> np.ndarray:
    """`to_pixels`, black where there is no picture."""
    there = column.is_valid()
    out = np.zeros((len(column), *column.type.shape), np.uint8)
    out[there.to_numpy()] = to_pixels(column.filter(there))
    return out


def png(pixels: np.ndarray) -> bytes:
    """(height, width, channels) uint8 as the bytes of a PNG file."""
    return packed(picture(pixels))


def packed(shown: Pillow.Image) -> bytes:
    """A Pillow picture as the bytes of a PNG file."""
    out = io.BytesIO()
    shown.save(out, "PNG")
    return out.getvalue()


def picture(pixels: np.ndarray) -> Pillow.Image:
    """(height, width, channels) uint8 as a Pillow picture."""
    return Pillow.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def resize(raw: Any, name: str, size: int, folder: str | None) -> dict[str, Any]:
    """A picture cut to its middle square and scaled to `size` × `size`, as PNG bytes."""
    with _open(raw, name, folder) as (opened, path):
        fitted = ImageOps.fit(_loaded(opened, name, path), (size, size), Pillow.Resampling.LANCZOS)
    return {"bytes": packed(fitted), "path": None}


def _pixels(raw: Any, name: str, shape: tuple[int, int, int], folder: str | None) -> np.ndarray:
    with _open(raw, name, folder) as (opened, path):
        loaded = np.asarray(_loaded(opened, name, path))
    loaded = loaded[..., None] if loaded.ndim == 2 else loaded
    if loaded.shape[2] == 1 and shape[2] == 3:
        loaded = np.repeat(loaded, 3, axis=2)
    if loaded.shape != shape:
        cure = "say size=" if loaded.shape[:2] != shape[:2] else "make it grey" if shape[2] == 1 else "convert it"
        raise DataError(f"picture {path} of {name!r} is {_words(loaded.shape)}, not {_words(shape)}; {cure}")
    return loaded


@contextmanager
def _open(raw: Any, name: str, folder: str | None) -> Iterator[tuple[Pillow.Image, str]]:
    """A picture of which only the header is read, and what messages call it."""
    path = (raw.get("path") if isinstance(raw, dict) else None) or "in a table"
    data = raw.get("bytes") if isinstance(raw, dict) else raw
    try:
        file = io.BytesIO(data) if data is not None else (Path(folder or ".") / path).open("rb")
    except FileNotFoundError as error:
        raise DataError(f"picture {path} of {name!r} does not exist; mend the path or leave the row out") from error
    except (OSError, ValueError) as error:
        raise DataError(f"picture {path} of {name!r} cannot be opened ({line(error)}); leave the row out") from error
    with file:
        yield _header(file, f"picture {path} of {name!r}"), str(path)


def _header(file: IO[bytes], what: str) -> Pillow.Image:
    beyond = f"{what} has more than {PIXELS:,} pixels; it is refused before it is unpacked: scale it down first"
    try:
        opened = Pillow.open(file)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise DataError(beyond) from error
    except Exception as error:  # decoders raise nearly anything over damaged bytes
        why = "it is no picture" if isinstance(error, UnidentifiedImageError) else line(error)
        raise DataError(f"{what} cannot be read ({why}); leave it out") from error
    if opened.width * opened.height > PIXELS:
        raise DataError(beyond)
    return opened


def _loaded(opened: Pillow.Image, name: str, path: str) -> Pillow.Image:
    """The decoded picture, upright, grey or RGB; transparency is laid on white."""
    try:
        opened.load()
        if opened.format in TURNED:
            opened = ImageOps.exif_transpose(opened)
        if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info:
            rgba = opened.convert("RGBA")
            return Pillow.alpha_composite(Pillow.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
        if opened.mode.startswith("I"):  # 16 bits a pixel, of which the upper eight are kept
            return Pillow.fromarray((np.asarray(opened).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
        return opened.convert("L" if _channels(opened) == 1 else "RGB")
    except Exception as error:  # decoders raise nearly anything over damaged bytes
        raise DataError(
            f"picture {path} of {name!r} is damaged ({line(error)}); leave it out or copy it again"
        ) from error


def _upright_size(opened: Pillow.Image) -> tuple[int, int]:
    """(height, width) once the camera's note of how it was held is followed."""
    try:
        lying = opened.format in TURNED and opened.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception:  # a damaged note says nothing
        lying = False
    return (opened.width, opened.height) if lying else (opened.height, opened.width)


def _channels(opened: Pillow.Image) -> int:
    grey = opened.mode in ("L", "1", "F") or opened.mode.startswith("I")
    return 1 if grey and "transparency" not in opened.info else 3


def _words(shape: Any) -> str:
    return "×".join(str(side) for side in shape)
