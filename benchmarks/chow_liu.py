"""A dependency tree over 600 binary columns: `DependencyTree` beside pgmpy's Chow-Liu search.

Run with ``python benchmarks/chow_liu.py``; it exits with 1 where ours takes more than 30 s. The truth is a random tree
in which each column is its parent with some cells turned over. pgmpy computes one mutual information a pair in Python,
so by default it gets the first 60 columns, a tree of their own, and its time for all is that time by pairs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import pushforward as pf

BAR = 30.0

Columns = dict[str, np.ndarray]
Edges = set[frozenset[str]]


def make(columns: int, rows: int, seed: int) -> tuple[Columns, Edges]:
    """Binary columns of a random tree, and its edges; the first k columns are a tree as well.

    Args:
        columns, rows: how many.
        seed: of the tree, of how often cells are turned over (5 to 30 %), and of the cells.
    """
    rng = np.random.default_rng(seed)
    values = [rng.random(rows) < 0.5]
    edges: Edges = set()
    for i in range(1, columns):
        parent = int(rng.integers(0, i))
        values.append(values[parent] ^ (rng.random(rows) < rng.uniform(0.05, 0.3)))
        edges.add(frozenset((f"x{parent}", f"x{i}")))
    return {f"x{i}": column for i, column in enumerate(values)}, edges


def ours(data: Columns) -> tuple[float, Edges]:
    """The seconds that `DependencyTree` takes, and the edges that it finds."""
    start = time.perf_counter()
    model: Any = pf.DependencyTree().fit(data)
    return time.perf_counter() - start, _edges(model.edges)


def theirs(data: Columns) -> tuple[float, Edges]:
    """The seconds that pgmpy takes in one process, and the edges that it finds."""
    from pgmpy.estimators import TreeSearch

    table = pd.DataFrame({name: column.astype(int) for name, column in data.items()})
    start = time.perf_counter()
    found = TreeSearch(table, root_node="x0", n_jobs=1).estimate(estimator_type="chow-liu", show_progress=False)
    return time.perf_counter() - start, _edges(found.edges())


def _edges(pairs: Collection[tuple[str, str]]) -> Edges:
    return {frozenset(pair) for pair in pairs}


def main() -> int:
    """Both on the same data, in the same process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=600)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--peer-columns", type=int, default=60, help="the columns that pgmpy gets; 0: leave it out")
    parser.add_argument("--json", type=Path, help="a file for all numbers")
    options = parser.parse_args()
    data, truth = make(options.columns, options.rows, seed=0)
    took, found = ours(data)
    out = {
        "columns": options.columns,
        "rows": options.rows,
        "seconds": took,
        "recovered": len(found & truth) / len(truth),
    }
    print(f"{options.rows:,} rows of a random tree")
    print(
        f"DependencyTree  {options.columns:4} columns  {took:7.2f} s (bar {BAR:g})  {out['recovered']:.1%} of its edges"
    )
    if options.peer_columns:
        k = min(options.peer_columns, options.columns)
        part = {f"x{i}": data[f"x{i}"] for i in range(k)}
        own = {edge for edge in truth if edge <= set(part)}
        seconds, edges = theirs(part)
        share = len(edges & own) / len(own)
        scaled = seconds * (options.columns * (options.columns - 1)) / (k * (k - 1))
        print(f"pgmpy           {k:4} columns  {seconds:7.2f} s{'':10} {share:.1%} of its edges")
        if k < options.columns:
            whole = f"by pairs, {options.columns} columns would take it {scaled:,.0f} s"
            print(f"{'':16}{whole}, {scaled / took:,.0f} times ours")
        out["pgmpy"] = {"columns": k, "seconds": seconds, "recovered": share, "seconds by pairs": scaled}
    if options.json:
        options.json.write_text(json.dumps(out, indent=1))
    return 0 if took <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
