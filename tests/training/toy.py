"""A small regression with dropout for the loop to train; imported by the tests and by the worker that is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from pushforward.training.batches import Batches, Tensors
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.loop import State, train
from pushforward.training.player import Player, adam
from pushforward.training.progress import Progress
from pushforward.training.randomness import scope
from pushforward.training.run import Run

CHUNKS = (70, 64, 26)


def network(width: int = 8) -> nn.Module:
    """Weights that are the same each time; dropout draws from the global generator."""
    with scope(1):
        return nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Dropout(0.2), nn.Linear(width, 1))


def chunks(sizes: tuple[int, ...] = CHUNKS) -> list[Tensors]:
    """Pieces of a regression, with the number of each record."""
    x = torch.randn(sum(sizes), 3, generator=torch.Generator().manual_seed(2))
    whole = {"x": x, "y": (x[:, :1] * x[:, 1:2]).sin(), "row": torch.arange(len(x))}
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [{k: v[a : a + n] for k, v in whole.items()} for a, n in zip(starts, sizes, strict=True)]


def batches(sizes: tuple[int, ...] = CHUNKS, seed: int = 0) -> Batches:
    """The pieces as batches."""
    return Batches(lambda: iter(chunks(sizes)), sizes, seed)


def player(net: nn.Module, name: str = "net", **options: object) -> Player:
    """Learns by squared error on inputs with noise from the generator of the loop."""

    def loss(batch: Tensors, generator: torch.Generator) -> Tensor:
        noise = torch.randn(batch["x"].shape, generator=generator)
        return (net(batch["x"] + 0.1 * noise) - batch["y"]).square().mean()

    return Player(name, net, options.pop("loss", loss), adam(1e-2), **options)  # type: ignore[arg-type]


def run_toy(
    folder: Path | None, steps: int, *, checkpoint: float = 30.0, look: Callable[[Progress], None] | None = None
) -> dict[str, Tensor]:
    """Train to the end; the weights that it leaves."""
    net = network()
    for progress in start(net, folder, steps, checkpoint=checkpoint):
        if look is not None:
            look(progress)
    return net.state_dict()


def start(net: nn.Module, folder: Path | None, steps: int, *, checkpoint: float = 30.0) -> Iterator[Progress]:
    """The run as an iterator."""
    run = Run(steps=steps, device="cpu", checkpoint=checkpoint, seed=5)
    kept = None if folder is None else Checkpoints(folder, {"what": "toy"})
    return train([player(net)], batches(), run, State(batch=48), checkpoints=kept)
