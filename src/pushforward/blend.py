"""Several families as one, each as far as it tells held-out records."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow.compute as pc
import torch
from annotated_types import doc
from torch import Tensor

from pushforward.data import Image, Records, Scan, Schema, as_records
from pushforward.data.holes import hide
from pushforward.errors import ArgumentError, DataError
from pushforward.evidence import Evidence
from pushforward.families import name_of
from pushforward.joint import JointModel
from pushforward.parts import Joints, joined, of_part
from pushforward.runs import asked, is_data, told
from pushforward.saving import emptied
from pushforward.training.pilot import pilot
from pushforward.training.progress import Progress
from pushforward.training.randomness import mix
from pushforward.training.run import Run

OF: Any = "tree-mixture+tree-chain+tree-chain:order=random"
SHARES = "shares"
HELD, ENOUGH = 0.1, 2000  # of the records, and at most so many, say how far parts are believed if no others are said
MOST = 1_000_000  # records that are learned from
ROUNDS = 200  # of expectation-maximisation
LEAST = 0.25  # of the minutes are left to parts that take them, however long the others were at it
DENSITIES = ("exact", "bound", "estimate")


@final
@dataclass(kw_only=True, eq=False)
class Blend(JointModel):
    """p(x) = Σ_k π_k p_k(x): what several families have learned, each as far as it tells held-out records.

    Where one family is wrong another is not, so that their mixture tells held-out records better than the best of
    them: log p is above Σ_k π_k log p_k by Jensen's inequality, and by most where they differ most. The shares π are
    those under which a tenth of the records, at most 2,000, that no part was fitted to is most probable (stacking of
    densities; Smyth, Wolpert 1999, "Linearly combining density estimators via stacking"). Evidence is weighed as
    Bayes' rule has it: part k answers with probability π_k p_k(evidence) / Σ_j π_j p_j(evidence). The number is exact
    if those of all parts are.

    Parts that know no minutes are fitted first; the others share what is left of them. Of more than a million
    records as many are drawn. The models that are handed over are not fitted themselves.

    Args:
        of: families that hold the joint distribution, ``"tree-mixture+tree-chain:order=random"``, or a list of models.

    Raises:
        ArgumentError: a part is unknown, or does not hold the joint distribution.

    >>> import pushforward as pf
    >>> model = Blend("naive-bayes+dependency-tree").fit("penguins", seed=0)
    >>> model.shares.sum().round(6).item()
    1.0
    """

    _needless = ("folder", "checkpoint")  # most parts are fitted in one go
    _parts: ClassVar[Joints]
    _shares: ClassVar[Tensor]

    of: Annotated[Joints, doc("families of the joint distribution, family:option=value,option=value+family")] = field(
        default=OF, kw_only=False
    )

    @property
    def shares(self) -> np.ndarray:
        """(K,) how far each part is believed."""
        self._require_fit("shares")
        return self._shares.numpy()

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        for part in self.of:
            try:
                part._check(rest, given)
            except DataError as error:
                raise DataError(f"of={name_of(type(part))}: {error}") from error

    def _check_count(self, n: int) -> None:
        for part in self.of:
            try:
                part._check_count(n - _default_held(n))
            except ArgumentError as error:
                raise ArgumentError(f"of={name_of(type(part))}: {error}") from error

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        parts, start = self.of.unfitted(), time.monotonic()
        learned, weight, judged, worth = self._divided(data, weights, run)
        bounded = [k for k, part in enumerate(parts) if "minutes" in part.budget()]
        order = [k for k in range(len(parts)) if k not in bounded] + bounded
        for place, k in enumerate(order):
            gone, minutes = time.monotonic() - start, None
            if run.minutes is not None:
                minutes = max(run.minutes - gone / 60, LEAST * run.minutes) / (len(order) - place)
            said = {"minutes": minutes, "seed": mix(run.seed, k), "validation": None}
            fitting = parts[k].fitting(
                learned, given=self.learning[1], weights=weight, **asked(parts[k], run, _names(parts)[k], **said)
            )
            yield from told(_names(parts)[k], fitting, gone, 0.0 if place == len(order) - 1 else None)
        logs = torch.stack([_log_evidence(part, judged) for part in parts], 1)
        self.__dict__.update(_parts=parts, _shares=_stacked(logs, worth))
        losses = {name: float(share) for name, share in zip(_names(parts), self._shares, strict=True)}
        yield Progress("shares", 1, losses, time.monotonic() - start, 0.0)

    def _divided(
        self, data: Records | Scan, weights: np.ndarray | None, run: Run
    ) -> tuple[Records, np.ndarray | None, Records, Tensor]:
        """Records to fit and their weights, and records that say the shares and theirs."""
        records, share = pilot(data, weights, run.seed, MOST)
        if is_data(run.validation):
            judged = as_records(run.validation, records.schema)
            return records, None if weights is None else share.numpy(), judged, torch.ones(len(judged))
        count = _default_held(len(records))
        if run.validation is not None:
            held = float(run.validation)
            if not 0 < held < 1:
                raise ArgumentError(f"validation={held!r} is out of range; it must be a share > 0, < 1, or data")
            count = _count_held(len(records), held)
        mixed = np.random.default_rng(mix(run.seed, 4)).permutation(len(records))
        out, learned = np.sort(mixed[:count]), np.sort(mixed[count:])
        weight = None if weights is None else share.numpy()[learned]
        return records.take(learned), weight, records.take(out), share[out]

    # State

    def _measured(self) -> dict[str, Any]:
        measured = {name: part.measurements for name, part in zip(_names(self._parts), self._parts, strict=True)}
        return {"steps": sum(found["steps"] for found in measured.values()), "parts": measured}

    def _state(self) -> dict[str, Tensor]:
        states = {name: part._state() for name, part in zip(_names(self._parts), self._parts, strict=True)}
        return {SHARES: self._shares, **joined(states)}

    def _skeleton(self) -> dict[str, Tensor]:
        parts = self._emptied()
        states = {name: part._skeleton() for name, part in zip(_names(parts), parts, strict=True)}
        return {SHARES: torch.empty(len(parts), dtype=torch.float64, device="meta"), **joined(states)}

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        parts = self._emptied()
        for name, part in zip(_names(parts), parts, strict=True):
            part._restore(of_part(state, name), device)
        self.__dict__.update(_parts=parts, _shares=state[SHARES].cpu())

    def _emptied(self) -> Joints:
        parts = self.of.unfitted()
        for name, part in zip(_names(parts), parts, strict=True):
            emptied(part, self.schema, self.given, self.measurements["parts"][name])
        return parts

    # Verbs

    def _density(self) -> str:
        return max((part.density for part in self._parts), key=DENSITIES.index)

    def _log_evidence(self, evidence: Evidence) -> Tensor:
        return self._logs(evidence).logsumexp(1)

    def _logs(self, evidence: Evidence) -> Tensor:
        """(n, K) log π_k p_k(evidence)."""
        if len(evidence) > 1 and _all_alike(evidence.values):
            return self._logs(Evidence(evidence.values[:1], evidence.limits)).expand(len(evidence), -1)
        logs = torch.stack([_log_evidence(part, evidence) for part in self._parts], 1)
        return logs + self._shares.log()

    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        chance = self._logs(evidence).softmax(1).nan_to_num(1.0)  # what no part holds possible, each may refuse
        which = torch.multinomial(chance, 1, generator=generator)[:, 0].numpy()
        pieces, places = [], []
        for k, part in enumerate(self._parts):
            rows = np.flatnonzero(which == k)
            if len(rows):
                own = Evidence(evidence.values.take(rows), evidence.limits)
                pieces.append(part._draw(own, generator, holes=holes))
                places.append(rows)
        return pieces[0].concat(*pieces[1:]).take(np.argsort(np.concatenate(places)))

    def _predict_proba(self, records: Records, field: str) -> Tensor:
        chance = self._logs(Evidence(hide(records, [field]))).softmax(1)
        told = [part._predict_proba(records, field).double().cpu() for part in self._parts]
        return sum(chance[:, k, None] * table for k, table in enumerate(told))  # type: ignore[return-value]


def _names(parts: Joints) -> list[str]:
    """What the parts are called, in the order in which they were said."""
    return [f"{k + 1}-{name_of(type(part))}" for k, part in enumerate(parts)]


def _count_held(n: int, share: float) -> int:
    return min(n - 1, max(1, round(share * n)))


def _default_held(n: int) -> int:
    return min(ENOUGH, _count_held(n, HELD))


def _log_evidence(part: JointModel, evidence: Evidence | Records) -> Tensor:
    """(n,) float64."""
    evidence = Evidence(evidence) if isinstance(evidence, Records) else evidence
    return torch.cat([part._log_evidence(chunk).detach().double().cpu() for chunk in evidence.chunks()])


def _all_alike(values: Records) -> bool:
    """Whether the same is known of all records, as where one value is given for all."""
    for name in values.names:
        column = values.column(name)
        if column.null_count == len(column):
            continue
        if column.null_count or isinstance(values.schema[name], Image) or len(pc.unique(column)) > 1:
            return False
    return True


def _stacked(logs: Tensor, weight: Tensor) -> Tensor:
    """(K,) the shares under which records of weights (n,), of log probabilities (n, K), are most probable."""
    n, k = logs.shape
    share = torch.full((k,), 1 / k, dtype=torch.float64)
    weight = weight.double() / weight.double().mean() if n else weight.double()
    for _ in range(ROUNDS):
        belongs = (logs + share.log()).softmax(1).nan_to_num(1 / k)
        share = (weight @ belongs + 1) / (n + k)  # a record's worth to each
    return share
