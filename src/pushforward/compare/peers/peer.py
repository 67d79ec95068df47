"""What a generator of another package has to answer."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from typing import ClassVar

from pushforward.data import Image, Records, Text


class Peer(ABC):
    """A generator of tables from another package, as that package's own pages use it.

    None of them takes conditions here, and none has held-out nats in the units of the data.
    """

    package: ClassVar[str]  # as pip calls it
    module: ClassVar[str]  # as Python calls it

    @classmethod
    def installed(cls) -> bool:
        """Whether its package is there."""
        return importlib.util.find_spec(cls.module) is not None

    @classmethod
    def refusal(cls, data: Records) -> str | None:
        """Why it cannot learn these records; None where it can."""
        odd = next(iter(data.schema.of_kind(Image, Text)), None)
        return None if odd is None else f"field {odd.name!r} is {odd.kind}, and this peer takes numbers and categories"

    @abstractmethod
    def fit(self, train: Records, *, seed: int, seconds: float) -> None:
        """Learn, in about this time where it can be told how long."""

    @abstractmethod
    def sample(self, n: int, *, given: Records | None = None, seed: int = 0) -> Records:
        """Draw n records."""

    def parameters(self) -> int | None:
        """How many numbers it keeps, where it can be asked."""
        return None
