"""The steps of EM on points in the plane, and held-out likelihood over the number of components.

python examples/gaussian_mixtures.py [picture.png]
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from look import COLOURS, GREY, INK, save
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

import pushforward as pf

STEPS = (1, 12, 100)
TITLES = ("one step", "12 steps", "settled")


def needles(n: int, seed: int) -> np.ndarray:
    """(n, 2) points of three long needles that cross, which k-means cuts across."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, 3, n)
    along = np.stack([rng.normal(0, 1.25, n), rng.normal(0, 0.13, n)], 1)
    angle = np.pi * which / 3 + 0.2
    c, s = np.cos(angle), np.sin(angle)
    centre = np.array([[0, 0.55], [0.6, -0.3], [-0.6, -0.3]])[which]
    return centre + np.stack([c * along[:, 0] - s * along[:, 1], s * along[:, 0] + c * along[:, 1]], 1)


def arms(n: int, seed: int) -> np.ndarray:
    """(n, 2) points of five long, narrow clusters that turn around the middle."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 5, n)
    along = np.stack([rng.normal(1.6, 0.5, n), rng.normal(0, 0.13, n)], 1)
    angle = 2 * np.pi * arm / 5 + 0.45 * along[:, 0]
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * along[:, 0] - s * along[:, 1], s * along[:, 0] + c * along[:, 1]], 1)


def ellipses(axes: Axes, model: pf.GaussianMixture) -> None:
    """Each component at one and two deviations."""
    for k, (mean, covariance) in enumerate(zip(model.means, model.covariances, strict=True)):
        values, vectors = np.linalg.eigh(covariance)
        turn = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
        for deviations, strength in ((1, 0.28), (2, 0.14)):
            width, height = 2 * deviations * np.sqrt(values[::-1])
            axes.add_patch(Ellipse(mean, width, height, angle=turn, color=COLOURS[k % 8], alpha=strength, lw=0))
        axes.plot(*mean, "o", ms=4, color=COLOURS[k % 8], mec="white", mew=0.8)


def main() -> None:
    """Draw."""
    train, test = arms(900, 0), arms(6000, 1)
    crossed = needles(900, 0)
    figure, rows = plt.subplots(2, 3, figsize=(8, 5.4), height_ratios=(1, 1))
    for axes, steps, title in zip(rows[0], STEPS, TITLES, strict=True):
        model = pf.GaussianMixture(components=3, tolerance=0).fit(crossed, steps=steps, seed=0)
        colours = np.array(COLOURS)[model.assign(crossed)]
        axes.scatter(*crossed.T, s=2.5, c=colours, alpha=0.55, lw=0)
        ellipses(axes, model)
        axes.set(aspect="equal", xticks=[], yticks=[], xlim=(-3.4, 3.4), ylim=(-3, 3))
        axes.set_title(f"{title}: {model.score(crossed):.3f} nats")
        for side in axes.spines.values():
            side.set_visible(False)
    grid = rows[1][0].get_gridspec()
    for axes in rows[1]:
        axes.remove()
    axes = figure.add_subplot(grid[1, :])
    counts = np.array([1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 26, 34, 44])
    shapes = zip(("full", "tied", "diagonal", "spherical"), (COLOURS[i] for i in (0, 2, 1, 3)), strict=True)
    best = (-np.inf, 0)
    for shape, colour in shapes:
        fits = [
            pf.GaussianMixture(components=int(k), covariance=shape, ridge=1e-3).fit(train, steps=60) for k in counts
        ]
        held = [model.score(test) for model in fits]
        axes.plot(counts, held, "o-", color=colour, ms=3, lw=1.4, label=shape)
        if shape == "full":
            best = max(zip(held, counts, strict=True))
            axes.plot(counts, [model.score(train) for model in fits], "--", color=colour, lw=0.9)
            axes.annotate("full, on what it has seen", (counts[-3], fits[-3].score(train)), (-4, 6),
                          textcoords="offset points", color=colour, ha="right", fontsize=8)  # fmt: skip
    axes.plot(best[1], best[0], "o", ms=9, mfc="none", mec=INK, mew=1.1)
    axes.annotate(f"best: {best[1]}", (best[1], best[0]), (8, 4), textcoords="offset points", fontsize=8)
    axes.set(xscale="log", xlabel="components", ylabel="nats a record, held out", xlim=(0.95, 46))
    axes.set_xticks(counts, [str(k) for k in counts])
    axes.minorticks_off()
    axes.legend(loc="lower right")
    axes.grid(axis="y", color=GREY, alpha=0.25, lw=0.6)
    axes.set_title("More components fit ever better what they have seen, not what they have not")
    save(figure, "gaussian-mixtures")


if __name__ == "__main__":
    main()
