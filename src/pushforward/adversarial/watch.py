"""What a game is doing, in numbers, and alarms that name the cure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from pushforward.adversarial.energy import energy_distance
from pushforward.adversarial.network import Game
from pushforward.adversarial.unlikeness import noise_of, reach
from pushforward.training.history import History
from pushforward.training.randomness import generator

EVERY = 100  # steps from one look to the next
LOOKED = 512  # records that draws are compared with
YOUNG = 1000  # steps before which no alarm is rung
DROPPED, WON, LEARNED, ROUND, FAR = 0.6, 0.97, 0.25, 0.75, 0.1  # bounds of the alarms, see below
NOISE = 2.0  # deviations of how unlike two halves of the data are, within which draws are as like as can be told
RISING = 0.1  # by which coverage must have grown since half the steps ago for a game that is still finding modes


@dataclass(frozen=True)
class Alarm:
    """What is wrong when `holds` says so of the numbers of a look, in words with a cure."""

    holds: Callable[[Mapping[str, float]], bool]
    words: str

    def text(self, seen: Mapping[str, float]) -> str:
        """The words with the numbers in them."""
        return self.words.format(**{name.replace("/", "_").replace("-", "_"): value for name, value in seen.items()})


ALARMS = {
    "collapse": Alarm(
        lambda s: s["coverage"] < min(DROPPED, s.get("coverage/before", 1.0) + RISING),
        'mode collapse: draws come near {coverage:.0%} of the data; try penalty="zero-centred" with a larger '
        "gamma= (it is {gamma:g}), pack=4 for rows, or a longer run",
    ),
    "won": Alarm(
        lambda s: min(s["accuracy/real"], s["accuracy/drawn"]) > WON,
        "the discriminator wins: it tells {accuracy_drawn:.0%} of draws and {accuracy_real:.0%} of data, so the "
        "generator has little to follow; try a larger gamma= (it is {gamma:g}) or a wider generator (width=)",
    ),
    "memorised": Alarm(
        lambda s: s["accuracy/real"] - s.get("accuracy/held-out", s["accuracy/real"]) > LEARNED,
        "the discriminator has memorised: it knows {accuracy_real:.0%} of the data it learns from and "
        '{accuracy_held_out:.0%} of what is held out; try augment="adaptive", more data, or a larger gamma=',
    ),
    "round": Alarm(
        lambda s: s.get("turning", 0.0) > ROUND and s["distance"] > FAR,
        "the game goes round: draws turn back by {turning:.0%} from look to look; try a smaller lr= or a larger gamma=",
    ),
}


@final
class Watch:
    """Looks at the game every so many steps, on noise and records of its own that stay the same.

        coverage   share of records with a draw nearer than their eighth neighbour among the records
                   (Naeem et al. 2020, arXiv 2002.09797)
        distance   energy distance of draws from records, as a share of the records' mean distance from one another
        turning    (1 - cos) / 2 of the angle between how draws moved lately and how they did before: 0 straight on

    Args:
        network: of the game.
        batch: named tensors of some records.
        seed: of the noise.
        history: that the alarms go to, and numbers are read from.

    Attributes:
        noise: unlikeness that is none.
    """

    def __init__(self, network: Game, batch: Mapping[str, Tensor], seed: int, history: History):
        device = batch["codes"].device
        everything, _ = network.flat(batch, generator(seed, 0, device=device))
        self.noise = NOISE * noise_of(everything, generator(seed, 3, device=device))
        some = {name: tensor[:LOOKED] for name, tensor in batch.items()}
        self._network, self._history, self._seed = network, history, seed
        self._batch = some
        self._real = everything[:LOOKED]
        self._noise = torch.randn(
            len(self._real), network.generator.latent, generator=generator(seed, 1, device=device), device=device
        )
        apart = torch.cdist(self._real, self._real)
        self._reach = reach(apart)
        self._unit = apart.mean().clamp_min(1e-12)
        self._last: Tensor | None = None
        self._move: Tensor | None = None
        self._ringing: set[str] = set()

    @torch.no_grad()
    def __call__(self) -> dict[str, Tensor]:
        """The numbers of a look, where one is due."""
        if int(self._network.discriminator.seen) % EVERY:
            return {}
        network = self._network
        drawn = network.generator(
            self._noise, network.generator.embed(self._batch), generator(self._seed, 2, device=self._real.device)
        )
        near = torch.cdist(self._real, drawn).min(1).values
        facts = {
            "coverage": (near <= self._reach).float().mean(),
            "distance": energy_distance(self._real, drawn) / self._unit,
        }
        if self._last is not None:
            move = (drawn - self._last).flatten()
            if self._move is not None:
                cosine = torch.nn.functional.cosine_similarity(move, self._move, dim=0)
                facts["turning"] = (1 - cosine) / 2
            self._move = move
        self._last = drawn
        self._ring(facts)
        return facts

    def _ring(self, facts: Mapping[str, Tensor]) -> None:
        """Alarms that were silent at the last look and hold at this one, and were to be heard by now."""
        step = int(self._network.discriminator.seen)
        if step < YOUNG:
            return
        seen = {name: float(value) for name, value in facts.items()}
        seen["gamma"] = float(self._network.discriminator.gamma)
        if "coverage" in self._history:
            steps, values = self._history["coverage"]
            if (early := values[steps <= step / 2]).size:
                seen["coverage/before"] = float(early[-1])
        for name in ("accuracy/real", "accuracy/drawn", "accuracy/held-out"):
            if name in self._history:
                steps, values = self._history[name]
                lately = values[steps > step - EVERY]
                seen[name] = float(lately.mean() if len(lately) else values[-1])
        holding = {name for name, alarm in ALARMS.items() if _holds(alarm, seen)}
        for name in holding - self._ringing:
            self._history.note(step, ALARMS[name].text(seen))
        self._ringing = holding


def _holds(alarm: Alarm, seen: Mapping[str, float]) -> bool:
    try:
        return alarm.holds(seen)
    except KeyError:  # a number that was not told yet
        return False
