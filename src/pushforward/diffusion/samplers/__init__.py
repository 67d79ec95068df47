"""Ways to follow a denoiser from noise to data, a file each; a new file is found by its name."""

import sys

from pushforward.diffusion.samplers.sampler import Sampler, Stepper
from pushforward.discovery import found

SAMPLERS: dict[str, type[Sampler]] = found(sys.modules[__name__], Sampler)  # type: ignore[type-abstract]

__all__ = ["SAMPLERS", "Sampler", "Stepper"]
