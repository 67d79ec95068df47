"""What `tables.py` measures of drawn rows beside the two-sample scores: shapes, pairs, use, closeness and copies."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Collection

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from two_sample import alike, coded, frame, subsample

import pushforward as pf

REPORTED = 50_000  # rows beyond which sdmetrics draws a sample of its own, from numpy's global state
BLOCK = 256  # rows whose distances to all others are held at once


def quality(drawn: pf.Records, real: pf.Records, seed: int) -> tuple[float, float, dict[str, float]]:
    """Shape and pair trend as `QualityReport` of sdmetrics defines them, and the shape of each column, worst first.

    A shape is 1 - the Kolmogorov-Smirnov distance of numbers, or 1 - the total variation of categories. A pair trend
    is the similarity of correlations (two numbers) or of contingency tables (else; numbers in ten bins, whose edges
    sdmetrics takes from the range of each of the two tables by itself).
    """
    from sdmetrics.reports.single_table import QualityReport

    ours, theirs = (_plain(subsample(records, REPORTED, seed)) for records in (drawn, real))
    kinds = {f.name: "numerical" if isinstance(f, pf.Number) else "categorical" for f in real.schema}
    report = QualityReport()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of columns that are constant, which have no correlation
        metadata = {"columns": {name: {"sdtype": kinds[name]} for name in theirs}}
        report.generate(theirs, ours[list(theirs)], metadata, verbose=False)
    found = report.get_properties().set_index("Property")["Score"]
    shapes = report.get_details("Column Shapes").set_index("Column")["Score"].sort_values()
    return float(found["Column Shapes"]), float(found["Column Pair Trends"]), shapes.to_dict()


def _plain(records: pf.Records) -> pd.DataFrame:
    """The frame with categories as words."""
    table = frame(records)
    words = [name for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)]
    return table.astype(dict.fromkeys(words, object))


def utility(shown: pd.DataFrame, label: np.ndarray, asked: pd.DataFrame, truth: np.ndarray, seed: int) -> float:
    """The AUC on rows that are asked for of histogram boosting that was shown other rows; NaN if these are all alike.

    Args:
        shown, label: the features and the truth of the rows that are learned from.
        asked, truth: those of the rows that are judged.
        seed: of the classifier.
    """
    if len(np.unique(label)) < 2:
        return float("nan")
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=seed)
    shown, asked = alike(shown, asked)
    model.fit(coded(shown), label)
    return float(roc_auc_score(truth, model.predict_proba(coded(asked))[:, 1]))


def copies(drawn: pf.Records, train: pf.Records, ignore: Collection[str] = ()) -> float:
    """The share of rows that equal a training row in all fields but the ignored ones, holes included."""
    ours, theirs = (_hashes(records, ignore) for records in (drawn, train))
    return float(np.isin(ours, theirs).mean())


def _hashes(records: pf.Records, ignore: Collection[str]) -> np.ndarray:
    """(n,) 64 bits that tell rows from one another."""
    return pd.util.hash_pandas_object(frame(records).drop(columns=list(ignore)), index=False).to_numpy()


def closeness(drawn: pf.Records, train: pf.Records, test: pf.Records, seed: int, rows: int = 3000) -> float:
    """The share of drawn rows whose nearest real row is one of training rather than one held out; ½ is ideal.

    As many training rows as held-out ones take part; a tie counts one half. The distance is Gower's: the sum over
    columns of the difference of numbers in units of their range, of 1 where categories differ or one cell is a hole.
    """
    n = min(len(train), len(test))
    spans = {f.name: (f.high - f.low) or 1.0 for f in train.schema.of_kind(pf.Number)}
    parts = ((drawn, rows), (train, n), (test, n))  # each chosen by itself, in case that drawn rows are training rows
    tables = alike(*(frame(subsample(records, m, (seed, i))) for i, (records, m) in enumerate(parts)))
    asked, known, held = (_ready(table, spans) for table in tables)
    to_train, to_test = _nearest(asked, known), _nearest(asked, held)
    return float(((to_train < to_test) + 0.5 * (to_train == to_test)).mean())


Ready = list[tuple[np.ndarray, np.ndarray | None]]


def _ready(table: pd.DataFrame, spans: dict[str, float]) -> Ready:
    """By column: numbers in units of their range and where they are holes, or codes (-1 for holes) and None."""
    out: Ready = []
    for name in table:
        if name in spans:
            values = (table[name] / spans[name]).to_numpy(np.float32)
            out.append((np.nan_to_num(values), np.isnan(values)))
        else:
            out.append((table[name].cat.codes.to_numpy(), None))
    return out


def _nearest(asked: Ready, others: Ready) -> np.ndarray:
    """(n,) the distance of each asked row to the nearest of the others."""
    out = []
    for start in range(0, len(asked[0][0]), BLOCK):
        part = slice(start, start + BLOCK)
        total = np.float32(0)
        for (a, a_hole), (b, b_hole) in zip(asked, others, strict=True):
            if a_hole is None or b_hole is None:
                total = total + (a[part, None] != b[None])
                continue
            apart = np.abs(a[part, None] - b[None])
            if a_hole.any() or b_hole.any():
                either = a_hole[part, None] | b_hole[None]
                apart = np.where(either, a_hole[part, None] != b_hole[None], apart)
            total = total + apart
        out.append(np.asarray(total, np.float32).min(1))
    return np.concatenate(out)
