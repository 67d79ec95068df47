"""Filling holes: `complete` beside miceforest (lightgbm and mean matching), on tables with a fifth of the cells hidden.

    python benchmarks/imputation.py penguins wine --families gaussian-mixture

Cells are hidden at random; both learn from the table with these holes and fill it several times over. Ours take more
draws, which are cheap; the seconds hold them all. Holes that the table had before are filled too, and not judged.

    error of numbers      mean absolute error of the mean over draws, in standard deviations, mean over columns
    error of categories   share of cells where the most frequent draw is wrong, mean over columns
    coverage              share of hidden numbers whose rank among the draws lies in the middle 90 %; ties (whole
                          numbers) and the parts of a rank are broken at random, so that 90 % is ideal for any table
    … closed              share of hidden numbers within the interval from the 5 % to the 95 % quantile, ends included:
                          at least the above, and more where values repeat; needs 19 draws
    seconds               to learn and to draw
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from tables import named
from two_sample import frame

import pushforward as pf
from pushforward.families import family

HIDDEN = 0.2
LOW, HIGH = 0.05, 0.95
ENOUGH = 19  # draws from which on the ends of a 90 % interval lie among them

Completions = list[pd.DataFrame]


def penguins() -> pf.Records:
    """344 penguins, with holes of their own."""
    return pf.read("penguins")


def wine() -> pf.Records:
    """178 wines by chemistry, and their grape."""
    from sklearn.datasets import load_wine

    return _bunch(load_wine(as_frame=True))


def cancer() -> pf.Records:
    """569 tumours by 30 measurements, and whether they were malignant."""
    from sklearn.datasets import load_breast_cancer

    return _bunch(load_breast_cancer(as_frame=True))


def _bunch(bunch: Any) -> pf.Records:
    words = bunch.target.map(dict(enumerate(map(str, bunch.target_names))))
    return pf.read(bunch.data.assign(target=words))


def adult() -> pf.Records:
    """The training half of the census."""
    return pf.read("adult:train")


TABLES: dict[str, Callable[[], pf.Records]] = {"penguins": penguins, "wine": wine, "cancer": cancer, "adult": adult}


def hide(records: pf.Records, seed: int) -> tuple[pf.Records, dict[str, np.ndarray]]:
    """The records with a share of their cells as holes, and by field which cells these are."""
    rng = np.random.default_rng(seed)
    hidden = {name: rng.random(len(records)) < HIDDEN for name in records.names}
    columns = {}
    for name in records.names:
        column = records.column(name).combine_chunks()
        hidden[name] &= column.is_valid().to_numpy(zero_copy_only=False)
        columns[name] = pa.compute.if_else(pa.array(hidden[name]), pa.scalar(None, column.type), column)
    fields = tuple(replace(field, missing=True) for field in records.schema)
    return pf.Records(pf.Schema(fields), pa.table(columns)), hidden


def ours(words: str, holed: pf.Records, draws: int, more: int, seed: int, minutes: float) -> tuple[float, Completions]:
    """Seconds to learn and draw, and the completions: those that were timed, and more for intervals."""
    start = time.perf_counter()
    name, parameters = named(words)
    kind = family(name)
    bound = {"minutes": minutes} if minutes and "minutes" in kind.budget() else {}
    model = kind(**parameters).fit(holed, seed=seed, **bound)
    filled = [model.complete(holed, seed=i) for i in range(draws)]
    took = time.perf_counter() - start
    filled += [model.complete(holed, seed=i) for i in range(draws, more)]
    return took, [frame(records) for records in filled]


def theirs(holed: pf.Records, draws: int, iterations: int, seed: int) -> tuple[float, Completions]:
    """Seconds of miceforest, and its completions.

    Its own way of matching compares log odds, which are infinite where a classifier is sure, as with rare levels.
    Where it fails over that, categories are drawn from the predicted probabilities instead (its way ``fast``).
    """
    import miceforest

    table = frame(holed)
    words = [name for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)]
    table = table.assign(**{name: table[name].cat.remove_unused_categories() for name in words})
    short = {name: f"c{i}" for i, name in enumerate(table)}  # lightgbm refuses some names
    table = table.rename(columns=short)

    def fill(matching: str | dict[str, str]) -> Completions:
        kernel = miceforest.ImputationKernel(table, num_datasets=draws, mean_match_strategy=matching, random_state=seed)
        kernel.mice(iterations, verbose=False)
        return [kernel.complete_data(i).set_axis(list(holed.names), axis=1) for i in range(draws)]

    with warnings.catch_warnings(), _positional():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        try:
            filled = fill("normal")
        except ValueError as error:
            print(f"miceforest: {error}; categories are matched the fast way", file=sys.stderr, flush=True)
            start = time.perf_counter()
            filled = fill({new: "fast" if name in words else "normal" for name, new in short.items()})
        return time.perf_counter() - start, filled


@contextlib.contextmanager
def _positional() -> Iterator[None]:
    """Let a method of lightgbm that miceforest 6.0 calls take its argument by position, as it did before 4.7."""
    import lightgbm

    name = "_Booster__inner_predict"
    method = getattr(lightgbm.Booster, name)
    if inspect.signature(method).parameters["data_idx"].kind is not inspect.Parameter.KEYWORD_ONLY:
        yield
        return
    setattr(lightgbm.Booster, name, lambda self, data_idx: method(self, data_idx=data_idx))
    try:
        yield
    finally:
        setattr(lightgbm.Booster, name, method)


def judge(
    truth: pf.Records, hidden: dict[str, np.ndarray], filled: Completions, draws: int, seed: int
) -> dict[str, float]:
    """The errors of the first draws taken together, and the coverage of all of them."""
    table = frame(truth)
    numbers, categories, inside, closed = [], [], [], []
    for field in truth.schema:
        where = hidden[field.name]
        actual = table[field.name][where]
        drawn = pd.concat([one[field.name].reset_index(drop=True)[where] for one in filled], axis=1)
        if isinstance(field, pf.Category):
            guess = drawn.iloc[:, :draws].astype(object).mode(axis=1)[0]
            categories.append(float((guess.to_numpy() != actual.astype(object).to_numpy()).mean()))
        elif table[field.name].std() > 0:
            value, values = actual.to_numpy(), drawn.to_numpy()
            numbers.append(float(np.abs(values[:, :draws].mean(1) - value).mean() / table[field.name].std()))
            inside.append(ranks_inside(value, values, seed))
            closed += [in_interval(value, values)] if len(filled) >= ENOUGH else []
    mean = {"numbers": numbers, "categories": categories}
    cells = {"coverage": inside, "closed": closed}
    out = {name: float(np.mean(values)) if values else float("nan") for name, values in mean.items()}
    return out | {name: float(np.concatenate(values).mean()) for name, values in cells.items() if values}


def ranks_inside(value: np.ndarray, drawn: np.ndarray, seed: int) -> np.ndarray:
    """(n,) whether the rank of each value among its draws (n, m), ties broken at random, is in the middle 90 %."""
    rng = np.random.default_rng(seed)
    below, ties = (drawn < value[:, None]).sum(1), (drawn == value[:, None]).sum(1)
    rank = (below + rng.random(len(value)) * (ties + 1)) / (drawn.shape[1] + 1)
    return (rank >= LOW) & (rank <= HIGH)


def in_interval(value: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(n,) whether each value lies between the quantiles of its draws (n, m).

    Weibull's quantiles: with m draws they hold one more draw with the probability that they say, for any m ≥ 19.
    """
    low, high = np.quantile(drawn, [LOW, HIGH], axis=1, method="weibull")
    return (value >= low) & (value <= high)


def line(name: str, method: str, width: int, found: dict[str, float], against: float | None) -> str:
    """One line of the table."""
    ratio = f"{found['seconds'] / against:8.3f}" if against else f"{'–':>8}"
    words = [f"{found[key]:{w}.{d}f}" for key, w, d in (("numbers", 10, 3), ("categories", 12, 3), ("seconds", 9, 2))]
    cover = [f"{found[key]:{w}.1%}" if key in found else f"{'–':>{w}}" for key, w in (("coverage", 10), ("closed", 9))]
    return f"{name:10} {method:{width}}" + "".join(words) + ratio + "".join(cover)


def compare(name: str, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Fill one table by all methods, over seeds, and print the means."""
    truth = TABLES[name]()
    if options.rows and len(truth) > options.rows:
        truth = truth.take(np.sort(np.random.default_rng(0).choice(len(truth), options.rows, replace=False)))
    methods = [*options.families, *([] if options.no_miceforest else ["miceforest"])]
    runs: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
    for seed in range(options.first, options.first + options.seeds):
        holed, hidden = hide(truth, seed)
        for method in methods:
            if method == "miceforest":
                took, filled = theirs(holed, options.peer_draws, options.iterations, seed)
            else:
                took, filled = ours(method, holed, options.draws, options.intervals, seed, options.minutes)
            draws = options.peer_draws if method == "miceforest" else options.draws
            runs[method].append({"seconds": took, **judge(truth, hidden, filled, draws, seed)})
    means = {method: pd.DataFrame(found).mean().to_dict() for method, found in runs.items()}
    against = means["miceforest"]["seconds"] if "miceforest" in means else None
    for method in methods:
        print(line(name, method, _width(options), means[method], against), flush=True)
    return means


def _width(options: argparse.Namespace) -> int:
    """The room that the longest name of a method takes."""
    return max(map(len, [*options.families, "miceforest"]))


def main() -> None:
    """Every table that is asked for, by every method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", metavar="table", default=list(TABLES), help=", ".join(TABLES))
    parser.add_argument(
        "--families",
        type=lambda text: text.split(","),
        default=["gaussian-mixture", "tree-mixture"],
        help="of ours, as tables.py takes them",
    )
    parser.add_argument("--draws", type=int, default=20, help="completions of ours that an estimate is made of")
    parser.add_argument("--peer-draws", type=int, default=5, help="the same of miceforest, whose draws take longer")
    parser.add_argument("--intervals", type=int, default=39, help="completions of ours that intervals are made of")
    parser.add_argument("--iterations", type=int, default=5, help="of miceforest")
    parser.add_argument("--minutes", type=float, default=0.0, help="a fit of ours; 0: until it stops by itself")
    parser.add_argument("--seeds", type=int, default=1, help="how many choices of hidden cells")
    parser.add_argument("--first", type=int, default=0, help="seed of the first choice")
    parser.add_argument("--rows", type=int, default=0, help="at most this many of a table, for all methods; 0: all")
    parser.add_argument("--no-miceforest", action="store_true", help="leave it out")
    parser.add_argument("--json", type=Path, help="a file for all numbers")
    options = parser.parse_args()
    for name in set(options.tables) - set(TABLES):
        parser.error(f"table {name!r} does not exist; known are {', '.join(TABLES)}")
    for words in options.families:
        named(words)
    draws = f"{options.draws} draws ({options.peer_draws} of miceforest)"
    print(f"{HIDDEN:.0%} of the cells hidden, {draws}, means over {options.seeds} seed(s)")
    widths = {"numbers": 10, "categories": 12, "seconds": 9, "ratio": 8, "coverage": 10, "closed": 9}
    print(f"{'table':10} {'method':{_width(options)}}" + "".join(f"{name:>{width}}" for name, width in widths.items()))
    found = {name: compare(name, options) for name in options.tables}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    sys.exit(main())
