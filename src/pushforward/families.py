"""Which families there are: a name, where its class lives, and what it is. The one list to add a line to."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from pushforward.errors import ArgumentError, one_of

if TYPE_CHECKING:
    from pushforward.model import Model

FAMILIES: dict[str, tuple[str, str]] = {
    "dependency-tree": (
        "pushforward.counts.trees.dependency_tree:DependencyTree",
        "Every field depends on one other: the maximum-likelihood tree, counted in one pass.",
    ),
    "naive-bayes": (
        "pushforward.counts.bayes.naive_bayes:NaiveBayes",
        "A class that makes all fields independent: one pass of counting, exact.",
    ),
    "ngram": (
        "pushforward.counts.ngrams.ngram:NGram",
        "What follows what in texts, counted and repeated: writes, scores and classifies.",
    ),
    "gaussian-mixture": (
        "pushforward.mixtures.gaussian_mixture:GaussianMixture",
        "A sum of Gaussians by expectation-maximisation: exact, and conditional on anything.",
    ),
    "tree-mixture": (
        "pushforward.mixtures.tree_mixture:TreeMixture",
        "A mixture of hidden trees: a strong model of a table that is exact about any evidence.",
    ),
    "tree-chain": (
        "pushforward.counts.chains.tree_chain:TreeChain",
        "Field after field, each by a decision tree: keeps the rules of a table, in seconds.",
    ),
    "blend": (
        "pushforward.blend:Blend",
        "Several exact families as one, each as far as it tells held-out records: the best rows of a table.",
    ),
    "autoencoder": (
        "pushforward.autoencoders.autoencoder:AutoEncoder",
        "Records as a few numbers and back: compresses, denoises, shows what varies.",
    ),
    "vae": (
        "pushforward.autoencoders.vae:VAE",
        "An auto-encoder whose codes can be drawn: a bound of log p, fills holes, in seconds.",
    ),
    "vq": (
        "pushforward.autoencoders.vq:VQ",
        "Records as a few whole numbers from a codebook: compresses, and makes other families fit.",
    ),
    "gan": (
        "pushforward.adversarial.gan:GAN",
        "Two networks play: one draws records, the other tells them from data; sharp, and drawn in one step.",
    ),
    "autoregressive": (
        "pushforward.flows.autoregressive:Autoregressive",
        "Field after field, each by a network that has read those before it: the most faithful rows, exact.",
    ),
    "flow": (
        "pushforward.flows.flow:Flow",
        "Invertible maps of noise to records, and back: exact likelihood, drawn in one pass.",
    ),
    "diffusion": (
        "pushforward.diffusion.diffusion:Diffusion",
        "Noise refined step by step into pictures or rows by a network that denoises.",
    ),
    "bridge": (
        "pushforward.diffusion.bridge:Bridge",
        "One data set moved onto another by the least effort: the Schrödinger bridge, and optimal transport.",
    ),
    "clip": (
        "pushforward.text_image.clip:CLIP",
        "Pictures and texts in one space: finds the picture of a text, and tells what is on a picture.",
    ),
    "latent": (
        "pushforward.latent:Latent",
        "Any family over the codes of any auto-encoder: one compresses, the other learns the rest.",
    ),
    "joint": (
        "pushforward.text_image.joint:Joint",
        "Pictures and captions as one distribution: either is drawn from the other, or both from nothing.",
    ),
}


def family(name: str) -> type[Model]:
    """The class of a family.

    Raises:
        ArgumentError: there is no family of this name.
    """
    if name not in FAMILIES:
        raise ArgumentError(f"family {name!r} does not exist; {one_of(name, FAMILIES)}")
    module, _, attribute = FAMILIES[name][0].partition(":")
    return getattr(importlib.import_module(module), attribute)


def name_of(cls: type) -> str:
    """The name of a family's class; a class that is not listed goes by its own name."""
    home = f"{cls.__module__}:{cls.__qualname__}"
    return next((name for name, (entry, _) in FAMILIES.items() if entry == home), cls.__name__)
