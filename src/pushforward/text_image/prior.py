"""How far pictures are from what a model of pictures would have drawn, with slopes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.data import Image
from pushforward.diffusion.diffusion import Diffusion
from pushforward.errors import ArgumentError
from pushforward.text_image.joint import Joint
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
        if painter is None or painter._flat.shape != (image.channels, image.height, image.width):
            raise ArgumentError(f"the prior draws no pictures of {image.describe()}; fit one to the VQ's own data")
        if painter._flat.size != painter._flat.pixels:
            raise ArgumentError("the prior draws more than a picture; fit one to pictures, given= all else")
        self.model, self.source = painter, moved(source, painter.device)

    def loss(self, x: Tensor) -> Tensor:
        """(n,) of (n, channels, height, width) pictures in [-1, 1]."""
        model, n, home = self.model, len(x), x.device
        x = x.to(model.device)
        levels = model._flat.levels
        y = ((x - levels.mean[:, None, None]) / levels.scale[:, None, None]).flatten(1)
        u = torch.rand(n, generator=self.source, device=x.device)
        sigma = LOW * (u * math.log(HIGH / LOW)).exp()
        with torch.no_grad():
            noise = torch.randn(y.shape, generator=self.source, device=x.device)
            drawn = model._denoiser(model._embedding(n, None))(y + sigma[:, None] * noise, sigma)
        return (y - drawn).square().mean(1).to(home)
