"""What all neural families share: data to tensors, players to weights, weights to a file."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from pushforward.data import Records, Scan, Schema, as_records
from pushforward.data.records import rows_per_chunk
from pushforward.errors import ArgumentError
from pushforward.model import Model
from pushforward.nets.sentences import Frozen
from pushforward.training.batches import Batches, Beside, Stream, together
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.history import History, Scene
from pushforward.training.loop import State, train
from pushforward.training.place import Place, to_device
from pushforward.training.player import Player
from pushforward.training.progress import Progress
from pushforward.training.randomness import generator, mix, scope
from pushforward.training.run import Run

HELD_OUT = 0.1  # share of the data that is only looked at, where the run has no budget
OTHER = "to."  # before the names of tensors of a second data set


@dataclass(kw_only=True, eq=False)
class NeuralModel(Model):
    """A family whose parameters are those of a network.

    A family builds the network, says how records become tensors, and who the players are.
    """

    network: ClassVar[nn.Module]
    device: ClassVar[torch.device]

    @abstractmethod
    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        """A network for these fields; everything that is learned or measured is a parameter or buffer of it."""

    def _built(self, schema: Schema, given: Sequence[str]) -> nn.Module:
        """The whole network for these fields, of which so many are conditions."""
        return self._build(schema.without(given), schema.select(given))

    def _meet(self, tensors: dict[str, Tensor]) -> None:
        """Look at records that will be learned from, each chunk before it is."""

    @property
    def _frozen(self) -> Frozen | None:
        """What reads texts without learning; it is no part of what is saved."""
        return None

    def _measured(self) -> dict[str, Any]:
        return super()._measured() | ({} if self._frozen is None else {"text_encoder": self._frozen.facts()})

    @property
    def _reader(self) -> dict[str, Any]:
        """What a frozen encoder of texts has to be, where the model was fitted with one."""
        facts = {} if self._learned is not None else self.measurements.get("text_encoder", {})
        return {"width": facts.get("width"), "digest": facts.get("sha256")}

    def _survey(self, first: Callable[[], tuple[Records, np.ndarray | None]], run: Run) -> None:
        """Look at some records before the network is built, for what its sizes depend on.

        Args:
            first: gives the records of the first chunk that are learned from, and their weights.
            run: the whole run, of whose budget this is a part.
        """

    @abstractmethod
    def _tensors(self, records: Records) -> dict[str, Tensor]:
        """Records as named tensors, one row each."""

    @abstractmethod
    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        """Take scales and the like from some records, before training."""

    @abstractmethod
    def players(self) -> list[Player]:
        """Who learns what; the list is the game."""

    @abstractmethod
    def _batch_size(self) -> int:
        """Records a step, where the run does not say."""

    def _watched(self, n: int) -> float:
        """The share of n records that a run with a budget holds out, where nobody says how many."""
        return 0.0

    @property
    def _tiles(self) -> bool:
        """Whether most of the work is products of large matrices, in which half precision is good enough."""
        return False

    @property
    def history(self) -> History:
        """What the training told of itself, to be read and drawn; also while it goes on.

        Empty before a fit and in a model that was loaded, since a saved model holds what was learned, not how.

        >>> from pushforward import AutoEncoder
        >>> model = AutoEncoder(latent=2, width=16).fit("penguins", steps=30)
        >>> model.history.names, len(model.history)
        (('reconstruction',), 30)
        """
        return self.__dict__.setdefault("_history", History())

    def _scene(self, step: int) -> Scene | None:
        """How the game stands after `step`, where two numbers are modelled; it is asked now and then in training.

        Networks are in evaluation mode and hold the weights of the step, not their averages.
        """
        return None

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        self.__dict__["_history"] = History()
        schema, given = self.learning
        place = Place(run, self._tiles)
        one = _Source(self, data, weights, run, place)
        source: _Source | _Pair = one
        if self._other is not None:
            beside = replace(run, seed=mix(run.seed, 2)) if self._apart() else run
            source = _Pair(one, _Source(self, self._other, None, beside, place))
        started = time.monotonic()
        self._survey(source.first, run)
        spent = time.monotonic() - started
        with scope(mix(run.seed), place.device):
            self._place(self._built(schema, given), str(place.device))
        pilot = source.pilot()
        self._prepare(pilot, generator(run.seed, device=place.device))
        players = self.players()
        batch = self._state_batch(run, source.batches(), place)
        frozen = {} if self._frozen is None else {"text_encoder": self._frozen.facts()}
        shared = self._fingerprint(data, weights, run, batch=run.batch, precision=place.precision, **frozen)
        checkpoints = Checkpoints(run.folder, shared) if run.folder else None
        held_out = source.held_out()
        state = State(batch=batch, history=self.history)
        if checkpoints is None or checkpoints.latest() is None:
            started = time.monotonic()
            yield from self._tune(pilot, batch, run)
            state.elapsed = place.agree(spent + time.monotonic() - started)
        told = None
        for told in train(
            players, source.batches(), _part(run, 1 - self._late), state,
            place=place, held_out=held_out, checkpoints=checkpoints, scene=self._scene,
        ):  # fmt: skip
            yield told
        if self._late and told is not None:
            yield from self._go_on(told, source.batches(), run, place, shared)
        settled = pilot if held_out is None else held_out.at(0, held_out.total)
        self._settle(settled, generator(run.seed, 1, device=place.device))

    @property
    def _late(self) -> float:
        """The share of a run that is kept for players who learn from those before."""
        return 0.0

    def _late_players(self) -> list[Player]:
        """Who learns when the others are done, and leaves them as they are."""
        return []

    def _go_on(
        self, told: Progress, batches: Stream, run: Run, place: Place, shared: dict[str, Any]
    ) -> Iterator[Progress]:
        """The part of a run that comes after the first; where that found its own end, in the same proportion."""
        rest = _part(run, self._late)
        if run.minutes is None and run.steps is None:
            rest = replace(run, steps=max(1, round(told.step * self._late / (1 - self._late))), validation=0)
        folder = Path(run.folder).with_name(f"{Path(run.folder).name}-late") if run.folder else None
        checkpoints = Checkpoints(folder, shared) if folder else None
        state = State(batch=self._state_batch(run, batches, place))
        for late in train(self._late_players(), batches, rest, state, place=place, checkpoints=checkpoints):
            losses = {**told.losses, **late.losses}
            yield replace(late, step=told.step + late.step, losses=losses, before=told.elapsed, phase="late")

    def _state_batch(self, run: Run, batches: Stream, place: Place) -> int:
        """Records a step, where the run does not say."""
        batch = run.batch or min(self._batch_size(), max(32, batches.total))
        return max(batch - batch % place.world, place.world)

    def _tune(self, tensors: dict[str, Tensor], batch: int, run: Run) -> Iterator[Progress]:
        """Choose, by trying, what the run is to go on with; its time is part of the budget.

        Args:
            tensors: the records that `_prepare` saw.
            batch: records a step.
            run: the whole run.
        """
        yield from ()

    def _settle(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        """Measure what the weights that stay call for: on held-out records, or where there are none on some others."""

    def _apart(self) -> bool:
        """Whether a second data set is gone through in an order of its own, rather than record beside record."""
        return True

    def _place(self, network: nn.Module, device: str) -> None:
        self.__dict__["network"] = network.to(device)
        self.__dict__["device"] = torch.device(device)

    def _state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def _skeleton(self) -> dict[str, Tensor]:
        with torch.device("meta"):
            return self._built(self.schema, self.given).state_dict()

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        with scope(0):
            network = self._built(self.schema, self.given)
        network.load_state_dict(state)
        self._place(network.eval(), device)


def _part(run: Run, share: float) -> Run:
    """A share of the budget of a run."""
    if share == 1:
        return run
    minutes = None if run.minutes is None else share * run.minutes
    return replace(run, minutes=minutes, steps=None if run.steps is None else max(1, round(share * run.steps)))


class _Source:
    """The data of a run as batches of tensors, with a part of it held out."""

    def __init__(self, model: NeuralModel, data: Records | Scan, weights: np.ndarray | None, run: Run, place: Place):
        self._model, self._data, self._weights = model, data, weights
        self._run, self._place = run, place
        self._kept, self._held = self._divide()
        self._memory: dict[str, Tensor] | None = None

    def _size(self) -> int:
        return len(self._data) if isinstance(self._data, Records) else rows_per_chunk(self._data.schema)

    def _divide(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows of the first chunk that are learned from, and that are held out."""
        first = min(self._size(), len(self._data))
        share = self._run.validation
        if share is None:
            free = self._run.minutes is None and self._run.steps is None
            share = HELD_OUT if free else self._model._watched(first)
        if not isinstance(share, int | float) or isinstance(share, bool):
            return np.arange(first), None
        if not 0 <= share < 1:
            raise ArgumentError(f"validation={share!r} is out of range; it must be data, or a share from 0 to below 1")
        able = np.arange(first) if self._weights is None else np.flatnonzero(self._weights[:first])
        count = min(int(np.ceil(share * len(able))), len(able) - 1)
        if count <= 0 and self._run.minutes is None and self._run.steps is None:
            raise ArgumentError(
                f"with {first} records and validation={self._run.validation!r} nothing is held out that could tell "
                "when to stop; say steps= or minutes="
            )
        order = np.random.default_rng(mix(self._run.seed, 1)).permutation(able)
        held = np.sort(order[: max(0, count)])
        return np.setdiff1d(np.arange(first), held), held

    def batches(self) -> Batches:
        """What is learned from."""
        size, total = self._size(), len(self._data)
        sizes = [len(self._kept)] + [min(size, total - start) for start in range(size, total, size)]
        return Batches(self._chunks, sizes, self._run.seed)

    def first(self) -> tuple[Records, np.ndarray | None]:
        """The records of the first chunk that are learned from, with their weights."""
        first = self._data if isinstance(self._data, Records) else next(self._data.chunks())
        return first.take(self._kept), self._share(self._kept)

    def pilot(self) -> dict[str, Tensor]:
        """The first chunk of what is learned from."""
        return next(self._chunks())

    def held_out(self) -> Stream | None:
        """What is only looked at."""
        if self._held is None:
            schema, _ = self._model.learning
            tensors = self._encode(as_records(self._run.validation, schema), None)
        elif len(self._held):
            first = self._data if isinstance(self._data, Records) else next(self._data.chunks())
            tensors = self._encode(first.take(self._held), self._share(self._held))
        else:
            return None
        return Batches(lambda: iter([tensors]), [len(next(iter(tensors.values())))], 0)

    def _chunks(self) -> Iterator[dict[str, Tensor]]:
        if isinstance(self._data, Records):
            if self._memory is None:
                self._memory = self._encode(self._data.take(self._kept), self._share(self._kept))
                self._model._meet(self._memory)
            yield self._memory
            return
        start = 0
        for i, chunk in enumerate(self._data.chunks()):
            rows = self._kept if i == 0 else np.arange(len(chunk))
            tensors = self._encode(chunk.take(rows), self._share(start + rows))
            self._model._meet(tensors)
            yield tensors
            start += len(chunk)

    def _share(self, rows: np.ndarray) -> np.ndarray | None:
        return None if self._weights is None else self._weights[rows] / self._weights.mean()

    def _encode(self, records: Records, weights: np.ndarray | None) -> dict[str, Tensor]:
        tensors = self._model._tensors(records)
        if self._weights is not None:
            share = np.ones(len(records)) if weights is None else weights
            tensors["weight"] = torch.from_numpy(share).float()
        return to_device(tensors, self._place.device)


class _Pair:
    """Two data sets, side by side."""

    def __init__(self, one: _Source, other: _Source):
        self._one, self._other = one, other

    def first(self) -> tuple[Records, np.ndarray | None]:
        """The records of the first chunk of the one."""
        return self._one.first()

    def batches(self) -> Stream:
        """What is learned from."""
        return Beside(self._one.batches(), self._other.batches(), OTHER)

    def pilot(self) -> dict[str, Tensor]:
        """The first chunks of what is learned from."""
        return together(self._one.pilot(), self._other.pilot(), OTHER)

    def held_out(self) -> Stream | None:
        """What is only looked at; a share of both, or of neither."""
        one, other = self._one.held_out(), self._other.held_out()
        return None if one is None or other is None else Beside(one, other, OTHER)
