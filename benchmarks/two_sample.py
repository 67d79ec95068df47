"""How well classifiers tell drawn rows from real ones: 1 where they cannot, 0 where they always can.

The score is 1 - max(0, 2 · AUC - 1), where the AUC is the mean over five folds of boosted trees that were shown as many
drawn rows as real ones: XGBoost, and the histogram boosting of `pushforward.metrics`. Holes stay holes, which both
judges see.

    python benchmarks/two_sample.py drawn.parquet adult:test
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

import pushforward as pf
from pushforward.data import as_records
from pushforward.data.encodings.cells import as_floats
from pushforward.metrics import told_rows
from pushforward.metrics.rows import subset

FOLDS = 5


def frame(records: pf.Records) -> pd.DataFrame:
    """Numbers (dates too) as floats with NaN holes, categories as pandas categories of the schema's levels."""
    columns: dict[str, Any] = {}
    for field in records.schema:
        column = records.column(field.name)
        if isinstance(field, pf.Number):
            columns[field.name] = as_floats(column).astype(np.float64) + 0.0  # no negative zeros
        elif isinstance(field, pf.Category):
            codes = pc.index_in(column, value_set=pa.array(field.values, field.arrow_type)).fill_null(-1)
            levels = [str(value) for value in field.values]
            columns[field.name] = pd.Categorical.from_codes(codes.to_numpy(), categories=levels)
    return pd.DataFrame(columns)


class XGBoost:
    """XGBoost with native categories and holes: 300 trees of depth 6, learning rate 0.1."""

    def __init__(self, seed: int) -> None:
        from xgboost import XGBClassifier

        self.model = XGBClassifier(
            n_estimators=300, max_depth=6, learning_rate=0.1, tree_method="hist", enable_categorical=True,
            random_state=seed,
        )  # fmt: skip

    def fit(self, table: pd.DataFrame, label: np.ndarray) -> XGBoost:
        self.model.fit(table, label)
        return self

    def probability(self, table: pd.DataFrame) -> np.ndarray:
        return self.model.predict_proba(table)[:, 1]

    def importance(self) -> dict[str, float]:
        """The share of each column in the gain of all splits."""
        gain = self.model.get_booster().get_score(importance_type="total_gain")
        return {name: value / sum(gain.values()) for name, value in gain.items()}


@dataclass(frozen=True)
class Verdict:
    """What a judge found.

    Attributes:
        auc: the mean over folds of the area under the curve, on rows that the judge was not shown.
        importance: by column its share in the gain of all splits, or the area that is lost where it is shuffled.
    """

    auc: float
    importance: dict[str, float]

    @property
    def score(self) -> float:
        """1 where drawn and real cannot be told apart, 0 where they always can."""
        return 1 - max(0.0, 2 * self.auc - 1)


def verdict(drawn: pf.Records, real: pf.Records, seed: int = 0, *, judge: str = "xgboost") -> Verdict:
    """Let one judge tell drawn rows from real ones, as many of each.

    Args:
        drawn, real: records of the same fields.
        seed: of the choice of rows, the folds and the judge.
        judge: a name in `JUDGES`.
    """
    return JUDGES[judge](drawn, real, seed)


def _by_xgboost(drawn: pf.Records, real: pf.Records, seed: int) -> Verdict:
    n = min(len(drawn), len(real))
    parts = alike(*(frame(subset(records, n, seed)) for records in (drawn, real)))
    table = pd.concat(parts, ignore_index=True)
    label = np.repeat([1, 0], n)
    aucs, gains = [], []
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(table, label):
        model = XGBoost(seed).fit(table.iloc[train], label[train])
        aucs.append(roc_auc_score(label[test], model.probability(table.iloc[test])))
        gains.append(model.importance())
    names = {name for gain in gains for name in gain}
    importance = {name: float(np.mean([gain.get(name, 0.0) for gain in gains])) for name in names}
    return Verdict(float(np.mean(aucs)), dict(sorted(importance.items(), key=lambda item: -item[1])))


def _by_hist(drawn: pf.Records, real: pf.Records, seed: int) -> Verdict:
    found = told_rows(drawn, real, seed=seed)
    return Verdict(found.detail["auc"].value, found.detail["importance"])


JUDGES: dict[str, Callable[[pf.Records, pf.Records, int], Verdict]] = {"xgboost": _by_xgboost, "hist": _by_hist}


def alike(*tables: pd.DataFrame) -> list[pd.DataFrame]:
    """Frames of the same columns, each category with the levels that any of them has."""
    out = [table[list(tables[0])].copy() for table in tables]
    for name in out[0]:
        if isinstance(out[0][name].dtype, pd.CategoricalDtype):
            levels = sorted({level for table in out for level in table[name].cat.categories})
            for table in out:
                table[name] = table[name].cat.set_categories(levels)
    return out


def main() -> None:
    """Judge a file of drawn rows against real ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", help="a file of drawn rows")
    parser.add_argument("real", help="a file or built-in data set of real rows that the model has not seen")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    real = pf.read(options.real)
    drawn = as_records(options.drawn, real.schema)
    for judge in JUDGES:
        found = verdict(drawn, real, options.seed, judge=judge)
        print(f"{judge:8} {found.score:.3f}   AUC {found.auc:.4f}")
        for name, share in found.importance.items():
            print(f"    {share:6.1%} {name}")


if __name__ == "__main__":
    main()
