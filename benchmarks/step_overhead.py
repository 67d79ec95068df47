"""What a training step costs through `train`, beside a bare hand-written PyTorch loop of the same network.

Run with ``python benchmarks/step_overhead.py``; it exits with 1 where `train`, progress and averaged weights
included, takes more than 1.10 times as long as the loop that a person would write.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pushforward.training.batches import Batches
from pushforward.training.display import in_words
from pushforward.training.loop import State, train
from pushforward.training.player import Player, adam
from pushforward.training.run import Run

BAR = 1.10
BARE, OURS = "bare loop, Adam", "pushforward.train"
ROWS, INPUTS, WIDTH, BATCH = 51_200, 16, 256, 512


def network() -> nn.Module:
    """Three hidden layers of 256, the same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers: list[nn.Module] = [nn.Linear(INPUTS, WIDTH), nn.ReLU()]
        for _ in range(2):
            layers += [nn.Linear(WIDTH, WIDTH), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(WIDTH, 1))


def data() -> tuple[Tensor, Tensor]:
    """A regression that can be learned."""
    x = torch.randn(ROWS, INPUTS, generator=torch.Generator().manual_seed(0))
    return x, x[:, :1] * x[:, 1:2] + x[:, 2:3].sin()


def bare(x: Tensor, y: Tensor, *, fused: bool) -> Iterator[Tensor]:
    """The loop of the tutorials: shuffle, index, loss, backward, Adam."""
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=fused)
    while True:
        order = torch.randperm(len(x))
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            loss = nn.functional.mse_loss(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield loss


def ours(x: Tensor, y: Tensor, steps: int) -> Iterator[str]:
    """The same network through `train`, with averaged weights, every step told in words."""
    net = network()

    def loss(batch, generator):  # type: ignore[no-untyped-def]
        return nn.functional.mse_loss(net(batch["x"]), batch["y"])

    player = Player("net", net, loss, adam(1e-3))
    batches = Batches(lambda: iter([{"x": x, "y": y}]), [len(x)], seed=0)
    for progress in train([player], batches, Run(steps=steps, device="cpu"), State(batch=BATCH)):
        yield in_words(progress)


def milliseconds(steps: Iterator[object], many: int) -> float:
    """Milliseconds a step, over so many steps."""
    start = time.perf_counter()
    for _ in range(many):
        next(steps)
    return 1000 * (time.perf_counter() - start) / many


def main() -> int:
    """Time the loops in turn, block by block, so that what else the machine does meets all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=60)
    parser.add_argument("--steps", type=int, default=20, help="steps in a block")
    options = parser.parse_args()
    x, y = data()
    loops: dict[str, Iterator[object]] = {
        BARE: bare(x, y, fused=False),
        "bare loop, fused Adam": bare(x, y, fused=True),
        OURS: ours(x, y, (options.blocks + 2) * options.steps),
    }
    times: dict[str, list[float]] = {name: [] for name in loops}
    for steps in loops.values():
        milliseconds(steps, options.steps)  # warm
    for _ in range(options.blocks):
        for name, steps in loops.items():
            times[name].append(milliseconds(steps, options.steps))
    ratios = {
        name: statistics.median(through / alone for through, alone in zip(times[OURS], times[name], strict=True))
        for name in times
    }
    print(f"3×{WIDTH} MLP, batches of {BATCH}, {torch.get_num_threads()} threads, torch {torch.__version__}, ", end="")
    print(f"medians of {options.blocks} blocks of {options.steps} steps, in turn")
    for name, values in times.items():
        print(f"{name:24} {statistics.median(values):.3f} ms a step; train / it {ratios[name]:.3f}")
    print(f"bar: {BAR} to {BARE}")
    return 0 if ratios[BARE] <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
