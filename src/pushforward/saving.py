"""A fitted model as a folder: JSON, safetensors, a card, and a hash of each."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import os
import shutil
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

import pushforward
from pushforward.card import card
from pushforward.data.schema import Schema
from pushforward.errors import ArgumentError, FormatError, PushforwardError
from pushforward.families import family, name_of
from pushforward.training.checkpoint import flush
from pushforward.training.place import pick

if TYPE_CHECKING:
    from pushforward.model import Model

FORMAT = 1
FILES = ("model.json", "weights.safetensors", "README.md")
SUMS = "SHA256SUMS"
KEYS = {"format", "version", "family", "hyperparameters", "schema", "given", "density", "seed", "measurements"}
MEASURED = {"records", "seconds", "steps", "seed", "last"}
# What comes of a file that says other things than it should
_NONSENSE = (PushforwardError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def save(model: Model, folder: Path) -> Path:
    """Write a fitted model: `model.json`, `weights.safetensors`, `README.md` and their hashes.

    Raises:
        ArgumentError: the folder exists and is not a saved model, or cannot be written.
    """
    check_target(folder)
    described, target = describe(model), folder.resolve()
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir()
        state = {name: t.detach().cpu().contiguous().clone() for name, t in model._state().items()}
        (aside / "model.json").write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        safetensors.torch.save_file(state, aside / "weights.safetensors")
        uses = {"sample": "sample(10)", "transport": "transport(data)", "encode": "encode(data)"}
        use = next(use for verb, use in uses.items() if hasattr(model, verb))
        (aside / "README.md").write_text(card(described, parameters_of(state), use), encoding="utf-8")
        sums = "".join(f"{_hash(aside / name)}  {name}\n" for name in FILES)
        (aside / SUMS).write_text(sums)
        for path in (*aside.iterdir(), aside):
            flush(path)
        _swap(aside, target)
    except (OSError, safetensors.SafetensorError) as error:
        raise ArgumentError(f"folder={str(folder)!r} cannot be written ({error}); name another") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def check_target(folder: Path, said: str = "folder=") -> None:
    """Refuse a folder that a model could not be saved in; a model that is saved there would be replaced.

    Args:
        folder: where the model is to be.
        said: what the person calls it.

    Raises:
        ArgumentError: it exists and is not a saved model, or cannot be made.
    """
    if folder.exists() and not (folder.is_dir() and (folder / "model.json").is_file() and (folder / SUMS).is_file()):
        raise ArgumentError(f"{said}{str(folder)!r} exists and is not a saved model; name another or delete it")
    parent, refused = folder.absolute().parent, f"{said}{str(folder)!r} cannot be made, since {folder.parent}"
    if not parent.is_dir():
        raise ArgumentError(f"{refused} does not exist; make that first")
    if not os.access(parent, os.W_OK):
        raise ArgumentError(f"{refused} may not be written in; name another")


def describe(model: Model) -> dict[str, Any]:
    """All about a fitted model but its weights, as plain JSON values.

    Raises:
        ArgumentError: a hyperparameter is no longer what it was at the fit.
    """
    for name, value in model.configuration().items():
        if value != (before := model.__dict__["_fitted_with"][name]):
            raise ArgumentError(f"{name}={value!r} was {before!r} when the model was fitted; fit it again to save it")
    return {
        "format": FORMAT,
        "version": pushforward.__version__,
        "family": name_of(type(model)),
        "hyperparameters": model.configuration(),
        "schema": model.schema.to_json(),
        "given": list(model.given),
        "density": model.density,
        "seed": model.measurements["seed"],
        "measurements": model.measurements,
    }


def load(folder: str | Path, *, device: str = "auto", cls: type[Model] | None = None) -> Model:
    """Read a fitted model from a folder, on any device.

    Nothing of the folder is run. Hashes, keys, names, shapes and types are checked against what the
    configuration implies before the weights are read.

    Args:
        folder: what `save` wrote.
        device: where it shall compute.
        cls: the class of a family that is not part of the package.

    Raises:
        FormatError: a file is missing or changed, a key is unknown, or the weights are not those of this model.
    """
    folder, place = Path(folder), pick(device)
    _check_hashes(folder)
    model = hollow(folder, cls)
    try:
        expected = model._skeleton()
    except _NONSENSE as error:
        raise _undescribed(folder, error) from error
    weights = folder / "weights.safetensors"
    _check_weights(weights, expected)
    try:
        state = safetensors.torch.load_file(weights)
    except safetensors.SafetensorError as error:
        raise FormatError(f"{weights} is damaged ({error}); copy the model again") from error
    model._restore(state, place)
    return model


def hollow(folder: Path, cls: type[Model] | None = None) -> Model:
    """The model that a folder holds, without what it has learned.

    Raises:
        FormatError: `model.json` does not describe one.
    """
    described = read_description(folder)
    try:
        return _described(described, cls)
    except _NONSENSE as error:
        raise _undescribed(folder, error) from error


def _undescribed(folder: Path, error: Exception) -> FormatError:
    why = " ".join(str(error).split())[:200]
    return FormatError(f"{folder}/model.json does not describe a model ({why}); copy the model again")


def _described(described: dict[str, Any], cls: type[Model] | None) -> Model:
    kind = cls or family(described["family"])
    hyperparameters, measured = described["hyperparameters"], described["measurements"]
    if odd := set(hyperparameters) ^ set(kind.parameters()):
        raise FormatError(f"hyperparameters are others than those of {described['family']}: {', '.join(sorted(odd))}")
    return emptied(kind(**hyperparameters), Schema.from_json(described["schema"]), tuple(described["given"]), measured)


def emptied(model: Model, schema: Schema, given: tuple[str, ...], measured: dict[str, Any]) -> Model:
    """A model as it would be after a fit to these fields, but for its weights.

    Raises:
        FormatError: something that every fit measures is absent.
        DataError: a condition is none of the fields.
    """
    if lacking := MEASURED - set(measured):
        raise FormatError(f"measurements lack {', '.join(sorted(lacking))}")
    schema.select(given)
    model.__dict__.update(schema=schema, given=given, measurements=measured, _fitted_with=model.configuration())
    return model


def read_description(folder: Path) -> dict[str, Any]:
    """What `model.json` says, checked for its keys.

    Raises:
        FormatError: it is absent, is not JSON, has other keys, or is of a later format.
    """
    path = folder / "model.json"
    if not folder.exists():
        beside = [file.parent.name for file in folder.absolute().parent.glob("*/model.json")]
        near = difflib.get_close_matches(folder.name, beside, n=1)
        cure = f"did you mean {str(folder.with_name(near[0]))!r}?" if near else "name the folder of one"
        raise FormatError(f"{str(folder)!r} is not a saved model (it does not exist); {cure}")
    if not path.is_file():
        raise FormatError(f"{str(folder)!r} is not a saved model (it has no model.json); save one with model.save()")
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON ({error}); copy the model again") from error
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise FormatError(f"{path} is not of format {FORMAT}; read it with the version that wrote it, or update")
    if odd := set(described) ^ KEYS:
        raise FormatError(f"{path} has other keys than a model has: {', '.join(sorted(odd))}")
    return described


def parameters_of(state: dict[str, Tensor]) -> int:
    """How many numbers were learned; bits and letters are none."""
    return sum(tensor.numel() for tensor in state.values() if tensor.dtype not in (torch.bool, torch.uint8))


def _check_hashes(folder: Path) -> None:
    if not (folder / "model.json").is_file():
        read_description(folder)
    try:
        lines = [line.split("  ", 1) for line in (folder / SUMS).read_text().splitlines()]
        listed = {name: digest for digest, name in lines}
    except (OSError, ValueError) as error:
        raise FormatError(f"{folder}/{SUMS} is missing or damaged; copy the model again") from error
    if set(listed) != set(FILES):
        raise FormatError(f"{folder}/{SUMS} must list {', '.join(FILES)}; copy the model again")
    for name, digest in listed.items():
        if not (folder / name).is_file():
            raise FormatError(f"{folder}/{name} is missing; copy the model again")
        if _hash(folder / name) != digest:
            raise FormatError(f"{folder}/{name} is not what was saved (its hash differs); copy the model again")


def _check_weights(path: Path, expected: dict[str, Tensor]) -> None:
    """Compare the header alone: nothing is allocated for weights that do not belong."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(100_000_000, path.stat().st_size):
                raise ValueError("its header is too long")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        found = {name: _entry(**entry) for name, entry in header.items()}
    except (OSError, struct.error, *_NONSENSE) as error:
        raise FormatError(f"{path} is not a safetensors file ({error}); copy the model again") from error
    if odd := set(found) ^ set(expected):
        raise FormatError(
            f"{path} has other tensors than this model: {', '.join(sorted(odd)[:4])}; copy the model again"
        )
    for name, tensor in expected.items():
        (dtype, shape, size), wanted = found[name], tuple(tensor.shape)
        if shape != wanted or _DTYPES.get(dtype) != tensor.dtype:
            raise FormatError(
                f"{path}: {name} is {dtype} {shape}, this model has {tensor.dtype} {wanted}; copy the model again"
            )
        if size != math.prod(shape) * tensor.element_size():
            raise FormatError(f"{path}: {name} has {size} bytes, not those of its shape; copy the model again")


def _entry(dtype: str, shape: list[int], data_offsets: list[int]) -> tuple[str, tuple[int, ...], int]:
    """Type, shape and bytes of a tensor, as the header of a safetensors file says."""
    begin, end = data_offsets
    if not (isinstance(dtype, str) and all(isinstance(n, int) and n >= 0 for n in (*shape, begin, end))):
        raise ValueError("its header holds nonsense")
    return dtype, tuple(shape), end - begin


def _swap(aside: Path, folder: Path) -> None:
    """Put a finished folder in place of an old one, which is deleted after."""
    old = folder.with_name(f".{folder.name}.old.{os.getpid()}")
    replaces = folder.exists()
    if replaces:
        folder.rename(old)
    try:
        aside.rename(folder)
    except OSError:
        if replaces:
            old.rename(folder)
        raise
    flush(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shapes(tensors: Mapping[str, Tensor]) -> dict[str, list[Any]]:
    """The type and shape of each tensor, as plain JSON values."""
    return {name: [str(tensor.dtype).removeprefix("torch."), *tensor.shape] for name, tensor in tensors.items()}


def skeleton(shapes: Mapping[str, Sequence[Any]]) -> dict[str, Tensor]:
    """Tensors of these types and shapes, without storage."""
    return {
        name: torch.empty(shape, dtype=getattr(torch, kind), device="meta") for name, (kind, *shape) in shapes.items()
    }
