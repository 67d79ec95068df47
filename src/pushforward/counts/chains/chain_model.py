"""What families share that tell fields one after another: evidence as states, scores, draws, predictions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from pushforward.counts.chains.answers import Answers
from pushforward.counts.trees.coding import Coding
from pushforward.data import Category, Image, Records, Schema, Text
from pushforward.data.holes import hide
from pushforward.errors import DataError
from pushforward.evidence import Evidence
from pushforward.joint import JointModel
from pushforward.training.randomness import moved


@dataclass(kw_only=True, eq=False)
class ChainModel(JointModel):
    """log p(x) = Σ_v log p(x_v | x_1 … x_{v-1}), on states, with an exact density within each."""

    _coding: ClassVar[Coding]

    @property
    @abstractmethod
    def _answers(self) -> Answers:
        """What is learned, as it is asked."""

    def _check(self, rest: Schema, given: Schema) -> None:
        for field in (*rest.of_kind(Text), *given.of_kind(Text)):
            raise DataError(f"field {field.name!r} is text, which has no states; leave it out")
        for picture in (*rest.of_kind(Image), *given.of_kind(Image)):
            if picture.missing:
                raise DataError(f"field {picture.name!r} lacks pictures, which no pixel tells; leave those records out")

    # Likelihood

    @torch.no_grad()
    def _log_evidence(self, evidence: Evidence) -> Tensor:
        codes, masses, _ = self._coding.known(evidence)
        return self._answers.log_prob(codes.states, masses) + codes.within

    # Draws

    @torch.no_grad()
    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        codes, masses, limited = self._coding.known(evidence)
        generator = moved(generator, self._answers.device)
        return self._decoded(self._answers.draw(codes.states, masses, generator, holes=holes), limited, generator)

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
        for rows in torch.arange(len(codes)).split(self._answers.rows):
            logits = self._answers.free.of(codes.states[rows].to(self._answers.device), v)[:, : self._coding.sizes[v]]
            out.append(logits.double().softmax(1).cpu()[:, torch.from_numpy(state)] * torch.from_numpy(np.exp(within)))
        return torch.cat(out)


def conditions_first(schema: Schema, given: Collection[str]) -> Schema:
    """The order in which fields are told."""
    return Schema((*schema.select(given), *schema.without(given)))
