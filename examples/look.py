"""How the pictures of the handbook look: one palette, thin axes, labels in words."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

INK, GREY = "#22262e", "#9aa1ad"
COLOURS = ["#2b6cb0", "#dd6b20", "#2f855a", "#b83280", "#6b46c1", "#b7791f", "#319795", "#9b2c2c"]

plt.rcParams.update(
    {
        "figure.dpi": 150,
        "figure.constrained_layout.use": True,
        "font.size": 9,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.7,
        "axes.prop_cycle": plt.cycler(color=COLOURS),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 10,
        "legend.frameon": False,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
)


def save(figure: Figure, name: str) -> None:
    """Write the picture beside its page, or where an argument of the command says."""
    said = [Path(word) for word in sys.argv[1:] if word.endswith(".png")]
    target = said[0] if said else Path(__file__).parents[1] / "docs" / "handbook" / f"{name}.png"
    figure.savefig(target)
    print(f"Look at {target}")
