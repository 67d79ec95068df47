"""Batches by position: which records a step sees is a function of (seed, records seen so far)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from pushforward.training.randomness import generator

Tensors = dict[str, Tensor]


class Stream(Protocol):
    """What batches are taken from, by position."""

    total: int

    def at(self, position: int, size: int, part: slice = slice(None)) -> Tensors:
        """The batch of `size` records that starts after `position` records; `part` is this process's share of it."""


class Beside:
    """Two streams gone through side by side, each in its own order and as often as it takes.

    Args:
        one, other: the streams.
        prefix: what stands before the names of the tensors of the other.
    """

    def __init__(self, one: Stream, other: Stream, prefix: str):
        self._one, self._other, self._prefix = one, other, prefix
        self.total = max(one.total, other.total)

    def at(self, position: int, size: int, part: slice = slice(None)) -> Tensors:
        """A batch of the one, and beside it a batch of the other."""
        return together(self._one.at(position, size, part), self._other.at(position, size, part), self._prefix)


def together(one: Tensors, other: Tensors, prefix: str) -> Tensors:
    """The tensors of both, those of the other with a prefix before their names."""
    return {**one, **{prefix + name: tensor for name, tensor in other.items()}}


class Batches:
    """Shuffled batches of tensors that are encoded already, chunk by chunk.

    A chunk is gone through in an order of its own in each epoch; data in memory is one chunk. A batch may
    reach over the end of a chunk, or of an epoch, so that all batches are full.

    Args:
        chunks: gives the encoded chunks, in order, as often as it is called.
        sizes: records in each chunk.
        seed: what the orders depend on.
    """

    def __init__(self, chunks: Callable[[], Iterator[Tensors]], sizes: Sequence[int], seed: int):
        self._chunks, self.sizes, self._seed = chunks, list(sizes), seed
        self.total = sum(sizes)
        self._stream: Iterator[Tensors] | None = None
        self._at = (-1, -1)  # epoch and chunk that are held
        self._held: Tensors = {}
        self._order = torch.empty(0, dtype=torch.int64)

    def at(self, position: int, size: int, part: slice = slice(None)) -> Tensors:
        """The batch of `size` records that starts after `position` records; `part` is this process's share of it."""
        pieces: list[Tensors] = []
        wanted = size
        while wanted:
            offset, room = self._seek(position)
            taken = min(wanted, room)
            rows = self._order[offset : offset + taken]
            if len(pieces) == 0 and taken == size:
                rows = rows[part]
            pieces.append({name: t[rows] for name, t in self._held.items()})
            position, wanted = position + taken, wanted - taken
        if len(pieces) == 1:
            return pieces[0]
        return {name: torch.cat([piece[name] for piece in pieces])[part] for name in pieces[0]}

    def _seek(self, position: int) -> tuple[int, int]:
        """Hold the chunk that contains a position; where in it that is, and how many records follow."""
        epoch, offset = divmod(position, self.total)
        chunk = 0
        while offset >= self.sizes[chunk]:
            offset -= self.sizes[chunk]
            chunk += 1
        if self._at != (epoch, chunk):
            self._load(epoch, chunk)
        return offset, self.sizes[chunk] - offset

    def _load(self, epoch: int, chunk: int) -> None:
        held_epoch, held_chunk = self._at
        if len(self.sizes) > 1 or not self._held:
            if self._stream is None or chunk <= held_chunk or epoch != held_epoch:
                self._stream, held_chunk = self._chunks(), -1
            for _ in range(chunk - held_chunk):
                self._held = next(self._stream)
        device = next(iter(self._held.values())).device
        order = torch.randperm(self.sizes[chunk], generator=generator(self._seed, epoch, chunk))
        self._order, self._at = order.to(device), (epoch, chunk)
