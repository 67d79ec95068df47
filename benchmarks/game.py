"""How often the game of `GAN` ends well: modes found, draws that stray, labels lost, alarms; a line a seed.

python benchmarks/game.py [minutes] [--data grid,ring,rings,digits,adult:train] [--seeds 5] [--first 0]
python benchmarks/game.py 1 --set loss=minimax,penalty=none,pack=1   # the original game, same data, same time
python benchmarks/game.py 1 --plain                                  # numbers standardised, no normal scores

What each number means, for as many draws as the data has records:

- modes: of the grid's 25 Gaussians (deviation 0.05), the ring's 8 (0.02) or the 3 circles (0.08) those that receive
  within 4 deviations at least a tenth of the draws that are theirs;
- near: share of draws within 4 deviations of the nearest centre, or of the nearest circle's radius;
- lost: levels, with at least 0.1 % of the records, that are never drawn;
- NaN: numbers that are none, or a fit that diverged.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

import pushforward as pf
from pushforward.adversarial import network
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.standardise import Standardise
from pushforward.spec import model_of

FOUND, REACH = 0.1, 4.0  # of a mode's share, by which it counts; deviations
COMMON = 0.001  # of the records, from which on a level must be drawn
SETS = "grid,ring,rings,digits,adult:train"


class Plain(FlatEncoding):
    """Numbers brought to mean 0 and deviation 1, and nothing else: gaps and needles stay what they are."""

    def prepare(self, tensors: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Put straight lines where the normal scores were."""
        super().prepare(tensors, generator)
        rows = self.vector
        if rows.cells.width:
            numbers = Standardise.of(tensors["numbers"])
            line = torch.linspace(-1, 1, rows.knots, dtype=torch.float64, device=rows.quantile.x.device)
            rows.quantile.x.copy_(numbers.mean[:, None] + numbers.scale[:, None] * line)
            rows.quantile.y.copy_(line.expand_as(rows.quantile.y))
            raw, _ = rows._raw(tensors["numbers"], tensors["codes"], tensors["holes"], generator)
            rows.scale = Standardise.of(raw)


def ring() -> pa.Table:
    """10,000 points of 8 Gaussians with deviation 0.02 on a circle of radius 2."""
    rng = np.random.default_rng(0)
    points = circle()[rng.integers(0, 8, 10_000)] + 0.02 * rng.standard_normal((10_000, 2))
    return pa.table({"x": points[:, 0], "y": points[:, 1]})


def circle() -> np.ndarray:
    """(8, 2) centres of the ring."""
    angle = np.arange(8) * np.pi / 4
    return 2 * np.stack([np.cos(angle), np.sin(angle)], 1)


@dataclass(frozen=True)
class Places:
    """Where the modes are: points of the plane, or radii."""

    at: np.ndarray
    deviation: float

    def judge(self, points: np.ndarray) -> tuple[int, float]:
        """Modes that are found, and the share of draws near one."""
        if self.at.ndim == 1:
            distance = np.abs(np.hypot(*points.T)[:, None] - self.at)
        else:
            distance = np.sqrt(((points[:, None] - self.at) ** 2).sum(2))
        near = distance.min(1) <= REACH * self.deviation
        counts = np.bincount(distance.argmin(1)[near], minlength=len(self.at))
        return int((counts >= FOUND * len(points) / len(self.at)).sum()), float(near.mean())


PLACES = {
    "grid": Places(np.stack(np.meshgrid(np.arange(-2, 3), np.arange(-2, 3)), 2).reshape(-1, 2), 0.05),
    "ring": Places(circle(), 0.02),
    "rings": Places(np.arange(1, 4), 0.08),
}


@dataclass(frozen=True)
class Outcome:
    """What came of one seed."""

    seconds: float
    steps: int
    broken: bool
    lost: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    modes: int | None = None
    near: float | None = None

    def line(self, name: str) -> str:
        """In words."""
        parts = [f"{self.seconds:5.0f} s", f"{self.steps:6,} steps"]
        if self.modes is not None:
            parts.append(f"modes {self.modes:2} of {len(PLACES[name].at)}, near {self.near:6.1%}")
        parts += [f"lost {len(self.lost)}" + (f" ({', '.join(self.lost[:3])})" if self.lost else "")]
        parts += [f"NaN {'yes' if self.broken else 'no'}", f"alarms: {', '.join(self.alarms) or 'none'}"]
        return "  ".join(parts)


def lost(data: pf.Records, drawn: pf.Records) -> tuple[str, ...]:
    """Levels that many records have and no draw."""
    out = []
    for field in data.schema.of_kind(pf.Category):
        counts = pc.value_counts(data.column(field.name).drop_null()).to_pylist()
        seen = set(pc.unique(drawn.column(field.name)).to_pylist())
        common = [pair["values"] for pair in counts if pair["counts"] >= COMMON * len(data)]
        out += [f"{field.name}={level}" for level in common if level not in seen]
    return tuple(out)


def broken(data: pf.Records, drawn: pf.Records) -> bool:
    """Whether a number was drawn that is none, where the data has no holes."""
    for field in data.schema.of_kind(pf.Number):
        column = drawn.column(field.name)
        if column.null_count and not data.column(field.name).null_count:
            return True
        if not np.isfinite(column.drop_null().to_numpy(zero_copy_only=False).astype(float)).all():
            return True
    return False


def play(name: str, data: pf.Records, settings: str, minutes: float, seed: int) -> Outcome:
    """Fit, draw, look."""
    model = model_of("--set", f"gan:{settings}", pf.Model)
    start = time.monotonic()
    try:
        model.fit(data, minutes=minutes, seed=seed)
    except pf.DivergedError as error:
        print(f"  {error}")
        return Outcome(time.monotonic() - start, len(model.history), True, alarms=_alarms(model))
    seconds = time.monotonic() - start
    drawn = model.sample(len(data), seed=1)
    modes, near = (None, None)
    if name in PLACES:
        columns = drawn.to_numpy()
        modes, near = PLACES[name].judge(np.stack([columns["x"], columns["y"]], 1))
    steps = model.measurements["steps"]
    return Outcome(seconds, steps, broken(data, drawn), lost(data, drawn), _alarms(model), modes, near)


def _alarms(model: pf.Model) -> tuple[str, ...]:
    """What stands before the colon of each alarm, and the step at which it was last rung."""
    return tuple(f"{words} at {step}" for words, step in {t.split(":")[0]: s for s, t in model.history.notes}.items())


def summary(name: str, found: list[Outcome]) -> str:
    """How many of the seeds went well."""
    n = len(found)
    parts = []
    if name in PLACES:
        modes = len(PLACES[name].at)
        whole = sum(o.modes == modes for o in found)
        fewest, least = min(o.modes or 0 for o in found), min(o.near or 0.0 for o in found)
        middle = float(np.median([o.near or 0.0 for o in found]))
        parts.append(f"all {modes} modes in {whole} of {n} (fewest {fewest})")
        parts.append(f"near: median {middle:.1%}, least {least:.1%}")
    parts.append(f"nothing lost in {sum(not o.lost and not o.broken for o in found)} of {n}")
    parts.append(f"NaN in {sum(o.broken for o in found)}, alarms in {sum(bool(o.alarms) for o in found)}")
    return f"{name}: " + "; ".join(parts) + f"; at most {max(o.seconds for o in found):.0f} s"


def main() -> None:
    """A line a seed and a summary, data set by data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float, nargs="?", default=1.0)
    parser.add_argument("--data", default=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--set", default="", help="hyperparameters, such as loss=minimax,penalty=none,pack=1")
    parser.add_argument("--plain", action="store_true", help="numbers are only standardised")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    if said.plain:
        network.FlatEncoding = Plain
    kind = "plain coordinates" if said.plain else "normal scores"
    print(f"gan:{said.set}, {said.minutes:g} min, {kind}, {torch.get_num_threads()} threads", flush=True)
    pf.GAN(width=4).fit("moons", steps=2)  # what torch loads at the first step of a process is not part of a game
    summaries = []
    for name in said.data.split(","):
        data = pf.read(ring() if name == "ring" else name)
        found = []
        for seed in range(said.first, said.first + said.seeds):
            found.append(play(name, data, said.set, said.minutes, seed))
            print(f"{name} seed {seed}: {found[-1].line(name)}", flush=True)
        summaries.append(summary(name, found))
    print(*summaries, sep="\n")


if __name__ == "__main__":
    main()
