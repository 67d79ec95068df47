"""What flows cost beside those of zuko, nflows and normflows: the same transforms, bins, widths and batch.

python benchmarks/flow_speed.py [--rounds 7] [--only spline-coupling-6]

Five transforms with two hidden layers of 128; splines have 8 bins in [-5, 5]. Each piece of work is timed in turns, so
that what else the machine does meets all alike; a number is the median of the rounds, in milliseconds, and the ratio is
ours to that of the fastest peer.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from pushforward.flows.bases.normal import Normal
from pushforward.flows.bijections.autoregressive import Autoregressive
from pushforward.flows.bijections.chain import Chain
from pushforward.flows.bijections.coupling import Coupling
from pushforward.flows.bijections.permutation import Permutation
from pushforward.flows.kernels.affine import AffineKernel
from pushforward.flows.kernels.spline import SplineKernel
from pushforward.flows.pushed import Pushed

TRANSFORMS, HIDDEN, BINS, BOUND, BATCH = 5, 128, 8, 5.0, 512
LR = 1e-3
Ways = tuple[nn.Module, Callable[[Tensor], Tensor], Callable[[int], Tensor]]  # module, log_prob, sample


def ours(kind: str, spline: bool, d: int) -> Ways:
    """This package."""
    kernel = SplineKernel(BINS, BOUND) if spline else AffineKernel()
    parts = []
    for i in range(TRANSFORMS):
        if kind == "coupling":
            parts.append(Coupling(d, kernel, hidden=(HIDDEN, HIDDEN), flip=bool(i % 2)))
        else:
            parts += [Autoregressive(d, kernel, hidden=(HIDDEN, HIDDEN)), Permutation.reversed(d)]
    flow = Pushed(Chain(parts), Normal(d))
    source = torch.Generator().manual_seed(0)
    return flow, flow.log_prob, lambda n: flow.sample(n, source)


def zuko(kind: str, spline: bool, d: int) -> Ways:
    """zuko."""
    import zuko as peer

    said = {"transforms": TRANSFORMS, "hidden_features": (HIDDEN, HIDDEN), "passes": 2 if kind == "coupling" else None}
    flow = peer.flows.NSF(d, bins=BINS, **said) if spline else peer.flows.MAF(d, **said)
    return flow, lambda x: flow().log_prob(x), lambda n: flow().sample((n,))


def nflows(kind: str, spline: bool, d: int) -> Ways:
    """nflows."""
    from nflows import distributions, flows, transforms
    from nflows.nn.nets import MLP
    from nflows.transforms import coupling
    from nflows.utils import torchutils

    parts: list[nn.Module] = []
    tails = {"num_bins": BINS, "tails": "linear", "tail_bound": BOUND}
    for i in range(TRANSFORMS):

        def net(a: int, b: int) -> nn.Module:
            return _Contextless(MLP((a,), (b,), [HIDDEN, HIDDEN]))

        if kind == "coupling":
            mask = torchutils.create_alternating_binary_mask(d, even=bool(i % 2))
            if spline:
                parts.append(coupling.PiecewiseRationalQuadraticCouplingTransform(mask, net, **tails))
            else:
                parts.append(coupling.AffineCouplingTransform(mask, net))
        else:
            parts.append(
                transforms.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
                    d, HIDDEN, num_blocks=2, use_residual_blocks=False, **tails
                )
            )
            parts.append(transforms.ReversePermutation(d))
    flow = flows.Flow(transforms.CompositeTransform(parts), distributions.StandardNormal([d]))
    return flow, flow.log_prob, flow.sample


class _Contextless(nn.Module):
    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return self.net(x)


def normflows(kind: str, spline: bool, d: int) -> Ways:
    """normflows."""
    import normflows as peer

    parts: list[nn.Module] = []
    for i in range(TRANSFORMS):
        if not spline:
            half = d // 2
            net = peer.nets.MLP([half + d % 2, HIDDEN, HIDDEN, 2 * half])
            parts += [peer.flows.AffineCouplingBlock(net), peer.flows.Permute(d, mode="swap")]
        elif kind == "coupling":
            parts.append(
                peer.flows.CoupledRationalQuadraticSpline(
                    d, 1, HIDDEN, num_bins=BINS, tail_bound=int(BOUND), reverse_mask=bool(i % 2)
                )
            )
        else:
            parts.append(
                peer.flows.AutoregressiveRationalQuadraticSpline(d, 1, HIDDEN, num_bins=BINS, tail_bound=BOUND)
            )
    flow = peer.NormalizingFlow(peer.distributions.DiagGaussian(d, trainable=False), parts)
    return flow, flow.log_prob, lambda n: flow.sample(n)[0]


PEERS = {"ours": ours, "zuko": zuko, "nflows": nflows, "normflows": normflows}
# transform, columns; draws to take, and the bars of training, sampling and scoring
WORK = {
    "spline-coupling-6": ("coupling", True, 6, 10_000, (0.70, 0.70, 0.70)),
    "spline-coupling-43": ("coupling", True, 43, 10_000, (0.70, 0.70, 0.70)),
    "spline-autoregressive-6": ("autoregressive", True, 6, 10_000, (0.80, 0.50, None)),
    "spline-autoregressive-43": ("autoregressive", True, 43, 1_000, (0.80, 0.50, None)),
    "affine-coupling-43": ("coupling", False, 43, 10_000, (0.95, 0.95, 0.95)),
}


def jobs(ways: Ways, d: int, draws: int) -> dict[str, Callable[[], object]]:
    """A training step, draws, and scores."""
    module, log_prob, sample = ways
    optimizer = torch.optim.Adam(module.parameters(), lr=LR)
    source = torch.Generator().manual_seed(0)
    few, many = torch.randn(BATCH, d, generator=source), torch.randn(10_000, d, generator=source)

    def train() -> None:
        optimizer.zero_grad()
        (-log_prob(few).mean()).backward()
        optimizer.step()

    def draw() -> Tensor:
        with torch.no_grad():
            return sample(draws)

    def score() -> Tensor:
        with torch.no_grad():
            return log_prob(many)

    return {"train": train, "sample": draw, "log_prob": score}


def main() -> int:
    """A line for each piece of work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default=",".join(WORK))
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, {said.rounds} rounds")
    missed = 0
    for name in said.only.split(","):
        kind, spline, d, draws, bars = WORK[name]
        todo = {who: jobs(make(kind, spline, d), d, draws) for who, make in PEERS.items()}
        for part, bar in zip(("train", "sample", "log_prob"), bars, strict=True):
            times: dict[str, list[float]] = {who: [] for who in todo}
            for turn in range(said.rounds + 1):
                for who, work in todo.items():
                    repeat = 10 if part == "train" else 1
                    start = time.perf_counter()
                    for _ in range(repeat):
                        work[part]()
                    if turn:  # the first is for warming up
                        times[who].append(1000 * (time.perf_counter() - start) / repeat)
            medians = {who: statistics.median(values) for who, values in times.items()}
            ratio = medians["ours"] / min(value for who, value in medians.items() if who != "ours")
            missed += bar is not None and ratio > bar
            shown = ", ".join(f"{who} {value:.1f}" for who, value in medians.items())
            print(f"{name} {part}: {shown}; ratio {ratio:.2f} (bar {bar})", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
