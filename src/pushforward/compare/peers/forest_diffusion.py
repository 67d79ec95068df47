"""ForestDiffusion (Jolicoeur-Martineau et al. 2024, arXiv:2309.09968): diffusion whose denoiser is boosted trees."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np

from pushforward.compare.peers.frames import emptied, filled, words_of
from pushforward.compare.peers.peer import Peer
from pushforward.data import Records

TRIAL, FIRST = 1000, 3  # rows and noise levels that tell how long it takes
LEVELS, FEWEST, COPIES = 50, 6, 100  # its own noise levels, the fewest that still make a way, and its copies of a row


class ForestDiffusion(Peer):
    """`ForestDiffusionModel` in its own settings for flows; where time is short, with fewer copies and levels.

    A forest is learned for each level and column, which takes a while however few rows there are.
    """

    package = "ForestDiffusion"
    module = "ForestDiffusion"

    def fit(self, train: Records, *, seed: int, seconds: float) -> None:
        """A fit of some rows at few levels tells how many levels and copies there is time for."""
        self._schema, table = train.schema, filled(train)
        self._names, self._words = list(table), words_of(table)
        self._known = {name: sorted(table[name].unique()) for name in self._words}
        coded = {name: np.searchsorted(self._known[name], table[name]) for name in self._words}
        x = np.stack([coded.get(name, table[name].to_numpy()) for name in self._names], 1).astype(np.float64)
        some = np.random.default_rng(seed).permutation(len(x))[:TRIAL]
        start = time.perf_counter()
        self._fitted(x[some], FIRST, 1, seed)
        spent = time.perf_counter() - start
        level = spent / FIRST * len(x) / len(some)
        levels = int(min(LEVELS, max(FEWEST, (seconds - spent) / level)))
        copies = int(min(COPIES, max(1, (seconds - spent) / (levels * level))))
        self._model = self._fitted(x, levels, copies, seed)

    def _fitted(self, x: np.ndarray, levels: int, copies: int, seed: int) -> Any:
        from ForestDiffusion import ForestDiffusionModel

        places = [self._names.index(name) for name in self._words]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ForestDiffusionModel(
                x, n_t=levels, duplicate_K=copies, diffusion_type="flow", cat_indexes=places, n_jobs=1, seed=seed
            )

    def sample(self, n: int, *, given: Records | None = None, seed: int = 0) -> Records:
        """Draw n records; the package draws from the generator of the whole process, which is this peer's own."""
        import pandas as pd

        np.random.seed(seed)
        x = self._model.generate(batch_size=n)
        table = pd.DataFrame(x, columns=self._names)
        for name, levels in self._known.items():
            codes = table[name].round().astype(int).clip(0, len(levels) - 1)
            table[name] = [levels[code] for code in codes]
        return emptied(table, self._schema)
