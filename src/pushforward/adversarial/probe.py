"""The weight of the penalty, by trying."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.adversarial.energy import energy_distance
from pushforward.adversarial.network import Game
from pushforward.errors import DivergedError
from pushforward.training.batches import Batches
from pushforward.training.loop import State, train
from pushforward.training.place import Place
from pushforward.training.player import Player
from pushforward.training.progress import Progress
from pushforward.training.randomness import generator
from pushforward.training.run import Run

HELD, MOST = 0.1, 1000  # share of the records, and how many at most, that draws are compared with
ENOUGH = 100  # steps of a trial, below which it says nothing
CLEARLY = 0.25  # of the usual weight's distance, that another must come below: a smaller one is always faster at first


@dataclass
class Trial:
    """What one weight came to.

    Attributes:
        gamma: the weight.
        distance: energy distance of draws from held-out records; infinite where the game diverged.
    """

    gamma: float
    distance: float


def probe(
    network: Game, players: Callable[[Game], Sequence[Player]], batch: Mapping[str, Tensor], size: int, run: Run,
    gammas: Sequence[float], trials: list[Trial],
) -> Iterator[Progress]:  # fmt: skip
    """Play a short game with each weight from the same start, and tell how far its draws end up from held-out records.

    Where the first game is over before it says anything, the others are not played.

    Args:
        network: as it is before the first step; it stays so.
        players: of a network.
        batch: named tensors of some records.
        size: of a step's batch.
        run: budget of one trial.
        gammas: the weights.
        trials: where what was found is added.
    """
    n = len(batch["codes"])
    held = min(MOST, max(1, round(HELD * n)))
    device = batch["codes"].device
    order = torch.randperm(n, generator=generator(run.seed, 2)).to(device)
    some, rest = (
        {name: t[rows] for name, t in batch.items()} for rows in (order[:held], order[held:] if n > 1 else order)
    )
    weight = some.get("weight")
    if weight is not None and bool((weight != weight[0]).any()):  # they count as often as they weigh
        rows = torch.multinomial(weight, held, True, generator=generator(run.seed, 5, device=device))
        some = {name: t[rows] for name, t in some.items()}
    real, _ = network.flat(some, generator(run.seed, 3, device=device))
    done, spent = 0, 0.0
    for gamma in gammas:
        own = copy.deepcopy(network)
        own.discriminator.gamma.fill_(gamma)
        batches = Batches(lambda: iter([rest]), [len(rest["codes"])], run.seed)
        step, elapsed = 0, 0.0
        try:
            for now in train(players(own), batches, run, State(batch=min(size, batches.total)), place=Place(run)):
                step, elapsed = now.step, now.elapsed
                yield Progress("probe", done + step, {"gamma": gamma, **now.losses}, spent + elapsed)
        except DivergedError:  # this weight is none to go on with; another may be
            trials.append(Trial(gamma, math.inf))
            continue
        finally:
            done, spent = done + step, spent + elapsed
        if step < ENOUGH:
            return
        with torch.no_grad():
            source = generator(run.seed, 4, device=device)
            z = torch.randn(held, own.generator.latent, generator=source, device=device)
            drawn = own.generator(z, own.generator.embed(some), source)
        distance = float(energy_distance(real, drawn))
        trials.append(Trial(gamma, distance if math.isfinite(distance) else math.inf))


def chosen(trials: Sequence[Trial], usual: float) -> float:
    """The weight that came nearest; the usual one where no other came clearly nearer, or none was tried.

    >>> chosen([Trial(0.1, 0.50), Trial(1.0, 0.52), Trial(10.0, 0.9)], 1.0)
    1.0
    >>> chosen([Trial(0.1, 0.10), Trial(1.0, 0.52), Trial(10.0, 0.9)], 1.0)
    0.1
    """
    if not trials:
        return usual
    best = min(trials, key=lambda trial: trial.distance)
    known = next(trial.distance for trial in trials if trial.gamma == usual)
    # an estimate without bias may fall below 0, where all are as near as can be
    return best.gamma if max(0.0, best.distance) < CLEARLY * max(0.0, known) else usual
