"""A chain of decision trees as a family: tables full of rules."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, final

import numpy as np
import torch
from annotated_types import Ge, Le, doc
from torch import Tensor

from pushforward.counts.chains.answers import Answers
from pushforward.counts.chains.chain_model import ChainModel
from pushforward.counts.chains.conditional import Conditional, Sample
from pushforward.counts.chains.digits import FEW, Digits, company
from pushforward.counts.chains.tellers import AtWill, InOrder
from pushforward.counts.trees.coding import Coding, Grain
from pushforward.counts.trees.ragged import join, part
from pushforward.data import Image, Records, Scan, Schema
from pushforward.errors import DataError
from pushforward.saving import shapes, skeleton
from pushforward.training.pilot import pilot
from pushforward.training.progress import Progress
from pushforward.training.randomness import mix
from pushforward.training.run import Run
from pushforward.training.threads import spread

MOST_PIXELS = 256
MOST = 500_000  # records that trees are grown on
HELD = 0.1  # share of them that says how far trees are to be trusted
EACH = 4  # records of a bin at least
CHAIN = "chain."  # beginning of the names of the trees, among what is saved


@final
@dataclass(kw_only=True, eq=False)
class TreeChain(ChainModel):
    """log p(x) = Σ_v log p(x_v | x_1 … x_{v-1}), each told by a decision tree: rows that keep the rules of a table.

    Fields come in the order of how little there is to tell of them (conditions first), so that what is a function of
    others comes where it can be told by them; ``order="random"`` makes chains that differ, for a `Blend`. A number is
    also seen beside the sum of others that is nearest to it. A leaf repeats what it saw (Reiter 2005, "Using CART to
    generate partially synthetic public use microdata"), but only as far as held-out records say that leaves like it
    can be trusted; the rest is left to the nodes above, so that the likelihood is a proper and exact one. Records are
    scored and drawn so; the score is exact even if one cell is a hole. Other trees, grown on records with some fields
    hidden, tell any fields from any others: evidence on later fields, ranges, sets and further holes go by those,
    which agree with the chain as far as both have learned.

    Of more than 500,000 records as many are drawn to grow trees on. The model keeps their cells, column by column.
    Pictures of more than 256 pixels, and texts, raise `DataError`.

    >>> import pushforward as pf
    >>> model = TreeChain().fit("penguins", seed=0)
    >>> model.sample(2, given={"island": "Dream"}, seed=0).column("island").to_pylist()
    ['Dream', 'Dream']
    """

    # growing is over when it is over
    _needless = ("minutes", "steps", "device", "precision", "batch", "folder", "checkpoint", "validation")
    _ordered: ClassVar[tuple[Conditional, ...]]
    _free: ClassVar[tuple[Conditional, ...]]

    bins: Annotated[int, Ge(4), Le(65_536), doc("most bins of a number")] = 4096
    fewest: Annotated[int, Ge(1), doc("records of a leaf, at least")] = 2
    order: Annotated[
        Literal["entropy", "random"], doc("fields with least to tell first, or in the order that the seed draws")
    ] = "entropy"

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        super()._check(rest, given)
        for picture in (*rest.of_kind(Image), *given.of_kind(Image)):
            if math.prod(picture.shape) > MOST_PIXELS:
                why = f"has {math.prod(picture.shape)} pixels, each of which would need trees that see all others"
                raise DataError(f"field {picture.name!r} {why}; at most {MOST_PIXELS}, or leave it out")

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        start = time.monotonic()
        records, share = pilot(data, weights, run.seed, MOST)
        schema, given = self.learning
        coding = Coding.of(schema, records, share.numpy(), Grain(self.bins, None, EACH))
        states = coding.with_holes(coding.encode(records)).numpy()
        coding, states = self._in_order(coding, states, share.numpy(), given, run.seed)
        self.__dict__["_coding"] = coding
        sample, told = _samples(states, share.numpy() / float(share.mean()), run.seed)
        sizes, places = coding.sizes_with_holes, [axis.places() for axis in coding.axes]
        digits = [_digits(sample, v, sizes, places[v], coding.sizes[v]) for v in range(len(sizes))]
        found: dict[tuple[str, int], Conditional] = {}
        tasks = [(kind, v) for v in range(len(sizes)) for kind in ("ordered", "free")]

        def grow(task: tuple[str, int]) -> Conditional:
            kind, v = task
            records, others = (sample, range(v)) if kind == "ordered" else (told, _all_but(v, len(sizes)))
            seed = mix(run.seed, v, kind == "free")
            return Conditional.learned(records, v, others, digits[v], places, sizes, self.fewest, seed)

        together = max(1, torch.get_num_threads())
        for at in range(0, len(tasks), together):
            batch = tasks[at : at + together]
            with warnings.catch_warnings():  # a leaf may know as many labels as records, which is no mistake here
                warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
                found |= dict(zip(batch, spread(grow, batch), strict=True))
            yield Progress("trees", min(at + together, len(tasks)), {}, time.monotonic() - start)
        self.__dict__["_ordered"], self.__dict__["_free"] = (
            tuple(found[kind, v] for v in range(len(sizes))) for kind in ("ordered", "free")
        )

    def _in_order(
        self, coding: Coding, states: np.ndarray, weight: np.ndarray, given: Collection[str], seed: int
    ) -> tuple[Coding, np.ndarray]:
        """Conditions before all others, and each by rising entropy, or as chance has it."""
        chance = np.random.default_rng(mix(seed, 5)).random(len(states.T))
        key = [_entropy(np.bincount(column, weight)) for column in states.T] if self.order == "entropy" else chance
        places = {name: coding.positions(name) for name in coding.schema.names}
        rank = {name: (name not in given, np.mean([key[v] for v in at])) for name, at in places.items()}
        names = sorted(places, key=rank.__getitem__)
        order = [v for name in names for v in places[name]]
        schema = Schema(tuple(coding.schema[name] for name in names))
        return Coding(schema, tuple(coding.axes[v] for v in order)), states[:, order]

    @property
    def _answers(self) -> Answers:
        return Answers(Trees(self._ordered), Others(self._free, self._coding.sizes_with_holes), self._coding.sizes)

    # State

    def _measured(self) -> dict[str, Any]:
        return {"shapes": shapes(self._state()), "order": list(self._coding.schema.names)}

    def _state(self) -> dict[str, Tensor]:
        every = [conditional.arrays() for conditional in (*self._ordered, *self._free)]
        return self._coding.tensors() | {CHAIN + name: join([arrays[name] for arrays in every]) for name in every[0]}

    def _skeleton(self) -> dict[str, Tensor]:
        return skeleton(self.measurements["shapes"])

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        coding = Coding.of_tensors(Schema(tuple(self.schema[name] for name in self.measurements["order"])), state)
        sizes = coding.sizes_with_holes
        names = [name.removeprefix(CHAIN) for name in state if name.startswith(CHAIN)]
        every = [
            Conditional.of_arrays({name: part(state[CHAIN + name], i) for name in names}, sizes)
            for i in range(2 * len(sizes))
        ]
        self.__dict__.update(_coding=coding, _ordered=tuple(every[: len(sizes)]), _free=tuple(every[len(sizes) :]))


@dataclass(frozen=True)
class Trees(InOrder):
    """Each variable by trees that see those before it."""

    conditionals: tuple[Conditional, ...]

    def log_prob(self, states: Tensor, values: Sequence[int]) -> Tensor:
        told = states.numpy()
        out = np.zeros(told.shape)
        for v, conditional in enumerate(self.conditionals):
            out[:, v] = conditional.log_prob(told, np.clip(told[:, v], 0, values[v] - 1))
            if len(conditional.digits.group) > values[v]:  # that a cell is no hole is not part of the score
                out[:, v] -= conditional.log_whole(told)
        return torch.from_numpy(out)

    def draw(self, states: Tensor, generator: torch.Generator, barred: Sequence[int]) -> Tensor:
        told, rng = states.numpy().copy(), _rng(generator)
        for v, conditional in enumerate(self.conditionals):
            rows = np.flatnonzero(told[:, v] < 0)
            if len(rows):
                told[rows, v] = conditional.draw(told[rows], rng, barred[v])
        return torch.from_numpy(told)


@dataclass(frozen=True)
class Others(AtWill):
    """Each variable by trees that see whichever others are known."""

    conditionals: tuple[Conditional, ...]
    sizes: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        return self.sizes

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def of(self, states: Tensor, v: int) -> Tensor:
        return torch.from_numpy(np.log(self.conditionals[v].table(states.numpy())))

    def log_prob(self, states: Tensor, v: int, value: Tensor, values: int) -> Tensor:
        told, conditional = states.numpy(), self.conditionals[v]
        out = conditional.log_prob(told, np.clip(value.numpy(), 0, values - 1))
        return torch.from_numpy(out - conditional.log_whole(told) if self.sizes[v] > values else out)

    def draw(self, states: Tensor, v: int, generator: torch.Generator, barred: int) -> Tensor:
        return torch.from_numpy(self.conditionals[v].draw(states.numpy(), _rng(generator), barred))


def _rng(generator: torch.Generator) -> np.random.Generator:
    return np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))


def _all_but(v: int, count: int) -> list[int]:
    return [u for u in range(count) if u != v]


def _entropy(mass: np.ndarray) -> float:
    p = mass[mass > 0] / mass.sum()
    return float(-(p * np.log(p)).sum())


def _samples(states: np.ndarray, weight: np.ndarray, seed: int) -> tuple[Sample, Sample]:
    """Records as they are, and with a random number of random fields hidden."""
    rng = np.random.default_rng(mix(seed, 3))
    n, count = states.shape
    held = np.zeros(n, bool)
    held[rng.permutation(n)[: int(np.ceil(HELD * n))]] = n > 1
    known = rng.random((n, count)).argsort(1).argsort(1) < rng.integers(0, count, (n, 1))
    return Sample(states, states, weight, held), Sample(states, np.where(known, states, -1), weight, held)


def _digits(sample: Sample, v: int, sizes: Sequence[int], places: np.ndarray | None, values: int) -> Digits:
    """Numbers in their order, levels by the company they keep."""
    if sizes[v] <= FEW:
        order = np.arange(sizes[v])
    elif places is None:
        order = company(sample.states, sample.weight, v, sizes)
    else:
        order = np.concatenate([np.argsort(places, kind="stable"), np.arange(values, sizes[v])])
    counts = np.bincount(sample.states[:, v], sample.weight, minlength=sizes[v])
    return Digits.of(order, counts, sizes[v] - values)
