"""What families of trees share: evidence as likelihoods of states, draws, predictions, tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from pushforward.counts.trees.coding import Codes, Coding
from pushforward.counts.trees.ragged import join, part
from pushforward.counts.trees.tree import Tree, draw, posteriors, upward
from pushforward.data import Category, Records, Schema, Text
from pushforward.data.holes import hide
from pushforward.errors import DataError
from pushforward.evidence import Evidence
from pushforward.joint import JointModel
from pushforward.saving import shapes, skeleton

BLOCK = 1 << 24  # likelihoods held at once


@dataclass(frozen=True)
class Grown:
    """A tree over all variables of a coding.

    Attributes:
        order: the variable that each position of the tree stands for.
        tree: its emissions are of values.
        holes: for each position, (K,) probability of a hole given the hidden state.
    """

    order: tuple[int, ...]
    tree: Tree
    holes: tuple[Tensor, ...]


@dataclass(kw_only=True, eq=False)
class TreeModel(JointModel):
    """A weighted sum of trees over the discrete states of all fields."""

    coding: ClassVar[Coding]
    grown: ClassVar[tuple[Grown, ...]]
    shares: ClassVar[Tensor]

    def _check(self, rest: Schema, given: Schema) -> None:
        for field in (*rest.of_kind(Text), *given.of_kind(Text)):
            raise DataError(f"field {field.name!r} is text, which a tree cannot model; leave it out")

    # Evidence

    def _log_evidence(self, evidence: Evidence) -> Tensor:
        codes, masses, _ = self.coding.known(evidence)
        out = []
        for rows in self._blocks(len(codes)):
            terms = [upward(g.tree, self._likelihoods(g, codes, masses, rows)).log_prob for g in self.grown]
            joint = torch.stack(torch.broadcast_tensors(*terms))
            joint = joint + self.shares.log()[:, None]
            out.append(joint.logsumexp(0) + codes.within[rows])
        return torch.cat(out)

    def _likelihoods(self, grown: Grown, codes: Codes, masses: Mapping[int, Tensor], rows: slice) -> list[Tensor]:
        """For each position, the likelihood of what is known: (n, K), or (1, K) where it is the same for all."""
        out = []
        for at, variable in enumerate(grown.order):
            emission, holes = grown.tree.emissions[at], grown.holes[at]
            if variable in masses:
                *value, hole = masses[variable].split([len(emission), 1])
                seen = value[0] @ emission
                if self.coding.hole[variable] >= 0 and hole > 0:
                    # among None: a hole, or one of the values and no hole
                    seen = seen * (1 - holes) + hole * holes
                out.append(seen[None])
                continue
            states = codes.states[rows, variable]
            if bool((states == states[:1]).all()):
                states = states[:1]
            padded = torch.cat([emission, torch.ones_like(emission[:1])])
            out.append(padded[states])
        return out

    def _blocks(self, n: int) -> Iterator[slice]:
        """Rows, as many at a time as fit the memory."""
        widest = max(len(grown.tree.prior) * len(grown.tree) for grown in self.grown)
        size = max(256, BLOCK // widest)
        return (slice(at, min(at + size, n)) for at in range(0, n, size))

    # Draws

    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        codes, masses, limited = self.coding.known(evidence)
        states = torch.empty((len(codes), len(limited.axes)), dtype=torch.int64)
        missing = torch.zeros_like(codes.holes)
        for rows in self._blocks(len(codes)):
            states[rows], missing[rows] = self._drawn(codes, masses, rows, generator)
        if not holes:
            missing[:] = False
        seed = int(torch.randint(2**62, (1,), generator=generator))
        return limited.decode(states, missing, seed)

    def _drawn(
        self, codes: Codes, masses: Mapping[int, Tensor], rows: slice, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """States and holes of a block of records."""
        n = rows.stop - rows.start
        known = [self._likelihoods(g, codes, masses, rows) for g in self.grown]
        terms = [upward(g.tree, k).log_prob for g, k in zip(self.grown, known, strict=True)]
        weight = (torch.stack(torch.broadcast_tensors(*terms)) + self.shares.log()[:, None]).T  # (n or 1, T)
        probable = (weight - weight.amax(1, keepdim=True)).exp()
        chosen = torch.multinomial(probable.expand(n, -1), 1, generator=generator)[:, 0]
        states, missing = codes.states[rows].clone(), torch.zeros_like(codes.holes[rows])
        for t, grown in enumerate(self.grown):
            mine = (chosen == t).nonzero()[:, 0]
            if not len(mine):
                continue
            part_known = [k if len(k) == 1 else k[mine] for k in known[t]]
            hidden = draw(grown.tree, part_known, len(mine), generator)
            for at, variable in enumerate(grown.order):
                states[mine, variable], gone = self._seen(
                    grown, at, hidden[at], states[mine, variable], masses.get(variable), generator
                )
                if gone is not None:
                    missing[mine, self.coding.hole[variable]] = gone
        return states, missing

    def _seen(
        self, grown: Grown, at: int, hidden: Tensor, states: Tensor, mass: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """States of one variable given its hidden ones, where they are not known, and where it is a hole."""
        variable = grown.order[at]
        emission = grown.tree.emissions[at]
        weights = emission.T if mass is None else emission.T * mass[: len(emission)]
        if bool((states < 0).any()):
            total = weights.cumsum(1)
            total = total / total[:, -1:].clamp_min(1e-290)
            line = (total + torch.arange(len(total))[:, None]).reshape(-1)
            u = torch.rand(len(hidden), generator=generator, dtype=torch.float64)
            drawn = torch.searchsorted(line, hidden + u, right=True) - hidden * total.shape[1]
            states = torch.where(states < 0, drawn.clamp(0, total.shape[1] - 1), states)
        if self.coding.hole[variable] < 0:
            return states, None
        holes = grown.holes[at][hidden]
        if mass is not None:  # a hole only where it is among what may be
            left = weights.sum(1)[hidden] * (1 - holes)
            gone = holes * mass[-1]
            holes = gone / (gone + left).clamp_min(1e-290)
        u = torch.rand(len(hidden), generator=generator, dtype=torch.float64)
        return states, u < holes

    # Other verbs

    def _predict_proba(self, records: Records, field: str) -> Tensor:
        target = self.schema[field]
        assert isinstance(target, Category)
        (variable,) = self.coding.positions(field)
        codes = self.coding.encode(hide(records, [field]))
        axis_states, share = self._level_shares(variable, len(target.values))
        out = []
        for rows in self._blocks(len(codes)):
            weights = []
            for grown in self.grown:
                up = upward(grown.tree, self._likelihoods(grown, codes, {}, rows))
                at = grown.order.index(variable)
                hidden = posteriors(grown.tree, up)[at]
                weights.append((up.log_prob, hidden @ grown.tree.emissions[at].T))
            terms = torch.stack(torch.broadcast_tensors(*[w for w, _ in weights])) + self.shares.log()[:, None]
            chance = terms.softmax(0)
            total = torch.stack([chance[t][:, None] * levels for t, (_, levels) in enumerate(weights)]).sum(0)
            n = rows.stop - rows.start
            out.append((total[:, axis_states] * share).expand(n, -1))
        return torch.cat(out)

    def _level_shares(self, variable: int, levels: int) -> tuple[Tensor, Tensor]:
        """The state of each level, and its share of it."""
        states, within = self.coding.axes[variable].encode(np.arange(levels))
        return torch.from_numpy(states), torch.from_numpy(np.exp(within))

    # State

    def _measured(self) -> dict[str, Any]:
        return {"shapes": shapes(self._state())}

    def _skeleton(self) -> dict[str, Tensor]:
        return skeleton(self.measurements["shapes"])

    def _state(self) -> dict[str, Tensor]:
        arrays = {"orders": [np.asarray(g.order) for g in self.grown]}
        arrays["parents"] = [np.asarray(g.tree.parents) for g in self.grown]
        arrays["priors"] = [g.tree.prior.numpy() for g in self.grown]
        arrays["edges"] = [e.numpy() for g in self.grown for e in g.tree.edges]
        arrays["emissions"] = [e.numpy() for g in self.grown for e in g.tree.emissions]
        arrays["holes"] = [h.numpy() for g in self.grown for h in g.holes]
        trees = {f"trees.{name}": join(values) for name, values in arrays.items()}
        return {"shares": self.shares, **trees, **self.coding.tensors()}

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        coding, trees = Coding.of_tensors(self.schema, state), []
        count = len(coding.axes)
        for t in range(len(state["shares"])):
            order, parents = (part(state[f"trees.{name}"], t).astype(int) for name in ("orders", "parents"))
            emissions = [part(state["trees.emissions"], t * count + i) for i in range(count)]
            tables = [e.reshape(coding.sizes[v], -1) for e, v in zip(emissions, order, strict=True)]
            edges = [part(state["trees.edges"], t * (count - 1) + i) for i in range(count - 1)]
            widths = [table.shape[1] for table in tables]
            shaped = [edge.reshape(-1, width) for edge, width in zip(edges, widths[1:], strict=True)]
            holes = [part(state["trees.holes"], t * count + i) for i in range(count)]
            tree = Tree(
                tuple(parents.tolist()),
                _tensor(part(state["trees.priors"], t)),
                tuple(map(_tensor, shaped)),
                tuple(map(_tensor, tables)),
            )
            trees.append(Grown(tuple(order.tolist()), tree, tuple(map(_tensor, holes))))
        self.__dict__.update(coding=coding, grown=tuple(trees), shares=state["shares"])


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float64)).clone()  # aligned as torch does
