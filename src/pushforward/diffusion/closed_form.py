"""A Gaussian mixture is a denoiser that needs no training."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.diffusion.denoiser import Denoiser
from pushforward.errors import ArgumentError
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.gaussian_mixture import GaussianMixture


def denoiser_of(model: GaussianMixture | Mixture) -> Denoiser:
    """D(x; σ) = Σ_k r_k(x) [μ_k + Σ_k (Σ_k + σ² I)⁻¹ (x - μ_k)], r_k ∝ π_k N(x; μ_k, Σ_k + σ² I): exact at every σ.

    Samplers, guidance and likelihoods take it as they take a network, and are held to it in the tests: what it draws
    is known. It works in the coordinates of the mixture, numbers and pixels brought to deviation 1.

    Args:
        model: a mixture over numbers and pictures, fitted, or its parameters.

    Raises:
        ArgumentError: the mixture has categories, which have no Gaussian noise.

    >>> import pushforward as pf
    >>> moons = pf.read("moons").select(["x", "y"])
    >>> denoiser = denoiser_of(pf.GaussianMixture(components=4).fit(moons))
    >>> denoiser(torch.zeros(3, 2), torch.ones(3)).shape
    torch.Size([3, 2])
    """
    mixture = model if isinstance(model, Mixture) else model.mixture
    if mixture.levels:
        raise ArgumentError("model has categories, which cannot be noisy; fit a mixture of numbers and pictures")
    covariances = mixture.covariances.dense().expand(len(mixture.weights), -1, -1)
    values, turns = torch.linalg.eigh(covariances)  # (K, d), (K, d, d)
    means, weights = mixture.means, mixture.weights.log()

    def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
        noisy = values + sigma[:, None, None].to(values) ** 2  # (n, K, d)
        z = torch.einsum("nkd,kde->nke", x.to(values)[:, None] - means, turns)
        joint = weights - 0.5 * (z**2 / noisy + noisy.log()).sum(2)
        centres = means + torch.einsum("nke,kde->nkd", values / noisy * z, turns)
        return (joint.softmax(1)[:, :, None] * centres).sum(1).to(x.dtype)

    return denoiser
