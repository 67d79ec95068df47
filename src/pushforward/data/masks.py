"""Which pixels of pictures are unknown, and pictures of which only those are new."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from pushforward.data import pictures
from pushforward.data.records import Records
from pushforward.errors import ArgumentError


def unknown_pixels(mask: Any, shape: tuple[int, int, int] | None, n: int) -> Tensor | None:
    """(n, channels, height, width) bool, True where a pixel is unknown; None where all are known.

    Args:
        mask: (height, width) for all pictures, or (n, height, width); None where all are known.
        shape: channels, height and width of the model's picture; None where it has none.
        n: pictures there are.

    Raises:
        ArgumentError: the model has no picture, or the mask has another shape or type.
    """
    if mask is None:
        return None
    if shape is None:
        raise ArgumentError("mask= says which pixels are unknown, but the model has no picture; leave cells empty")
    channels, height, width = shape
    found = np.asarray(mask)
    if found.dtype != bool or found.shape not in ((height, width), (n, height, width)):
        raise ArgumentError(
            f"mask has shape {found.shape} and type {found.dtype}; it must be bool of shape "
            f"({height}, {width}), or ({n}, {height}, {width}) for one a picture"
        )
    each = torch.from_numpy(np.broadcast_to(found, (n, height, width)).copy())
    return each[:, None].expand(-1, channels, -1, -1)


def repainted(records: Records, name: str, drawn: Tensor, known: Tensor) -> Records:
    """The records with the unknown pixels of their picture as they were drawn.

    Args:
        records: n records.
        name: of the picture.
        drawn: (n, height, width, channels) uint8.
        known: (n, channels, height, width) bool.
    """
    before = torch.from_numpy(pictures.to_pixels(records.column(name)).copy())
    pixels = torch.where(known.permute(0, 2, 3, 1).cpu(), before, drawn.cpu())
    columns = {n: records.column(n) for n in records.names} | {name: pictures.to_arrow(pixels.numpy())}
    return Records(records.schema, pa.table(columns, schema=records.schema.arrow))
