"""Digits as few bits, and noise taken off them: auto-encoders beside principal components, PNG and a median filter.

python examples/auto_encoders.py [picture.png]
"""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
from look import COLOURS, GREY, save
from PIL import Image
from scipy.ndimage import median_filter
from sklearn.decomposition import PCA

import pushforward as pf

BITS = 6  # a number of a code, once it is rounded
SIZES = (2, 4, 8, 16)
LEVELS = np.array([0.1, 0.2, 0.3, 0.4])


def rounded(codes: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Codes on 2^BITS even steps over the range of those that were seen."""
    low, high = seen.min(0), seen.max(0)
    steps = np.rint((codes - low) / (high - low) * (2**BITS - 1)).clip(0, 2**BITS - 1)
    return low + steps / (2**BITS - 1) * (high - low)


def rms(one: np.ndarray, other: np.ndarray) -> float:
    """Root of the mean squared difference, in grey levels."""
    return float(np.sqrt(((one.astype(float) - other.astype(float)) ** 2).mean()))


def png_bits(pixels: np.ndarray) -> float:
    """Bits of a picture as a PNG file, without what every file begins and ends with."""
    sizes = []
    for picture in pixels:
        out = io.BytesIO()
        Image.fromarray(picture).save(out, "PNG", optimize=True)
        sizes.append(8 * (len(out.getvalue()) - 57))
    return float(np.mean(sizes))


def main() -> None:
    """Draw."""
    train, test = pf.read("digits").select(["image"]).split(0.8, seed=0)
    seen, truth = (r.to_numpy()["image"].reshape(len(r), 8, 8) for r in (train, test))
    flat = seen.reshape(len(seen), -1)
    figure, rows = plt.subplots(2, 2, figsize=(8, 5.2), height_ratios=(1, 0.72))

    axes = rows[0, 0]
    pca, coded = [], []
    for k in SIZES:
        parts = PCA(k).fit(flat)
        codes = rounded(parts.transform(truth.reshape(len(truth), -1)), parts.transform(flat))
        pca.append(rms(parts.inverse_transform(codes).reshape(truth.shape).clip(0, 255), truth))
        model = pf.AutoEncoder(latent=k).fit(train, steps=1500, seed=0)
        back = model.decode(rounded(model.encode(test), model.encode(train)).astype(np.float32))
        coded.append(rms(back.to_numpy()["image"].reshape(truth.shape), truth))
    bits = np.array(SIZES) * BITS
    axes.plot(bits, pca, "o-", ms=4, color=COLOURS[1], label="principal components")
    axes.plot(bits, coded, "o-", ms=4, color=COLOURS[0], label="auto-encoder")
    points = []
    for stages, codes in ((3, 256), (2, 16), (2, 256)):
        model = pf.VQ(codes=codes, stages=stages).fit(train, steps=1500, seed=0)
        points.append(
            (model.measurements["bits"], rms(model.reconstruct(test).to_numpy()["image"].reshape(truth.shape), truth))
        )
    axes.plot(*zip(*points, strict=True), "s", ms=5, color=COLOURS[3], label="vector quantisation")
    size = png_bits(truth)
    axes.axvline(size, color=GREY, lw=1)
    axes.annotate(f"PNG, no error:\n{size:.0f} bits", (size, max(pca)), (-5, -4), textcoords="offset points",
                  ha="right", va="top", fontsize=8)  # fmt: skip
    axes.set(xscale="log", xlabel="bits a picture", ylabel="error, grey levels", ylim=(0, None))
    axes.set_xticks([16, 32, 64, 128, 256], ["16", "32", "64", "128", "256"])
    axes.minorticks_off()
    axes.legend(loc="lower left")
    axes.set_title("Fewer bits, less picture")

    axes = rows[0, 1]
    cleaner = pf.AutoEncoder(latent=32, noise=0.4).fit(train, steps=4000, seed=0)
    grain = np.random.default_rng(0).standard_normal(truth.shape)
    curves: dict[str, list[float]] = {
        "as it is": [],
        "median filter": [],
        "principal components": [],
        "auto-encoder": [],
    }
    shown = {}
    for sigma in LEVELS:
        noisy = np.clip(np.rint(truth + 255 * sigma * grain), 0, 255).astype(np.uint8)
        best = max((projected(flat, noisy, k) for k in (4, 6, 8, 12, 16, 24, 32)), key=lambda x: decibels(truth, x))
        found = {
            "as it is": noisy,
            "median filter": max(
                (median_filter(noisy, (1, rows_, columns)) for rows_, columns in ((2, 1), (3, 1), (2, 2), (3, 3))),
                key=lambda x: decibels(truth, x),
            ),
            "principal components": best,
            "auto-encoder": cleaner.denoise(noisy, float(sigma)).to_numpy()["image"].reshape(truth.shape),
        }
        if sigma == 0.3:
            shown = found
        for name, pixels in found.items():
            curves[name].append(decibels(truth, pixels))
    for (name, values), colour in zip(curves.items(), (GREY, COLOURS[2], COLOURS[1], COLOURS[0]), strict=True):
        axes.plot(LEVELS, values, "o-", ms=4, color=colour, label=name)
    axes.set(xlabel="deviation of the noise, of full range", ylabel="decibels above the error", xticks=LEVELS,
             ylim=(3, 23.5))  # fmt: skip
    axes.legend(loc="lower left", fontsize=8, ncols=2)
    axes.set_title("What it has seen of digits tells digit from noise")

    grid = rows[1, 0].get_gridspec()
    for axes in rows[1]:
        axes.remove()
    axes = figure.add_subplot(grid[1, :])
    lines = {"clean": truth, "with noise 0.3": shown["as it is"], "median": shown["median filter"],
             "components": shown["principal components"], "auto-encoder": shown["auto-encoder"]}  # fmt: skip
    sheet = np.full((len(lines) * 9 - 1, 18 * 9 - 1), 255.0)
    for i, pixels in enumerate(lines.values()):
        for j in range(18):
            sheet[9 * i : 9 * i + 8, 9 * j : 9 * j + 8] = pixels[j]
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255)
    axes.set_yticks([9 * i + 3.5 for i in range(len(lines))], list(lines))
    axes.set_xticks([])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    save(figure, "auto-encoders")


def decibels(truth: np.ndarray, found: np.ndarray) -> float:
    """Peak signal to noise ratio."""
    return float(20 * np.log10(255 / rms(truth, found)))


def projected(flat: np.ndarray, noisy: np.ndarray, k: int) -> np.ndarray:
    """Pictures on the first k principal components of clean ones."""
    parts = PCA(k).fit(flat)
    back = parts.inverse_transform(parts.transform(noisy.reshape(len(noisy), -1)))
    return back.reshape(noisy.shape).clip(0, 255)


if __name__ == "__main__":
    main()
