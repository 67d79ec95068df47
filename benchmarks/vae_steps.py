"""Steps a second of a VAE beside pythae's, with the same networks: its dense ones, and our convolutions in both.

python benchmarks/vae_steps.py [epochs]
"""

from __future__ import annotations

import contextlib
import io
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from torch import nn

import pushforward as pf
from pushforward.nets.conv import Grow, Shrink

N, BATCH, LATENT, WIDTH = 6400, 64, 16, 16


class Encoder(BaseEncoder):
    """Our convolutions behind pythae's protocol."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Shrink(1, 28, 28, hidden=(WIDTH, 2 * WIDTH), layers=1)
        self.heads = nn.Linear(2 * WIDTH * 49, 2 * LATENT)

    def forward(self, x: torch.Tensor) -> ModelOutput:
        """(n, 1, 28, 28) to mean and log variance."""
        mean, log = self.heads(self.body(x).flatten(1)).chunk(2, 1)
        return ModelOutput(embedding=mean, log_covariance=log)


class Decoder(BaseDecoder):
    """The way back."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(LATENT, 2 * WIDTH * 49)
        self.body = Grow(1, 28, 28, hidden=(WIDTH, 2 * WIDTH), layers=1)

    def forward(self, z: torch.Tensor) -> ModelOutput:
        """(n, latent) to (n, 1, 28, 28)."""
        return ModelOutput(reconstruction=self.body(self.first(z).unflatten(1, (2 * WIDTH, 7, 7))))


def theirs(pixels: np.ndarray, convolutional: bool) -> Callable[[], float]:
    """Seconds of one epoch of pythae's trainer."""
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT)
    nets = {"encoder": Encoder(), "decoder": Decoder()} if convolutional else {}
    x = torch.from_numpy(pixels).float()[:, None] / 255
    run = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=BATCH, train_dataloader_num_workers=0, no_cuda=True
    )
    trainer = BaseTrainer(VAE(config, **nets), BaseDataset(x, torch.zeros(len(x))), training_config=run)
    with contextlib.redirect_stderr(io.StringIO()):
        trainer.prepare_training()
    trainer.callback_handler.callbacks = trainer.callback_handler.callbacks[:1]  # without its progress bars

    def epoch() -> float:
        start = time.perf_counter()
        trainer.train_step(1)
        return time.perf_counter() - start

    return epoch


def ours(pixels: np.ndarray, convolutional: bool) -> Callable[[], float]:
    """Seconds of as many steps of ours."""
    kind = {"width": WIDTH} if convolutional else {"body": "dense", "width": 512}
    model = pf.VAE(latent=LATENT, layers=1, **kind)
    run = model.fitting(pixels, steps=10**6, batch=BATCH, device="cpu")

    def epoch() -> float:
        start = time.perf_counter()
        for _ in range(len(pixels) // BATCH):
            next(run)
        return time.perf_counter() - start

    return epoch


def main() -> None:
    """Epochs in turns; the ratio of the medians."""
    logging.disable(logging.WARNING)
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    pixels = np.random.default_rng(0).integers(0, 256, (N, 28, 28)).astype(np.uint8)
    for convolutional in (False, True):
        runs = {"pythae": theirs(pixels, convolutional), "pushforward": ours(pixels, convolutional)}
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(epochs + 1):
            for name, epoch in runs.items():
                took = epoch()
                if turn:  # the first is for warming up
                    seconds[name].append(took)
        median = {name: statistics.median(values) for name, values in seconds.items()}
        steps = {name: N / BATCH / value for name, value in median.items()}
        kind = "convolutions" if convolutional else "dense, 512 hidden"
        shown = ", ".join(f"{name} {value:.0f}" for name, value in steps.items())
        print(f"{kind}: steps a second {shown}; ratio {steps['pushforward'] / steps['pythae']:.2f}")


if __name__ == "__main__":
    main()
