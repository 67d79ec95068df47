"""Decision trees as arrays, with the counts of what was seen at every node."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

NONE = -1


@dataclass(frozen=True)
class Splits:
    """Several trees side by side, the nodes of each with its root first.

    Attributes:
        roots: (G,) the first node of each tree.
        feature: (N,) the column that a node asks about; -1 at leaves.
        threshold: (N,) up to which it goes to the left.
        left, right: (N,) children.
        leftward: (N,) whether what is not known goes to the left.
    """

    roots: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leftward: np.ndarray

    def descend(self, x: np.ndarray, tree: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(rows, nodes) level by level from the roots: which rows are still on their way, and where.

        Args:
            x: (n, columns) float32, NaN where not known.
            tree: (n,) which tree each row goes through.
        """
        rows, nodes = np.arange(len(x)), self.roots[tree]
        flat, width, whole = x.ravel(), x.shape[1], not np.isnan(x).any()
        while len(rows):
            yield rows, nodes
            feature = self.feature.take(nodes)
            inner = feature >= 0
            rows, nodes, feature = rows[inner], nodes[inner], feature[inner]
            value = flat.take(rows * width + feature)
            goes_right = value > self.threshold.take(nodes)
            if not whole:
                goes_right |= np.isnan(value) & ~self.leftward.take(nodes)
            nodes = self._children.take(2 * nodes + goes_right)

    def leaves(self, x: np.ndarray, tree: np.ndarray) -> np.ndarray:
        """(n,) where each row ends."""
        out = np.empty(len(x), np.int64)
        for rows, nodes in self.descend(x, tree):
            out[rows] = nodes
        return out

    @functools.cached_property
    def _children(self) -> np.ndarray:
        """(2 N,) left and right of each node."""
        return np.stack([self.left, self.right], 1).ravel()

    @functools.cached_property
    def levels(self) -> list[np.ndarray]:
        """Nodes by how far they are from a root."""
        out = [self.roots]
        while len(out[-1]):
            inner = out[-1][self.feature[out[-1]] >= 0]
            out.append(np.concatenate([self.left[inner], self.right[inner]]))
        return out[:-1]

    @functools.cached_property
    def parents(self) -> np.ndarray:
        """(N,) -1 at roots."""
        out = np.full(len(self.feature), NONE)
        inner = np.flatnonzero(self.feature >= 0)
        out[self.left[inner]] = out[self.right[inner]] = inner
        return out

    @classmethod
    def joined(cls, trees: list[Splits]) -> Self:
        """Trees one after another."""
        starts = np.cumsum([0, *(len(tree.feature) for tree in trees)])[:-1]
        moved = [
            dataclasses.replace(tree, roots=tree.roots + at, left=tree.left + at, right=tree.right + at)
            for tree, at in zip(trees, starts, strict=True)
        ]
        return cls(*(np.concatenate([getattr(tree, f.name) for tree in moved]) for f in dataclasses.fields(cls)))


@dataclass(frozen=True)
class Grove:
    """Trees whose every node has counted labels, and says how far it is to be trusted.

    p_node(s) = λ_node c_node(s) / n_node + (1 - λ_node) p_parent(s), and above a root all labels are alike: the leaf
    tells as much as it can, and what it cannot is left to those above it (Jelinek, Mercer 1980).

    Records lie in the order of leaves, so that each node is a run of them; of each label their places are in order, so
    that how often it occurs below a node is told by two searches.

    Attributes:
        splits: the trees.
        first, last: (N,) the run of records of each node.
        share: (N,) λ.
        label: (n,) of the records.
        weight: (n,) of the records.
        sizes: (G,) how many labels each tree tells apart.
    """

    splits: Splits
    first: np.ndarray
    last: np.ndarray
    share: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    sizes: np.ndarray

    def __post_init__(self) -> None:
        order = np.argsort(self.label, kind="stable")
        derived = {
            "_stride": len(self.label) + 1,
            "_keys": self.label[order] * (len(self.label) + 1) + order,
            "_of_keys": np.concatenate([[0.0], np.cumsum(self.weight[order])]),
            "_of_places": np.concatenate([[0.0], np.cumsum(self.weight)]),
        }
        for name, array in derived.items():
            object.__setattr__(self, name, array)

    _stride: int = dataclasses.field(init=False, repr=False)
    _keys: np.ndarray = dataclasses.field(init=False, repr=False)
    _of_keys: np.ndarray = dataclasses.field(init=False, repr=False)
    _of_places: np.ndarray = dataclasses.field(init=False, repr=False)

    @classmethod
    def counted(
        cls, splits: Splits, leaves: np.ndarray, label: np.ndarray, weight: np.ndarray, sizes: np.ndarray
    ) -> Self:
        """Records brought to their leaves; every λ is 0 until it is known.

        Args:
            splits: trees, in each of which nodes come in the order of a walk from left to right.
            leaves: (n,) where each record ends.
            label, weight: (n,) of the records.
            sizes: (G,) labels of each tree.
        """
        order = np.argsort(leaves, kind="stable")
        count = len(splits.feature)
        end = np.arange(count) + 1  # of the nodes below each, which come right after it
        for nodes in reversed(splits.levels):
            inner = nodes[splits.feature[nodes] >= 0]
            end[inner] = end[splits.right[inner]]
        before = np.concatenate([[0], np.cumsum(np.bincount(leaves, minlength=count))])
        return cls(
            splits, before[:-1], before[end], np.zeros(count), label[order].astype(np.int64), weight[order], sizes
        )

    # Counts

    def mass(self, nodes: np.ndarray) -> np.ndarray:
        """Of the records below nodes."""
        return self._of_places[self.last[nodes]] - self._of_places[self.first[nodes]]

    def count(self, nodes: np.ndarray, label: np.ndarray) -> np.ndarray:
        """Mass of the records below each node that have a label."""
        key = label.astype(np.int64) * self._stride
        low, high = (np.searchsorted(self._keys, key + end[nodes]) for end in (self.first, self.last))
        return self._of_keys[high] - self._of_keys[low]

    def frequency(self, nodes: np.ndarray, label: np.ndarray) -> np.ndarray:
        """c / n; both are differences of sums, which round."""
        return np.minimum(self.count(nodes, label) / np.maximum(self.mass(nodes), 1e-300), 1.0)

    def distinct(self) -> np.ndarray:
        """(N,) how many labels occur below each node."""
        splits, parents = self.splits, self.splits.parents
        depth = np.empty(len(parents), np.int64)
        for level, nodes in enumerate(splits.levels):
            depth[nodes] = level
        leaves = np.flatnonzero(splits.feature < 0)
        at = np.repeat(leaves, self.last[leaves] - self.first[leaves])
        width, out = int(self.label.max(initial=0)) + 1, np.zeros(len(parents), np.int64)
        for level in range(int(depth.max(initial=0)), -1, -1):
            here = depth[at] == level
            pairs = np.unique(at[here] * width + self.label[here])
            out += np.bincount(pairs // width, minlength=len(out))
            at = np.where(here & (parents[at] >= 0), parents[at], at)
        return out

    # What it tells

    def log_prob(self, x: np.ndarray, tree: np.ndarray, label: np.ndarray) -> np.ndarray:
        """(n,) log probability of labels.

        Args:
            x: (n, columns).
            tree: (n,) which tree to ask.
            label: (n,).
        """
        p = 1.0 / self.sizes[tree]
        for rows, nodes in self.splits.descend(x, tree):
            share = self.share[nodes]
            p[rows] = share * self.frequency(nodes, label[rows]) + (1 - share) * p[rows]
        return np.log(np.maximum(p, 1e-300))

    def table(self, x: np.ndarray, tree: int) -> np.ndarray:
        """(n, S) probabilities of all labels of one tree."""
        size, which = int(self.sizes[tree]), np.full(len(x), tree)
        leaves, inverse = np.unique(self.splits.leaves(x, which), return_inverse=True)
        return self._rows(leaves, size)[inverse]

    def _rows(self, leaves: np.ndarray, size: int) -> np.ndarray:
        """(L, S) what leaves tell, each a sum over the nodes above it."""
        p, left = np.zeros((len(leaves), size)), np.ones(len(leaves))
        at, rows = leaves, np.arange(len(leaves))
        while len(rows):
            p[rows] += (left[rows] * self.share[at])[:, None] * self._frequencies(at, size)
            left[rows] *= 1 - self.share[at]
            at = self.splits.parents[at]
            rows, at = rows[at >= 0], at[at >= 0]
        return p + left[:, None] / size

    def _frequencies(self, nodes: np.ndarray, size: int) -> np.ndarray:
        """(n, S) c / n of nodes."""
        once, inverse = np.unique(nodes, return_inverse=True)
        out = np.empty((len(once), size))
        for i, node in enumerate(once):
            run = slice(self.first[node], self.last[node])
            out[i] = np.bincount(self.label[run], self.weight[run], minlength=size)
        return (out / np.maximum(out.sum(1, keepdims=True), 1e-300))[inverse]

    def draw(self, x: np.ndarray, tree: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(n,) labels: of a record of the leaf, or of a node above it, as far as each is trusted."""
        out, nodes, rows = np.empty(len(x), np.int64), self.splits.leaves(x, tree), np.arange(len(x))
        while len(rows):
            stays = rng.random(len(rows)) < self.share[nodes]
            here = nodes[stays]
            out[rows[stays]] = self.label[self._record(here, rng.random(len(here)))]
            rows, nodes = rows[~stays], self.splits.parents[nodes[~stays]]
            above = nodes < 0
            out[rows[above]] = rng.integers(0, self.sizes[tree[rows[above]]])
            rows, nodes = rows[~above], nodes[~above]
        return out

    def _record(self, nodes: np.ndarray, u: np.ndarray) -> np.ndarray:
        """One of the records below each node, at a share u of their mass."""
        first, last = self.first.take(nodes), self.last.take(nodes)
        if self._alike:
            return np.minimum(first + (u * (last - first)).astype(np.int64), last - 1)
        low = self._of_places[first]
        place = np.searchsorted(self._of_places, low + u * (self._of_places[last] - low), side="right") - 1
        return np.clip(place, first, last - 1)

    @functools.cached_property
    def _alike(self) -> bool:
        """Whether all records weigh the same, so that none need be searched for."""
        return bool((self.weight == self.weight[:1]).all())

    # As arrays

    def arrays(self) -> dict[str, np.ndarray]:
        """All that it is."""
        splits = {f.name: getattr(self.splits, f.name) for f in dataclasses.fields(Splits)}
        own = ("first", "last", "share", "label", "sizes")
        weight = self.weight[:1] if self._alike else self.weight
        return splits | {name: getattr(self, name) for name in own} | {"weight": weight}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Back from `arrays`."""
        real = {"threshold", "share", "weight"}
        typed = {name: array if name in real else array.astype(np.int64) for name, array in arrays.items()}
        typed["leftward"] = typed["leftward"].astype(bool)
        typed["weight"] = np.resize(typed["weight"], len(typed["label"]))  # of one where all are alike
        names = [f.name for f in dataclasses.fields(Splits)]
        rest = {name: array for name, array in typed.items() if name not in names}
        return cls(Splits(*(typed[name] for name in names)), **rest)
