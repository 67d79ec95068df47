"""The maximum-likelihood tree of a table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, doc
from torch import Tensor

from pushforward.counts.trees.chow_liu import PairCounts, mutual_information, spanning_tree
from pushforward.counts.trees.coding import Coding, Grain
from pushforward.counts.trees.tree import Tree
from pushforward.counts.trees.tree_model import Grown, TreeModel
from pushforward.data import Records, Scan
from pushforward.training.pilot import pilot
from pushforward.training.place import Place
from pushforward.training.progress import Progress
from pushforward.training.run import Run
from pushforward.training.statistic import total

AXES_FROM = 200_000  # records that bins are chosen on


@dataclass(kw_only=True, eq=False)
class DependencyTree(TreeModel):
    """p(x) = p(x_1) Π_i p(x_i | x_parent(i)): of all trees the one of greatest likelihood (Chow, Liu 1968).

    Every field depends on one other. Which, is decided by mutual information; the tables are counted. Numbers are
    binned, values that repeat keep their mass, and within a bin the density is even, so that `log_prob` is exact.
    Any field can be held fixed or limited when drawing.

    >>> import pushforward as pf
    >>> model = DependencyTree().fit("penguins")
    >>> ("species", "island") in model.edges or ("island", "species") in model.edges
    True
    >>> model.sample(3, given={"species": "Gentoo"}, seed=0).to_numpy()["island"].tolist()
    ['Biscoe', 'Biscoe', 'Biscoe']
    """

    assumes = "each field depends on one other"
    # one pass of counting, which nothing bounds or interrupts
    _needless = ("minutes", "steps", "device", "precision", "batch", "folder", "checkpoint", "validation")

    bins: Annotated[int, Ge(2), Le(1024), doc("most bins of a number")] = 64
    smoothing: Annotated[float, Gt(0), doc("pseudo-counts given to each row of a table")] = 1.0

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        place, schema = Place(run), data.schema
        start = time.monotonic()
        records, share = pilot(data, weights, run.seed, AXES_FROM)
        coding = Coding.of(schema, records, share.numpy(), Grain(self.bins))
        self.__dict__["coding"] = coding
        sizes = coding.sizes_with_holes
        counts = total(self._observed(data, weights, place), place)
        assert isinstance(counts, PairCounts)
        order, parents = spanning_tree(mutual_information(counts, sizes))
        grown = self._grow(counts, order, parents)
        self.__dict__.update(grown=(grown,), shares=torch.ones(1, dtype=torch.float64))
        yield Progress("count", 1, {"records": float(len(data))}, time.monotonic() - start, 0.0)

    def _observed(self, data: Records | Scan, weights: np.ndarray | None, place: Place) -> Iterator[PairCounts]:
        """The counts of this process's share of each chunk."""
        at = 0
        for chunk in data.chunks():
            share = np.ones(len(chunk)) if weights is None else weights[at : at + len(chunk)]
            at += len(chunk)
            states = self.coding.with_holes(self.coding.encode(chunk))[place.rank :: place.world]
            yield PairCounts.of(
                states, self.coding.sizes_with_holes, torch.from_numpy(share)[place.rank :: place.world]
            )

    def _grow(self, counts: PairCounts, order: list[int], parents: list[int]) -> Grown:
        sizes, coding = self.coding.sizes_with_holes, self.coding
        starts = np.cumsum([0, *sizes])
        single = counts.table.diagonal()
        shares, emissions, holes = {}, [], []
        for variable in order:
            mine = single[starts[variable] : starts[variable + 1]] + self.smoothing / sizes[variable]
            shares[variable] = mine / mine.sum()
            emissions.append(_copied(shares[variable], coding.sizes[variable]))
            holes.append((torch.arange(sizes[variable]) >= coding.sizes[variable]).double())
        edges = []
        for variable, above in zip(order[1:], parents[1:], strict=True):
            rows = slice(starts[above], starts[above + 1])
            table = counts.table[rows, starts[variable] : starts[variable + 1]] + self.smoothing * shares[variable]
            edges.append(table / table.sum(1, keepdim=True))
        at = {variable: i for i, variable in enumerate(order)}
        places = tuple(-1 if above < 0 else at[above] for above in parents)
        return Grown(tuple(order), Tree(places, shares[order[0]], tuple(edges), tuple(emissions)), tuple(holes))

    @property
    def edges(self) -> list[tuple[str, str]]:
        """(parent, child) of each edge of the tree."""
        (grown,) = self.grown
        names = [self.coding.names[variable] for variable in grown.order]
        return [(names[parent], name) for name, parent in zip(names, grown.tree.parents, strict=True) if parent >= 0]


def _copied(shares: Tensor, values: int) -> Tensor:
    """(S, K) emission of a variable whose hidden state is its own; behind a hole may stand any value."""
    copy = torch.eye(values, dtype=torch.float64)
    if len(shares) == values:
        return copy
    return torch.cat([copy, (shares[:values] / shares[:values].sum())[:, None]], 1)
