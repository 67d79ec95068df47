"""Pictures changed at random before a discriminator sees them, so that it cannot learn a small data set by heart."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Transform = Callable[[Tensor], Tensor]
SHIFT = 1 / 8  # of a side, at most
HOLE = 1 / 2  # of a side
SHADE = 0.5  # of a deviation, at most


class Augment:
    """Each change befalls a picture with probability p, and real and drawn pictures alike.

    Since a picture stays as it is with a probability that is known and not 0, draws that look right after the changes
    must look right before: nothing leaks (Karras et al. 2020, arXiv 2006.06676). All changes have slopes, which the
    generator learns through (Zhao et al. 2020, arXiv 2006.10738).

    Args:
        shape: (channels, height, width) of the pictures.
        colour: whether brightness and contrast may change as well.
        flips: whether pictures may be mirrored as well.

    >>> still = Augment((1, 8, 8)).drawn(2, torch.tensor(0.0), torch.Generator())
    >>> bool((still(torch.ones(2, 64)) == 1).all())
    True
    """

    def __init__(self, shape: tuple[int, int, int], colour: bool = False, flips: bool = False):
        self._shape, self._colour, self._flips = shape, colour, flips

    def drawn(self, n: int, p: Tensor, generator: torch.Generator) -> Transform:
        """Changes for n pictures, the same each time they are made.

        Args:
            n: how many.
            p: probability of each change.
            generator: what draws them.
        """
        parts = [self._shifts(n, p, generator), self._holes(n, p, generator)]
        if self._colour:
            parts.append(self._shades(n, p, generator))
        if self._flips:
            parts.append(self._mirrors(n, p, generator))

        def transform(flat: Tensor) -> Tensor:
            x = flat.view(n, *self._shape)
            for part in parts:
                x = part(x)
            return x.flatten(1)

        return transform

    def _shifts(self, n: int, p: Tensor, generator: torch.Generator) -> Transform:
        _, height, width = self._shape
        happens = _coins(n, p, generator)

        def places(side: int) -> Tensor:
            most = max(1, round(side * SHIFT))
            by = torch.randint(-most, most + 1, (n,), generator=generator, device=generator.device) * happens
            # what comes in from outside is what stands at the border
            return (torch.arange(side, device=generator.device) + by[:, None]).clamp(0, side - 1)

        rows, columns = places(height), places(width)

        def shift(x: Tensor) -> Tensor:
            x = x.gather(2, rows[:, None, :, None].expand_as(x))
            return x.gather(3, columns[:, None, None, :].expand_as(x))

        return shift

    def _holes(self, n: int, p: Tensor, generator: torch.Generator) -> Transform:
        _, height, width = self._shape
        happens = _coins(n, p, generator)

        def covered(side: int) -> Tensor:
            middle = torch.rand(n, 1, generator=generator, device=generator.device) * side
            at = torch.arange(side, device=generator.device) + 0.5
            return (at - middle).abs() < side * HOLE / 2

        hole = covered(height)[:, :, None] & covered(width)[:, None, :] & happens[:, None, None]
        kept = (~hole).float()[:, None]
        return lambda x: x * kept

    def _shades(self, n: int, p: Tensor, generator: torch.Generator) -> Transform:
        happens = _coins(n, p, generator).float().view(n, 1, 1, 1)
        brighter, sharper = (2 * torch.rand(2, n, 1, 1, 1, generator=generator, device=generator.device) - 1) * SHADE
        return lambda x: x * (1 + sharper * happens) + brighter * happens

    def _mirrors(self, n: int, p: Tensor, generator: torch.Generator) -> Transform:
        # half of all at p = 1, so that neither side becomes the rule
        happens = _coins(n, p / 2, generator).view(n, 1, 1, 1)
        return lambda x: torch.where(happens, x.flip(3), x)


def _coins(n: int, p: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator, device=generator.device) < p
