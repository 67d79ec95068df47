"""Numbers that should be equal but for rounding."""

from __future__ import annotations

from torch import Tensor


def close(found: Tensor, wanted: Tensor, tolerance: float, what: str) -> None:
    """Hold tensors to agree.

    Args:
        found, wanted: of one shape.
        tolerance: largest error, relative to 1 + |wanted|.
        what: is wrong if they do not.

    Raises:
        AssertionError: they do not.
    """
    error = ((found - wanted).abs() / (1 + wanted.abs())).max().item()
    assert error <= tolerance, f"{what} (relative error {error:.2g})"
