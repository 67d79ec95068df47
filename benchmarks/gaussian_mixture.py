"""Gaussian mixtures beside scikit-learn and pomegranate: time of an iteration, memory, modes found, evidence, holes.

python benchmarks/gaussian_mixture.py [--quick]

All in one process, from the same start, medians of interleaved runs. It exits with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Theirs
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

import pushforward as pf

MIB = 2**20


def clusters(n: int, d: int, k: int) -> np.ndarray:
    """(n, d) draws of k Gaussians that overlap a little, standardised."""
    rng = np.random.default_rng(0)
    centres, shapes = 3 * rng.standard_normal((k, d)), rng.standard_normal((k, d, d)) / np.sqrt(d)
    which = rng.integers(0, k, n)
    x = np.empty((n, d))
    for i in range(k):
        x[which == i] = centres[i] + rng.standard_normal((int((which == i).sum()), d)) @ shapes[i]
    x += 0.2 * rng.standard_normal((n, d))  # so that no ridge decides the comparison
    return (x - x.mean(0)) / x.std(0)


def peak() -> float:
    """Most memory this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB


def iteration(n: int, d: int, k: int, bar: float, rounds: int) -> bool:
    """Seconds of an iteration of EM, ours and theirs, and whether they say the same."""
    x = clusters(n, d, k)
    records = pf.read(x)
    pf.GaussianMixture(components=2).fit(x[:1000], steps=2)  # what libraries take by themselves
    before = peak()
    start = pf.GaussianMixture(components=k).fit(records, steps=1)
    theirs = Theirs(k, reg_covar=1e-6)
    theirs.weights_, theirs.means_, theirs.covariances_ = start.mixture.weights.numpy(), start.means, start.covariances
    theirs.precisions_cholesky_ = _compute_precision_cholesky(theirs.covariances_, "full")
    run = pf.GaussianMixture(components=k).fitting(records, steps=rounds * 4 + 1)
    next(run)
    next(run)
    more = peak() - before
    other = _pomegranate(start, x)
    ours, peers, others, apart = [], [], [], 0.0
    for i in range(rounds):
        for _ in range(3 if i else 2):
            begun = time.perf_counter()
            nats = next(run).losses["nats"]
            ours.append(time.perf_counter() - begun)
        if i == 0:  # by now ours has done three iterations from the common start, and says how good the third one began
            scores = []
            for _ in range(3):
                begun = time.perf_counter()
                score, log = theirs._e_step(x)
                theirs._m_step(x, log)
                peers.append(time.perf_counter() - begun)
                scores.append(score)
            apart = abs(nats - scores[2]) / abs(scores[2])
        else:
            begun = time.perf_counter()
            theirs._m_step(x, theirs._e_step(x)[1])
            peers.append(time.perf_counter() - begun)
        if other is not None and i < 3:
            begun = time.perf_counter()
            other.summarize(torch.from_numpy(x))
            other.from_summaries()
            others.append(time.perf_counter() - begun)
    run.close()
    a, b = statistics.median(ours), statistics.median(peers)
    c = f"{1000 * statistics.median(others):7.0f}" if others else "      –"
    good = a / b <= bar and apart < 1e-6 and more <= 150
    print(
        f"{n:9,} × {d:2}, K={k:2}   ours {1000 * a:6.0f} ms, scikit-learn {1000 * b:6.0f}, pomegranate {c}   "
        f"ratio {a / b:.3f} (≤ {bar})   nats apart {apart:.1e}   + {more:.0f} MiB   {'' if good else 'MISSED'}",
        flush=True,
    )
    return good


def _pomegranate(start: pf.GaussianMixture, x: np.ndarray):
    """Pomegranate's mixture at the same parameters; None where it is not installed or will not have them."""
    try:
        from pomegranate.distributions import Normal
        from pomegranate.gmm import GeneralMixtureModel

        parts = [
            Normal(torch.from_numpy(m), torch.from_numpy(c))
            for m, c in zip(start.means, start.covariances, strict=True)
        ]
        model = GeneralMixtureModel(parts, priors=start.mixture.weights.clone())
        model.summarize(torch.from_numpy(x[:100]))
        model._reset_cache()
        return model
    except Exception as error:
        print(f"pomegranate: {error}")
        return None


def holes(steps: int) -> bool:
    """A table in which nearly every record has a pattern of holes of its own."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3000, 20)) @ rng.standard_normal((20, 20))
    x[rng.random(x.shape) < 0.3] = np.nan
    run, took = pf.GaussianMixture(components=8).fitting(x, steps=steps + 1), []
    next(run)
    for _ in range(steps):
        begun = time.perf_counter()
        next(run)
        took.append(time.perf_counter() - begun)
    run.close()
    seconds = statistics.median(took)
    print(f"3,000 × 20, 30 % holes, K=8: {seconds:.2f} s a step (pattern by pattern it was 3.6)")
    return seconds <= 3.6 / 5


def modes() -> bool:
    """The grid of 25 Gaussians: how many have a component of their own."""
    found = []
    for seed in range(10):
        means = pf.GaussianMixture(components=25).fit("grid", seed=seed).means
        near = np.abs(means - np.rint(means)).max(1) < 0.1
        found.append(len({tuple(mean) for mean in np.rint(means[near]).astype(int)}))
    print(f"grid, 25 components, ten seeds: modes found {found}")
    return sum(count == 25 for count in found) >= 9


def evidence(rounds: int) -> bool:
    """Rare evidence against none, and records a second."""
    adult = pf.read("adult:train")
    model = pf.GaussianMixture().fit(adult, steps=30)
    rare = {"age": pf.between(88, None), "hours_per_week": pf.between(60, None)}
    share = float(np.exp(model.log_prob(rare)[0]))
    free, given, many = [], [], []
    for seed in range(rounds):
        begun = time.perf_counter()
        model.sample(1000, seed=seed)
        free.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        out = model.sample(1000, given={"age": pf.between(89, None)}, seed=seed).to_numpy()
        given.append(time.perf_counter() - begun)
        assert (out["age"] >= 89).all()
        begun = time.perf_counter()
        model.sample(100_000, seed=seed)
        many.append(time.perf_counter() - begun)
    both = model.sample(1000, given=rare, seed=0).to_numpy()
    assert (both["age"] >= 88).all() and (both["hours_per_week"] >= 60).all()
    prevalence = float(np.exp(model.log_prob({"age": pf.between(89, None)})[0]))
    ratio, speed = statistics.median(given) / statistics.median(free), 100_000 / statistics.median(many)
    print(
        f"adult: 1,000 given evidence of {100 * prevalence:.4f} % take {ratio:.2f} × those given none (≤ 2), no failure"
    )
    print(f"adult: {speed:,.0f} records/s given nothing (≥ 100,000); two ranges of {100 * share:.4f} % together: drawn")
    return ratio <= 2 and speed >= 100_000


def main() -> int:
    """All sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", pf.CollapsedWarning)
    good = [
        iteration(200_000, 16, 32, 0.12, 3 if quick else 7),
        iteration(1_000_000, 8, 16, 0.15, 2 if quick else 5),
        holes(3 if quick else 7),
        modes(),
        evidence(5 if quick else 15),
    ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
