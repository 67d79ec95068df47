"""What a step of `GAN` costs beside the loop a person would write: same networks, losses, penalties, changes, batch.

python benchmarks/gan_steps.py [--blocks 30] [--steps 10] [--data rows,pictures]

The hand-written loop has Adam for each side, and nothing else: no averaged weights, no alarms, no history, no budget.
Blocks of both are timed in turn; the ratio of times is the median over blocks of ours to theirs, and 1.00, as fast
as by hand, is the bar.
Once in a hundred steps ours looks at the game besides; the ratio of all time holds that as well.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator

import torch
from step_overhead import milliseconds
from torch import Tensor

import pushforward as pf
from pushforward.adversarial.augment import Augment, Transform
from pushforward.adversarial.gan import BETAS
from pushforward.training.batches import Batches

BAR = 1.00
SHARE = 0.3  # of pictures that are changed, in both
ROWS, PICTURES = "rows", "pictures"


def ours(data: pf.Records, given: tuple[str, ...]) -> tuple[pf.GAN, Iterator[object]]:
    """A fit that does not end; γ is said, so that no trials are played first."""
    model = pf.GAN(gamma=1.0, augment=SHARE, loss="relativistic", penalty="zero-centred")
    run = model.fitting(data, given=given, steps=10**9, seed=0, device="cpu")
    next(run)
    return model, run


def bare(model: pf.GAN, data: pf.Records, given: tuple[str, ...]) -> Iterator[object]:
    """Two moves, as a tutorial has them, on networks such as the model's."""
    tensors = model._tensors(data)
    rest, known = data.schema.without(given), data.schema.select(given)
    game = model._build(rest, known)
    game.prepare(tensors, torch.Generator().manual_seed(0))
    game.train()
    g, d = game.generator, game.discriminator
    makes, judges = (
        torch.optim.AdamW(side.parameters(), model.lr, betas=BETAS, weight_decay=0.0, fused=True) for side in (g, d)
    )
    augment = None if game.flat.shape is None else Augment(game.flat.shape)
    source, p = torch.Generator().manual_seed(0), torch.tensor(SHARE)
    size = model._batch_size()
    batches = Batches(lambda: iter([tensors]), [len(data)], 0)

    def change(n: int) -> Transform:
        return (lambda x: x) if augment is None else augment.drawn(n, p, source)

    for step in range(10**9):
        batch = batches.at(step * size, size)
        drop = torch.rand(size, len(known), generator=source) < model.absent if given else None
        # the generator: to be taken for real beside a real one
        real, _ = game.flat(batch, source)
        fake = g(torch.randn(size, g.latent, generator=source), g.embed(batch, drop), source)
        heard = d.condition(batch, drop) if given else None
        said = heard.detach() if given else None
        d.requires_grad_(False)
        changed = change(size)
        with torch.no_grad():
            edge = d(changed(real), said)
        loss = torch.nn.functional.softplus(edge - d(changed(fake), said)).mean()
        d.requires_grad_(True)
        makes.zero_grad()
        loss.backward()
        makes.step()
        # the discriminator: which of the two is real, with a small slope at both
        real, fake = real.detach().requires_grad_(), fake.detach().requires_grad_()
        both = torch.cat([change(size)(real), change(size)(fake)])
        scores = d(both, torch.cat([heard, heard]) if given else None)
        one, two = scores.chunk(2)
        slopes = torch.autograd.grad(scores.sum(), (real, fake), create_graph=True)
        penalty = sum((slope.square().sum(1).mean() for slope in slopes), torch.zeros(()))
        total = torch.nn.functional.softplus(two - one).mean() + model.gamma * real.shape[1] * penalty
        judges.zero_grad()
        total.backward()
        judges.step()
        yield _told(loss, total)


def _told(*losses: Tensor) -> list[float]:
    """What every loop prints now and then."""
    return [float(loss.detach()) for loss in losses]


def main() -> int:
    """Block by block in turn, so that what else the machine does meets both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=f"{ROWS},{PICTURES}")
    parser.add_argument("--blocks", type=int, default=30)
    parser.add_argument("--steps", type=int, default=10, help="steps in a block")
    said = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, {said.blocks} blocks of {said.steps} steps")
    worst = 0.0
    for kind in said.data.split(","):
        data, given = (pf.read("adult:train"), ()) if kind == ROWS else (pf.read("digits"), ("label",))
        model, run = ours(data, given)
        loops = {"by hand": bare(model, data, given), "GAN": run}
        times: dict[str, list[float]] = {name: [] for name in loops}
        for block in range(said.blocks + 1):
            for name, steps in loops.items():
                took = milliseconds(steps, said.steps)
                if block:  # the first is for warming up
                    times[name].append(took)
        ratio = statistics.median(a / b for a, b in zip(times["GAN"], times["by hand"], strict=True))
        worst = max(worst, ratio)
        whole = sum(times["GAN"]) / sum(times["by hand"])
        shown = ", ".join(f"{name} {1000 / statistics.median(values):.1f}" for name, values in times.items())
        print(f"{kind}: steps a second {shown}; GAN to by hand {ratio:.3f}, all time {whole:.3f}", flush=True)
    print(f"bar: {BAR}")
    return 0 if worst <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
