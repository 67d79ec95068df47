"""ForestDiffusion (Jolicoeur-Martineau et al. 2024, arXiv:2309.09968): diffusion whose denoiser is boosted trees."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np

from pushforward.compare.peers.frames import emptied, filled, words_of
from pushforward.compare.peers.peer import Peer
from pushforward.data import Records

TRIAL = 1000  # rows that tell how long it takes
FULL = 50  # noise levels of its own, and as many copies of each row by default 100


class ForestDiffusion(Peer):
    """`ForestDiffusionModel` in its own settings for flows, with fewer copies of each row where time is short."""

    package = "ForestDiffusion"
    module = "ForestDiffusion"

    def fit(self, train: Records, *, seed: int, seconds: float) -> None:
        """A fit of some rows tells how many copies of all there is time for: 1 to 100."""
        self._like, table = train[:0], filled(train)
        self._names, self._words = list(table), words_of(table)
        self._levels = {name: sorted(table[name].unique()) for name in self._words}
        coded = {name: np.searchsorted(self._levels[name], table[name]) for name in self._words}
        x = np.stack([coded.get(name, table[name].to_numpy()) for name in self._names], 1).astype(np.float64)
        some = np.random.default_rng(seed).permutation(len(x))[:TRIAL]
        start = time.perf_counter()
        model = self._fitted(x[some], 1, seed)
        once = (time.perf_counter() - start) * len(x) / len(some)
        copies = int(min(100, (seconds - once) / once))
        self._model = model if copies < 1 and len(some) == len(x) else self._fitted(x, max(1, copies), seed)

    def _fitted(self, x: np.ndarray, copies: int, seed: int) -> Any:
        from ForestDiffusion import ForestDiffusionModel

        places = [self._names.index(name) for name in self._words]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ForestDiffusionModel(
                x, n_t=FULL, duplicate_K=copies, diffusion_type="flow", cat_indexes=places, n_jobs=1, seed=seed
            )

    def sample(self, n: int, *, given: Records | None = None, seed: int = 0) -> Records:
        """Draw n records; the package draws from the generator of the whole process, which is this peer's own."""
        import pandas as pd

        np.random.seed(seed)
        x = self._model.generate(batch_size=n)
        table = pd.DataFrame(x, columns=self._names)
        for name, levels in self._levels.items():
            codes = table[name].round().astype(int).clip(0, len(levels) - 1)
            table[name] = [levels[code] for code in codes]
        return emptied(table, self._like)
