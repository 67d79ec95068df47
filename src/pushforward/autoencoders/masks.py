"""Which pixels of pictures are unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.autoencoders.picture import Picture
from pushforward.errors import ArgumentError


def unknown_pixels(mask: Any, picture: Picture | None, n: int) -> Tensor | None:
    """(n, channels, height, width) bool, True where a pixel is unknown; None where all are known.

    Args:
        mask: (height, width) for all pictures, or (n, height, width); None where all are known.
        picture: of the model.
        n: pictures there are.

    Raises:
        ArgumentError: the model has no picture, or the mask has another shape or type.
    """
    if mask is None:
        return None
    if picture is None:
        raise ArgumentError("mask= says which pixels are unknown, but the model has no picture; leave cells empty")
    channels, height, width = picture.shape
    found = np.asarray(mask)
    if found.dtype != bool or found.shape not in ((height, width), (n, height, width)):
        raise ArgumentError(
            f"mask has shape {found.shape} and type {found.dtype}; it must be bool of shape "
            f"({height}, {width}), or ({n}, {height}, {width}) for one a picture"
        )
    each = torch.from_numpy(np.broadcast_to(found, (n, height, width)).copy())
    return each[:, None].expand(-1, channels, -1, -1)
