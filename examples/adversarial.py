"""The game of generator and discriminator: the theorem, why the equilibrium is missed, six losses, and a whole fit.

python examples/adversarial.py [picture.png]

Beside the picture go game-history.png and game.gif, which show a fit of `GAN`.
"""

from __future__ import annotations

import itertools
import math
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import torch
from look import COLOURS, GREY, INK, save
from matplotlib.axes import Axes
from torch import Tensor, nn

import pushforward as pf
from pushforward.adversarial.losses import LOSSES
from pushforward.drawing.game import animate
from pushforward.nets.embed import Waves

ORDER = ("minimax", "non-saturating", "least-squares", "wasserstein", "hinge", "relativistic")
STEPS, BATCH, RATE = 4000, 128, 2e-3
GAMMAS = [0.03, 0.03, 0.1, 1.0, 0.03, 0.03]  # by loss, the best of a few that were tried on this seed
NOISE, WIDTH = 8, 64
WAVES = True  # False: discriminators read plain numbers, and games without a penalty lose fewer modes
DRAWN, REAL = COLOURS[1], GREY
FOLDER = Path(sys.argv[1]).parent if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "handbook"


class Stack(nn.Module):
    """k networks of three hidden layers side by side, the same at first: k games for little more than the time of one.

    Args:
        k: how many.
        inputs, outputs: widths.
        waves: whether numbers are read as waves too, as the discriminator of `GAN` reads them.
    """

    def __init__(self, k: int, inputs: int, outputs: int, source: torch.Generator, waves: bool = False):
        super().__init__()
        self.waves = Waves(8, 1 / 8, 2.0) if waves else None
        widths = [inputs * (9 if waves else 1), WIDTH, WIDTH, WIDTH, outputs]
        parts = []
        for before, after in itertools.pairwise(widths):
            both = (2 * torch.rand(1, before + 1, after, generator=source) - 1) / math.sqrt(before)
            parts += [both[:, 1:].repeat(k, 1, 1), both[:, :1].repeat(k, 1, 1)]
        self.weights = nn.ParameterList(parts)

    def forward(self, x: Tensor) -> Tensor:
        """(k, n, inputs) → (k, n, outputs)."""
        if self.waves is not None:
            x = torch.cat([x, self.waves(x).flatten(2)], 2)
        weights = list(self.weights)
        for i in range(0, len(weights), 2):
            x = torch.baddbmm(weights[i + 1], x if i == 0 else x.relu(), weights[i])
        return x


def adam(side: nn.Module) -> torch.optim.Optimizer:
    """Without momentum, which would carry a player past a move of the other."""
    return torch.optim.Adam(side.parameters(), RATE, betas=(0.0, 0.99), fused=True)


def games(data: Tensor, names: tuple[str, ...], gammas: list[float]) -> Tensor:
    """(k, 2000, 2) what the generators of k games draw after the same steps on the same batches and noise.

    Args:
        data: (n, 2).
        names: the loss of each game.
        gammas: the weight of R₁ + R₂ in each.
    """
    source = torch.Generator().manual_seed(0)
    k, losses, weight = len(names), [LOSSES[name]() for name in names], torch.tensor(gammas)
    makers, judges = Stack(k, NOISE, 2, source), Stack(k, 2, 1, source, waves=WAVES)
    moves = adam(makers), adam(judges)
    for step in range(STEPS):
        for group in (group for move in moves for group in move.param_groups):
            group["lr"] = RATE * min(1, 2 - 2 * step / STEPS)
        real = data[torch.randint(len(data), (BATCH,), generator=source)].expand(k, -1, -1)
        fake = makers(torch.randn(BATCH, NOISE, generator=source).expand(k, -1, -1))
        # the generators' move
        judges.requires_grad_(False)
        ones, twos = judges(torch.cat([real, fake], 1))[..., 0].chunk(2, 1)
        terms = [loss.generator(one, two).mean() for loss, one, two in zip(losses, ones, twos, strict=True)]
        moves[0].zero_grad()
        torch.stack(terms).sum().backward()
        moves[0].step()
        # the discriminators' move
        judges.requires_grad_(True)
        both = torch.cat([real, fake.detach()], 1).requires_grad_()
        scores = judges(both)[..., 0]
        ones, twos = scores.chunk(2, 1)
        terms = [loss.discriminator(one, two).mean() for loss, one, two in zip(losses, ones, twos, strict=True)]
        (slopes,) = torch.autograd.grad(scores.sum(), both, create_graph=True)
        squares = 2 * slopes.square().sum(2).mean(1)  # at data and at draws
        moves[1].zero_grad()
        (torch.stack(terms) + weight / 2 * squares).sum().backward()
        moves[1].step()
    with torch.no_grad():
        return makers(torch.randn(2000, NOISE, generator=source).expand(k, -1, -1))


def found(points: Tensor) -> tuple[int, float]:
    """Modes of the grid with at least a tenth of their share within four deviations, and the share near any."""
    centres = torch.cartesian_prod(torch.arange(-2.0, 3), torch.arange(-2.0, 3))
    distance = torch.cdist(points, centres)
    near = distance.min(1).values <= 4 * 0.05
    counts = distance.argmin(1)[near].bincount(minlength=25)
    return int((counts >= 0.1 * len(points) / 25).sum()), float(near.float().mean())


# The theorem


def normal(x: np.ndarray, mean: float) -> np.ndarray:
    """The density of N(mean, 1)."""
    return np.exp(-((x - mean) ** 2) / 2) / math.sqrt(2 * math.pi)


def theorem(left: Axes, right: Axes) -> None:
    """The best discriminator of N(0, 1) from N(m, 1), and the divergence that it measures, learned and exact."""
    apart, shown = np.array([0.0, 0.5, 1, 1.5, 2, 3, 4, 5]), 4
    source, loss = torch.Generator().manual_seed(0), LOSSES["minimax"]()
    judges, shift = Stack(len(apart), 1, 1, source), torch.tensor(apart, dtype=torch.float32).view(-1, 1, 1)
    move, steps = adam(judges), 1500

    def scored(n: int) -> tuple[Tensor, Tensor]:
        noise = torch.randn(2, 1, n, 1, generator=source)
        return judges(noise[0].expand(len(apart), -1, -1))[..., 0], judges(noise[1] + shift)[..., 0]

    for step in range(steps):
        move.param_groups[0]["lr"] = RATE * (1 - step / steps)
        move.zero_grad()
        loss.discriminator(*scored(512)).mean(1).sum().backward()
        move.step()
    x = np.linspace(-4, 6, 400)
    with torch.no_grad():
        learned = judges(torch.tensor(x, dtype=torch.float32).view(1, -1, 1).expand(len(apart), -1, -1))[..., 0]
        measured = [float(loss.divergence(*pair)) for pair in zip(*scored(50_000), strict=True)]
    p, q = normal(x, 0), normal(x, apart[shown])
    for density, colour, name, at in ((p, INK, "p, data", -1.1), (q, DRAWN, "q, draws", apart[shown] + 1.1)):
        left.fill_between(x, density, color=colour, alpha=0.13, lw=0)
        left.annotate(name, (at, 0.25), color=colour, fontsize=8, ha="right" if at < 0 else "left")
    left.plot(x, p / (p + q), color=GREY, lw=3.5, alpha=0.7, label="p / (p + q)")
    left.plot(x, learned[shown].sigmoid(), color=COLOURS[0], lw=1.2, label="learned")
    left.set(xlabel="x", xlim=(-4, 6), ylim=(0, 1.05), yticks=[0, 0.5, 1])
    left.legend(loc="upper right", fontsize=8, borderaxespad=0)
    left.set_title("The best discriminator")
    line = np.linspace(0, 5.2, 80)
    right.plot(line, [exact(m) for m in line], color=GREY, lw=3.5, alpha=0.7, label="JSD(p, q)")
    right.plot(apart, measured, "o", ms=4, color=COLOURS[0], label="learned")
    right.axhline(math.log(2), color=GREY, lw=0.8, ls=":")
    right.annotate("log 2: never the same", (0.1, math.log(2)), (0, -3), textcoords="offset points", va="top",
                   fontsize=8)  # fmt: skip
    right.set(xlabel="between the means, in deviations", xlim=(-0.15, 5.3), ylim=(-0.02, 0.75))
    right.legend(loc="lower right", fontsize=8)
    right.set_title("The divergence that it measures")
    print("JSD learned - exact:", np.round(np.array(measured) - [exact(m) for m in apart], 4))


def exact(mean: float) -> float:
    """Jensen and Shannon's divergence of N(0, 1) and N(mean, 1)."""
    x = np.linspace(-10, 10 + mean, 8001)
    p, q = normal(x, 0), normal(x, mean)
    middle = (p + q) / 2
    terms = sum(r * np.log(np.where(r > 0, r, 1) / np.where(middle > 0, middle, 1)) for r in (p, q)) / 2
    return float(terms.sum() * (x[1] - x[0]))


# Why the equilibrium is missed


def circle(axes: Axes) -> None:
    """min over x, max over y of x y, by gradient steps of both."""
    rate, gamma = 0.08, 0.35
    for colour, label, steps, penalty, turns in (
        (DRAWN, "both at once", 150, 0.0, False),
        (COLOURS[2], "in turns", 150, 0.0, True),
        (COLOURS[0], "at once, with R₁", 600, gamma, False),
    ):
        path = [(1.0, 0.0)]
        for _ in range(steps):
            x, y = path[-1]
            new = x - rate * y
            path.append((new, y + rate * ((new if turns else x) - penalty * y)))
        axes.plot(*np.array(path).T, color=colour, lw=1.2, label=label)
        tip, before = np.array(path[-1]), np.array(path[-2])
        if not penalty and not turns:
            axes.annotate("", tip + 0.5 * (tip - before), before, arrowprops={"arrowstyle": "->", "color": colour})
    axes.plot(1, 0, "o", ms=4, color=INK, label="start")
    axes.plot(0, 0, "+", ms=8, color=INK)
    axes.set(aspect="equal", xlabel="x, which wants x y small", ylabel="y, which wants it large", xlim=(-1.7, 1.7),
             ylim=(-1.75, 3.0), xticks=[-1, 0, 1], yticks=[-1, 0, 1])  # fmt: skip
    axes.legend(loc="upper center", fontsize=8, labelspacing=0.3, borderaxespad=0)
    axes.set_title("A game that goes round")


def losses(rows: np.ndarray) -> None:
    """What each loss makes of the grid, without a penalty and with one."""
    table = pf.read("grid").to_numpy()
    data = torch.tensor(np.stack([table["x"], table["y"]], 1)).float()
    drawn = games(data, 2 * ORDER, [0.0] * 6 + GAMMAS)
    for i, (axes, points) in enumerate(zip(rows.flat, drawn, strict=True)):
        axes.scatter(*data[:1500].T, s=2, color=REAL, lw=0, alpha=0.6)
        axes.scatter(*points[:1500].T, s=2, color=DRAWN, lw=0, alpha=0.7)
        axes.set(xlim=(-2.7, 2.7), ylim=(-2.7, 2.7), aspect="equal", xticks=[], yticks=[])
        modes, near = found(points)
        axes.set_xlabel(f"{modes} of 25, {near:.0%} near", labelpad=3, fontsize=8)
        if i < 6:
            axes.set_title(ORDER[i], loc="center", fontsize=9)
        if i % 6 == 0:
            axes.set_ylabel("no penalty" if i < 6 else "R₁ + R₂")
        for side in axes.spines.values():
            side.set_visible(True)


def main() -> None:
    """Draw."""
    figure = plt.figure(figsize=(8.4, 6.1))
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.25))
    left, middle, right = above.subplots(1, 3, width_ratios=(1, 1, 0.92))
    theorem(left, middle)
    circle(right)
    losses(below.subplots(2, 6))
    save(figure, "adversarial")

    fit()


def fit() -> None:
    """A game that goes well, and one that does not."""
    warnings.simplefilter("ignore")
    model = pf.GAN().fit(pf.read("moons").select(["x", "y"]), steps=1800, seed=0)
    scenes = model.history.scenes
    print(f"Look at {animate(scenes[:20:3] + scenes[20:], FOLDER / 'game.gif')}")  # hardly anything moves at first
    model = pf.GAN(loss="non-saturating", penalty="none", pack=1).fit(ring(), steps=1200, seed=0)
    model.history.plot(FOLDER / "game-history.png")
    print(f"Look at {FOLDER / 'game-history.png'}", *model.history.notes, sep="\n")


def ring() -> pa.Table:
    """10,000 points of eight Gaussians with deviation 0.02 on a circle of radius 2."""
    rng = np.random.default_rng(0)
    angle = rng.integers(0, 8, 10_000) * np.pi / 4
    points = 2 * np.stack([np.cos(angle), np.sin(angle)]) + 0.02 * rng.standard_normal((2, 10_000))
    return pa.table(dict(zip("xy", points, strict=True)))


if __name__ == "__main__":
    main()
