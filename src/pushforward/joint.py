"""What all families share that hold the joint distribution of all fields, so that any of them can be known."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pushforward.data import Records
from pushforward.data.holes import overlay
from pushforward.evidence import Evidence
from pushforward.model import Model


@dataclass(kw_only=True, eq=False)
class JointModel(Model):
    """A family that answers for any evidence: values, ranges and sets of any fields, the others marginalised.

    A family says how probable evidence is, and draws whole records from the conditional distribution.
    """

    wanted: ClassVar[tuple[str, str]] = ("a model of the joint distribution", "tree-mixture")

    @abstractmethod
    def _log_evidence(self, evidence: Evidence) -> Tensor:
        """(n,) log probability of what is known of each record, in the units of the data."""

    @abstractmethod
    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        """Records from the distribution given the evidence; with or without holes where nothing is known.

        What is known of the records need not be repeated exactly: it is laid over what was drawn.
        """

    def _allowed(self) -> tuple[Collection[str], str]:
        return self.schema.names, ""

    def _log_prob(self, records: Records) -> Tensor:
        return torch.cat([self._log_rest(Evidence(chunk)) for chunk in records.chunks()])

    def _log_rest(self, evidence: Evidence) -> Tensor:
        """(n,) log p(what is known of the rest | what is known of the conditions)."""
        out = self._log_evidence(evidence)
        return out - self._log_evidence(evidence.only(self.schema, self.given)) if self.given else out

    def _sample(self, n: int, given: Evidence | None, generator: torch.Generator) -> Records:
        evidence = given or Evidence.nothing(self.schema, n)
        return overlay(self._draw(evidence, generator, holes=True), evidence.values)

    def _complete(self, records: Records, generator: torch.Generator) -> Records:
        pieces = [overlay(self._draw(Evidence(chunk), generator, holes=False), chunk) for chunk in records.chunks()]
        return pieces[0].concat(*pieces[1:])
