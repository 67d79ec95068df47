"""One variable told by trees from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from pushforward.counts.chains.digits import Digits
from pushforward.counts.chains.grove import Grove, Splits
from pushforward.counts.chains.growing import grown
from pushforward.counts.chains.sums import Tables, summed, sums
from pushforward.counts.chains.trust import buckets, shares, trusted
from pushforward.counts.chains.views import seen, view


@dataclass(frozen=True)
class Sample:
    """Records as states, what of them is told, and which of them trees do not see while they grow.

    Attributes:
        states: (n, V) whole.
        told: (n, V) the same, -1 where it is hidden from trees.
        weight: (n,).
        held: (n,) those that say how far trees are to be trusted.
    """

    states: np.ndarray
    told: np.ndarray
    weight: np.ndarray
    held: np.ndarray


@dataclass(frozen=True)
class Conditional:
    """p(s | others): a tree for the first digit of a state, and one in each group for the second.

    Attributes:
        digits: of the variable.
        others: the variables that are seen.
        views: of each of them, what is seen of its states.
        first, second: the trees; there is no second digit with few states.
    """

    digits: Digits
    others: tuple[int, ...]
    views: tuple[np.ndarray, ...]
    sums: Tables
    first: Grove
    second: Grove | None

    @classmethod
    def learned(
        cls, sample: Sample, v: int, others: Sequence[int], digits: Digits, places: Sequence[np.ndarray | None],
        sizes: Sequence[int], fewest: int, seed: int,
    ) -> Self:  # fmt: skip
        """Trees of some records.

        Args:
            sample: the records.
            v: the variable that is told.
            others: by which others.
            digits: of v.
            places, sizes: of all variables; see `view`.
            fewest: records of a leaf at least.
            seed: of the trees.
        """
        states, grows = sample.states, ~sample.held
        group, place = digits.group[states[:, v]], digits.place[states[:, v]]
        views = tuple(
            view(places[u], sizes[u], states[grows, u], group[grows], sample.weight[grows]) for u in others
        )  # fmt: skip
        tables = sums(states[grows], sample.weight[grows], v, others, views, places)
        plain, added = seen(sample.told, others, views), summed(sample.told, others, tables)
        seen_as = [plain, np.concatenate([plain, added], 1)] if added.shape[1] else [plain]

        def grove(label: np.ndarray, tree: np.ndarray, labels: np.ndarray) -> Grove:
            ways = [_grown(sample, x, label, tree, labels, fewest, seed) for x in seen_as]
            return max(ways, key=lambda way: way[0])[1]

        first = grove(group, np.zeros(len(states), np.int64), np.array([len(digits.sizes)]))
        second = grove(place, group, digits.sizes) if digits.place.any() else None
        return cls(digits, tuple(others), views, tables, first, second)

    def log_prob(self, told: np.ndarray, states: np.ndarray) -> np.ndarray:
        """(n,) log probability of states (n,) given what is told (n, V), -1 where nothing is."""
        x, group = self._seen(told), self.digits.group[states]
        out = self.first.log_prob(x, np.zeros(len(x), np.int64), group)
        return out if self.second is None else out + self.second.log_prob(x, group, self.digits.place[states])

    def log_whole(self, told: np.ndarray) -> np.ndarray:
        """(n,) log probability that the last state, a hole, is not there."""
        hole = self.log_prob(told, np.full(len(told), len(self.digits.group) - 1))
        return np.log(np.maximum(-np.expm1(hole), 1e-300))

    def table(self, told: np.ndarray) -> np.ndarray:
        """(n, S) probabilities of all states."""
        x = self._seen(told)
        first, out = self.first.table(x, 0), np.empty((len(x), len(self.digits.group)))
        for g, members in enumerate(self.digits.members):
            within = 1.0 if self.second is None else self.second.table(x, g)
            out[:, members] = first[:, g : g + 1] * within
        return out

    def draw(self, told: np.ndarray, rng: np.random.Generator, barred: int = 0) -> np.ndarray:
        """(n,) states, of which the last `barred` are not drawn."""
        x = self._seen(told)
        group = self.first.draw(x, np.zeros(len(x), np.int64), rng)
        place = np.zeros_like(group) if self.second is None else self.second.draw(x, group, rng)
        states = self.digits.state(group, place)
        again = np.flatnonzero(states >= len(self.digits.group) - barred) if barred else np.zeros(0, np.int64)
        if len(again):
            p = self.table(told[again])[:, : len(self.digits.group) - barred].cumsum(1)
            u = rng.random(len(again))[:, None] * p[:, -1:]
            states[again] = np.minimum((p <= u).sum(1), p.shape[1] - 1)
        return states

    def _seen(self, told: np.ndarray) -> np.ndarray:
        return np.concatenate([seen(told, self.others, self.views), summed(told, self.others, self.sums)], 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """All that it is."""
        out = {"group": self.digits.group, "place": self.digits.place, "others": np.array(self.others)}
        out["widths"] = np.array([table.shape[1] for table in self.views])
        out["views"] = np.concatenate([table.ravel() for table in self.views]) if self.views else np.zeros(0)
        out["sums"] = np.concatenate([table.ravel() for table in self.sums]) if self.sums else np.zeros(0)
        for name, grove in (("first", self.first), ("second", self.second)):
            arrays = self.first.arrays() if grove is None else grove.arrays()
            out |= {f"{name}.{key}": value if grove is not None else value[:0] for key, value in arrays.items()}
        return out

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray], sizes: Sequence[int]) -> Self:
        """Back from `arrays`; sizes are those of all variables."""
        whole = {name: arrays[name].astype(np.int64) for name in ("group", "place", "others", "widths")}
        lengths = [sizes[u] for u in whole["others"]]
        pieces = np.split(arrays["views"], np.cumsum(lengths * whole["widths"])[:-1]) if lengths else []
        views = [
            piece.reshape(length, width).astype(np.float32)
            for piece, length, width in zip(pieces, lengths, whole["widths"], strict=True)
        ]
        ends = np.cumsum(lengths)[:-1]
        added = np.split(arrays["sums"].reshape(sum(lengths), -1), ends) if lengths else []
        groves = {
            part: {name.split(".", 1)[1]: array for name, array in arrays.items() if name.startswith(f"{part}.")}
            for part in ("first", "second")
        }
        second = Grove.of_arrays(groves["second"]) if len(groves["second"]["roots"]) else None
        others = tuple(whole["others"].tolist())
        digits = Digits(whole["group"], whole["place"])
        return cls(digits, others, tuple(views), tuple(added), Grove.of_arrays(groves["first"]), second)


def _grown(
    sample: Sample, x: np.ndarray, label: np.ndarray, tree: np.ndarray, labels: np.ndarray, fewest: int, seed: int
) -> tuple[float, Grove]:
    """How well held-out labels are told, and the trees that tell them after all were counted."""
    grows, held, trees = ~sample.held, sample.held, []
    for g in range(len(labels)):
        rows = np.flatnonzero(grows & (tree == g))
        trees.append(grown(x[rows], label[rows], sample.weight[rows], fewest, seed))
    splits = Splits.joined(trees)
    leaves = splits.leaves(x, tree)
    before = Grove.counted(splits, leaves[grows], label[grows], sample.weight[grows], labels)
    share, kind = shares(before, x[held], tree[held], label[held], sample.weight[held]), buckets(before)
    told = trusted(before, share, kind).log_prob(x[held], tree[held], label[held])
    return float(sample.weight[held] @ told), trusted(
        Grove.counted(splits, leaves, label, sample.weight, labels), share, kind
    )
