"""The one training loop: players take steps, and every step is told."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pushforward.errors import DivergedError, FormatError, PushforwardError
from pushforward.training.average import Averages
from pushforward.training.batches import Stream
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.history import History, Scene
from pushforward.training.place import Place, parameters_of
from pushforward.training.player import Player
from pushforward.training.progress import Progress
from pushforward.training.randomness import generator, mix, scope
from pushforward.training.run import Run

PATIENCE = 1.5  # a run without a budget ends at this many times its best step
LOOKS = 5  # and not before this many looks at held-out data after the best one


@dataclass
class State:
    """The position of a run; with the tensors of its players it is all that a resumed run needs."""

    batch: int
    step: int = 0
    rows: int = 0
    elapsed: float = 0.0
    best: float = math.inf
    best_step: int = 0
    finished: bool = False
    kept: list[list[Tensor]] = field(default_factory=list)  # averaged weights at the best step, by player
    history: History = field(default_factory=History)

    def facts(self) -> dict[str, Any]:
        """What goes into a checkpoint as JSON."""
        names = ("batch", "rows", "elapsed", "best_step", "finished")
        best = self.best if math.isfinite(self.best) else None
        return {**{name: getattr(self, name) for name in names}, "best": best, "history": self.history.facts()}


def train(
    players: Sequence[Player],
    batches: Stream,
    run: Run,
    state: State,
    *,
    place: Place | None = None,
    held_out: Stream | None = None,
    checkpoints: Checkpoints | None = None,
    scene: Callable[[int], Scene | None] | None = None,
) -> Iterator[Progress]:
    """Take steps until the budget is spent, and leave the averaged weights in the modules.

    Before each step the generators are seeded from (seed, process, step), and the records of a step follow
    from (seed, records seen), so that a run that goes on from a checkpoint equals one that never stopped.
    Closing the iterator between two steps writes a checkpoint.

    Args:
        players: who learns what; in each step they move in this order.
        batches: the data.
        run: budget, seed and place.
        state: where to start; it is kept up to date, and its history with it.
        place: where to compute.
        held_out: data that is only looked at; of the weights that do best on it the latest are the ones that stay.
        checkpoints: where the state is kept on the way.
        scene: step → a look at the game now and then, with all modules as they stand, in evaluation mode; where it
            gives None it is not asked again.

    Raises:
        DivergedError: a loss is not finite; the last good checkpoint stays.
    """
    place = place or Place(run)
    trainer = _Trainer(players, batches, run, state, place, held_out, checkpoints, scene)
    yield from trainer.steps()


class _Trainer:
    def __init__(self, players, batches, run, state, place, held_out, checkpoints, scene):  # type: ignore[no-untyped-def]
        self.players: Sequence[Player] = players
        self.batches: Stream = batches
        self.run: Run = run
        self.state: State = state
        self.place: Place = place
        self.held_out: Stream | None = held_out
        self.checkpoints: Checkpoints | None = checkpoints
        self.scene: Callable[[int], Scene | None] | None = scene
        self.parameters = [parameters_of(player.module) for player in players]
        self.optimizers = [p.optimizer(q) for p, q in zip(players, self.parameters, strict=True)]
        self.rates = [[g["lr"] for g in optimizer.param_groups] for optimizer in self.optimizers]
        self.averages = [Averages(p.module, p.averages) if p.averages else None for p in players]
        self.generator = generator(0, device=place.device)
        self.interval = max(50, math.ceil(batches.total / state.batch))  # steps between looks at held-out data

    def steps(self) -> Iterator[Progress]:
        run, state = self.run, self.state
        self._resume()
        for player in self.players:
            player.module.train()
        started = saved = time.monotonic()
        before, seen = state.elapsed, state.step
        self._show()
        if self.checkpoints is not None and state.step == 0:
            self._save()
        try:
            while not (state.finished or self._spent()):
                note = ""
                try:
                    losses = self._step()
                except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                    note = self._halve(error)
                    losses = {}
                if losses:
                    losses |= self._look()
                    self._show()
                state.elapsed = self.place.agree(before + time.monotonic() - started)
                told = self._told(losses, self._remaining(), note)
                if self.checkpoints is not None and time.monotonic() - saved >= run.checkpoint:
                    self._save()
                    saved = time.monotonic()
                yield told
            self._show(at_end=True)
            if state.step % self.interval and (last := self._look(at_end=True)):
                yield self._told(last, 0.0)
            elif state.step == seen:  # a run that was finished before is told once
                yield self._told({}, 0.0)
        finally:
            # Reached at the end and where the consumer closes the iterator: between two steps in either case.
            # After an error the weights may be half moved, so the last checkpoint stays the newest.
            if self.checkpoints is not None and self._whole():
                self._save()
        self._leave()

    def _told(self, losses: dict[str, float], remaining: float | None, note: str = "") -> Progress:
        """Where the run stands; the history hears it before the checkpoint of this step is written."""
        told = Progress("train", self.state.step, losses, self.state.elapsed, remaining, note)
        self.state.history.add(told)
        return told

    def _show(self, at_end: bool = False) -> None:
        """Keep a scene where one is due. Looking moves nothing: no weight, no statistic of a layer, no generator."""
        history, step = self.state.history, self.state.step
        fresh = not history.scenes or history.scenes[-1].step < step
        if self.scene is None or not fresh or not (at_end or history.due(step)):
            return
        for player in self.players:
            player.module.eval()
        with scope(mix(self.run.seed, -2), self.place.device):
            found = self.scene(step)
        for player, optimizer in zip(self.players, self.optimizers, strict=True):
            player.module.train()
            optimizer.zero_grad(set_to_none=True)  # arrows are gradients, and their way may lead through the weights
        if found is None:
            self.scene = None
        else:
            history.keep(found)

    def _step(self) -> dict[str, float]:
        """One move of every player whose turn it is."""
        state, place = self.state, self.place
        self._moving = True
        seed = mix(self.run.seed, place.rank, state.step)
        self.generator.manual_seed(seed)  # ours alone, made in __init__
        share = slice(place.rank, None, place.world)
        batch = self.batches.at(state.rows, state.batch, share)
        losses: dict[str, Tensor] = {}
        with scope(seed, place.device):
            for i, player in enumerate(self.players):
                if state.step % player.every == 0:
                    losses |= self._move(i, player, batch)
        numbers = dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))
        state.step += 1
        state.rows += state.batch
        for average in self.averages:
            if average is not None:
                average.update(state.step)
        self._moving = False
        return numbers

    def _move(self, i: int, player: Player, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        with self.place.autocast():
            out = player.loss(batch, self.generator)
        loss, facts = out if isinstance(out, tuple) else (out, {})
        report = {player.name: loss.detach().float(), **{k: v.detach().float() for k, v in facts.items()}}
        if self.place.world > 1:
            report = {k: v.clone() for k, v in report.items()}
            self.place.mean(report.values())
        if not math.isfinite(report[player.name].item()):
            value = report[player.name].item()
            raise DivergedError(self._diverged(player, f"the loss of {player.name} is {value} at"))
        optimizer = self.optimizers[i]
        loss.backward()
        self.place.mean([p.grad for p in self.parameters[i] if p.grad is not None])
        if player.clip:
            torch.nn.utils.clip_grad_norm_(self.parameters[i], player.clip)
        factor = player.factor(self.state.step)
        for group, rate in zip(optimizer.param_groups, self.rates[i], strict=True):
            group["lr"] = rate * factor
        optimizer.step()
        # A loss may send gradients into another player's weights; none of them is to see those.
        for parameters in self.parameters:
            for p in parameters:
                p.grad = None
        return report

    def _diverged(self, player: Player, what: str) -> str:
        rate = self.optimizers[self.players.index(player)].param_groups[0]["lr"]
        kept = f"; the last good state is in {str(self.checkpoints.folder)!r}" if self.checkpoints else ""
        precision = "" if self.place.precision == "float32" else " or say precision=float32"
        return f"{what} step {self.state.step}; lower the learning rate (it is {rate:.2g}){precision}{kept}"

    def _halve(self, error: BaseException) -> str:
        """Halve the batch after a failure to allocate; any other failure goes on up."""
        full = isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
        if not full:
            raise error
        if self.state.batch < 2 * self.place.world:
            raise PushforwardError("a batch of one does not fit into memory; make the network smaller") from error
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        if self.place.device.type == "cuda":
            torch.cuda.empty_cache()
        self._moving = False
        self.state.batch //= 2
        self.state.batch -= self.state.batch % self.place.world
        return f"out of memory: the batch is halved to {self.state.batch}"

    def _look(self, at_end: bool = False) -> dict[str, float]:
        """The held-out loss of the averaged weights, and what is told beside it, every so often and at the end."""
        state = self.state
        if self.held_out is None or (state.step % self.interval and not at_end):
            return {}
        tried = [self._held_out_loss(window) for window in range(max(1, len(self.averages[0] or ())))]
        window = min(range(len(tried)), key=lambda i: tried[i][0])
        self._use(window)
        loss, facts = tried[window]
        if loss < state.best:
            state.best, state.best_step = loss, state.step
        if loss <= state.best + self.players[0].margin:
            state.kept = [[v.clone() for v in self._values(i)] for i in range(len(self.players))]
        if self.run.minutes is None and self.run.steps is None:
            patience = max(PATIENCE * state.best_step, state.best_step + LOOKS * self.interval)
            state.finished = state.step >= patience
        return {"held-out": loss, **{f"{name}/held-out": value for name, value in facts.items()}}

    def _use(self, window: int) -> None:
        for average in self.averages:
            if average is not None:
                average.use(window)

    @torch.no_grad()
    def _held_out_loss(self, window: int) -> tuple[float, dict[str, float]]:
        """The mean over all of it of the first player's loss, and of the named numbers that come with it.

        Args:
            window: which of the averages are used.
        """
        assert self.held_out is not None
        self._use(window)
        size, total = min(self.held_out.total, self.state.batch), self.held_out.total
        means: dict[str, float] = {}
        with _averaged(self.averages), scope(mix(self.run.seed, -1), self.place.device):
            for player in self.players[:1]:
                player.module.eval()
                self.generator.manual_seed(mix(self.run.seed, -1))  # the same noise at every look
                for start in range(0, total, size):
                    batch = self.held_out.at(start, min(size, total - start))
                    with self.place.autocast():
                        out = player.loss(batch, self.generator)
                    loss, facts = out if isinstance(out, tuple) else (out, {})
                    share = len(next(iter(batch.values()))) / total
                    for name, value in {"": loss, **facts}.items():
                        means[name] = means.get(name, 0.0) + share * value.float().item()
                player.module.train()
        return self.place.agree(means.pop("")), means

    def _values(self, i: int) -> list[Tensor]:
        average = self.averages[i]
        return average.values if average is not None else [p.detach() for p in self.players[i].module.parameters()]

    def _spent(self) -> bool:
        run, state = self.run, self.state
        late = run.minutes is not None and state.elapsed >= 60 * run.minutes
        return late or (run.steps is not None and state.step >= run.steps)

    def _remaining(self) -> float | None:
        run, state = self.run, self.state
        bounds = []
        if run.minutes is not None:
            bounds.append(max(0.0, 60 * run.minutes - state.elapsed))
        if run.steps is not None and state.step:
            bounds.append(state.elapsed / state.step * (run.steps - state.step))
        return min(bounds) if bounds else None

    def _leave(self) -> None:
        """Leave the weights that are to be used in the modules."""
        for player, parameters in zip(self.players, self.parameters, strict=True):
            if not _finite(parameters):  # the gradient of the last step was not, though its loss was
                raise DivergedError(self._diverged(player, f"the weights of {player.name} are not finite after"))
        for i, average in enumerate(self.averages):
            values = self.state.kept[i] if self.state.kept else None if average is None else average.values
            if values is not None:
                for live, value in zip(self.players[i].module.parameters(), values, strict=True):
                    live.data.copy_(value)
            self.players[i].module.eval()

    # What a checkpoint holds: weights, averages, the best averages so far, and the optimiser's tensors.

    _moving = False

    def _whole(self) -> bool:
        """Whether no step is half done and all weights are finite."""
        return not self._moving and all(_finite(parameters) for parameters in self.parameters)

    def _save(self) -> None:
        if self.checkpoints is None or not self._whole():
            return
        if self.place.first:
            self.checkpoints.save(self.state.step, self._tensors(), self.state.facts())

    def _tensors(self) -> dict[str, Tensor]:
        out: dict[str, Tensor] = {}
        for i, player in enumerate(self.players):
            out |= {f"{player.name}.live.{k}": v for k, v in player.module.state_dict().items()}
            for k, average in enumerate(averages.each if (averages := self.averages[i]) is not None else ()):
                out |= {f"{player.name}.average.{k}.{j}": v for j, v in enumerate(average.values)}
            if self.state.kept:
                out |= {f"{player.name}.kept.{j}": v for j, v in enumerate(self.state.kept[i])}
            for j, slots in self.optimizers[i].state_dict()["state"].items():
                out |= {f"{player.name}.optimizer.{j}.{k}": torch.as_tensor(v) for k, v in slots.items()}
        out |= {f"history.{name}": tensor for name, tensor in self.state.history.tensors().items()}
        return {name: tensor.detach().clone() for name, tensor in out.items()}  # tied tensors are written twice

    def _resume(self) -> None:
        found = self.checkpoints.latest() if self.checkpoints is not None else None
        if found is None:
            return
        tensors, facts = found
        state = self.state
        state.step, state.rows, state.batch = facts["step"], facts["rows"], facts["batch"]
        state.elapsed, state.best_step, state.finished = facts["elapsed"], facts["best_step"], facts["finished"]
        state.best = math.inf if facts["best"] is None else facts["best"]
        try:
            kept = {k.removeprefix("history."): v for k, v in tensors.items() if k.startswith("history.")}
            if "history" in facts:  # checkpoints of earlier versions have none
                state.history.restore(kept, facts["history"])
            for i, player in enumerate(self.players):
                self._restore(i, player, tensors)
        except (KeyError, RuntimeError, ValueError) as error:
            why = " ".join(str(error).split())[:160]
            raise FormatError(f"the checkpoint does not fit these players ({why}); name another folder") from error

    def _restore(self, i: int, player: Player, tensors: Mapping[str, Tensor]) -> None:
        def part(kind: str) -> dict[str, Tensor]:
            start = f"{player.name}.{kind}."
            return {k.removeprefix(start): v.to(self.place.device) for k, v in tensors.items() if k.startswith(start)}

        player.module.load_state_dict(part("live"))
        values = part("average")
        for k, average in enumerate(averages.each if (averages := self.averages[i]) is not None else ()):
            for j, held in enumerate(average.values):
                held.copy_(values[f"{k}.{j}"])
        if kept := part("kept"):
            self.state.kept.append([kept[str(j)] for j in range(len(kept))])
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in part("optimizer").items():
            which, _, slot = key.partition(".")
            slots.setdefault(int(which), {})[slot] = self._slot(self.parameters[i][int(which)], slot, value)
        groups = self.optimizers[i].state_dict()["param_groups"]
        self.optimizers[i].load_state_dict({"state": slots, "param_groups": groups})

    def _slot(self, parameter: Tensor, name: str, value: Tensor) -> Tensor:
        """A tensor of an optimiser, laid out in memory as its parameter is: fused optimisers take that for granted."""
        if value.shape == parameter.shape and name != "step":
            return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
        return value.cpu() if name == "step" and self.place.device.type == "cpu" else value


def _finite(tensors: Sequence[Tensor]) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in tensors)


def _averaged(averages: Sequence[Averages | None]) -> contextlib.ExitStack:
    """Inside, all players compute with their averaged weights."""
    stack = contextlib.ExitStack()
    for average in averages:
        if average is not None:
            stack.enter_context(average.in_place())
    return stack
