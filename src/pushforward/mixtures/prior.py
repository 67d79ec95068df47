"""What is believed before any record is seen, in the units in which records count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prior:
    """What keeps the parameters of a mixture from following a few records wherever they lead.

    Attributes:
        ridge: added to the variances.
        smoothing: pseudo-counts given to each factor, spread evenly over its levels.
        shrinkage: pseudo-records that draw covariances together (see `covariances.shrunk`).
        widening: what covariances are multiplied by once they are learned. The best ones for few records are too
            narrow for others, since the means and directions that they are taken about were fitted to those few.
    """

    ridge: float
    smoothing: float
    shrinkage: float = 0.0
    widening: float = 1.0
