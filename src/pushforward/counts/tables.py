"""Tables of levels given a class: counting them, smoothing them, and adding up their logarithms. Tensors alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

BLOCK = 16_384  # rows counted at a time: what is computed of them stays in the processor's cache
SHORT = 8192  # rows scored at a time, for the same reason
JOINED = 1024  # levels of variables that are looked up as one


def count(codes: Tensor, classes: Tensor, levels: Sequence[int], k: int, weights: Tensor | None = None) -> Tensor:
    """How often each level of each variable comes with each class: N_kl = Σ_i w_i [class_i = k] [code_i = l].

    Every (class, level) is a bin of its own, so that one histogram counts all variables at once.

    Args:
        codes: (n, m) whole numbers, the level of each variable; below 0 where it is not known.
        classes: (n,) whole numbers from 0 to k - 1; below 0 where it is not known.
        levels: m numbers of levels, which sum to L.
        k: classes.
        weights: (n,) of the records; all alike if not given.

    Returns:
        (k, L) float64, the variables side by side.

    >>> count(torch.tensor([[0, 1], [0, 0]]), torch.tensor([0, 1]), [1, 2], 2).tolist()
    [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    """
    total = int(sum(levels))
    out = torch.zeros(k, total, dtype=torch.float64)
    if weights is None and len(codes) and classes.min() >= 0 and codes.numel() and codes.min() >= 0:
        return _count_known(codes, classes, levels, k)
    starts = _starts(levels)
    for j, width in enumerate(levels):
        known = (codes[:, j] >= 0) & (classes >= 0)
        flat = (classes.long() * width + codes[:, j])[known]
        share = None if weights is None else weights[known]
        out[:, starts[j] : starts[j] + width] = torch.bincount(flat, share, minlength=k * width).view(k, width)
    return out


def _count_known(codes: Tensor, classes: Tensor, levels: Sequence[int], k: int) -> Tensor:
    """The same where all is known and weighs the same, a block of rows in one histogram."""
    total = int(sum(levels))
    starts, base = _starts(levels).to(codes.dtype), (classes * total).to(torch.int64)
    whole = torch.zeros(k * total, dtype=torch.int64)
    for at in range(0, len(codes), BLOCK):
        rows = slice(at, at + BLOCK)
        whole += torch.bincount((codes[rows] + starts + base[rows, None]).view(-1), minlength=k * total)
    return whole.double().view(k, total)


def log_tables(counts: Tensor, levels: Sequence[int], smoothing: float) -> Tensor:
    """log θ_kl = log (N_kl + α) / (N_k + α L): the mean of θ under a Dirichlet prior with pseudo-counts α.

    Args:
        counts: (k, L) of `count`.
        levels: m numbers of levels, which sum to L.
        smoothing: α, greater than 0.

    Returns:
        (k, L).

    >>> log_tables(torch.tensor([[3.0, 0.0]]), [2], 1.0).exp().tolist()
    [[0.8, 0.2]]
    """
    parts = [part + smoothing for part in counts.double().split(list(levels), 1)]
    return torch.cat([(part / part.sum(1, keepdim=True)).log() for part in parts], 1) if parts else counts.double()


def scores(codes: Tensor, log_table: Tensor, levels: Sequence[int]) -> Tensor:
    """Σ_j log θ_k[j, code_j] for each record and class; what is not known adds nothing.

    Args:
        codes: (n, m) whole numbers; below 0 where not known.
        log_table: (k, L) of `log_tables`.
        levels: m numbers of levels, which sum to L.

    Returns:
        (n, k).

    >>> table = torch.tensor([[0.8, 0.2], [0.5, 0.5]]).log()
    >>> scores(torch.tensor([[0], [-1]]), table, [2]).exp().round(decimals=6).tolist()
    [[0.8, 0.5], [1.0, 1.0]]
    """
    n, classes, log_table = len(codes), len(log_table), log_table.double()
    out, rows = np.zeros((n, classes)), min(n, SHORT)
    part, places = np.empty((rows, classes)), np.empty(rows, np.int64)
    holes = bool(len(levels)) and n > 0 and int(codes.min()) < 0
    sums = _joined(log_table, levels, holes, most=min(JOINED, n))
    for at in range(0, n, SHORT):
        block = np.ascontiguousarray(codes[at : at + SHORT].numpy().T)
        here, there, place = out[at : at + SHORT], part[: block.shape[1]], places[: block.shape[1]]
        for columns, table in sums:
            place[:] = 0
            for j in columns:
                place *= levels[j] + holes
                place += np.where(block[j] < 0, levels[j], block[j]) if holes else block[j]
            np.take(table, place, axis=0, out=there, mode="clip")  # the other modes copy once more
            here += there
    return torch.from_numpy(out)


def _joined(log_table: Tensor, levels: Sequence[int], holes: bool, most: int) -> list[tuple[list[int], np.ndarray]]:
    """Neighbouring variables joined to one while their levels together are few: (rows, k) of sums for each.

    Looking up a row takes the same time whatever it stands for. Where holes are, a last level of each adds nothing.
    """
    parts = log_table.split(list(levels), 1) if levels else ()
    out: list[tuple[list[int], np.ndarray]] = []
    for j, part in enumerate(parts):
        own = torch.cat([part, part.new_zeros(len(part), 1)], 1).T if holes else part.T
        if out and len(out[-1][1]) * len(own) <= most:
            columns, table = out[-1]
            joined = table[:, None] + own.numpy()[None]
            out[-1] = [*columns, j], joined.reshape(-1, joined.shape[2])
        else:
            out.append(([j], np.ascontiguousarray(own.numpy())))
    return out


def posterior(log_joint: Tensor, log_prior: Tensor) -> Tensor:
    """p(class | x) ∝ p(class, x), (n, k); the prior where x is impossible in every class.

    >>> posterior(torch.tensor([[0.1, 0.3]]).log(), torch.tensor([[0.5, 0.5]]).log()).round(decimals=6).tolist()
    [[0.25, 0.75]]
    """
    joint, out = log_joint.double().numpy(), np.empty(log_joint.shape)
    for at in range(0, len(joint), SHORT):
        logs = joint[at : at + SHORT].T.copy()  # few classes, many records: along the records is faster
        top = logs.max(0)
        if np.isinf(top).any():
            logs = np.where(np.isinf(top), log_prior.numpy().T, logs)
            top = logs.max(0)
        logs -= top
        np.exp(logs, out=logs)
        logs /= logs.sum(0)
        out[at : at + SHORT] = logs.T
    return torch.from_numpy(out)


def draw(probabilities: Tensor, u: Tensor, k: Tensor | None = None) -> Tensor:
    """(n,) levels by the inverse of the distribution function, in proportion to rows of (K, L) probabilities.

    Args:
        probabilities: (K, L); a single row serves all.
        u: (n,) uniform on [0, 1).
        k: (n,) the row of each; row by row if not given.
    """
    sums = probabilities.cumsum(1)
    sums, last = sums / sums[:, -1:], probabilities.shape[1] - 1
    if len(sums) == 1:
        return torch.searchsorted(sums[0], u, right=True).clamp_max(last)
    if k is None:
        return torch.searchsorted(sums, u[:, None], right=True)[:, 0].clamp_max(last)
    ends = (sums + torch.arange(len(sums), dtype=sums.dtype)[:, None]).view(-1)  # rows end to end
    return (torch.searchsorted(ends, u + k, right=True) - k * (last + 1)).clamp(0, last)


def _starts(levels: Sequence[int]) -> Tensor:
    return torch.tensor([0, *levels[:-1]]).cumsum(0) if len(levels) else torch.zeros(0, dtype=torch.int64)
