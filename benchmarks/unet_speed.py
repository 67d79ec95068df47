"""A step of training and fifty of drawing, beside `diffusers`: the same U-Net in both, and our own.

python benchmarks/unet_speed.py [--repeats 7] [--threads 2] [--learn path/to/pictures.parquet]

The peer is `diffusers.UNet2DModel` (32×32, one channel, blocks of 32, 64 and 96 channels without attention) in eager
float32, with AdamW and, to draw, its own DDIM. Ours is the same module in a step of our training loop (averages of
weights, bfloat16 where the machine has units for it, channels last in memory), and drawn by our DDIM. Times alternate,
and what counts is the ratio of their medians. With --learn both networks learn to denoise the same pictures in the same
number of steps, and the held-out error at noise levels of 0.1 to 10 is printed: that is what equal quality means.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from pushforward.diffusion import matching
from pushforward.diffusion.paths.exploding import Exploding
from pushforward.diffusion.samplers.ddim import DDIM
from pushforward.diffusion.schedule import schedule
from pushforward.nets.unet import UNet
from pushforward.training.average import Average
from pushforward.training.place import half_pays
from pushforward.training.player import adam

SIDE, BATCH, STEPS = 32, 16, 50
PATH = Exploding()


class Peer(nn.Module):
    """The U-Net of `diffusers`, asked as ours is."""

    def __init__(self) -> None:
        super().__init__()
        from diffusers import UNet2DModel

        self.net = UNet2DModel(
            sample_size=SIDE, in_channels=1, out_channels=1, layers_per_block=2, block_out_channels=(32, 64, 96),
            down_block_types=("DownBlock2D",) * 3, up_block_types=("UpBlock2D",) * 3, norm_num_groups=8,
        )  # fmt: skip

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(n, 1, side, side), (n,) → the same."""
        return self.net(x, 250 * c).sample


class Ours(nn.Module):
    """Our U-Net with the embedding of the noise level that `Diffusion` has."""

    def __init__(self, width: int) -> None:
        super().__init__()
        from pushforward.nets.embed import Waves

        self.time = nn.Sequential(Waves(64), nn.Linear(64, 4 * width), nn.SiLU(), nn.Linear(4 * width, 4 * width))
        self.net = UNet(1, SIDE, SIDE, hidden=width, layers=2, condition=4 * width)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(n, 1, side, side), (n,) → the same."""
        return self.net(x, nn.functional.silu(self.time(c)))[0]


def denoiser(net: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """D(x; σ) of a network, on flat vectors."""

    def network(h: Tensor, c: Tensor) -> Tensor:
        return net(h.view(-1, 1, SIDE, SIDE), c).flatten(1)

    return lambda x, sigma: PATH.denoised(x, sigma, network)


def plain_step(net: nn.Module, data: Tensor) -> Callable[[], None]:
    """What a loop by hand does."""
    optimizer, generator = torch.optim.AdamW(net.parameters(), 1e-3), torch.Generator().manual_seed(0)

    def step() -> None:
        rows = torch.randint(len(data), (BATCH,), generator=generator)
        losses, _ = matching.losses(denoiser(net), PATH, data[rows], generator)
        losses.mean().backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def our_step(net: nn.Module, data: Tensor, lr: float = 1e-3) -> Callable[[], None]:
    """What our loop does: the same, averages beside it, in half precision where that pays."""
    net.to(memory_format=torch.channels_last)
    optimizer, generator = adam(lr)(net.parameters()), torch.Generator().manual_seed(0)
    average, count = Average(net, 0.1), [0]
    half = half_pays(torch.device("cpu"))

    def step() -> None:
        rows = torch.randint(len(data), (BATCH,), generator=generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            losses, _ = matching.losses(denoiser(net), PATH, data[rows], generator)
        losses.mean().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        count[0] += 1
        average.update(count[0])

    return step


@torch.no_grad()
def peer_draws(net: Peer) -> None:
    """Fifty steps of DDIM as `diffusers` does them."""
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(num_train_timesteps=1000)
    scheduler.set_timesteps(STEPS)
    x = torch.randn(BATCH, 1, SIDE, SIDE)
    for t in scheduler.timesteps:
        x = scheduler.step(net.net(x, t).sample, t, x).prev_sample


@torch.no_grad()
def our_draws(net: nn.Module) -> None:
    """Fifty steps of our DDIM."""
    sigmas = schedule(STEPS)
    x = sigmas[0] * torch.randn(BATCH, SIDE * SIDE)
    with torch.autocast("cpu", torch.bfloat16, enabled=half_pays(torch.device("cpu"))):
        for _ in DDIM()(denoiser(net), x, sigmas):
            pass


def medians(jobs: dict[str, Callable[[], None]], repeats: int) -> dict[str, float]:
    """Seconds of each job, taken in turn."""
    for job in jobs.values():
        job()
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def told(title: str, found: dict[str, float]) -> None:
    """A line a job, with its ratio to the first."""
    base = next(iter(found.values()))
    print(title)
    for name, seconds in found.items():
        print(f"  {name:34} {1e3 * seconds:9.1f} ms   {seconds / base:5.2f}", flush=True)


def learn(source: str, steps: int, width: int) -> None:
    """Held-out error of both after as many steps."""
    import pushforward as pf

    data = pf.read(source)
    [image] = data.schema.of_kind(pf.Image)
    pixels = torch.from_numpy(data.to_numpy()[image.name].copy()).float()
    x = nn.functional.interpolate(pixels[:, None] / 127.5 - 1, (SIDE, SIDE)).flatten(1)
    x = (x - x.mean()) / x.std()
    train, held = x[:-500], x[-500:]
    for name, net, make in (("diffusers", Peer(), plain_step), ("our own", Ours(width), our_step)):
        step, start = make(net, train), time.perf_counter()
        for _ in range(steps):
            step()
        seconds = time.perf_counter() - start
        sigma = torch.logspace(-1, 1, len(held))
        noise = torch.randn(held.shape, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            error = (denoiser(net)(held + sigma[:, None] * noise, sigma) - held).square().mean(1)
        print(f"  {name:12} {steps} steps in {seconds:6.1f} s, held-out error {error.mean():.4f}", flush=True)


def main() -> None:
    """Times, and with --learn errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--width", type=int, default=64, help="of our own network")
    parser.add_argument("--learn", help="a table with a column of pictures")
    parser.add_argument("--steps", type=int, default=400, help="of --learn")
    said = parser.parse_args()
    torch.set_num_threads(said.threads)
    torch.manual_seed(0)
    peer, same, own = Peer(), Peer(), Ours(said.width)
    for name, net in (("diffusers", peer), ("our own", own)):
        print(f"{name}: {sum(p.numel() for p in net.parameters()):,} parameters")
    data = torch.randn(512, SIDE * SIDE)
    steps = {"diffusers, eager": plain_step(peer, data), "the same, our loop": our_step(same, data)}
    told("A step of training", medians(steps | {"our own, our loop": our_step(own, data)}, said.repeats))
    draws = {"diffusers, its DDIM": lambda: peer_draws(peer), "the same, our DDIM": lambda: our_draws(same)}
    told("16 pictures in 50 steps", medians(draws | {"our own, our DDIM": lambda: our_draws(own)}, said.repeats))
    if said.learn:
        learn(said.learn, said.steps, said.width)


if __name__ == "__main__":
    main()
