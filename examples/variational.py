"""What a variational auto-encoder learns of digits: its map, its directions, its collapse, and a better prior.

python examples/variational.py [picture.png]
"""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
from look import COLOURS, GREY, save
from matplotlib.axes import Axes

import pushforward as pf

BETAS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


def tiles(axes: Axes, records: pf.Records, columns: int, title: str) -> None:
    """Pictures side by side."""
    pixels = records.to_numpy()["image"].reshape(-1, 8, 8)
    rows = len(pixels) // columns
    sheet = np.full((rows * 9 - 1, columns * 9 - 1), 255.0)
    for i, picture in enumerate(pixels[: rows * columns]):
        r, c = divmod(i, columns)
        sheet[9 * r : 9 * r + 8, 9 * c : 9 * c + 8] = picture
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title)
    for side in axes.spines.values():
        side.set_visible(False)


def main() -> None:
    """Draw."""
    warnings.simplefilter("ignore", pf.CollapsedWarning)
    digits = pf.read("digits")
    train, test = digits.split(0.8, seed=0)
    pictures = train.select(["image"])
    figure, rows = plt.subplots(2, 3, figsize=(8.4, 5.8))

    flat = pf.VAE(latent=2).fit(pictures, steps=3000, seed=0)
    codes, labels = flat.encode(pictures), np.array(train.column("label").to_pylist())
    axes = rows[0, 0]
    ten = [*COLOURS, "#4a5568", "#d69e2e"]
    axes.scatter(*codes.T, s=3, lw=0, c=[ten[label] for label in labels], alpha=0.7)
    for label in range(10):
        middle = np.median(codes[labels == label], 0)
        axes.annotate(str(label), middle, ha="center", va="center", fontsize=9, weight="bold",
                      bbox={"boxstyle": "circle,pad=0.15", "fc": "white", "ec": ten[label], "lw": 1})  # fmt: skip
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set_title("A code of two numbers")

    model = pf.VAE(latent=16, beta=0.3).fit(pictures, steps=4000, seed=0)
    tiles(rows[0, 1], model.traverse(pictures[:1], rows=7, steps=7), 7, "Along one number, row by row")
    way = model.interpolate(pictures[3:4], pictures[9:10], 7)
    for i in range(6):
        way = way.concat(model.interpolate(pictures[10 + 2 * i : 11 + 2 * i], pictures[11 + 2 * i : 12 + 2 * i], 7))
    tiles(rows[0, 2], way, 7, "From one digit to another")

    axes = rows[1, 0]
    active, scores = [], []
    for beta in BETAS:
        found = pf.VAE(latent=16, beta=beta).fit(pictures, steps=1200, seed=0)
        active.append(found.measurements["active"])
        scores.append(found.score(test.select(["image"])))
    axes.plot(BETAS, active, "o-", ms=4, color=COLOURS[0])
    axes.set(xscale="log", xlabel="β", ylabel="numbers that carry anything, of 16", ylim=(-0.5, 17))
    axes.set_xticks(BETAS, [f"{beta:g}" for beta in BETAS])
    axes.minorticks_off()
    axes.axvline(1, color=GREY, lw=0.8, ls=":")
    axes.set_title("Collapse")
    print("nats a held-out digit by β:", {beta: round(score, 1) for beta, score in zip(BETAS, scores, strict=True)})

    tiles(rows[1, 1], model.sample(49, seed=0), 7, "Drawn from the normal prior")
    latent = pf.Latent("vae:latent=16,beta=0.3", prior="gaussian-mixture:components=40,smoothing=0.1")
    latent.fit(train, given="label", steps=4000, seed=0)
    asked = [i for i in range(7) for _ in range(7)]
    tiles(rows[1, 2], latent.sample(49, given={"label": asked}, seed=0), 7, "From a mixture, told 0 … 6")
    save(figure, "variational")


if __name__ == "__main__":
    main()
