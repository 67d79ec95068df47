"""Generative models beyond the Transformer, behind one small grammar."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Names and where they live; a module is imported when its name is first used, so that
# `import pushforward` costs nothing.
_HOMES = {
    "ArgumentError": "errors",
    "CaptionWarning": "errors",
    "CollapsedWarning": "errors",
    "CopiedWarning": "errors",
    "DataError": "errors",
    "DivergedError": "errors",
    "FormatError": "errors",
    "NotFittedError": "errors",
    "PushforwardError": "errors",
    "UnmeasurableError": "errors",
    "Model": "model",
    "among": "limits",
    "between": "limits",
    "load": "saving",
    "recommend": "compare",
    "steer": "text_image.steer",
    "Category": "data",
    "Field": "data",
    "Image": "data",
    "Number": "data",
    "Records": "data",
    "Scan": "data",
    "Schema": "data",
    "Text": "data",
    "read": "data",
    "scan": "data",
}

if TYPE_CHECKING:
    from pushforward.adversarial.gan import GAN
    from pushforward.autoencoders.autoencoder import AutoEncoder
    from pushforward.autoencoders.vae import VAE
    from pushforward.autoencoders.vq import VQ
    from pushforward.blend import Blend
    from pushforward.compare import compare, recommend
    from pushforward.counts.bayes.naive_bayes import NaiveBayes
    from pushforward.counts.chains.tree_chain import TreeChain
    from pushforward.counts.ngrams.ngram import NGram
    from pushforward.counts.trees.dependency_tree import DependencyTree
    from pushforward.data import Category, Field, Image, Number, Records, Scan, Schema, Text, read, scan
    from pushforward.diffusion.bridge import Bridge
    from pushforward.diffusion.diffusion import Diffusion
    from pushforward.errors import (
        ArgumentError,
        CaptionWarning,
        CollapsedWarning,
        CopiedWarning,
        DataError,
        DivergedError,
        FormatError,
        NotFittedError,
        PushforwardError,
        UnmeasurableError,
    )
    from pushforward.flows.autoregressive import Autoregressive
    from pushforward.flows.flow import Flow
    from pushforward.latent import Latent
    from pushforward.limits import among, between
    from pushforward.mixtures.gaussian_mixture import GaussianMixture
    from pushforward.mixtures.tree_mixture import TreeMixture
    from pushforward.model import Model
    from pushforward.saving import load
    from pushforward.text_image.clip import CLIP
    from pushforward.text_image.joint import Joint
    from pushforward.text_image.steer import steer

__all__ = [
    "CLIP",
    "GAN",
    "VAE",
    "VQ",
    "ArgumentError",
    "AutoEncoder",
    "Autoregressive",
    "Blend",
    "Bridge",
    "CaptionWarning",
    "Category",
    "CollapsedWarning",
    "CopiedWarning",
    "DataError",
    "DependencyTree",
    "Diffusion",
    "DivergedError",
    "Field",
    "Flow",
    "FormatError",
    "GaussianMixture",
    "Image",
    "Joint",
    "Latent",
    "Model",
    "NGram",
    "NaiveBayes",
    "NotFittedError",
    "Number",
    "PushforwardError",
    "Records",
    "Scan",
    "Schema",
    "Text",
    "TreeChain",
    "TreeMixture",
    "UnmeasurableError",
    "among",
    "between",
    "compare",
    "load",
    "read",
    "recommend",
    "scan",
    "steer",
]


def __getattr__(name: str) -> Any:
    if name == "compare":  # a package that is called like a function
        return importlib.import_module("pushforward.compare")
    if name in _HOMES:
        return getattr(importlib.import_module(f"pushforward.{_HOMES[name]}"), name)
    from pushforward.families import FAMILIES, family

    known = {entry.rpartition(":")[2]: key for key, (entry, _) in FAMILIES.items()}
    if name in known:
        return family(known[name])
    raise AttributeError(f"module 'pushforward' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
