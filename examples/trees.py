"""Trees: what each field depends on, and what more hidden states bring.

Run with ``python examples/trees.py``; it draws the picture of docs/handbook/trees.md in about a minute.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from look import COLOURS, GREY, INK, save
from matplotlib.axes import Axes

import pushforward as pf

STATES = (2, 4, 8, 16, 32)


def main() -> None:
    """Fit, measure and draw."""
    train, test = pf.read("adult:train"), pf.read("adult:test")
    tree = pf.DependencyTree().fit(train)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.4), width_ratios=[1.15, 1])
    draw_tree(left, tree.edges)
    scores = [pf.TreeMixture(trees=1, states=k).fit(train, steps=30, seed=0).score(test) for k in STATES]
    print({k: round(score, 2) for k, score in zip(STATES, scores, strict=True)}, "tree:", round(tree.score(test), 2))
    right.plot(STATES, scores, "o-", color=COLOURS[0], markersize=5)
    right.axhline(tree.score(test), color=COLOURS[1], linewidth=1.2)
    right.annotate("one tree, nothing hidden", (STATES[0], tree.score(test)), (0, 5), textcoords="offset points",
                   color=COLOURS[1])  # fmt: skip
    right.set_xscale("log", base=2)
    right.set_xticks(STATES, [str(k) for k in STATES])
    right.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.6)
    right.set(xlabel="hidden states of each field", ylabel="nats per record, rows that were held out",
              title="Hidden states let more through")  # fmt: skip
    save(figure, "trees")


def draw_tree(axes: Axes, edges: list[tuple[str, str]]) -> None:
    """The tree from its root downwards, each field on the level of its depth."""
    children: dict[str, list[str]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)
    root = edges[0][0]
    place: dict[str, tuple[float, float]] = {}
    leaves = iter(range(len(edges) + 1))

    def put(name: str, depth: int) -> float:
        below = [put(child, depth + 1) for child in children.get(name, [])]
        place[name] = (float(np.mean(below)) if below else float(next(leaves)), depth)
        return place[name][0]

    put(root, 0)
    for parent, child in edges:
        (x, y), (u, v) = place[parent], place[child]
        axes.plot([x, u], [y, v], color=GREY, linewidth=1, zorder=0)
    frame = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": COLOURS[0], "linewidth": 0.8}
    for name, (x, y) in place.items():
        axes.text(x, y, name.replace("_", " "), ha="center", va="center", fontsize=8, color=INK, bbox=frame)
    widest = max(x for x, _ in place.values())
    axes.set(title="What each field of adult depends on", xlim=(-0.6, widest + 0.6))
    axes.invert_yaxis()
    axes.axis("off")


if __name__ == "__main__":
    main()
