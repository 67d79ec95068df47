"""Draws of which is known what a metric has to say: real ones, copies, noisy ones, independent columns, one level.

Each is a function (train, held, n, seed) → n records. Held-out records that are compared with must not be those that
`reals` takes from: give each a half of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import torch
from sklearn.decomposition import PCA

from pushforward.data import Category, Image, Records, Schema, Text
from pushforward.data.encodings.cells import CellEncoding, Cells
from pushforward.data.pictures import to_arrow
from pushforward.errors import UnmeasurableError
from pushforward.metrics.nearest import pixels
from pushforward.metrics.rows import subset

NOISE = 0.25  # deviations added to numbers
PIXELS = 32.0  # the same for pixels, whose range is 255
CHANGED = 0.2  # share of levels and words that become those of another record
KEPT = 0.95  # share of the variance of pictures that the components of `independent` have

Control = Callable[[Records, Records, int, int], Records]


def reals(train: Records, held: Records, n: int, seed: int) -> Records:
    """Held-out records, at most as many as there are: what a perfect generator would draw."""
    return subset(held, n, seed)


def copies(train: Records, held: Records, n: int, seed: int) -> Records:
    """Training records, each once before any comes twice: what a generator draws that learned by heart."""
    return train.take(_rows(len(train), n, np.random.default_rng(seed)))


def noisy(train: Records, held: Records, n: int, seed: int) -> Records:
    """Training records with noise on numbers and pixels, and levels and words of others in a fifth of the places."""
    rng = np.random.default_rng(seed)
    base = train.take(_rows(len(train), n, rng))
    cells_of = Schema(tuple(f for f in base.schema if not isinstance(f, Text)))
    columns = {f.name: _swapped(base.column(f.name), rng) for f in base.schema.of_kind(Text)}
    if len(cells_of):
        encoding = CellEncoding(cells_of)
        changed = encoding.decode(_noisy(encoding, encoding.encode(base.select(cells_of.names)), rng))
        columns |= {name: changed.column(name) for name in cells_of.names}
    return Records(base.schema, pa.table({name: columns[name] for name in base.names}, schema=base.schema.arrow))


def _noisy(encoding: CellEncoding, cells: Cells, rng: np.random.Generator) -> Cells:
    numbers, codes = cells.numbers.numpy().copy(), cells.codes.numpy().copy()
    scale = np.zeros(encoding.width)
    for field in encoding.number_fields:
        part = encoding.columns[field.name]
        known = numbers[:, part][~np.isnan(numbers[:, part])]
        scale[part] = PIXELS if isinstance(field, Image) else NOISE * (known.std() if len(known) else 0.0)
    numbers += scale * rng.normal(size=numbers.shape)
    for i, factor in enumerate(encoding.factors):
        if isinstance(encoding.schema[factor.field], Category):
            others = codes[rng.integers(0, len(codes), len(codes)), i]
            codes[:, i] = np.where(
                (rng.random(len(codes)) < CHANGED) & (others >= 0) & (codes[:, i] >= 0), others, codes[:, i]
            )
    return Cells(torch.from_numpy(numbers), torch.from_numpy(codes), cells.holes)


def _swapped(column: pa.ChunkedArray, rng: np.random.Generator) -> pa.Array:
    """Texts in which a fifth of the words are words of others."""
    texts = column.to_pylist()
    words = [word for text in texts if text for word in text.split()] or [""]
    out = []
    for text in texts:
        parts = text.split() if text else []
        out.append(" ".join(words[rng.integers(len(words))] if rng.random() < CHANGED else word for word in parts))
    return pa.array(out, pa.string())


def independent(train: Records, held: Records, n: int, seed: int) -> Records:
    """Each column from training cells of its own, whatever the others are; pictures from a Gaussian of their parts.

    Raises:
        UnmeasurableError: there is one column, and no picture.
    """
    if len(train.schema) == 1 and not train.schema.of_kind(Image):
        raise UnmeasurableError("one column alone has no others that it could depend on")
    rng = np.random.default_rng(seed)
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    for field in train.schema:
        if isinstance(field, Image):
            columns[field.name] = _gaussian(pixels(train.select([field.name])), n, rng)
        else:
            columns[field.name] = train.column(field.name).take(pa.array(_rows(len(train), n, rng)))
    return Records(train.schema, pa.table(columns, schema=train.schema.arrow))


def _gaussian(x: np.ndarray, n: int, rng: np.random.Generator) -> pa.Array:
    flat = x.reshape(len(x), -1).astype(np.float64)
    pieces = PCA(KEPT, svd_solver="full").fit(flat[:4096])
    codes = rng.normal(size=(n, pieces.n_components_)) * np.sqrt(pieces.explained_variance_)
    drawn = np.clip(np.rint(pieces.inverse_transform(codes)), 0, 255).astype(np.uint8)
    return to_arrow(drawn.reshape(n, *x.shape[1:]))


def one_level(train: Records, held: Records, n: int, seed: int) -> Records:
    """Training records of the most frequent level of the last category only: what a generator draws that collapsed.

    Raises:
        UnmeasurableError: there is no category of two levels.
    """
    for field in reversed(train.schema.of_kind(Category)):
        counts = train.column(field.name).drop_null().value_counts().to_pylist()
        if len(counts) > 1:
            most = max(counts, key=lambda entry: entry["counts"])["values"]
            there = np.flatnonzero(pa.compute.equal(train.column(field.name), most).fill_null(False).to_numpy())
            return train.take(there[_rows(len(there), n, np.random.default_rng(seed))])
    raise UnmeasurableError("there is no category of two levels, of which one could be drawn alone")


def _rows(size: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """n row numbers at random, each once before any comes twice."""
    return np.concatenate([rng.permutation(size) for _ in range(-(-n // size))])[:n]


CONTROLS: dict[str, Control] = {
    "held-out reals": reals, "training copies": copies, "training with noise": noisy,
    "independent columns": independent, "one level only": one_level,
}  # fmt: skip
