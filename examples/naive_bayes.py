"""Naive Bayes: what it learns of penguins, what it does not see of them, and how sure it then is of itself.

Run with ``python examples/naive_bayes.py``; it draws docs/handbook/naive-bayes.png.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from look import COLOURS, GREY, INK, save
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

import pushforward as pf


def densities(axes: Axes, model: pf.NaiveBayes, birds: dict[str, np.ndarray], species: list[str]) -> None:
    """One field given the class: what was counted, and the distribution that was learned."""
    grid = np.round(np.arange(31, 61.5, 0.1), 1)
    bins = np.arange(31, 62, 1.0) - 0.05
    for colour, name in zip(COLOURS, species, strict=False):
        here = birds["bill_length_mm"][birds["species"] == name]
        here = here[~np.isnan(here)]
        axes.hist(here, bins, weights=np.full(len(here), 1 / len(here)), color=colour, alpha=0.22)
        whole = model.log_prob({"bill_length_mm": grid, "species": [name] * len(grid)})
        alone = model.log_prob({"species": [name]})
        axes.plot(grid, 10 * np.exp(whole - alone), color=colour, linewidth=1.8, label=name)  # ten cells to a bin
    axes.set(
        title="One field within each class", xlabel="bill length (mm)", ylabel="share of the species, per mm",
        xlim=(31, 61), ylim=(0, 0.245),
    )  # fmt: skip
    axes.legend(loc="upper right", handlelength=1.2)


def ellipses(axes: Axes, model: pf.NaiveBayes, birds: dict[str, np.ndarray], species: list[str]) -> None:
    """Two fields given the class: the records lean, the model cannot."""
    drawn = ("bill_length_mm", "bill_depth_mm")
    x, y = (model.product.quantities[name] for name in drawn)
    for k, (colour, name) in enumerate(zip(COLOURS, species, strict=False)):
        here = birds["species"] == name
        axes.scatter(birds[drawn[0]][here], birds[drawn[1]][here], s=7, color=colour, alpha=0.55, linewidths=0)
        centre = (float(x.mean[k]), float(y.mean[k]))
        for radius in (1, 2):
            width, height = (2 * radius * float(q.spread[k]) ** 0.5 for q in (x, y))
            axes.add_patch(
                Ellipse(centre, width, height, fill=False, color=colour, linewidth=1.3, alpha=1.1 - 0.3 * radius)
            )
    axes.set(title="Two fields: records lean, ellipses do not", xlabel="bill length (mm)", ylabel="bill depth (mm)")


def reliability(axes: Axes) -> None:
    """How often it is right where it says p, on records that it has not seen."""
    test = pf.read("adult:test")
    rich = test.to_numpy()["income"] == ">50K"
    few = ["education", "age", "sex"]
    edges = np.linspace(0, 1, 11)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
    axes.annotate("as sure as right", (0.93, 0.93), (0.6, 0.96), color=INK, fontsize=8, va="center",
                  arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6})  # fmt: skip
    for colour, names, label in ((COLOURS[0], few, "3 fields"), (COLOURS[1], None, "all 14 fields")):
        model = pf.NaiveBayes(field="income").fit("adult:train")
        seen = test if names is None else test.select(names)
        p = model.predict_proba(seen, "income")[:, 1]
        which = np.digitize(p, edges[1:-1])
        counts = np.bincount(which, minlength=10)
        there = counts >= 50
        said = np.bincount(which, p, minlength=10)[there] / counts[there]
        found = np.bincount(which, rich, minlength=10)[there] / counts[there]
        axes.plot(said, found, color=colour, linewidth=1.4, zorder=2, label=label)
        axes.scatter(said, found, s=6 + 90 * np.sqrt(counts[there] / len(rich)), color=colour, zorder=3, linewidths=0)
    axes.set(
        title="The more fields agree, the surer it is", xlabel="it says: income above 50K with probability",
        ylabel="so many truly are", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03),
    )  # fmt: skip
    axes.legend(loc="upper left", handlelength=1.2)


def main() -> None:
    """Draw the three panels."""
    birds = pf.read("penguins").to_numpy()
    model = pf.NaiveBayes(field="species").fit("penguins")
    species = sorted(set(birds["species"]))
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.7), width_ratios=(1.1, 1.1, 1))
    densities(left, model, birds, species)
    ellipses(middle, model, birds, species)
    reliability(right)
    for axes in (left, middle, right):
        axes.tick_params(color=GREY, labelcolor=INK)
    save(figure, "naive-bayes")


if __name__ == "__main__":
    main()
