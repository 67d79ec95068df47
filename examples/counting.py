"""What follows what in the names of emoji, and how much a longer memory helps; draws docs/handbook/counting.png.

Run with ``python examples/counting.py``; it takes a few seconds.
"""

import matplotlib.pyplot as plt
import numpy as np
from look import COLOURS, GREY, INK, save
from matplotlib.colors import LinearSegmentedColormap

import pushforward as pf

emoji = pf.read("emoji:train")
names = emoji[emoji.column("tone").is_null().to_numpy()].select(["caption"])  # without the five tones of skin
seen, held = names.split(0.9, seed=0)


def perplexity(model: pf.NGram, records: pf.Records) -> float:
    """Between how many characters the model hesitates at each step, the end of the name among them."""
    symbols = sum(len(name) + 1 for name in records.column("caption").to_pylist())
    return float(np.exp(-model.log_prob(records).sum() / symbols))


letters = " abcdefghijklmnopqrstuvwxyz"
bigram = pf.NGram(order=2).fit(seen)
table = np.array([[bigram.following(a).get(b, 0.0) for b in letters] for a in letters])

orders = range(1, 9)
models = [pf.NGram(order=n).fit(seen) for n in orders]
lines = {"names it has seen": seen, "names it has not": held}

figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 4.3), width_ratios=[1.05, 1])
paper = LinearSegmentedColormap.from_list("paper", ["#ffffff", "#bcd3ec", COLOURS[0], "#12315a"])
mesh = left.imshow(np.sqrt(table), cmap=paper, vmin=0, vmax=1)
shown = list(letters.replace(" ", "␣"))
left.set_xticks(range(len(letters)), shown, fontsize=7)
left.set_yticks(range(len(letters)), shown, fontsize=7)
left.tick_params(length=0)
left.spines[:].set_visible(False)
left.set(xlabel="… is followed by this one", ylabel="this character …", title="A bigram is a table")
bar = figure.colorbar(mesh, ax=left, shrink=0.75, pad=0.02)
ticks = [0, 0.05, 0.25, 0.5, 1]
bar.set_ticks(np.sqrt(ticks), labels=[f"{t:.0%}" for t in ticks], fontsize=7)
bar.outline.set_visible(False)
bar.ax.tick_params(length=0)

for (name, records), colour in zip(lines.items(), COLOURS, strict=False):
    values = [perplexity(model, records) for model in models]
    right.plot(orders, values, "o-", color=colour, markersize=4, linewidth=1.6)
    right.annotate(
        f"{name}: {values[-1]:.1f}", (8, values[-1]), xytext=(0, 9 if "not" in name else 22),
        textcoords="offset points", ha="right", color=colour,
    )  # fmt: skip
right.set_yscale("log")
right.set_ylim(1.6, 30)
right.set_yticks([2, 4, 8, 16], ["2", "4", "8", "16"])
right.minorticks_off()
right.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.6)
right.set_xticks(orders)
right.set(
    xlabel="characters counted together", ylabel="perplexity", title="A longer memory helps, then learns by heart"
)
for n, name in ((1, "letters"), (2, "bigram"), (3, "trigram")):
    value = perplexity(models[n - 1], held)
    right.annotate(name, (n, value), xytext=(8, 4), textcoords="offset points", fontsize=8, color=INK)

save(figure, "counting")
