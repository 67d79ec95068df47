"""How near a `Bridge` comes to what is known: Gaussians in closed form, exact optimal transport, straight ways.

    python benchmarks/bridge.py gaussians 2 5 20      # moments and coupling beside the closed form
    python benchmarks/bridge.py rings                 # moons moved onto rings, beside exact optimal transport
    python benchmarks/bridge.py straight              # draws of a mixture moved onto its data: how bent are the ways?

Exact transport is POT's where it is installed, else SciPy's. Everything runs on one core; `--steps` overrides the
length of the fits.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

import pushforward as pf
from pushforward.testing import GaussianBridge

JUDGED = 100_000  # records that moments are taken from
EPSILONS = (1.0, 0.1)  # in squared deviations
SMALL = 1e-3  # of moons to rings


def columns(records: pf.Records) -> np.ndarray:
    """(n, d) the numbers of records."""
    return np.stack(list(records.to_numpy().values()), 1)


# Gaussians


@dataclass(frozen=True)
class Pair:
    """Two Gaussians with axes of deviation 0.5 to 1.5 in random directions, about two deviations apart a coordinate."""

    means: np.ndarray
    covariances: np.ndarray

    @classmethod
    def of(cls, d: int, seed: int = 0) -> Pair:
        """A pair in d dimensions."""
        rng = np.random.default_rng(seed)
        bases = [np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(2)]
        covariances = np.stack([(q * rng.uniform(0.5, 1.5, d) ** 2) @ q.T for q in bases])
        return cls(2 * rng.standard_normal((2, d)), covariances)

    @property
    def unit(self) -> float:
        """The square of the deviation that `Bridge` measures in."""
        return float(np.mean([np.diag(c) for c in self.covariances]))

    def draw(self, side: int, n: int, seed: int) -> np.ndarray:
        """(n, d) records of one side."""
        return np.random.default_rng((seed, side)).multivariate_normal(self.means[side], self.covariances[side], n)


def gaussians(dimensions: list[int], steps: int | None) -> None:
    """Errors of moments, on the way forth at all its steps and at the end of the way back."""
    print(
        f"{'d':>3} {'ε':>5} {'steps':>6} {'min':>5}   {'mean':>6} {'cov(t)':>7} {'joint':>7} {'cross':>7}   "
        f"{'mean ←':>7} {'cov ←':>7} {'joint ←':>7}   noise of {JUDGED:,}: mean, cov, joint"
    )
    for d in dimensions:
        for epsilon in EPSILONS:
            _gaussian(d, epsilon, steps or (3000 if d < 10 else 6000))


def _gaussian(d: int, epsilon: float, steps: int) -> None:
    pair = Pair.of(d)
    exact = GaussianBridge(pair.means, pair.covariances, epsilon * pair.unit)
    model, minutes = timed(
        lambda: pf.Bridge(epsilon=epsilon).fit(
            pair.draw(0, 100_000, 0), to=pair.draw(1, 100_000, 0), steps=steps, seed=0, device="cpu"
        )
    )
    start, scale = mirrored(pair, 0), pair.unit**0.5
    path = [(t, columns(records)) for t, records in model.path(start, seed=0)]
    means = max(np.abs(x.mean(0) - exact.mean(t)).max() / scale for t, x in path)
    spread = max(relative(np.cov(x.T), exact.covariance(t)) for t, x in path)
    joint = np.cov(np.hstack([start, path[-1][1]]).T)
    goal = mirrored(pair, 1)
    back = columns(model.transport(goal, reverse=True, seed=0))
    other = np.cov(np.hstack([back, goal]).T)
    ideal = np.random.default_rng(2).multivariate_normal(np.concatenate(exact.means), exact.joint(), JUDGED)
    noise = (
        np.abs(ideal.mean(0) - np.concatenate(exact.means)).max() / scale,
        relative(np.cov(ideal[:, :d].T), exact.covariance(0)),
        relative(np.cov(ideal.T), exact.joint()),
    )
    forth = (
        f"{means:6.4f} {spread:7.2%} {relative(joint, exact.joint()):7.2%} {relative(joint[:d, d:], exact.cross):7.2%}"
    )
    off = np.abs(back.mean(0) - pair.means[0]).max() / scale
    way = f"{off:7.4f} {relative(np.cov(back.T), pair.covariances[0]):7.2%} {relative(other, exact.joint()):7.2%}"
    least = f"{noise[0]:.4f}, {noise[1]:.2%}, {noise[2]:.2%}"
    print(f"{d:3} {epsilon:5g} {steps:6} {minutes:5.1f}   {forth}   {way}   {least}", flush=True)


def mirrored(pair: Pair, side: int) -> np.ndarray:
    """(JUDGED, d) records of one side, each beside its mirror image, so that their mean is exact."""
    half = pair.draw(side, JUDGED // 2, 1)
    return np.concatenate([half, 2 * pair.means[side] - half])


def relative(found: np.ndarray, wanted: np.ndarray) -> float:
    """|found - wanted| / |wanted|, of Frobenius."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


# Moons to rings


def rings(steps: int | None) -> None:
    """The cost of transport beside the least, and how far what arrives is from rings, beside rings drawn anew."""
    moons, target = (pf.read(name).select(["x", "y"]) for name in ("moons", "rings"))
    x, y, fresh = columns(moons), columns(target), anew(len(target))
    least = exact(x, y)
    print(f"exact optimal transport: E|x - y|² = {least:.4f}; W₂² of rings drawn anew to rings: {exact(fresh, y):.5f}")
    print(
        f"{'ε':>6} {'pairs':>12} {'refine':>7} {'steps':>6} {'min':>5}   {'cost':>7} {'beside':>8}   {'W₂²':>8}   AUC"
    )
    for epsilon, coupling, refine in (
        (SMALL, "optimal", None), (SMALL, "optimal", 1000), (SMALL, "entropic", None),
        (0.0, "optimal", None), (0.1, "optimal", 1000), (0.0, "independent", None),
    ):  # fmt: skip
        fit = steps or 6000
        model, minutes = timed(
            lambda e=epsilon, c=coupling, r=refine, s=fit: pf.Bridge(epsilon=e, coupling=c, refine=r).fit(
                moons, to=target, steps=s, seed=0, device="cpu"
            )
        )
        moved = columns(model.transport(moons, seed=0, steps=40))
        cost = np.square(moved - x).sum(1).mean()
        found = f"{cost:7.4f} {cost / least - 1:+8.2%}   {exact(moved, y):8.5f}   {auc(moved, fresh):.3f}"
        print(f"{epsilon:6g} {coupling:>12} {refine or '-':>7} {fit:6} {minutes:5.1f}   {found}", flush=True)
    print(f"AUC of rings drawn anew against others: {auc(anew(len(y), 2), fresh):.3f}")


def anew(n: int, seed: int = 1) -> np.ndarray:
    """(n, 2) further points of the three rings of the built-in data."""
    rng = np.random.default_rng(seed)
    angle, radius = rng.uniform(0, 2 * np.pi, n), rng.integers(1, 4, n)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) + 0.08 * rng.standard_normal((n, 2))


def exact(x: np.ndarray, y: np.ndarray) -> float:
    """The least mean squared distance of pairs of as many points."""
    cost = cdist(x - x.mean(0), y - y.mean(0), "sqeuclidean")
    apart = float(np.square(x.mean(0) - y.mean(0)).sum())
    try:
        import ot
    except ImportError:
        return float(cost[linear_sum_assignment(cost)].mean()) + apart
    even = np.full(len(x), 1 / len(x))
    return float(ot.emd2(even, even, cost, numItermax=10_000_000)) + apart


def auc(drawn: np.ndarray, real: np.ndarray) -> float:
    """How well boosted trees tell drawn from real points, over five folds; 0.5 is not at all."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import cross_val_score

    points, label = np.concatenate([drawn, real]), np.repeat([1, 0], [len(drawn), len(real)])
    order = np.random.default_rng(0).permutation(len(points))
    model = HistGradientBoostingClassifier(max_iter=100, random_state=0)
    return float(cross_val_score(model, points[order], label[order], cv=5, scoring="roc_auc").mean())


# Straight ways


def straight(steps: int | None) -> None:
    """Draws of a Gaussian mixture moved onto the data it was fitted to, along an ODE: how bent are the ways?"""
    print("bend is E∫|v_t - (x₁ - x₀)|² dt in variances of the data; W₂² of what arrives in 1, 2, 40 steps to the data")
    print(f"{'data':>8} {'pairs':>12} {'steps':>6} {'min':>5}   {'bend':>8}   W₂²")
    for name, components in (("moons", 8), ("rings", 12)):
        data = pf.read(name).select(["x", "y"])
        mixture = pf.GaussianMixture(components=components).fit(data)
        drawn, test = (mixture.sample(4000, seed=seed) for seed in (0, 1))
        print(f"{name:>8} {'(mixture)':>12} {'':12}   {'':8}   {exact(columns(test), columns(data)):.5f}")
        for coupling in ("independent", "optimal"):
            fit = steps or 4000
            model, minutes = timed(
                lambda c=coupling, a=drawn, b=data, s=fit: pf.Bridge(epsilon=0.0, coupling=c).fit(
                    a, to=b, steps=s, seed=0, device="cpu"
                )
            )
            path = model.path(test, steps=100)
            ends = [exact(columns(model.transport(test, steps=k)), columns(data)) for k in (1, 2, 40)]
            found = f"{bend(path):8.5f}   " + " ".join(f"{w:.5f}" for w in ends)
            print(f"{name:>8} {coupling:>12} {fit:6} {minutes:5.1f}   {found}", flush=True)


def bend(path: list[tuple[float, pf.Records]]) -> float:
    """E∫|v_t - (x₁ - x₀)|² dt of ways that are known at so many times, in variances of where they end."""
    times, points = np.array([t for t, _ in path]), np.stack([columns(records) for _, records in path])
    way = points[-1] - points[0]
    velocity = np.diff(points, axis=0) / np.diff(times)[:, None, None]
    off = np.square(velocity - way).sum(2).mean(1) @ np.diff(times)
    return float(off / points[-1].var(0).sum())


def timed(fit: Callable[[], pf.Bridge]) -> tuple[pf.Bridge, float]:
    """A fitted model, and the minutes that it took."""
    start = time.monotonic()
    return fit(), (time.monotonic() - start) / 60


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("gaussians", "rings", "straight"))
    parser.add_argument("dimensions", nargs="*", type=int)
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.part == "gaussians":
        gaussians(options.dimensions or [2, 5, 20], options.steps)
    else:
        {"rings": rings, "straight": straight}[options.part](options.steps)


if __name__ == "__main__":
    main()
