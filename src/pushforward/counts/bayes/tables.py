"""Tables of levels given a class: counting them, smoothing them, and adding up their logarithms. Tensors alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

COUNTED = 16_384  # rows counted at a time: what is computed of them stays in the processor's cache
SCORED = 4096  # rows scored at a time, for the same reason
JOINED = 16_384  # levels of neighbouring variables that are looked up as one variable
BINS = 8192  # (class, level) pairs of neighbouring variables that are counted as one
WIDE = 32  # variables whose places come of one product of matrices


@dataclass(frozen=True)
class _Panel:
    """Some neighbouring variables, joined to fewer ones: level (a, b) of two is level a · levels_b + b of one.

    Attributes:
        columns: which variables they are.
        groups: which of them are one; `sizes` says of how many levels.
        weights: (groups, columns) of the product that gives levels of groups: exact, as it is of small whole numbers.
    """

    columns: slice
    groups: list[list[int]]
    sizes: list[int]
    weights: np.ndarray

    def places(self, codes: np.ndarray) -> np.ndarray:
        """(groups, n) levels of (n, m) codes, as floats."""
        return self.weights @ codes[:, self.columns].astype(self.weights.dtype).T


def _panels(levels: Sequence[int], most: int, times: int = 1) -> list[_Panel]:
    """Variables joined while one of all has at most `most` levels; `times`: what levels are yet multiplied by."""
    groups: list[list[int]] = []
    sizes: list[int] = []
    for j, width in enumerate(levels):
        if groups and sizes[-1] * width <= most:
            groups[-1].append(j)
            sizes[-1] *= width
        else:
            groups.append([j])
            sizes.append(width)
    out, at = [], 0
    while at < len(groups):
        end = at + 1
        while end < len(groups) and groups[end][-1] - groups[at][0] < WIDE:
            end += 1
        first, last = groups[at][0], groups[end - 1][-1] + 1
        exact = np.float32 if times * sum(sizes[at:end]) < 2**24 else np.float64
        weights = np.zeros((end - at, last - first), exact)
        for row, group in zip(weights, groups[at:end], strict=True):
            radix = np.cumprod([1, *(levels[j] for j in group[:0:-1])])[::-1]
            row[[j - first for j in group]] = radix
        out.append(_Panel(slice(first, last), groups[at:end], sizes[at:end], weights))
        at = end
    return out


def count(codes: Tensor, classes: Tensor, levels: Sequence[int], k: int, weights: Tensor | None = None) -> Tensor:
    """How often each level of each variable comes with each class: N_kl = Σ_i w_i [class_i = k] [code_i = l].

    Neighbouring variables with few levels are counted as one, of which each is a margin: fewer and no larger steps.

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
    """The same where all is known and weighs the same: joined variables first, of which each is a margin."""
    x, y, parts = codes.numpy(), classes.numpy(), []
    for panel in _panels(levels, min(BINS // k, len(x)), k):
        sizes = np.array(panel.sizes, panel.weights.dtype)[:, None]
        starts = k * (np.cumsum(sizes, 0, dtype=sizes.dtype) - sizes)
        whole = np.zeros(k * sum(panel.sizes), np.int64)
        for at in range(0, len(x), COUNTED):
            place = panel.places(x[at : at + COUNTED])
            place += sizes * y[at : at + COUNTED].astype(sizes.dtype)
            place += starts
            whole += np.bincount(place.astype(np.int64).ravel(), minlength=len(whole))
        ends = np.cumsum([k * size for size in panel.sizes])
        for group, joint in zip(panel.groups, np.split(whole, ends[:-1]), strict=True):
            cube = joint.reshape(k, *(levels[j] for j in group))
            parts += [cube.sum(tuple(set(range(1, cube.ndim)) - {axis})) for axis in range(1, cube.ndim)]
    return torch.from_numpy(np.concatenate(parts, 1).astype(np.float64))


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
    x, log_table = codes.numpy(), log_table.double()
    holes = x.size > 0 and x.min() < 0
    if holes:  # a last level of each, which adds nothing
        x = np.where(x < 0, np.array(levels, x.dtype), x)
    parts = [part.T for part in log_table.split(list(levels), 1)] if len(levels) else []
    if holes:
        parts = [torch.cat([part, part.new_zeros(1, len(log_table))]) for part in parts]
    out = np.zeros((len(x), len(log_table)))
    spare = np.empty((min(len(x), SCORED), len(log_table)))
    for panel in _panels([len(part) for part in parts], min(JOINED, len(x))):
        sums = [_sums([parts[j] for j in group]) for group in panel.groups]
        for at in range(0, len(x), SCORED):
            places = panel.places(x[at : at + SCORED]).astype(np.int64)
            here, there = out[at : at + SCORED], spare[: places.shape[1]]
            for place, table in zip(places, sums, strict=True):
                np.take(table, place, axis=0, out=there, mode="clip")  # the other modes copy once more
                here += there
    return torch.from_numpy(out)


def _sums(parts: Sequence[Tensor]) -> np.ndarray:
    """(levels of all together, k) sums of a row of each of (levels, k) tables."""
    whole = parts[0]
    for part in parts[1:]:
        whole = (whole[:, None] + part).reshape(-1, part.shape[1])
    return np.ascontiguousarray(whole.numpy())


def posterior(log_joint: Tensor, log_prior: Tensor) -> Tensor:
    """p(class | x) ∝ p(class, x), (n, k); the prior where x is impossible in every class.

    >>> posterior(torch.tensor([[0.1, 0.3]]).log(), torch.tensor([[0.5, 0.5]]).log()).round(decimals=6).tolist()
    [[0.25, 0.75]]
    """
    joint, out = log_joint.double().numpy(), np.empty(log_joint.shape)
    for at in range(0, len(joint), SCORED):
        logs = joint[at : at + SCORED].T.copy()  # few classes, many records: along the records is faster
        top = logs.max(0)
        if np.isinf(top).any():
            logs = np.where(np.isinf(top), log_prior.numpy().T, logs)
            top = logs.max(0)
        logs -= top
        np.exp(logs, out=logs)
        logs /= logs.sum(0)
        out[at : at + SCORED] = logs.T
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
