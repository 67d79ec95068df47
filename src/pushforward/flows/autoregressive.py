"""Tables field after field, as a family."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt, doc
from torch import Tensor, nn

from pushforward.counts.trees.coding import Codes, Coding
from pushforward.data import Category, Image, Records, Schema, Text
from pushforward.data.holes import hide
from pushforward.errors import DataError
from pushforward.evidence import Evidence
from pushforward.flows.tables.free import Free
from pushforward.flows.tables.ordered import Ordered
from pushforward.flows.tables.states import drawn, uniform
from pushforward.joint import JointModel
from pushforward.neural import NeuralModel
from pushforward.training.player import Player, adam
from pushforward.training.randomness import generator as seeded
from pushforward.training.randomness import moved

BLOCK, HELD = 8192, 1 << 26  # records that go through a network together, and numbers that they may be
CODED = "coding."  # beginning of the names of what states are, among what is saved
CANDIDATES = 32  # draws that several ranges or sets are told from
RARER = 3  # the second network learns in every so-manieth step
PATHS = 64  # over which the probability of several ranges or sets at once is a mean


class Tables(nn.Module):
    """Both networks of a table.

    Args:
        sizes: states of each variable, in the order in which they are drawn.
        options: width, layers and dropout of both.
    """

    def __init__(self, sizes: list[int], options: Mapping[str, Any]):
        super().__init__()
        self.ordered, self.free = Ordered(sizes, **options), Free(sizes, **options)


@dataclass(kw_only=True, eq=False)
class Autoregressive(JointModel, NeuralModel):
    """log p(x) = Σ_v log p(x_v | x_1 … x_{v-1}): fields drawn one after another, each from those before it.

    A field is a few states (levels, frequent values, bins, a hole) and an exact distribution of the values within each,
    as in a `DependencyTree`. One network tells every state from the states before it, in the order of the fields with
    conditions first: records are scored and drawn by it, exactly so if one cell is a hole. Another, trained beside it,
    tells any fields from any others: evidence on other fields, ranges, sets and further holes go by that one.

    >>> model = Autoregressive(width=32).fit("penguins", steps=30, seed=0)
    >>> model.sample(2, given={"island": "Dream"}, seed=0).column("island").to_pylist()
    ['Dream', 'Dream']
    """

    network: ClassVar[Tables]
    _coding: ClassVar[Coding]

    bins: Annotated[int, Ge(4), Le(4096), doc("bins of a number, at most")] = 64
    width: Annotated[int, Ge(4), doc("hidden units of a layer")] = 384
    layers: Annotated[int, Ge(1), Le(64), doc("hidden layers")] = 3
    dropout: Annotated[float, Ge(0), Lt(1), doc("share of hidden units left out in training")] = 0.4
    weight_decay: Annotated[float, Ge(0), doc("of all weights, as a share of the learning rate")] = 0.3
    lr: Annotated[float, Gt(0), doc("learning rate")] = 1e-3

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        for field in (*rest.of_kind(Text), *given.of_kind(Text)):
            raise DataError(f"field {field.name!r} is text, which has no states; leave it out")
        for picture in (*rest.of_kind(Image), *given.of_kind(Image)):
            if picture.missing:
                raise DataError(f"field {picture.name!r} lacks pictures, which no pixel tells; leave those records out")

    def _survey(self, first: Callable[[], tuple[Records, np.ndarray | None]]) -> None:
        schema, given = self.learning
        records, weights = first()
        share = np.ones(len(records)) if weights is None else weights
        self.__dict__["_coding"] = Coding.of(_in_order(schema, given), records, share, self.bins)

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        options = {"width": self.width, "layers": self.layers, "share": self.dropout}
        return Tables(self._sizes(), options)

    def _sizes(self) -> list[int]:
        """States of each variable, one more where it may be a hole."""
        return list(self._coding.sizes_with_holes if "_coding" in self.__dict__ else self.measurements["sizes"])

    def _measured(self) -> dict[str, Any]:
        shapes = {name: list(tensor.shape) for name, tensor in self._coding.tensors().items()}
        return {"sizes": self._sizes(), "shapes": shapes}

    @property
    def _rows(self) -> int:
        """Records that go through a network together."""
        return max(1, min(BLOCK, HELD // sum(self._sizes())))

    def _batch_size(self) -> int:
        return 512

    def _tensors(self, records: Records) -> dict[str, Tensor]:
        return {"states": self._states(self._coding.encode(records))}

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        """Both networks begin with the shares of the states."""
        states, weight = tensors["states"], tensors.get("weight")
        counts = [
            torch.bincount(column, weight, minlength=size).float() + 0.5
            for column, size in zip(states.T, self._sizes(), strict=True)
        ]
        for part in (self.network.ordered, self.network.free):
            part.last.bias.data.copy_(torch.cat([(count / count.sum()).log() for count in counts]))
        self.network.to(self.device)

    def players(self) -> list[Player]:
        """Two that never meet: fields in order, and any fields from any others."""
        make = adam(self.lr, weight_decay=self.weight_decay)
        return [
            Player("ordered", self.network.ordered, self._in_order, make),
            Player("free", self.network.free, self._at_will, make, every=RARER),
        ]

    def _in_order(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        part, states = self.network.ordered, batch["states"]
        return _mean(part.states.surprise(part(states), states).sum(1), batch)

    def _at_will(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        return _mean(self.network.free.loss(batch["states"], generator), batch)

    # Likelihood

    def _log_evidence(self, evidence: Evidence) -> Tensor:
        return self._log_beside(evidence, frozenset())

    def _log_rest(self, evidence: Evidence) -> Tensor:
        conditions = self._variables(self.given)
        if not conditions:
            return self._log_evidence(evidence)
        told = evidence.only(self.schema, self.given)
        states = self._states(self._coding.encode(told.over(self.schema)))
        if told.limits or bool((states[:, sorted(conditions)] < 0).any()):
            return self._log_evidence(evidence) - self._log_evidence(told)
        return self._log_beside(evidence, conditions)

    def _states(self, codes: Codes) -> Tensor:
        """(n, V) states, a hole the last one of its variable where it may be one, else -1."""
        may = torch.tensor(self._coding.hole) >= 0
        return torch.where((codes.states < 0) & may, torch.tensor(self._coding.sizes), codes.states)

    @torch.no_grad()
    def _log_beside(self, evidence: Evidence, conditions: frozenset[int]) -> Tensor:
        """(n,) log probability of what is known beside conditions, given what is known of those."""
        codes, masses, _ = self._known(evidence)
        whole = self._states(codes)
        for v in conditions:  # a condition that is a hole is known to be one
            codes.states[:, v] = whole[:, v]
        unknown = codes.states < 0
        out = torch.zeros(len(codes), dtype=torch.float64)
        count = torch.full((len(codes),), 2) if masses else unknown.sum(1)
        for rows in _pieces((count == 0).nonzero()[:, 0], self._rows):
            out[rows] = self._scored(codes.states[rows], conditions)
        for v in range(unknown.shape[1]):
            alone = (count == 1) & unknown[:, v]
            for rows in _pieces(alone.nonzero()[:, 0], self._rows // self._coding.sizes[v]):
                out[rows] = self._summed(codes.states[rows], v, conditions)
        for rows in _pieces((count > 1).nonzero()[:, 0], self._rows // PATHS):
            out[rows] = self._told(codes.states[rows], masses, conditions)
        return out + codes.within - self._within(evidence, conditions)

    def _within(self, evidence: Evidence, conditions: frozenset[int]) -> Tensor:
        """(n,) what conditions have within their states, which is no part of the score of the rest."""
        if not conditions:
            return torch.zeros(len(evidence), dtype=torch.float64)
        return self._coding.encode(evidence.only(self.schema, self.given).over(self.schema)).within

    def _summed(self, states: Tensor, v: int, conditions: frozenset[int]) -> Tensor:
        """(n,) the same of records in which one variable more is unknown, over all its states."""
        size = self._coding.sizes[v]
        each = states.repeat_interleave(size, 0)
        each[:, v] = torch.arange(size).repeat(len(states))
        return self._scored(each, conditions).view(-1, size).logsumexp(1)

    def _scored(self, states: Tensor, conditions: frozenset[int]) -> Tensor:
        """(n,) log p(rest | conditions) of records in which nothing but conditions is unknown."""
        part, full = self.network.ordered, states.to(self.device)
        total = torch.zeros(len(states), dtype=torch.float64, device=self.device)
        for v, logits in enumerate(part.states.each(part(full))):
            if v not in conditions:
                # that a cell is no hole is not part of the score
                logits = logits[:, : self._coding.sizes[v]]
                total += logits.double().log_softmax(1).gather(1, full[:, v : v + 1])[:, 0]
        return total.cpu()

    def _told(self, states: Tensor, masses: Mapping[int, Tensor], conditions: frozenset[int]) -> Tensor:
        """(n,) log probability of what is known of the rest, and of what limits leave."""
        part, states = self.network.free, states.to(self.device)
        known, total = torch.full_like(states, -1), torch.zeros(len(states), dtype=torch.float64, device=self.device)
        for v in sorted(range(states.shape[1]), key=lambda v: v not in conditions):
            if v in masses or not bool((states[:, v] >= 0).any()):
                continue
            there = states[:, v] >= 0
            if v not in conditions:
                logits = part.of(known, v)[:, : self._coding.sizes[v]].double()
                found = logits.log_softmax(1).gather(1, states[:, v : v + 1].clamp_min(0))[:, 0]
                total += torch.where(there, found, 0.0)
            known[:, v] = states[:, v]
        if masses:
            paths = 1 if len(masses) == 1 else PATHS
            many, source = known.repeat_interleave(paths, 0), seeded(0, device=self.device)
            # the paths of every record are drawn alike, so that it scores the same in any company
            us = [torch.rand(paths, 1, generator=source, device=self.device).repeat(len(states), 1) for _ in masses]
            _, weight = self._limited(many, masses, us)
            total += weight.view(-1, paths).logsumexp(1) - math.log(paths)
        return total.cpu()

    def _limited(self, states: Tensor, masses: Mapping[int, Tensor], us: list[Tensor]) -> tuple[Tensor, Tensor]:
        """States with those under limits drawn within them, and (n,) log of how probable the limits were on the way.

        Args:
            states: (n, V).
            masses: by variable, how much of each state is left.
            us: for each of them (n, 1) uniform numbers.
        """
        part, states = self.network.free, states.clone()
        total = torch.zeros(len(states), dtype=torch.float64, device=self.device)
        for (v, mass), u in zip(sorted(masses.items()), us, strict=True):
            allowed = self._mass(v, mass)
            logits = part.of(states, v).double()
            if float(mass[-1]) == 0:  # what may not be a hole is asked about as a value
                logits = logits[:, : self._coding.sizes[v]]
            logits = logits.log_softmax(1) + allowed.log()[: logits.shape[1]]
            total += logits.logsumexp(1)
            states[:, v] = drawn(logits, u)
        return states, total

    def _mass(self, v: int, mass: Tensor) -> Tensor:
        """(S_v,) how much of each state of a variable a limit leaves, a hole's the last where it may be one."""
        size = self._coding.sizes[v]
        return (mass if self._sizes()[v] > size else mass[:size]).to(self.device)

    # Draws

    @torch.no_grad()
    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        codes, masses, limited = self._known(evidence)
        generator = moved(generator, self.device)
        states = torch.empty_like(codes.states)
        known = codes.states >= 0
        first = known.sum(1)
        # a first part that is known, and nothing else: conditions, or nothing at all
        in_order = (known == (torch.arange(known.shape[1]) < first[:, None])).all(1) & (not masses)
        barred = [0 if holes else int(size > own) for size, own in zip(self._sizes(), self._coding.sizes, strict=True)]
        for rows in _pieces(in_order.nonzero()[:, 0], self._rows):
            part = codes.states[rows].to(self.device)
            states[rows] = self.network.ordered.draw(part, generator, barred).cpu()
        most = self._rows // CANDIDATES if len(masses) > 1 else self._rows
        for rows in _pieces((~in_order).nonzero()[:, 0], most):
            states[rows] = self._at_liberty(codes.states[rows].to(self.device), masses, generator, barred).cpu()
        return self._decoded(states, limited, generator)

    def _at_liberty(
        self, states: Tensor, masses: Mapping[int, Tensor], generator: torch.Generator, barred: list[int]
    ) -> Tensor:
        """States with what is unknown drawn, one variable after another, from all that is known by then."""
        if masses:
            states = self._within_limits(states, masses, generator)
        part = self.network.free
        for v in range(states.shape[1]):
            rows = (states[:, v] < 0).nonzero()[:, 0]
            if len(rows):
                logits = part.of(states[rows], v)
                logits = logits[:, : logits.shape[1] - barred[v]]
                states[rows, v] = drawn(logits, uniform(logits, generator))
        return states

    def _within_limits(self, states: Tensor, masses: Mapping[int, Tensor], generator: torch.Generator) -> Tensor:
        if len(masses) == 1:
            return self._limited(states, masses, [uniform(states, generator)])[0]
        # drawn one after another they would not know of the limits to come: the more probable of many paths are taken
        n = len(states)
        many = states.repeat_interleave(CANDIDATES, 0)
        paths, weight = self._limited(many, masses, [uniform(many, generator) for _ in masses])
        weight = weight.view(n, CANDIDATES)
        chosen = drawn(weight, uniform(weight, generator))
        return paths.view(n, CANDIDATES, -1)[torch.arange(n, device=paths.device), chosen]

    def _decoded(self, states: Tensor, coding: Coding, generator: torch.Generator) -> Records:
        """Records of states, in the order of the schema."""
        sizes = torch.tensor(self._coding.sizes)
        gone = states >= sizes
        holes = torch.zeros(len(states), len(coding.cells.may_miss), dtype=torch.bool)
        for v, at in enumerate(coding.hole):
            if at >= 0:
                holes[:, at] = gone[:, v]
        seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
        found = coding.decode(torch.where(gone, 0, states), holes, seed)
        return Records(self.schema, found.table.select(self.schema.names))

    # Other verbs

    @torch.no_grad()
    def _predict_proba(self, records: Records, field: str) -> Tensor:
        target = self.schema[field]
        assert isinstance(target, Category)
        (v,) = self._coding.positions(field)
        codes = self._coding.encode(hide(records, [field]))
        state, within = self._coding.axes[v].encode(np.arange(len(target.values)))
        out = []
        for rows in torch.arange(len(codes)).split(self._rows):
            logits = self.network.free.of(codes.states[rows].to(self.device), v)[:, : self._coding.sizes[v]]
            out.append(logits.double().softmax(1).cpu()[:, torch.from_numpy(state)] * torch.from_numpy(np.exp(within)))
        return torch.cat(out)

    # What is known, as states

    def _known(self, evidence: Evidence) -> tuple[Codes, dict[int, Tensor], Coding]:
        """States where they are known, by variable how much of each state limits leave, and the coding within them."""
        codes = self._coding.encode(evidence.over(self.schema))
        limited, masses = self._coding.limited(evidence.limits)
        for name, limit in evidence.limits.items():
            (v,) = self._coding.positions(name)
            masses[v] = torch.cat([masses[v], torch.tensor([float(limit.hole)], dtype=torch.float64)])
        return codes, masses, limited

    def _variables(self, names: tuple[str, ...]) -> frozenset[int]:
        return frozenset(v for name in names for v in self._coding.positions(name))

    # State

    def _state(self) -> dict[str, Tensor]:
        return super()._state() | {CODED + name: tensor for name, tensor in self._coding.tensors().items()}

    def _skeleton(self) -> dict[str, Tensor]:
        shapes = self.measurements["shapes"].items()
        coding = {CODED + name: torch.empty(shape, dtype=torch.float64, device="meta") for name, shape in shapes}
        return super()._skeleton() | coding

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        coded = {name.removeprefix(CODED): tensor for name, tensor in state.items() if name.startswith(CODED)}
        self.__dict__["_coding"] = Coding.of_tensors(_in_order(self.schema, self.given), coded)
        super()._restore({name: tensor for name, tensor in state.items() if not name.startswith(CODED)}, device)


def _in_order(schema: Schema, given: Collection[str]) -> Schema:
    """Conditions first."""
    return Schema((*schema.select(given), *schema.without(given)))


def _mean(terms: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    return (terms * batch["weight"]).mean() if "weight" in batch else terms.mean()


def _pieces(rows: Tensor, most: int) -> Iterator[Tensor]:
    if len(rows):
        yield from rows.split(max(1, most))
