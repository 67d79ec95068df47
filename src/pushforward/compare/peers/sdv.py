"""The Gaussian copula of the Synthetic Data Vault (Patki et al. 2016)."""

from __future__ import annotations

import warnings
from typing import Any

from pushforward.compare.peers.frames import emptied, filled, words_of
from pushforward.compare.peers.peer import Peer
from pushforward.data import Records


class GaussianCopula(Peer):
    """`GaussianCopulaSynthesizer` with its own settings; it takes one pass, whatever the time."""

    package = module = "sdv"

    def fit(self, train: Records, *, seed: int, seconds: float) -> None:
        """One pass."""
        from sdv.metadata import SingleTableMetadata
        from sdv.single_table import GaussianCopulaSynthesizer

        self._schema, table = train.schema, filled(train)
        about = SingleTableMetadata()
        for name in table:
            about.add_column(str(name), sdtype="categorical" if name in words_of(table) else "numerical")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._model: Any = GaussianCopulaSynthesizer(about)
            self._model.fit(table)

    def sample(self, n: int, *, given: Records | None = None, seed: int = 0) -> Records:
        """Draw n records; the package goes on from its last draw, whatever the seed."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return emptied(self._model.sample(n).reset_index(drop=True), self._schema)
