"""CTGAN (Xu et al. 2019, arXiv:1907.00503) of the package of this name."""

from __future__ import annotations

import time
import warnings
from typing import Any

from pushforward.compare.peers.frames import emptied, filled, words_of
from pushforward.compare.peers.peer import Peer
from pushforward.data import Records

EPOCHS = 300  # of its own


class CTGAN(Peer):
    """CTGAN with its own settings, for as many epochs as there is time for, at most its own 300."""

    package = module = "ctgan"

    def fit(self, train: Records, *, seed: int, seconds: float) -> None:
        """One epoch is timed, then a fit of as many as the rest of the time allows."""
        self._schema, table = train.schema, filled(train)
        start = time.perf_counter()
        self._epochs(table, 1, seed)
        once = time.perf_counter() - start
        if (epochs := min(EPOCHS, int((seconds - once) / once))) > 1:
            self._epochs(table, epochs, seed)

    def _epochs(self, table: Any, epochs: int, seed: int) -> None:
        import ctgan

        self._model: Any = ctgan.CTGAN(epochs=epochs, enable_gpu=False)
        self._model.set_random_state(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._model.fit(table, words_of(table))

    def sample(self, n: int, *, given: Records | None = None, seed: int = 0) -> Records:
        """Draw n records; the package draws a batch at least, of which the first are taken."""
        self._model.set_random_state(seed)
        return emptied(self._model.sample(n).iloc[:n].reset_index(drop=True), self._schema)

    def parameters(self) -> int:
        """Those of the generator."""
        return sum(p.numel() for p in self._model._generator.parameters())
