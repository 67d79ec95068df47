"""The mixture of hidden trees as a family: a strong model of a table, exact about any evidence, learned in seconds."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Le, doc
from torch import Tensor

from pushforward.counts.trees.chow_liu import PairCounts, mutual_information, spanning_tree
from pushforward.counts.trees.coding import Coding, Grain
from pushforward.counts.trees.tree import Tree, likelihoods, upward
from pushforward.counts.trees.tree_model import Grown, TreeModel
from pushforward.data import Records, Scan
from pushforward.mixtures.hidden_tree import Expected, Shape, kernel, latent_classes, maximise, merged, start
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.pilot import pilot
from pushforward.training.place import Place
from pushforward.training.progress import Progress
from pushforward.training.randomness import mix
from pushforward.training.run import Run
from pushforward.training.statistic import Estimate, climb, total
from pushforward.training.threads import spread

PILOT = 100_000  # records that axes, trees and starts are found on
EACH = 20  # records that a hidden state stands for at least
BATCHES = 30  # steps of a pass over the data, of at most LARGEST records each
LARGEST = 4096
MEMORY = 3  # a third of the data is what the running counts remember
SETTLING = 20  # passes after which the memory grows
MOST = 400  # passes, where the run sets no bound
PATIENCE = 20
MARGIN = 0.01  # nats below the best by which later, sharper parameters may fall
LOOSE = 0.5  # how far mutual information is shaken for a further tree


@dataclass(kw_only=True, eq=False)
class TreeMixture(TreeModel):
    """p(x) = 1/T Σ_t Σ_z p_t(z_1) Π_i p_t(z_i | z_parent(i)) p_t(x_i | z_i): a mixture of hidden Chow-Liu trees.

    Each field has hidden states of its own, and these form a tree, so that fields depend on each other in every way
    that the tree lets through (Liu, Van den Broeck 2021, arXiv 2106.02264). Learned by stepwise EM (Cappé,
    Moulines 2009, arXiv 0712.4273), which stops when records that were held out get no more probable. Numbers keep
    values that repeat, their grid, their decimals and tails; holes come where they came. Likelihood, draws given
    anything, and completion are exact, and cost one pass over the tree.

    >>> import pushforward as pf
    >>> model = TreeMixture(trees=1, states=8).fit("penguins", steps=5)
    >>> model.sample(3, given={"species": "Gentoo"}, seed=0).to_numpy()["island"].tolist()
    ['Biscoe', 'Biscoe', 'Biscoe']
    """

    _needless = ("precision", "validation")
    _shapes: ClassVar[list[Shape]]

    trees: Annotated[int, Ge(1), Le(64), doc("how many trees, of equal share")] = 4
    states: Annotated[int, Ge(2), Le(512), doc("hidden states of each field")] = 64
    bins: Annotated[int, Ge(2), Le(1024), doc("most bins of a number")] = 128
    backing: Annotated[float, Ge(0), doc("pseudo-counts that draw rare transitions towards those of like states")] = 0.3

    # Learning

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        place = Place(run)
        records, share = pilot(data, weights, run.seed, PILOT)
        self.__dict__["coding"] = Coding.of(data.schema, records, share.numpy(), Grain(self.bins))
        states = self.coding.with_holes(self.coding.encode(records))
        self.__dict__["_shapes"] = self._plant(states, share, run.seed)
        rows = _Rows(self.coding, data, weights, run)
        begun: dict[str, Tensor] = {"step": torch.zeros(()), "top": torch.tensor(-torch.inf, dtype=torch.float64)}
        for t, shape in enumerate(self._shapes):
            counts = start(states[:, list(shape.order)], share, shape, mix(run.seed, t) % 2**31)
            begun |= {f"{name}.{t}": tensor for name, tensor in _named(counts).items()}
        begun |= {f"best.{name}": begun[name] for name in list(begun) if "." in name}

        def update(parameters: dict[str, Tensor]) -> Estimate:
            return self._pass(parameters, rows, run, place)

        checkpoints = Checkpoints(run.folder, self._fingerprint(data, weights, run)) if run.folder else None
        patience = PATIENCE if run.minutes is None else 2**62
        for progress, parameters in climb(
            begun, update, run, place, tolerance=1e-3, most=MOST, checkpoints=checkpoints, patience=patience
        ):
            self._set(parameters, "best.")
            yield progress

    def _plant(self, states: Tensor, share: Tensor, seed: int) -> list[Shape]:
        """The shape of each tree; the first is Chow and Liu's, the others those of a shaken mutual information."""
        sizes = self.coding.sizes_with_holes
        counts = PairCounts.of(states, sizes, share)
        told = mutual_information(counts, sizes)
        starts = np.cumsum([0, *sizes])
        rng = np.random.default_rng(mix(seed))
        hidden = max(2, min(self.states, len(states) // EACH))
        classes = latent_classes(states, share, sizes, max(2, hidden // 2), mix(seed, self.trees) % 2**31)
        kernels = []
        for i, axis in enumerate(self.coding.axes):
            places = axis.places()
            if places is not None and self.coding.hole[i] >= 0:
                places = np.append(places, np.nan)
            other = int(told[i].argmax()) if len(told) > 1 else i  # the variable that tells most about it
            fine = merged(states[:, other], classes, hidden, rng)
            pairs = torch.zeros(sizes[i] * hidden).index_add_(0, states[:, i] * hidden + fine, share.float())
            single = counts.table.diagonal()[starts[i] : starts[i + 1]].numpy()
            kernels.append(kernel(places, single, pairs.reshape(sizes[i], hidden).double().numpy()))
        shapes = []
        for t in range(self.trees):
            shaken = told if t == 0 else told * np.exp(LOOSE * _symmetric(rng.standard_normal(told.shape)))
            order, above = spanning_tree(shaken)
            at = {variable: i for i, variable in enumerate(order)}
            parents = tuple(-1 if variable < 0 else at[variable] for variable in above)
            shapes.append(
                Shape(tuple(order), parents, tuple(sizes[v] for v in order), tuple(kernels[v] for v in order), hidden)
            )
        return shapes

    def _pass(self, parameters: dict[str, Tensor], rows: _Rows, run: Run, place: Place) -> Estimate:
        """One pass of stepwise EM over the data, for all trees side by side."""
        step = int(parameters["step"])
        counts = [_expected(parameters, t) for t in range(self.trees)]
        whole: list[Expected | None] = [None] * self.trees
        least = min(1.0, MEMORY * rows.batch / max(1, rows.count)) * min(1.0, SETTLING / (step + 1))
        at = step * rows.per_pass

        def learn(t: int, batches: list[tuple[Tensor, Tensor]], at: int) -> None:
            shape = self._shapes[t]
            for i, (states, share) in enumerate(batches, start=at):
                tree = maximise(counts[t], shape, self.backing)
                mine, part = states[place.rank :: place.world, list(shape.order)], share[place.rank :: place.world]
                seen = total(iter([Expected.of(tree, mine, part)]), place)
                assert isinstance(seen, Expected)
                counts[t] = counts[t].blended(seen, max(least, (i + 2) ** -0.6))
                before = whole[t]
                whole[t] = seen if before is None else before + seen

        for batches in rows.batches(step):
            if place.world > 1:  # sums over processes come in one order
                for t in range(self.trees):
                    learn(t, batches, at)
            else:
                spread(functools.partial(learn, batches=batches, at=at), range(self.trees))
            at += len(batches)
        # what is judged and kept comes of all records, not of the last that the running counts remember
        seen_by = [counts[t] if c is None else c for t, c in enumerate(whole)]
        trees = [maximise(c, shape, self.backing) for c, shape in zip(seen_by, self._shapes, strict=True)]
        score = rows.judge(trees, self._shapes)
        out: dict[str, Tensor] = {"step": torch.tensor(float(step + 1))}
        for t, c in enumerate(counts):
            out |= {f"{name}.{t}": tensor for name, tensor in _named(c).items()}
        top = float(parameters["top"])
        if score >= top - MARGIN:
            states, share = rows.aside
            for t, (tree, shape) in enumerate(zip(trees, self._shapes, strict=True)):
                # once judged by them, the tree may learn from the records that were held out
                kept = seen_by[t] + Expected.of(tree, states[:, list(shape.order)], share) if rows.out else seen_by[t]
                out |= {f"best.{name}.{t}": tensor for name, tensor in _named(kept).items()}
        else:
            out |= {name: tensor for name, tensor in parameters.items() if name.startswith("best.")}
        out["top"] = torch.tensor(max(top, score), dtype=torch.float64)
        return Estimate(out, score)

    def _set(self, parameters: dict[str, Tensor], prefix: str) -> None:
        """Take the trees from running counts, with values and holes apart."""
        grown = []
        for t, shape in enumerate(self._shapes):
            tree = maximise(_expected(parameters, t, prefix), shape, self.backing).to(torch.float64)
            emissions, holes = [], []
            for variable, emission in zip(shape.order, tree.emissions, strict=True):
                value = emission[: self.coding.sizes[variable]]
                mass = value.sum(0)
                emissions.append(value / mass)
                holes.append(1 - mass if len(emission) > len(value) else torch.zeros_like(mass))
            edges = tuple(edge / edge.sum(1, keepdim=True) for edge in tree.edges)
            sharp = Tree(tree.parents, tree.prior / tree.prior.sum(), edges, tuple(emissions))
            grown.append(Grown(shape.order, sharp, tuple(holes)))
        self.__dict__.update(grown=tuple(grown), shares=torch.full((self.trees,), 1 / self.trees, dtype=torch.float64))


class _Rows:
    """The records as states: those that are learned from, in batches of a seeded order, and those held out."""

    def __init__(self, coding: Coding, data: Records | Scan, weights: np.ndarray | None, run: Run):
        self.coding, self.data, self.weights, self.seed = coding, data, weights, run.seed
        n = len(data)
        self.out = 0.0 if n < 100 else min(0.05, 10_000 / n)
        self.held: list[tuple[Tensor, Tensor]] | None = None
        if isinstance(data, Records):
            self.held = list(self._chunks())
        self.count = n
        self.batch = run.batch or max(16, min(LARGEST, n // BATCHES))
        self.per_pass = -(-n // self.batch)
        self.aside = self._aside()

    def _chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        at = 0
        for chunk in self.data.chunks():
            share = np.ones(len(chunk)) if self.weights is None else self.weights[at : at + len(chunk)]
            at += len(chunk)
            yield self.coding.with_holes(self.coding.encode(chunk)), torch.from_numpy(share)

    def _parts(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """States, weights, and which of them are held out, chunk by chunk."""
        for i, (states, share) in enumerate(self.held if self.held is not None else self._chunks()):
            rng = np.random.default_rng(mix(self.seed, i))
            yield states, share, torch.from_numpy(rng.random(len(states)) < self.out)

    def batches(self, step: int) -> Iterator[list[tuple[Tensor, Tensor]]]:
        """The batches of one pass, chunk by chunk."""
        for i, (states, share, out) in enumerate(self._parts()):
            rng = np.random.default_rng(mix(self.seed, step, i))
            mine = torch.from_numpy(rng.permutation(np.flatnonzero(~out.numpy() & (share.numpy() > 0))))
            yield [(states[rows], share[rows]) for rows in mine.split(self.batch) if len(rows)]

    def _aside(self) -> tuple[Tensor, Tensor]:
        """Those held out; all of them, where they are few."""
        kept = [(states[out], share[out]) for states, share, out in self._parts()]
        states, share = (torch.cat([pair[i] for pair in kept]) for i in (0, 1))
        if not len(states) or share.sum() == 0:
            return next((states, share) for states, share, _ in self._parts())
        return states, share

    def judge(self, trees: list[Tree], shapes: list[Shape]) -> float:
        """Mean log probability of the states held out, under the mixture of the trees."""
        states, share = self.aside

        def of(t: int) -> Tensor:
            blocks = states[:, list(shapes[t].order)].split(LARGEST)
            return torch.cat([upward(trees[t], likelihoods(trees[t], block)).log_prob for block in blocks])

        terms = spread(of, range(len(trees)))
        mixed = torch.stack(terms).logsumexp(0) - np.log(len(trees))
        return float((mixed * share).sum() / share.sum())


def _named(counts: Expected) -> dict[str, Tensor]:
    return {"prior": counts.prior, "edges": counts.edges, "emissions": counts.emissions, "weight": counts.weight}


def _expected(parameters: dict[str, Tensor], t: int, prefix: str = "") -> Expected:
    prior, edges, emissions, weight = (
        parameters[f"{prefix}{name}.{t}"] for name in ("prior", "edges", "emissions", "weight")
    )
    return Expected(prior, edges, emissions, torch.zeros((), dtype=torch.float64), weight)


def _symmetric(noise: np.ndarray) -> np.ndarray:
    return np.triu(noise, 1) + np.triu(noise, 1).T
