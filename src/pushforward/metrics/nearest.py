"""Exact distances from each record of one data set to the nearest of another, and back, block by block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from pushforward.data import Image, Number, Records
from pushforward.data.pictures import to_pixels
from pushforward.errors import UnmeasurableError
from pushforward.metrics.rows import Rows, rows
from pushforward.training.threads import MOST, spread

BLOCK = 64  # records whose distances to all others are held at once, in the cache
FEW_LEVELS = 32  # up to which a product of one-hot vectors is quicker than a comparison of codes


class Nearest(NamedTuple):
    """Between data sets a of n and b of m records.

    Attributes:
        there: (n,) the distance of each record of a to the nearest of b.
        which: (n,) the position of that record of b.
        back: (m,) the distance of each record of b to the nearest of a.
    """

    there: np.ndarray
    which: np.ndarray
    back: np.ndarray


class Space(ABC):
    """Data sets between whose records there is a distance."""

    parts: list

    @abstractmethod
    def blocks(self, a: int, b: int, rows: range) -> Iterator[Tensor]:
        """The distances of these records of a to all of b, BLOCK by BLOCK; each lasts until the next is asked for."""

    def nearest(self, a: int, b: int) -> Nearest:
        """Which record of b is nearest to each of a, and how far; and how far the nearest of a is from each of b.

        Raises:
            UnmeasurableError: one of them is empty.
        """
        n, m = (len(self.parts[i]) for i in (a, b))
        if min(n, m) == 0:
            raise UnmeasurableError("there are no records to measure distances from; draw some")
        there, which = torch.empty(n), torch.empty(n, dtype=torch.int64)

        def piece(rows: range) -> Tensor:
            back = torch.full((m,), torch.inf)
            for start, block in zip(rows[::BLOCK], self.blocks(a, b, rows), strict=True):
                part = slice(start, start + len(block))
                torch.min(block, 1, out=(there[part], which[part]))
                torch.minimum(back, block.amin(0), out=back)
            return back

        size = -(-n // min(MOST, torch.get_num_threads()))
        backs = spread(piece, [range(start, min(start + size, n)) for start in range(0, n, size)])
        back = torch.stack(backs).amin(0)
        return Nearest(there.clamp_(min=0).numpy(), which.numpy(), back.clamp_(min=0).numpy())


class GowerSpace(Space):
    """Rows, by Gower's distance (1971), the sum over fields.

    It adds |a - b| in units of the range of numbers, 1 where levels differ or just one of the cells is a hole, and
    1 - the cosine of the counts of hashed words of texts. All pairs are compared: what splits into products (levels,
    texts) is one matrix product, the rest is added field by field to blocks that stay in the cache, a thread a block.

    Args:
        parts: data sets of the same fields; ranges are those that the schema of the first says.

    >>> import pushforward as pf
    >>> one, other = (pf.read({"x": [0.0, 1.0], "y": [word, "b"]}) for word in "ab")
    >>> GowerSpace(one, other).nearest(0, 1).there.tolist()
    [1.0, 0.0]
    """

    def __init__(self, *parts: Records):
        spans = {f.name: (f.low, (f.high - f.low) or 1.0) for f in parts[0].schema.of_kind(Number)}
        tables = rows(*parts)
        holed = {name for name in spans if any(np.isnan(table.numbers[name]).any() for table in tables)}
        self.parts = [_Part(table, spans, holed) for table in tables]

    def blocks(self, a: int, b: int, rows: range) -> Iterator[Tensor]:
        ours, theirs = self.parts[a], self.parts[b]
        used = (ours.products != 0).any(0) & (theirs.products != 0).any(0)
        left, right = ours.products[:, used], theirs.products[:, used].T.contiguous()
        total, apart = torch.empty(BLOCK, len(theirs)), torch.empty(BLOCK, len(theirs))
        base = torch.full((1, 1), float(ours.fields))
        for start in rows[::BLOCK]:
            part = slice(start, min(start + BLOCK, rows.stop))
            out, one = total[: part.stop - start], apart[: part.stop - start]
            torch.addmm(base, left[part], right, alpha=-1, out=out)
            for x, y in zip(ours.numbers, theirs.numbers, strict=True):
                out += torch.sub(x[part, None], y, out=one).abs_()
            for x, y in zip(ours.holed, theirs.holed, strict=True):  # that just one is a hole is among the products
                out += torch.sub(x[part, None], y, out=one).abs_().nan_to_num_(nan=0.0)
            for c, d in zip(ours.codes, theirs.codes, strict=True):
                out += torch.sub(c[part, None], d, out=one).ne_(0)
            yield out


class _Part:
    """One data set of a `GowerSpace`."""

    def __init__(self, table: Rows, spans: dict[str, tuple[float, float]], holed: set[str]):
        self.n = len(table)
        scaled = {name: _tensor((table.numbers[name] - low) / span) for name, (low, span) in spans.items()}
        self.numbers = [values for name, values in scaled.items() if name not in holed]
        self.holed = [values for name, values in scaled.items() if name in holed]
        sizes = {name: len(levels) for name, levels in table.levels.items()}
        few = [(table.codes[name] + 1, size + 1) for name, size in sizes.items() if size <= FEW_LEVELS]
        few += [(np.isnan(table.numbers[name]).astype(np.int64), 2) for name in spans if name in holed]
        hot = [one_hot(torch.from_numpy(codes), size).float() for codes, size in few]
        texts = [_tensor(_directions(counts)) for counts in table.texts.values()]
        self.fields = len(hot) + len(texts)
        self.products = torch.cat([torch.empty(self.n, 0), *hot, *texts], 1)
        self.codes = [_tensor(table.codes[name]) for name, size in sizes.items() if size > FEW_LEVELS]

    def __len__(self) -> int:
        return self.n


def _directions(counts: np.ndarray) -> np.ndarray:
    """Counts of length 1; no words at all are a direction of their own."""
    counts = np.concatenate([counts, counts.sum(1, keepdims=True) == 0], 1)
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


class PixelSpace(Space):
    """Pictures, by the square root of the mean squared difference of their pixels, of which white is 1.

    Args:
        parts: data sets with a picture; only the first field of pictures counts.
    """

    def __init__(self, *parts: Records):
        self.parts = [_tensor(pixels(part).reshape(len(part), -1) / 255.0) for part in parts]

    def blocks(self, a: int, b: int, rows: range) -> Iterator[Tensor]:
        ours, theirs = self.parts[a], self.parts[b]
        right, squares = theirs.T.contiguous(), (theirs**2).sum(1)
        total = torch.empty(BLOCK, len(theirs))
        for part in ours[rows.start : rows.stop].split(BLOCK):
            out = torch.addmm(squares, part, right, alpha=-2, out=total[: len(part)])
            out += (part**2).sum(1, keepdim=True)
            yield out.clamp_(min=0).div_(ours.shape[1]).sqrt_()


def space(*parts: Records) -> Space:
    """Pixels where there are pictures, else Gower's distance."""
    return PixelSpace(*parts) if parts[0].schema.of_kind(Image) else GowerSpace(*parts)


def pixels(records: Records) -> np.ndarray:
    """(n, height, width, channels) uint8 of the first field of pictures.

    Raises:
        UnmeasurableError: there is none, or pictures are missing.
    """
    fields = records.schema.of_kind(Image)
    if not fields:
        raise UnmeasurableError(f"there are no pictures among {', '.join(records.names)}; it takes a field of them")
    column = records.column(fields[0].name)
    if column.null_count:
        raise UnmeasurableError(f"{column.null_count} pictures of {fields[0].name!r} are missing; leave the rows out")
    return to_pixels(column)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
