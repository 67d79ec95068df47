"""Random numbers as a function of (seed, where, when), with the caller's own random state left alone."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

import numpy as np
import torch

from pushforward.errors import ArgumentError

_MASK = 2**64 - 1


def mix(*words: int) -> int:
    """One 63-bit number out of several (the finaliser of SplitMix64, folded)."""
    state = 0
    for word in words:
        state = (state + 0x9E3779B97F4A7C15 + (word & _MASK)) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state >> 1


def generator(seed: int | None, *position: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator seeded from a seed and a position; without a seed, from the operating system."""
    seed = secrets.randbits(63) if seed is None else seed
    # A generator of our own: the global one is never seeded.
    return torch.Generator(device).manual_seed(mix(seed, *position))


def moved(source: torch.Generator, device: torch.device | str) -> torch.Generator:
    """A generator on a device whose draws follow from those of `source`, which is itself where it is there already."""
    if source.device == torch.device(device):
        return source
    return torch.Generator(device).manual_seed(int(torch.randint(2**62, (1,), generator=source)))  # ours alone


@contextlib.contextmanager
def scope(seed: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Inside, the global generators are seeded, for layer initialisation and dropout; after, they are as before."""
    device = torch.device(device)
    cuda = device.type == "cuda"
    index = [device.index if device.index is not None else torch.cuda.current_device()] if cuda else []
    with torch.random.fork_rng(devices=index):
        torch.default_generator.manual_seed(seed)  # within fork_rng: restored on the way out
        if cuda:
            torch.cuda.manual_seed(seed)
        yield


def checked_seed(seed: int | None) -> int | None:
    """The seed that a person said, as a whole number; None where they said none.

    Raises:
        ArgumentError: it is not a whole number, or below 0.
    """
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0):
        raise ArgumentError(f"seed={seed!r} is out of range; it must be a whole number, at least 0")
    return None if seed is None else int(seed)
