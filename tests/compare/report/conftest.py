"""Comparisons made by hand, so that what their pages must say is known."""

import numpy as np
import pytest

import pushforward as pf
from pushforward.compare.result import Cell, Comparison
from pushforward.metrics import Measured

FIELDS = {"table": ("height", "town"), "pictures": ("image", "label"), "texts": ("line",)}


def one(value, width=0.02, better="lower", ideal=0.5, **more):
    return Measured(value, value - width, value + width, better, ideal, **more)


def found(gap):
    """What a model of this distance from perfect would have."""
    columns, pairs = {"height": 1 - gap, "town": 1 - gap / 2}, {("height", "town"): 1 - gap}
    return {
        "two-sample": one(0.5 + gap / 2, detail={"importance": {"height": gap}, "auc": one(0.5 + gap / 2), "n": 100}),
        "kernel ratio": one(1 + 50 * gap, 0.3, ideal=1.0),
        "coverage": one(0.97 - gap, 0.03, "higher", 0.97),
        "column shapes": one(1 - gap, 0.01, "higher", 1.0, detail={"columns": columns}),
        "pair trends": one(1 - gap, 0.01, "higher", 1.0, detail={"pairs": pairs}),
        "utility": "the judge needs a category of two levels",
        "copies": one(0.0, 0.01, ideal=0.0, words="few rows are equal"),
        "membership": one(0.5, 0.03),
    }


def cell(model, seed=0, gap=0.1, **more):
    said = {"density": "exact", "nats": one(-20 - 10 * gap, 0.2, "higher", float("inf")), "found": found(gap)}
    cost = {"seconds to fit": 0.5 + 100 * gap, "seconds per 1,000": 0.02, "parameters": 12345.0}
    facts = {"steps": 7, "holds": "any field, range or set", "exact": 1.0, "alarms": [], "oscillation": 0.04}
    return Cell(model, seed, **{**said, "cost": cost, "facts": facts, **more})


def comparison(cells, kind="table", **more):
    data = {"name": "people", "rows": 1200, "held out": 300, "fields": [[f, "number"] for f in FIELDS[kind]]}
    setting = {"minutes": 0.5, "seeds": [0, 1], "versions": {"pushforward": "9.9"}, "machine": "an abacus",
               "command": "pushforward compare people.csv", "date": "2030-01-01"}  # fmt: skip
    return Comparison(data, setting, tuple(cells), **more)


def records(kind, n=60, seed=0):
    rng = np.random.default_rng(seed)
    match kind:
        case "table":
            height = np.round(rng.normal(170, 9, n), 1)
            town, shift = rng.choice(["Ulm", "Bonn"], n), rng.choice(["day", "night"], n)
            return pf.read({"height": height, "weight": height / 2 + rng.normal(size=n), "town": town, "shift": shift})
        case "pictures":
            return pf.read(
                {"image": rng.integers(0, 255, (n, 6, 5), dtype=np.uint8), "label": rng.choice(["a", "b"], n)}
            )
        case "texts":
            return pf.read({"line": [f"line {i} says {rng.integers(9)}" for i in range(n)]}, text=["line"])


@pytest.fixture
def folder(tmp_path):
    """Real and drawn records of a kind, where a comparison would have kept them."""

    def filled(kind):
        records(kind, seed=1).save(tmp_path / "held.parquet")
        records(kind, seed=2).save(tmp_path / "drawn.parquet")
        return tmp_path

    return filled
