"""Pictures in and out: decoding that refuses before it allocates, and pixels as Arrow columns."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from pushforward.errors import DataError

ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
PIXELS = 2**26  # 64 megapixels: a larger picture is refused before it is decoded
STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})  # how `datasets` stores a picture


def holds(kind: pa.DataType) -> bool:
    """Whether a column of this type holds pictures."""
    if isinstance(kind, pa.FixedShapeTensorType):
        return kind.value_type == pa.uint8() and len(kind.shape) == 3
    if pa.types.is_struct(kind):
        return {kind.field(i).name for i in range(kind.num_fields)} == {"bytes", "path"}
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def shapes(column: pa.ChunkedArray, name: str, folder: str | None) -> set[tuple[int, int, int]]:
    """The (height, width, channels) that occur in a column, read from the headers alone."""
    if isinstance(column.type, pa.FixedShapeTensorType):
        return {tuple(column.type.shape)}  # type: ignore[arg-type]
    found = set()
    for entry in column:
        if entry.is_valid:
            picture, _ = _open(entry.as_py(), name, folder)
            found.add((picture.height, picture.width, _channels(picture)))
    return found


def decode(column: pa.ChunkedArray, name: str, shape: tuple[int, int, int], folder: str | None = None) -> pa.Array:
    """A column of pictures as one Arrow tensor column of this (height, width, channels)."""
    if isinstance(column.type, pa.FixedShapeTensorType):
        if tuple(column.type.shape) != shape:
            raise DataError(f"pictures of {name!r} are {_words(column.type.shape)}, but the schema has {_words(shape)}")
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    out = np.empty((len(column), *shape), np.uint8)
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


def png(pixels: np.ndarray) -> bytes:
    """(height, width, channels) uint8 as the bytes of a PNG file."""
    out = io.BytesIO()
    picture(pixels).save(out, "PNG")
    return out.getvalue()


def picture(pixels: np.ndarray) -> Pillow.Image:
    """(height, width, channels) uint8 as a Pillow picture."""
    return Pillow.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def resize(raw: Any, name: str, size: int, folder: str | None) -> dict[str, Any]:
    """A picture cut to its middle square and scaled to `size` × `size`, as PNG bytes."""
    opened, path = _open(raw, name, folder)
    fitted = ImageOps.fit(_loaded(opened, name, path), (size, size), Pillow.Resampling.LANCZOS)
    out = io.BytesIO()
    fitted.save(out, "PNG")
    return {"bytes": out.getvalue(), "path": None}


def _pixels(raw: Any, name: str, shape: tuple[int, int, int], folder: str | None) -> np.ndarray:
    opened, path = _open(raw, name, folder)
    loaded = np.asarray(_loaded(opened, name, path))
    loaded = loaded[..., None] if loaded.ndim == 2 else loaded
    if loaded.shape[2] == 1 and shape[2] == 3:
        loaded = np.repeat(loaded, 3, axis=2)
    if loaded.shape != shape:
        raise DataError(f"picture {path} of {name!r} is {_words(loaded.shape)}, not {_words(shape)}; say size=")
    return loaded


def _open(raw: Any, name: str, folder: str | None) -> tuple[Pillow.Image, str]:
    path = (raw.get("path") if isinstance(raw, dict) else None) or "in a table"
    data = raw.get("bytes") if isinstance(raw, dict) else raw
    try:
        Pillow.MAX_IMAGE_PIXELS, before = None, Pillow.MAX_IMAGE_PIXELS  # ours is the stricter check
        try:
            source = io.BytesIO(data) if data is not None else Path(folder or ".") / path
            opened = Pillow.open(source)
        finally:
            Pillow.MAX_IMAGE_PIXELS = before
    except FileNotFoundError as error:
        raise DataError(f"picture {path} of {name!r} does not exist") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(f"picture {path} of {name!r} cannot be read ({_line(error)}); leave it out") from error
    if opened.width * opened.height > PIXELS:
        raise DataError(
            f"picture {path} of {name!r} says it is {opened.width}×{opened.height}, beyond {PIXELS:,} pixels; "
            "it is refused before it is unpacked: scale it down first"
        )
    return opened, str(path)


def _loaded(opened: Pillow.Image, name: str, path: str) -> Pillow.Image:
    """The decoded picture, grey or RGB; transparency is laid on white."""
    try:
        opened.load()
        if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info:
            rgba = opened.convert("RGBA")
            return Pillow.alpha_composite(Pillow.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
        return opened.convert("L" if _channels(opened) == 1 else "RGB")
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(
            f"picture {path} of {name!r} is damaged ({_line(error)}); leave it out or copy it again"
        ) from error


def _channels(opened: Pillow.Image) -> int:
    return 1 if opened.mode in ("L", "1", "I", "F", "I;16") and "transparency" not in opened.info else 3


def _words(shape: Any) -> str:
    return "×".join(str(side) for side in shape)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
