"""How far pictures are from what a model of pictures would have drawn, with slopes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.data import Image
from pushforward.diffusion.diffusion import Diffusion
from pushforward.errors import ArgumentError
from pushforward.text_image.joint import Joint
from pushforward.text_image.painting import Painting
from pushforward.training.randomness import moved

LOW, HIGH = 0.3, 3.0  # noise levels, of pictures of deviation 1, through which a picture is looked at


class Prior:
    """E ‖x - D(x + σ ε; σ)‖² a pixel, where D does not see the slope into it (Poole et al. 2022, arXiv 2209.14988).

    Its slope is that of -log p_σ(x), weighed by σ², as the denoiser has it: what it would change of a picture that is
    seen through noise makes the picture more likely. Nothing is told of what the picture shows.

    Args:
        model: a Joint, or a Diffusion of pictures.
        image: the pictures that will be shown.
        source: of the noise.

    Raises:
        ArgumentError: the model draws no such pictures.
    """

    def __init__(self, model: Joint | Diffusion, image: Image, source: torch.Generator):
        if not isinstance(model, Joint | Diffusion):
            raise ArgumentError(f"prior={type(model).__name__} is no model of pictures; give a Joint or a Diffusion")
        model._require_fit("steer")
        painter = model._drawer if isinstance(model, Joint) else model
        own = [] if painter is None else [f for f in painter.schema if f.name not in painter.given]
        shapes = [(f.channels, f.height, f.width) for f in own if isinstance(f, Image)]
        if painter is None or shapes != [(image.channels, image.height, image.width)]:
            raise ArgumentError(f"the prior draws no pictures of {image.describe()}; fit one to the VQ's own data")
        if len(own) > 1:
            raise ArgumentError("the prior draws more than a picture; fit one to pictures, given= all else")
        self.painting = Painting(painter)
        self.source = moved(source, self.painting.diffusion.device)

    def loss(self, x: Tensor) -> Tensor:
        """(n,) of (n, channels, height, width) pictures in [-1, 1]."""
        model, n = self.painting.diffusion, len(x)
        y = self.painting.points(x.to(model.device))
        u = torch.rand(n, generator=self.source, device=y.device)
        sigma = LOW * (u * math.log(HIGH / LOW)).exp()
        with torch.no_grad():
            noise = torch.randn(y.shape, generator=self.source, device=y.device)
            drawn = model._denoiser(model._embedding(n, None))(y + sigma[:, None] * noise, sigma)
        return (y - drawn).square().mean(1).to(x.device)
