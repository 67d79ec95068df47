"""How a number, or a text, is distributed within a class: a file each."""

from pushforward.counts.bayes.likelihoods.counting import NegativeBinomial, Poisson
from pushforward.counts.bayes.likelihoods.likelihood import Likelihood
from pushforward.counts.bayes.likelihoods.normal import GridNormal, Normal

# Their positions are what a saved model says.
LIKELIHOODS: tuple[Likelihood, ...] = (Normal(), GridNormal(), Poisson(), NegativeBinomial())
NORMAL, GRID, POISSON, NEGATIVE_BINOMIAL = range(4)

__all__ = ["GRID", "LIKELIHOODS", "NEGATIVE_BINOMIAL", "NORMAL", "POISSON", "Likelihood"]
