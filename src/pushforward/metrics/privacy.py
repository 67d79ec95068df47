"""Evidence that draws repeat or betray the records that were learned from: never a guarantee that they do not.

Each measure holds draws against what held-out records, which nobody learned from, would have done.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from pushforward.data import Records
from pushforward.errors import UnmeasurableError
from pushforward.metrics.intervals import area, around, share
from pushforward.metrics.measured import Measured
from pushforward.metrics.nearest import Nearest, Space, space
from pushforward.metrics.rows import rows

FEWEST = 50  # records of each side
NEAR = 0.05  # of held-out records are as near to a training record as what counts as a copy
NO_PROOF = "that is no guarantee: only this measure was taken"


def copies(drawn: Records, train: Records, held: Records, *, ignore: Collection[str] = ()) -> Measured:
    """The share of drawn rows that equal a training row in every field, holes included.

    0: none; 1: all of them. Ideal is what held-out rows have, since some rows are simply frequent. Pictures do not
    take part: see `near_copies`.

    Args:
        drawn, train, held: records of the same fields.
        ignore: fields in which a copy may differ.

    Returns:
        The share, flagged where its interval lies above that of held-out rows; ``detail["held"]`` is their share.

    Raises:
        UnmeasurableError: there is nothing but pictures, or a side has fewer than 50 rows.
    """
    _enough(drawn, train, held)
    ours, theirs, rest = (_keys(part) for part in _same(drawn, train, held, ignore))
    found = share(int(np.isin(ours, theirs).sum()), len(ours))
    usual = share(int(np.isin(rest, theirs).sum()), len(rest))
    return _above(found, usual, "equal a training row")


def near_copies(drawn: Records, train: Records, held: Records, *, within: Space | None = None) -> Measured:
    """The share of draws nearer to a training record than 95% of held-out records are to theirs.

    1/20: as held-out records, which is ideal; 1: all draws are near copies; 0: none is. Pictures are compared by their
    pixels, rows by Gower's distance.

    Args:
        drawn, train, held: records of the same fields.
        within: the `space` of these three, where it is there already.

    Returns:
        The share, flagged where its interval lies above that of held-out records; ``detail["reach"]`` is the distance.

    Raises:
        UnmeasurableError: a side has fewer than 50 records, or a twentieth of held-out ones equals a training record.
    """
    _enough(drawn, train, held)
    within = within or space(drawn, train, held)
    ours, rest = within.nearest(0, 1).there, within.nearest(2, 1).there
    return nearer_than_usual(ours, rest)


def nearer_than_usual(ours: np.ndarray, rest: np.ndarray) -> Measured:
    """The same, of the distances of draws and of held-out records to the nearest training record."""
    reach = float(np.quantile(rest, NEAR))
    if reach <= 1e-6:
        raise UnmeasurableError(
            f"over {NEAR:.0%} of held-out records equal a training record, so that nothing is nearer than usual; "
            "add fields that tell records apart"
        )
    found, usual = share(int((ours < reach).sum()), len(ours)), share(int((rest < reach).sum()), len(rest))
    return _above(found, usual, "are as near to a training record as a copy would be", reach=reach)


def nearer_to_train(drawn: Records, train: Records, held: Records, *, seed: int = 0) -> Measured:
    """The share of draws whose nearest real record is one that was learned from, rather than one held out.

    ½: neither side is nearer, which is ideal; 1: all draws are nearest to a training record; a tie counts one half.
    As many training records as held-out ones take part at a time; where there are more, all do, in turn (the share
    of distances to the closest record, DCR; Gower's distance for rows, pixels for pictures). So copies of n training
    records have about ½ + m / 2n where m are held out.

    Args:
        drawn, train, held: records of the same fields.
        seed: of the order of training records.

    Returns:
        The share, flagged where its interval lies above ½.

    Raises:
        UnmeasurableError: a side has fewer than 50 records.
    """
    return _distances(drawn, train, held, seed)[0]


def membership(drawn: Records, train: Records, held: Records, *, seed: int = 0) -> Measured:
    """How well the distance to the nearest draw tells records that were learned from from records that were not.

    ½: not at all, which is ideal; 1: always. The area under the curve of the simplest attack of someone who holds a
    record and has seen the draws (Chen et al. 2020, arXiv 1909.03935); a better attack may tell more.

    Args:
        drawn, train, held: records of the same fields.
        seed: of the order of training records.

    Returns:
        The area, flagged where its interval lies above ½.

    Raises:
        UnmeasurableError: a side has fewer than 50 records.
    """
    return _distances(drawn, train, held, seed)[1]


def closeness(drawn: Records, train: Records, held: Records, *, seed: int = 0) -> dict[str, Measured]:
    """`nearer_to_train` and `membership` together, for whose distances all pairs are gone through once."""
    nearer, member = _distances(drawn, train, held, seed)
    return {"nearer to train": nearer, "membership": member}


def _distances(drawn: Records, train: Records, held: Records, seed: int) -> tuple[Measured, Measured]:
    _enough(drawn, train, held)
    rng = np.random.default_rng(seed)
    turns = max(1, round(len(train) / len(held)))
    n = min(len(held), len(train) // turns)
    held = held.take(np.sort(rng.permutation(len(held))[:n]))
    parts = [train.take(np.sort(part)) for part in rng.permutation(len(train))[: turns * n].reshape(turns, n)]
    within = space(drawn, held, *parts)
    rest = within.nearest(0, 1)
    known = [within.nearest(0, i) for i in range(2, 2 + len(parts))]
    found = _share_of_wins(known, rest)
    auc, variance = area(-np.concatenate([part.back for part in known]), -rest.back)
    inside = around(auc, variance**0.5, 0, 1)
    return (
        _beyond_half(found, f"{found[0]:.1%} of draws are nearer to training records than to as many held-out ones"),
        _beyond_half(inside, f"training records are told from held-out ones by their nearest draw with AUC {auc:.3f}"),
    )


def _share_of_wins(known: list[Nearest], rest: Nearest) -> tuple[float, float, float]:
    """How often the nearest training record is nearer than the nearest held-out one, and the interval.

    Draws whose nearest record is the same one do not speak for themselves alone: sums over such draws vary, not draws.
    """
    wins = [(part.there < rest.there) + 0.5 * (part.there == rest.there) for part in known]
    value, n = float(np.mean(wins)), len(rest.back)
    over_held, variance = np.zeros(n), 0.0
    for part, won in zip(known, wins, strict=True):
        variance += float((np.bincount(part.which, won * (won - value), n) ** 2).sum())
        over_held += np.bincount(rest.which, (1 - won) * (won - value), n)
    variance += float((over_held**2).sum())
    return around(value, variance**0.5 / (len(known) * len(rest.there)), 0, 1)


def _beyond_half(found: tuple[float, float, float], words: str) -> Measured:
    flag = found[1] > 0.5
    words += (
        ": evidence that it learned them by heart" if flag else f", where ½ is chance: no such evidence; {NO_PROOF}"
    )
    return Measured(*found, "lower", 0.5, flag, words)


def _above(found: tuple[float, float, float], usual: tuple[float, float, float], what: str, **more: float) -> Measured:
    flag = found[1] > usual[2]
    words = f"{found[0]:.1%} of draws {what}, where {usual[0]:.1%} of held-out records do: "
    words += "evidence of copying" if flag else f"no evidence of copying; {NO_PROOF}"
    held = Measured(*usual, "lower", usual[0])
    return Measured(*found, "lower", usual[0], flag, words, {"held": held, **more})


def _enough(*parts: Records) -> None:
    if min(map(len, parts)) < FEWEST:
        counts = " and ".join(f"{len(part):,}" for part in parts)
        raise UnmeasurableError(f"there are {counts} records drawn, learned and held out; it takes {FEWEST} of each")


def _same(drawn: Records, train: Records, held: Records, ignore: Collection[str]) -> list[list[np.ndarray]]:
    """By data set the columns, as codes that are equal where cells are; texts by themselves."""
    tables = [table.without(ignore) if ignore else table for table in rows(drawn, train, held)]
    out: list[list[np.ndarray]] = [[] for _ in tables]
    for name in tables[0].names:
        if name in tables[0].texts:
            words = [part.column(name).to_pylist() for part in (drawn, train, held)]
            known = {word: i for i, word in enumerate({word for part in words for word in part})}
            columns = [np.array([known[word] for word in part]) for part in words]
        elif name in tables[0].codes:
            columns = [table.codes[name] for table in tables]
        else:
            columns = [np.where(np.isnan(c := table.numbers[name]), np.nan, c).view(np.int64) for table in tables]
        for part, column in zip(out, columns, strict=True):
            part.append(column)
    return out


def _keys(columns: list[np.ndarray]) -> np.ndarray:
    """(n,) one value a row, equal where the rows are, byte by byte."""
    table = np.ascontiguousarray(np.stack(columns, 1))
    return table.view(np.dtype((np.void, table.dtype.itemsize * table.shape[1])))[:, 0]
