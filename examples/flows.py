"""What a normalizing flow does: lengths that change, a plane that is bent map by map, and what cannot be torn.

python examples/flows.py [picture.png]
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import torch
from look import COLOURS, GREY, save
from matplotlib.axes import Axes

import pushforward as pf
from pushforward.flows.bijections.coupling import Coupling

STEPS = 1500


def change_of_variables(axes: Axes) -> None:
    """A normal density pushed through a spline: what is stretched gets thin."""
    from pushforward.flows.kernels.spline import SplineKernel

    kernel = SplineKernel(bins=5, bound=3.0)
    theta = torch.tensor([1.2, 0, -0.9, 0.4, 1.0, -0.6, 1.1, 1.3, 0.2, 0.6, 1.5, -2.2, -1.0, 1.0]).double()[:, None]
    z = torch.linspace(-3.2, 3.2, 1601).double()
    x, ladj = kernel.forward(z, theta.expand(-1, len(z)))
    p = (-0.5 * z**2).exp() / (2 * np.pi) ** 0.5
    q = p * (-ladj).exp()
    axes.plot(z, x, color=GREY, lw=1.2)
    axes.fill_between(z, -3.6, -3.6 + 2.2 * p, color=COLOURS[0], alpha=0.35, lw=0)
    axes.fill_betweenx(x, -3.6, -3.6 + 1.5 * q, color=COLOURS[1], alpha=0.35, lw=0)
    for a in np.arange(-2, 2.01, 0.5):
        at = int(np.abs(z.numpy() - a).argmin())
        axes.plot([z[at], z[at], -3.6], [-3.6, x[at], x[at]], color=GREY, lw=0.5, alpha=0.6)
    axes.set(xlim=(-3.6, 3.2), ylim=(-3.6, 3.2), xlabel="noise z", ylabel="data x = f⁻¹(z)", aspect="equal")
    axes.set_xticks([-2, 0, 2])
    axes.set_yticks([-2, 0, 2])
    axes.set_title("p(x) = p(z) · |dz/dx|")


def bent(axes: Axes, model: pf.Flow, upto: int, title: str) -> None:
    """A grid of noise, and draws, after so many maps from noise to data."""
    parts = model.network.row.bijection.parts
    couplings = [i for i, part in enumerate(parts) if isinstance(part, Coupling)]
    first = couplings[::-1][upto - 1] if upto else len(parts)
    line, fine = np.linspace(-2.5, 2.5, 16), np.linspace(-2.5, 2.5, 400)

    def pushed(points: np.ndarray) -> np.ndarray:
        x = torch.tensor(points, dtype=torch.float32)
        with torch.no_grad():
            for part in list(parts)[first:][::-1]:
                x, _ = part.inverse(x)
        return x.numpy()

    for value in line:
        for points in (np.stack([np.full(400, value), fine], 1), np.stack([fine, np.full(400, value)], 1)):
            axes.plot(*pushed(points).T, color=GREY, lw=0.4, alpha=0.7)
    z = np.random.default_rng(0).standard_normal((1500, 2))
    axes.scatter(*pushed(z).T, s=2, lw=0, color=COLOURS[0], alpha=0.6)
    axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
    axes.set_title(title)


def density(axes: Axes, model: pf.Flow, title: str, held: pf.Records) -> None:
    """exp log_prob over the plane."""
    side = np.linspace(-3.6, 3.6, 240)
    plane = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    values = np.exp(model.log_prob({"x": plane[:, 0], "y": plane[:, 1]})).reshape(240, 240)
    axes.imshow(values**0.5, origin="lower", extent=(-3.6, 3.6, -3.6, 3.6), cmap="Blues", vmin=0, vmax=0.5)
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set_title(f"{title}: {model.score(held):.2f} nats")


def main() -> None:
    """Draw."""
    figure, rows = plt.subplots(2, 4, figsize=(11, 5.8))
    change_of_variables(rows[0, 0])
    moons = pf.read("moons").select(["x", "y"])
    model = pf.Flow(transforms=4).fit(moons, steps=STEPS, seed=0)
    for axes, upto, title in zip(rows[0, 1:], (0, 2, 4), ("Noise", "After two couplings", "After four"), strict=True):
        bent(axes, model, upto, title)
    rings, held = pf.read("rings").select(["x", "y"]).split(0.8, seed=0)
    for axes, title, said in zip(
        rows[1],
        ("One Gaussian, affine", "One Gaussian, splines", "32 Gaussians, splines"),
        ({"kernel": "affine", "transforms": 8}, {}, {"base": "mixture"}),
        strict=False,
    ):
        density(axes, pf.Flow(**said).fit(rings, steps=STEPS, seed=0), title, held)
    drawn = pf.Flow(base="mixture").fit(rings, steps=STEPS, seed=0).sample(3000, seed=0).to_numpy()
    rows[1, 3].scatter(drawn["x"], drawn["y"], s=2, lw=0, color=COLOURS[1], alpha=0.6)
    rows[1, 3].set(xlim=(-3.6, 3.6), ylim=(-3.6, 3.6), xticks=[], yticks=[], aspect="equal")
    rows[1, 3].set_title("Drawn from the last")
    save(figure, "flows")


if __name__ == "__main__":
    main()
