"""The shapes that the covariances of a mixture may have, a file each, behind one protocol."""

from pushforward.mixtures.covariances.diagonal import Diagonal
from pushforward.mixtures.covariances.factors import Factors
from pushforward.mixtures.covariances.full import Full
from pushforward.mixtures.covariances.kind import Covariances
from pushforward.mixtures.covariances.spherical import Spherical
from pushforward.mixtures.covariances.tied import Tied

KINDS: dict[str, type[Covariances]] = {
    "full": Full,
    "tied": Tied,
    "diagonal": Diagonal,
    "spherical": Spherical,
    "factors": Factors,
}

__all__ = ["KINDS", "Covariances", "Diagonal", "Factors", "Full", "Spherical", "Tied"]
