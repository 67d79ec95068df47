"""How far each node of a tree is to be trusted, by records that it was not grown on."""

from __future__ import annotations

import dataclasses

import numpy as np

from pushforward.counts.chains.grove import Grove

STEPS = 60  # of expectation-maximisation
SIZES, REPEATS = 24, 32  # buckets, in octaves of records and half octaves of records a label
START, PRIOR = 0.7, 2.0  # what a bucket begins with, and how many records' worth of it stays
MOST = 0.9999


def buckets(grove: Grove) -> np.ndarray:
    """(N,) which nodes are alike: as many records, and as many a label.

    Where a label recurs much is known of it (Chen, Goodman 1998); a rule shows as few labels on many records.
    """
    mass = np.maximum(grove.mass(np.arange(len(grove.share))), 1e-12)
    size = np.clip(np.log2(np.maximum(mass, 1)), 0, SIZES - 1).astype(np.int64)
    repeats = np.log2(np.maximum(mass / np.maximum(grove.distinct(), 1), 1))
    return size * REPEATS + np.clip(2 * repeats, 0, REPEATS - 1).astype(np.int64)


def shares(grove: Grove, x: np.ndarray, tree: np.ndarray, label: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(buckets,) λ under which held-out labels are most probable (Jelinek, Mercer 1980).

    Args:
        grove: whose nodes have counted other records.
        x: (n, columns).
        tree: (n,) which tree each goes through.
        label, weight: (n,).
    """
    kind = buckets(grove)
    levels = [(rows, kind[nodes], grove.frequency(nodes, label[rows])) for rows, nodes in grove.splits.descend(x, tree)]
    share = np.full(SIZES * REPEATS, START)
    for _ in range(STEPS):
        p, ways = 1.0 / grove.sizes[tree], []
        for rows, bucket, frequency in levels:
            told = share[bucket] * frequency
            p[rows] = told + (1 - share[bucket]) * p[rows]
            ways.append((told, p[rows]))
        # how much of a label's probability passes through each node on its way up, and how much of it stays there
        stays, passes = np.zeros(len(share)), np.zeros(len(share))
        reach = weight / np.maximum(p, 1e-300)
        for (rows, bucket, _), (told, whole) in zip(reversed(levels), reversed(ways), strict=True):
            stays += np.bincount(bucket, reach[rows] * told, minlength=len(share))
            passes += np.bincount(bucket, reach[rows] * whole, minlength=len(share))
            reach[rows] *= 1 - share[bucket]
        share = np.minimum(_shrunk(stays, passes), MOST)
    return share


def _shrunk(stays: np.ndarray, passes: np.ndarray) -> np.ndarray:
    """Their ratio, a bucket of few held-out records drawn to those with as many records a label."""
    alike = [array.reshape(SIZES, REPEATS).sum(0) for array in (stays, passes)]
    begun = np.tile((alike[0] + PRIOR * START) / (alike[1] + PRIOR), SIZES)
    return (stays + PRIOR * begun) / (passes + PRIOR)


def trusted(grove: Grove, share: np.ndarray, kind: np.ndarray) -> Grove:
    """The grove with the λ of each node's bucket (N,); 0 where no record is."""
    return dataclasses.replace(grove, share=np.where(grove.mass(np.arange(len(kind))) > 0, share[kind], 0.0))
