"""What diffusion does: noise that comes and goes, the field that leads back, two ways from one noise, a bridge.

python examples/diffusion.py [picture.png]
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import torch
from look import COLOURS, GREY, save
from matplotlib.axes import Axes

import pushforward as pf
from pushforward.diffusion.denoiser import SIGMA_MAX, Denoiser, score_of
from pushforward.diffusion.samplers.ddim import DDIM
from pushforward.diffusion.samplers.heun import Heun
from pushforward.diffusion.schedule import schedule

STEPS = 3000
LEVELS = (0.0, 0.5, 1.5)  # of noise, in deviations of the data


def moons() -> tuple[pf.Diffusion, np.ndarray]:
    """A model of two moons, and the data as the model sees them: by their scores, which are nearly normal."""
    data = pf.read("moons").select(["x", "y"])
    model = pf.Diffusion(width=128).fit(data, steps=STEPS, seed=0)
    flat = model.network.flat
    cells = flat.vector.cells.encode(data)
    points, _ = flat({"numbers": cells.numbers, "codes": cells.codes, "holes": cells.holes})
    return model, points.numpy()


def noisy(axes: Axes, points: np.ndarray, sigma: float) -> None:
    """Data under noise, on a circle: so its size stays."""
    noise = np.random.default_rng(0).standard_normal(points.shape)
    axes.scatter(*((points + sigma * noise) / np.hypot(1, sigma)).T, s=1.5, lw=0, color=COLOURS[0], alpha=0.5)
    plain(axes, 2.6, f"σ = {sigma:g}" if sigma else "Data")


def field(axes: Axes, denoiser: Denoiser, points: np.ndarray, sigma: float) -> None:
    """The score as arrows, over the data."""
    side = np.linspace(-2.4, 2.4, 17)
    x = torch.tensor(np.stack(np.meshgrid(side, side), -1).reshape(-1, 2), dtype=torch.float32)
    with torch.no_grad():
        score = score_of(denoiser(x, torch.full((len(x),), sigma)), x, torch.tensor(sigma))
    length = score.norm(dim=1, keepdim=True)
    arrows = score / length * length.clamp_max(length.quantile(0.7)) * sigma
    axes.scatter(*points.T, s=1, lw=0, color=GREY, alpha=0.35)
    axes.quiver(*x.T, *arrows.T, color=COLOURS[0], angles="xy", scale_units="xy", scale=5, width=0.005)
    plain(axes, 2.6, f"Where the score leads, σ = {sigma:g}")


def ways(axes: Axes, denoiser: Denoiser, points: np.ndarray, drawn: bool) -> None:
    """Paths of four draws of noise."""
    sigmas = schedule(400)
    source = torch.Generator().manual_seed(8)
    x = SIGMA_MAX * torch.randn(4, 2, generator=source)
    sampler = DDIM(eta=1.0) if drawn else Heun()
    with torch.no_grad():
        states = torch.stack([x, *sampler(denoiser, x, sigmas, source)])
    path = (states / (1 + sigmas[:, None, None] ** 2).sqrt()).numpy()
    axes.scatter(*points.T, s=1, lw=0, color=GREY, alpha=0.35)
    for i in range(path.shape[1]):
        axes.plot(*path[:, i].T, lw=0.5 if drawn else 1.0, color=COLOURS[i], alpha=0.8)
        axes.plot(*path[0, i], marker="o", ms=4, color=COLOURS[i], mfc="white", zorder=3)
        axes.plot(*path[-1, i], marker="o", ms=5, color=COLOURS[i], mec="white", zorder=3)
    plain(axes, 2.9, "The same noise by the SDE" if drawn else "Four draws of noise by the ODE")


def bridge(axes: Axes) -> None:
    """Moons on their way to rings."""
    one, other = (pf.read(name).select(["x", "y"]) for name in ("moons", "rings"))
    model = pf.Bridge(epsilon=0.003).fit(one, to=other, steps=STEPS, seed=0)
    some = one.take(np.random.default_rng(0).permutation(len(one))[:1200])
    for (t, there), colour in zip(list(model.path(some, steps=3, seed=0)), (GREY, *COLOURS[1:]), strict=False):
        x, y = there.to_numpy().values()
        axes.scatter(x, y, s=2, lw=0, color=colour, alpha=0.6, label=f"{t:.2f}")
    axes.legend(title="time", loc="lower right", handletextpad=0.1, markerscale=4, borderpad=0)
    plain(axes, 4.2, "A bridge from moons to rings")


def plain(axes: Axes, side: float, title: str) -> None:
    """No ticks, equal sides."""
    axes.set(xlim=(-side, side), ylim=(-side, side), xticks=[], yticks=[], aspect="equal")
    axes.set_title(title)


def guidance(axes: Axes) -> None:
    """A condition that is followed more and more strongly: what is drawn gets surer of it, and less varied."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 6000)
    centres = 2.0 * np.stack([np.cos(label * 2.094), np.sin(label * 2.094)], 1)
    xy = centres + rng.standard_normal((6000, 2))
    data = pf.read({"x": xy[:, 0], "y": xy[:, 1], "which": np.array(["a", "b", "c"])[label].tolist()})
    model = pf.Diffusion(width=128).fit(data, given="which", steps=STEPS, seed=0)
    axes.scatter(*xy.T, s=1, lw=0, color=GREY, alpha=0.25)
    for weight, colour in zip((1.0, 2.0, 4.0), COLOURS, strict=False):
        drawn = model.sample(400, given={"which": "a"}, guidance=weight, seed=0).to_numpy()
        axes.scatter(drawn["x"], drawn["y"], s=4, lw=0, color=colour, alpha=0.7, label=f"{weight:g}")
    axes.legend(title="guidance", loc="lower right", handletextpad=0.1, markerscale=2.5, borderpad=0)
    plain(axes, 6.2, "One of three, asked for")


def main() -> None:
    """Draw."""
    figure, rows = plt.subplots(2, 4, figsize=(11, 5.8))
    model, points = moons()
    for axes, sigma in zip(rows[0], LEVELS, strict=False):
        noisy(axes, points, sigma)
    bridge(rows[0, 3])
    field(rows[1, 0], model.denoiser(), points, 0.3)
    ways(rows[1, 1], model.denoiser(), points, drawn=False)
    ways(rows[1, 2], model.denoiser(), points, drawn=True)
    guidance(rows[1, 3])
    save(figure, "diffusion")


if __name__ == "__main__":
    main()
