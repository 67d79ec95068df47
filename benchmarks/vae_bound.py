"""Likelihood of 28×28 digits: how near the bound of a VAE comes to it, a flow, and a mixture of factor analysers.

    OMP_NUM_THREADS=1 python benchmarks/vae_bound.py path/to/mnist5k.parquet --minutes 10

Nats a held-out record and bits a dimension, by the draws of a code that `log_prob` takes the mean over (Burda, Grosse,
Salakhutdinov 2016, arXiv 1509.00519); how many numbers of the code are active; and the squared error of reconstructed
pictures over that of as many principal components. All families count grey levels, so their nats can be compared: the
mixture's and the flow's are bounds as well, within each level, and know nothing of black and white being the ends,
beyond which the VAE's Gaussians are cut. All records see the same noise, so a single draw is a matter of luck.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings

import numpy as np
from sklearn.decomposition import PCA

import pushforward as pf
from pushforward.spec import model_of

DRAWS = (1, 16, 64, 256)


def row(name: str, model: pf.Model, held: pf.Records, dimensions: int, **options: int) -> None:
    """Print the mean log probability of held-out records, with its standard error over them."""
    start = time.monotonic()
    scores = model.log_prob(held, **options)
    seconds = time.monotonic() - start
    nats, error = float(scores.mean()), float(scores.std() / math.sqrt(len(scores)))
    bits = -nats / (dimensions * math.log(2))
    print(f"{name:28} {nats:9.1f} ± {error:4.1f} {bits:10.4f} {seconds:9.1f}   {model.density}", flush=True)


def error_of_components(train: np.ndarray, held: np.ndarray, k: int) -> float:
    """Mean squared error of held-out pictures on k principal components of the others."""
    x, y = (pixels.reshape(len(pixels), -1) / 255 for pixels in (train, held))
    components = PCA(k, random_state=0).fit(x)
    return float(((components.inverse_transform(components.transform(y)) - y) ** 2).mean())


def main() -> None:
    """Fit all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a table with a column of pictures")
    parser.add_argument("--minutes", type=float, default=10, help="of the VAE, and of the flow")
    parser.add_argument("--latent", type=int, default=16)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--components", type=int, default=30, help="of the mixture")
    parser.add_argument("--factors", type=int, default=10)
    parser.add_argument("--steps", type=int, default=30, help="of the mixture")
    parser.add_argument("--ridge", type=float, default=2e-2)
    parser.add_argument("--flow", default="flow", help="such as flow:dequantise=learned,width=48")
    parser.add_argument("--records", type=int, help="held-out records that are scored; all if not said")
    parser.add_argument("--seed", type=int, default=0)
    said = parser.parse_args()
    warnings.simplefilter("ignore", pf.CollapsedWarning)  # the active numbers are in the table
    data = pf.read(said.data)
    train, held = data.select([field.name for field in data.schema.of_kind(pf.Image)]).split(0.8, seed=0)
    held = held[: said.records]
    [image] = train.schema
    pixels, truth = (records.to_numpy()[image.name] for records in (train, held))
    dimensions = truth[0].size
    print(f"{len(train):,} pictures of {image.describe()} to learn from, {len(held):,} held out")

    model = pf.VAE(latent=said.latent, width=said.width).fit(train, minutes=said.minutes, seed=said.seed)
    mixture = pf.GaussianMixture(
        components=said.components, covariance="factors", factors=said.factors, ridge=said.ridge
    ).fit(train, steps=said.steps, seed=said.seed)
    flow = model_of("--flow", said.flow, pf.Flow).fit(train, minutes=said.minutes, seed=said.seed, validation=0.05)
    print(f"{'':28} {'nats':>9} {'':6} {'bits/dim':>10} {'seconds':>9}   density")
    for draws in DRAWS:
        row(f"VAE, draws of a code: {draws}", model, held, dimensions, samples=draws)
    row(f"mixture, {said.components} × {said.factors} factors", mixture, held, dimensions)
    row(f"flow, {flow.measurements['steps']:,} steps", flow, held, dimensions)

    facts, made = model.measurements, model.reconstruct(held).to_numpy()[image.name]
    ours = float(((made / 255 - truth / 255) ** 2).mean())
    theirs = error_of_components(pixels, truth, said.latent)
    print(f"steps            {facts['steps']:,} in {facts['seconds']:.0f} s, mixture {mixture.measurements['steps']}")
    print(f"active numbers   {facts['active']} of {facts['latent']}")
    print(f"error            {ours:.4f}, {said.latent} principal components {theirs:.4f}: ratio {ours / theirs:.3f}")


if __name__ == "__main__":
    main()
