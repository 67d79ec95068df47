"""Generators of other packages, a file each, which take part in a comparison where they are installed."""

from __future__ import annotations

import sys

from pushforward.compare.peers.peer import Peer
from pushforward.discovery import found
from pushforward.errors import ArgumentError, one_of

__all__ = ["Peer", "named", "names"]


def names() -> dict[str, type[Peer]]:
    """All peers by name; none of their packages is imported.

    >>> sorted(names())
    ['ctgan', 'forest-diffusion', 'sdv', 'sklearn-mixture']
    """
    return found(sys.modules[__name__], Peer)  # type: ignore[type-abstract]


def named(name: str) -> type[Peer]:
    """The peer of this name.

    Raises:
        ArgumentError: there is none, or its package is not installed.
    """
    known = names()
    if name not in known:
        raise ArgumentError(f"peer {name!r} does not exist; {one_of(name, known)}")
    if not known[name].installed():
        raise ArgumentError(f"peer {name!r} is not installed; pip install {known[name].package}")
    return known[name]
