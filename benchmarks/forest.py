"""Small tables by diffusion, as ForestDiffusion judges them: Wasserstein distance of drawn rows to held-out ones.

python benchmarks/forest.py [iris wine cancer] [--seeds 3] [--minutes 0.1] [--no-peer] [--family diffusion]

The protocol is that of Jolicoeur-Martineau, Fatras, Kachman 2023 (arXiv 2309.09968): a fifth of the rows is held out,
as many rows are drawn as were learned from, numbers are brought to [0, 1] by the range of the training rows, levels of
the class count half, and the distance is the least cost of moving one set of rows onto the other, |x - y|₁ a row (POT).
The peer is the package `ForestDiffusion` at its defaults (flow, 50 noise levels, every row 100 times). Training rows
themselves are the floor.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.model_selection import train_test_split

import pushforward as pf
from pushforward.spec import model_of

TABLES = {"iris": load_iris, "wine": load_wine, "cancer": load_breast_cancer}


def table(name: str) -> pd.DataFrame:
    """Numbers, and the class as a word."""
    found: Any = TABLES[name](as_frame=True)
    return found.data.assign(kind=[str(found.target_names[i]) for i in found.target])


def distance(a: pd.DataFrame, b: pd.DataFrame, train: pd.DataFrame) -> float:
    """Wasserstein-1 between rows."""
    import ot

    numbers = [c for c in train if c != "kind"]
    low, span = train[numbers].min(), (train[numbers].max() - train[numbers].min()).replace(0, 1)
    levels = sorted(train.kind.unique())

    def points(rows: pd.DataFrame) -> np.ndarray:
        x = ((rows[numbers] - low) / span).to_numpy(float)
        return np.concatenate([x, 0.5 * (rows.kind.to_numpy()[:, None] == np.array(levels))], 1)

    x, y = points(a), points(b)
    even = [np.full(len(z), 1 / len(z)) for z in (x, y)]
    return float(ot.emd2(*even, ot.dist(x, y, metric="cityblock")))


def ours(train: pd.DataFrame, words: str, minutes: float, seed: int) -> pd.DataFrame:
    """Drawn by a family of ours."""
    model = model_of("--family", words, pf.Model)
    model.fit(pf.read(train), seed=seed, **({"minutes": minutes} if minutes else {}))
    return model.sample(len(train), seed=seed).to_pandas()


def peer(train: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Drawn by ForestDiffusion."""
    from ForestDiffusion import ForestDiffusionModel

    numbers = [c for c in train if c != "kind"]
    levels = sorted(train.kind.unique())
    codes = train.kind.map(levels.index).to_numpy(float)
    model = ForestDiffusionModel(train[numbers].to_numpy(float), label_y=codes, n_jobs=2, seed=seed)
    drawn = model.generate(batch_size=len(train))
    out = pd.DataFrame(drawn[:, :-1], columns=numbers)
    return out.assign(kind=[levels[round(code)] for code in drawn[:, -1]])


def main() -> None:
    """A line a table and method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", default=list(TABLES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=0.0, help="of a fit; 0: until it stops by itself")
    parser.add_argument("--family", default="diffusion")
    parser.add_argument("--no-peer", action="store_true")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in said.tables:
        whole = table(name)
        methods = {said.family: lambda train, seed: ours(train, said.family, said.minutes, seed)}
        if not said.no_peer:
            methods["ForestDiffusion"] = peer
        floors = []
        found: dict[str, list[tuple[float, float]]] = {method: [] for method in methods}
        for seed in range(said.seeds):
            train, test = train_test_split(whole, test_size=0.2, random_state=seed)
            floors.append(distance(train, test, train))
            for method, draw in methods.items():
                start = time.monotonic()
                drawn = draw(train.reset_index(drop=True), seed)
                found[method].append((distance(drawn, test, train), time.monotonic() - start))
        print(f"{name}: training rows themselves {np.mean(floors):.3f}")
        for method, rows in found.items():
            far, seconds = np.mean(rows, 0)
            print(f"  {method:28} {far:.3f} ± {np.std([r[0] for r in rows]):.3f}   {seconds:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
