"""Arrays, lists and NumPy's own files as tables."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pushforward.data import pictures
from pushforward.data.sources.normal import line
from pushforward.data.sources.source import InMemory, Source
from pushforward.errors import DataError

NPZ_BYTES = 1 << 30  # an archive that unpacks to more than this and to 100 × its size is a bomb
MISSING = "_missing"  # ends the name of an array of truths that says where another one has holes


def numpy_file(path: Path) -> Source:
    """The arrays of an NPZ or NPY file; pickled objects and archives that unpack beyond reason are refused.

    Raises:
        DataError: the file is damaged, holds objects, or says it is larger than it can be.
    """
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                _check_header(file, path.stat().st_size, path)
            return arrays_source({"x": np.load(path, allow_pickle=False)}, str(path))
        with zipfile.ZipFile(path) as archive:
            return arrays_source(_with_holes(_unpacked(archive, path)), str(path))
    except DataError:
        raise
    except Exception as error:  # a damaged archive makes zipfile, zlib and NumPy raise nearly anything
        raise DataError(f"{path} cannot be read ({line(error)}); save plain number arrays with numpy.savez") from error


def _unpacked(archive: zipfile.ZipFile, path: Path) -> dict[str, np.ndarray]:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > NPZ_BYTES and unpacked > 100 * path.stat().st_size:
        raise DataError(
            f"{path} would unpack to {unpacked / 2**30:.1f} GiB from {path.stat().st_size:,} bytes; "
            "it is refused before it does: save it uncompressed if that is meant"
        )
    arrays = {}
    for entry in entries:
        with archive.open(entry) as file:
            _check_header(file, entry.file_size, path)
        with archive.open(entry) as file:
            arrays[entry.filename.removesuffix(".npy")] = np.lib.format.read_array(file, allow_pickle=False)
    return arrays


def _check_header(file: IO[bytes], size: int, path: Path) -> None:
    """Refuse an array whose header promises more than its file holds, before memory is made for it."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise DataError(f"{path} holds pickled objects, which could run code; save plain number arrays")
    promised = dtype.itemsize
    for side in shape:
        promised *= int(side)
    if any(side < 0 for side in shape) or promised > size:
        raise DataError(f"{path} says it holds {promised:,} bytes but is of {size:,}; it is damaged, save it again")


def _with_holes(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The arrays, with the holes that arrays named ``…_missing`` say, as `Records.save` writes them."""
    masks = {
        name: mask
        for name, mask in arrays.items()
        if name.endswith(MISSING) and mask.dtype == bool and mask.ndim == 1
        if (held := arrays.get(name.removesuffix(MISSING))) is not None and held.shape == mask.shape
    }
    out: dict[str, Any] = {}
    for name, array in arrays.items():
        if name not in masks:
            mask = masks.get(name + MISSING)
            out[name] = array if mask is None else pc.if_else(mask, None, _plain(array, name, "the archive"))
    return out


def arrays_source(columns: Mapping[Any, Any], name: str) -> Source:
    """Columns that are arrays, lists or Arrow, as one table.

    Raises:
        DataError: names or lengths do not fit, or values are of a type that is no column.
    """
    out: dict[str, pa.Array | pa.ChunkedArray] = {}
    arrays: list[str] = []
    for key, column in columns.items():
        if not isinstance(key, str):
            raise DataError(f"column name {key!r} is a {type(key).__name__}; it must be a word")
        try:
            pieces = list(_columns(key, column, name))
        except (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"column {key!r} of {name} cannot be read ({line(error)}); give numbers, words or pictures"
            ) from error
        for label, piece in pieces:
            if label in out:
                raise DataError(f"two columns of {name} are called {label!r}; rename one")
            out[label] = piece
            if _is_array(column):
                arrays.append(label)
    sizes = {label: len(piece) for label, piece in out.items()}
    if len(set(sizes.values())) > 1:
        some = ", ".join(f"{label}: {size}" for label, size in list(sizes.items())[:4])
        raise DataError(f"columns of {name} differ in length ({some}); give one value a row")
    return InMemory(pa.table(out), name, arrays)


def _columns(key: str, column: Any, name: str) -> Iterator[tuple[str, pa.Array | pa.ChunkedArray]]:
    if isinstance(column, pa.Array | pa.ChunkedArray):
        yield key, column
    elif _holds_pixels(column):
        yield from _array_columns(key, np.stack(list(column)), name)
    elif hasattr(column, "__arrow_c_stream__"):  # a polars or pandas series
        yield key, pa.chunked_array(column)
    elif isinstance(column, list | tuple) and column and all(hasattr(p, "getbands") for p in column):  # Pillow pictures
        yield key, pa.array([{"bytes": pictures.packed(p), "path": None} for p in column], pictures.STRUCT)
    elif hasattr(column, "iloc"):  # a pandas series of a version before the protocol
        yield key, pa.array(column, from_pandas=True)
    else:
        if hasattr(column, "detach"):
            column = column.detach().cpu().numpy()
        if hasattr(column, "__array__"):
            yield from _array_columns(key, np.asarray(column), name)
        elif isinstance(column, str | bytes) or not hasattr(column, "__iter__"):
            raise DataError(f"column {key!r} of {name} is a {type(column).__name__}; it must be a list or an array")
        else:
            yield key, pa.array(list(column), from_pandas=True)


def _is_array(column: Any) -> bool:
    """Whether a column is an array or tensor, not a column of Arrow or of a frame that can become one."""
    return hasattr(column, "__array__") and not any(
        hasattr(column, mark) for mark in ("__arrow_c_stream__", "__arrow_c_array__", "iloc")
    )


def _holds_pixels(column: Any) -> bool:
    """Whether a list or an object series holds one array of pixels a row, as `Records.to_pandas` gives them."""
    if not isinstance(column, list | tuple) and not (hasattr(column, "iloc") and column.dtype == object):
        return False
    return len(column) > 0 and all(isinstance(p, np.ndarray) and p.ndim >= 2 and p.dtype == np.uint8 for p in column)


def _array_columns(key: str, array: np.ndarray, name: str) -> Iterator[tuple[str, pa.Array]]:
    if array.ndim in (3, 4) and array.dtype == np.uint8:
        pixels = array if array.ndim == 4 else array[..., None]
        if min(pixels.shape[1:]) < 1 or pixels.shape[3] > 4:
            raise DataError(
                f"column {key!r} of {name} has shape {array.shape}; "
                "pictures must be (n, height, width[, channels]) with at most 4 channels, the channels last"
            )
        yield ("image" if key == "x" else key), pictures.to_arrow(np.array(pixels))
    elif array.ndim == 2:
        for i in range(array.shape[1]):
            yield f"{key}{i}", _plain(np.ascontiguousarray(array[:, i]), key, name)
    elif array.ndim == 1:
        yield key, _plain(array, key, name)
    else:
        raise DataError(
            f"column {key!r} of {name} has shape {array.shape} and type {array.dtype}; "
            "it must be (n,), (n, d), or (n, height, width[, channels]) of uint8"
        )


def _plain(array: np.ndarray, key: str, name: str) -> pa.Array:
    """One column of an array, copied; the types that Arrow lacks become the nearest that it has."""
    kind = array.dtype.kind
    if kind == "c" or kind == "V":
        raise DataError(f"column {key!r} of {name} is of type {array.dtype}; give real numbers")
    if kind == "O":
        return pa.array(array.tolist(), from_pandas=True)
    if kind == "S":
        array = np.char.decode(array, "utf-8")
    elif kind == "M":
        unit = np.datetime_data(array.dtype)[0]
        array = array.astype("datetime64[D]") if unit in ("Y", "M", "W") else array
        array = array.astype("datetime64[s]") if unit in ("h", "m") else array
    elif kind == "m":
        unit = np.datetime_data(array.dtype)[0]
        array = array.astype("timedelta64[s]") if unit in ("W", "D", "h", "m") else array
    elif kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    native = array.dtype.newbyteorder("=")
    return pa.array(np.array(array, native, order="C"))  # a copy: who changes the array does not change the records
