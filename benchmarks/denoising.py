"""Gaussian noise taken off digits by an auto-encoder, beside filters and principal components tuned on held-out ones.

python benchmarks/denoising.py path/to/mnist5k.parquet [--minutes 5] [--latent 64]
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.ndimage import median_filter
from skimage.restoration import denoise_tv_chambolle
from sklearn.decomposition import PCA

import pushforward as pf

LEVELS = (0.1, 0.2, 0.3, 0.4)


def psnr(clean: np.ndarray, found: np.ndarray) -> float:
    """Decibels, of pictures with values from 0 to 1."""
    return float(-10 * np.log10(((clean - found) ** 2).mean()))


def noisy(pixels: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    """Pictures with noise, as grey levels hold it."""
    grain = sigma * 255 * np.random.default_rng(seed).standard_normal(pixels.shape)
    return np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8)


def best_pca(train: np.ndarray, clean: np.ndarray, seen: np.ndarray, sigma: float):
    """Principal components of noisy pictures to clean ones, as many as do best."""
    spoiled = noisy(train, sigma, 7).reshape(len(train), -1) / 255
    whole = PCA(200, random_state=0).fit(train.reshape(len(train), -1) / 255)
    gain = whole.transform(train.reshape(len(train), -1) / 255)
    from sklearn.linear_model import Ridge

    def project(x: np.ndarray, k: int) -> np.ndarray:
        """The first components of x, each shrunk and shifted as the noise calls for."""
        maps = Ridge(1e-3).fit(whole.transform(spoiled)[:, :k], gain[:, :k])
        codes = np.pad(maps.predict(whole.transform(x.reshape(len(x), -1) / 255)[:, :k]), ((0, 0), (0, 200 - k)))
        return whole.inverse_transform(codes).reshape(x.shape).clip(0, 1)

    k = max((10, 20, 30, 40, 60, 80, 120, 200), key=lambda k: psnr(clean, project(seen, k)))
    return k, lambda x: project(x, k)


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
        k, project = best_pca(learned, clean, val, sigma)
        found = {
            "noisy": psnr(truth, seen / 255),
            f"median {size}×{size}": psnr(truth, median_filter(seen, (1, size, size)) / 255),
            f"total variation {weight}": psnr(truth, np.stack([denoise_tv_chambolle(x / 255, weight) for x in seen])),
            f"{k} principal components": psnr(truth, project(seen)),
            "auto-encoder": psnr(truth, model.denoise(seen, sigma).to_numpy()["image"] / 255),
        }
        best = max(value for name, value in found.items() if name != "auto-encoder")
        shown = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
        print(f"noise {sigma}: {shown} dB; ahead by {found['auto-encoder'] - best:.2f}", flush=True)


if __name__ == "__main__":
    main()
