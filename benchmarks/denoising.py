"""Gaussian noise taken off digits by an auto-encoder, beside filters and principal components tuned on held-out ones.

python benchmarks/denoising.py path/to/mnist5k.parquet [--minutes 5] [--latent 64]
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.ndimage import median_filter
from skimage.restoration import denoise_tv_chambolle
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

import pushforward as pf

LEVELS = (0.1, 0.2, 0.3, 0.4)
SIZES = (5, 10, 20, 30, 40, 60, 80, 120, 200)
MOST = SIZES[-1]


def psnr(clean: np.ndarray, found: np.ndarray) -> float:
    """Decibels, of pictures with values from 0 to 1."""
    return float(-10 * np.log10(((clean - found) ** 2).mean()))


def noisy(pixels: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    """Pictures with noise, as grey levels hold it."""
    grain = sigma * 255 * np.random.default_rng(seed).standard_normal(pixels.shape)
    return np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8)


class Components:
    """The principal components of clean pictures, and what they say of noisy ones.

    Args:
        train: clean pictures to learn from.
    """

    def __init__(self, train: np.ndarray):
        self.train = train.reshape(len(train), -1) / 255
        self.whole = PCA(MOST, random_state=0).fit(self.train)

    def plain(self, x: np.ndarray, k: int) -> np.ndarray:
        """Pictures on the first k components."""
        return self._back(self.whole.transform(x.reshape(len(x), -1) / 255)[:, :k], x.shape)

    def shrunk(self, x: np.ndarray, k: int, sigma: float) -> np.ndarray:
        """The same by the best linear map from noisy components to clean ones, which shrinks those that are noise."""
        spoiled = noisy((255 * self.train).astype(np.uint8), sigma, 7) / 255
        maps = Ridge(1e-3).fit(self.whole.transform(spoiled)[:, :k], self.whole.transform(self.train)[:, :k])
        return self._back(maps.predict(self.whole.transform(x.reshape(len(x), -1) / 255)[:, :k]), x.shape)

    def _back(self, codes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        full = np.pad(codes, ((0, 0), (0, MOST - codes.shape[1])))
        return self.whole.inverse_transform(full).reshape(shape).clip(0, 1)


def main() -> None:
    """A table over levels of noise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--latent", type=int, default=64)
    parser.add_argument("--width", type=int, default=32)
    said = parser.parse_args()
    train, held = pf.read(said.data).select(["image"]).split(0.8, seed=0)
    pixels = train.to_numpy()["image"]
    tuned, learned = pixels[:400], pixels[400:]
    test = held.to_numpy()["image"]
    components = Components(learned)
    model = pf.AutoEncoder(latent=said.latent, noise=0.4, width=said.width).fit(learned, minutes=said.minutes, seed=0)
    print(f"{model.measurements['steps']} steps of an auto-encoder with {said.latent} numbers")
    for sigma in LEVELS:
        val, seen = noisy(tuned, sigma, 1), noisy(test, sigma, 2)
        clean, truth = tuned / 255, test / 255
        size = max((1, 2, 3, 4), key=lambda s: psnr(clean, median_filter(val, (1, s, s)) / 255))
        weight = max(
            (0.05, 0.1, 0.2, 0.3, 0.4, 0.6),
            key=lambda w: psnr(clean[:100], np.stack([denoise_tv_chambolle(x / 255, w) for x in val[:100]])),
        )
        k = max(SIZES, key=lambda k: psnr(clean, components.plain(val, k)))
        m = max(SIZES, key=lambda k: psnr(clean, components.shrunk(val, k, sigma)))
        found = {
            "noisy": psnr(truth, seen / 255),
            f"median {size}×{size}": psnr(truth, median_filter(seen, (1, size, size)) / 255),
            f"total variation {weight}": psnr(truth, np.stack([denoise_tv_chambolle(x / 255, weight) for x in seen])),
            f"{k} principal components": psnr(truth, components.plain(seen, k)),
            f"{m}, shrunk": psnr(truth, components.shrunk(seen, m, sigma)),
            "auto-encoder": psnr(truth, model.denoise(seen, sigma).to_numpy()["image"] / 255),
        }
        best = max(value for name, value in found.items() if name != "auto-encoder")
        shown = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
        print(f"noise {sigma}: {shown} dB; ahead by {found['auto-encoder'] - best:.2f}", flush=True)


if __name__ == "__main__":
    main()
