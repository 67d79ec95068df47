"""Arrays in any shape of memory, and of any type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pushforward.testing.case import Case, Inapplicable, drawn, folder, same, same_state

KINDS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "float32", "float64", "bool")


def check_layouts_of_memory(case: Case) -> None:
    """Read-only, column by column, with gaps, backwards, mapped from a file, or a tensor: the same numbers."""
    with folder() as place:
        for name, other in _layouts(case.example.data, place):
            assert same_state(case.fit(other), case.model), f"{name} arrays give another model"
            if hasattr(case.model, "log_prob") and len(case.whole) == len(case.records):
                one, two = case.model.log_prob(other), case.model.log_prob(case.example.data)
                assert np.array_equal(one, two), f"{name} arrays get another log_prob"


def check_types_survive(case: Case) -> None:
    """What is drawn has the types of what was learned from."""
    rng = np.random.default_rng(0)
    data: dict[str, Any] = {kind: rng.integers(0, 2 if kind == "bool" else 9, 40).astype(kind) for kind in KINDS}
    model = case.try_fit(data)
    found = drawn(model, data, 50, seed=0).to_numpy()
    for kind in KINDS:
        alike = found[kind].dtype == kind or (kind == "bool" and set(found[kind]) <= {True, False})
        assert alike, f"{kind} came as {found[kind].dtype}"
    for kind in KINDS[:7]:
        values = found[kind]
        seen = data[kind].min() <= values.min() and values.max() <= data[kind].max()
        assert seen, f"{kind} was drawn outside of the range that was seen"


def check_float32_is_as_good_as_float64(case: Case) -> None:
    """The type of floats does not change what is learned from numbers that both hold."""
    rng = np.random.default_rng(0)
    x = np.round(rng.standard_normal((40, 2)) * 1024) / 1024  # exact in both
    one, two = case.try_fit(x), case.try_fit(x.astype(np.float32))
    assert same_state(one, two), "float32 and float64 give different models"


def _layouts(data: Any, place: Path) -> Iterator[tuple[str, Any]]:
    """All at once: a fit for each would take six times as long, and what trips over one trips over all of them."""
    ways: dict[str, Callable[[np.ndarray], Any]] = {
        "read-only, mapped, Fortran-ordered, reversed and non-contiguous": lambda x: _awkward(x, place),
        "tensor": torch.from_numpy,
    }
    for name, way in ways.items():
        other = _through(data, way, name)
        if other is None:
            raise Inapplicable("the data is not arrays")
        yield name, other


def _through(data: Any, way: Callable[[np.ndarray], Any], name: str) -> Any:
    if isinstance(data, np.ndarray):
        return data if data.dtype.kind in "USO" and name == "tensor" else way(data)
    if isinstance(data, dict):
        return {n: _through(c, way, name) if isinstance(c, np.ndarray) else c for n, c in data.items()}
    return None


def _awkward(x: np.ndarray, place: Path) -> np.ndarray:
    """The same values, every other one of an array twice as long that stands in a file back to front."""
    wide = np.repeat(np.repeat(x, 2, axis=0), 2, axis=-1) if x.ndim > 1 else np.repeat(x, 2)
    held = _mapped(np.asfortranarray(wide[::-1]), place)
    held.flags.writeable = False
    return held[::-2, ..., ::2] if x.ndim > 1 else held[::-2]


def _mapped(x: np.ndarray, place: Path) -> np.ndarray:
    if x.dtype == object:
        return x
    path = place / f"{len(list(place.iterdir()))}.npy"
    np.save(path, x)
    return np.load(path, mmap_mode="r")


def check_records_arrays_and_tables_are_one(case: Case) -> None:
    """The same data read beforehand gives the same model, and the same draws."""
    other = case.fit(case.records)
    assert same_state(other, case.model), "records give another model than the data they were read from"
    if case.draws:
        assert same(case.draw_by(other, 4, seed=0), case.draw(4, seed=0)), "records give other draws"
