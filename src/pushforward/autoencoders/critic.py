"""A critic of pictures, which learns to tell those of the decoder from those of the data, and makes them sharp."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, normalize
from torch.nn.utils.parametrizations import spectral_norm

from pushforward.nets.frozen import frozen

SIDE = 8  # of the map of patches, at most
SLOPE = 0.2
FAINT = 1e-8  # norm of a gradient, below which it is not scaled up any more


class Critic(nn.Module):
    """Convolutions that say of every patch how real it looks, and the losses on both sides.

    Its own loss is the hinge E[(1 - D(x))⁺ + (1 + D(x̂))⁺], its weights are kept to slope 1 (Miyato et al. 2018, arXiv
    1802.05957). To the decoder it adds -E D(x̂), and the distance of its own features of x and x̂, each scaled to the
    gradient that the errors have at the decoder's last layer (Esser, Rombach, Ommer 2021, arXiv 2012.09841; Larsen et
    al. 2016, arXiv 1512.09300). It is trained alone for `patience` steps; over as many its pull then grows to full.

    Args:
        shape: (channels, height, width) of the pictures.
        width: channels of its first layer.
        patience: steps, see above.
    """

    seen: Tensor

    def __init__(self, shape: tuple[int, int, int], width: int = 32, patience: int = 500):
        super().__init__()
        channels, own = shape[0], width
        sides: tuple[int, ...] = shape[1:]
        layers: list[nn.Module] = []
        while not layers or max(sides) > SIDE:
            layers.append(spectral_norm(_halving(channels, own, sides)))
            channels, own = own, min(2 * own, 4 * width)
            sides = tuple(max(1, side // 2) for side in sides)
        layers.append(spectral_norm(nn.Conv2d(channels, own, 3, padding=1)))
        self.layers = nn.ModuleList(layers)
        self.head = spectral_norm(nn.Conv2d(own, 1, 3, padding=1))
        self.patience = patience
        self.register_buffer("seen", torch.zeros(()))  # steps
        self._shown: tuple[Tensor, Tensor, Tensor | None] | None = None

    def features(self, x: Tensor) -> list[Tensor]:
        """(n, channels, height, width) → the maps of its layers."""
        out = []
        for layer in self.layers:
            x = leaky_relu(layer(x), SLOPE)
            out.append(x)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) → (n, rows, columns): how real each patch looks."""
        return self.head(self.features(x)[-1])[:, 0]

    @property
    def pull_now(self) -> Tensor:
        """What its pull on the decoder counts at this step, from 0 to 1."""
        return ((self.seen - self.patience) / max(1, self.patience)).clamp(0, 1)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        """The hinge loss on the pictures that the decoder was last asked about."""
        assert self._shown is not None
        real, made, share = self._shown
        self._shown = None
        self.seen += 1
        hinges = (1 - self(real)).relu() + (1 + self(made)).relu()
        return mean_of(hinges, share)

    def pull(
        self, real: Tensor, made: Tensor, share: Tensor | None, errors: Tensor, last: Tensor,
        adversarial: float, perceptual: float,
    ) -> Tensor:  # fmt: skip
        """What the decoder pays for looking unreal, in the units of its errors; both pictures are kept for `loss`.

        Args:
            real, made: (n, channels, height, width) of the data, and of the decoder for them.
            share: (n,) what records count; all alike if None.
            errors: the loss of the decoder without the critic.
            last: the weights of its last layer.
            adversarial, perceptual: how large the gradient of each part is there, as a share of that of the errors.
        """
        made = made.clamp(-1, 1)  # as it is shown: else the critic would tell it by what lies beyond black and white
        self._shown = (real, made.detach(), share)
        total, now = torch.zeros((), device=real.device), self.pull_now
        if not bool(now > 0):
            return total
        with frozen(self):
            features = self.features(made)
            if adversarial:
                unreal = -mean_of(self.head(features[-1])[:, 0], share)
                total = total + adversarial * now * scale(errors, unreal, last) * unreal
            if perceptual:
                with torch.no_grad():
                    wanted = self.features(real)
                gaps = [mean_of(gap(a, b), share) for a, b in zip(features, wanted, strict=True)]
                apart = torch.stack(gaps).sum()
                total = total + perceptual * now * scale(errors, apart, last) * apart
        return total


def _halving(channels: int, own: int, sides: tuple[int, ...]) -> nn.Conv2d:
    """A convolution that halves the sides of a map; one that is a single pixel already, of a narrow strip, stays."""
    kernel = tuple(4 if side > 1 else 3 for side in sides)
    stride = tuple(2 if side > 1 else 1 for side in sides)
    return nn.Conv2d(channels, own, kernel, stride=stride, padding=1)  # type: ignore[arg-type]


def mean_of(values: Tensor, share: Tensor | None) -> Tensor:
    """The mean of (n, …) values, each record as its share says."""
    each = values.flatten(1).mean(1)
    return each.mean() if share is None else (each * share).mean()


def gap(a: Tensor, b: Tensor) -> Tensor:
    """(n, rows, columns) squared distance of maps (n, channels, rows, columns), their vectors brought to length 1.

    >>> gap(torch.tensor([[[[3.0]], [[4.0]]]]), torch.tensor([[[[6.0]], [[8.0]]]])).item()
    0.0
    """
    return (normalize(a, dim=1) - normalize(b, dim=1)).square().sum(1)


def scale(errors: Tensor, other: Tensor, last: Tensor) -> Tensor:
    """What brings the gradient of another loss at these weights to the size of that of the errors."""
    one, two = (torch.autograd.grad(loss, last, retain_graph=True)[0].norm() for loss in (errors, other))
    return one / two.clamp_min(FAINT)
