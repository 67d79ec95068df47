"""The Gaussian mixture of scikit-learn, over standardised numbers and one-hot levels."""

from __future__ import annotations

import warnings

import numpy as np

from pushforward.compare.peers.frames import emptied, filled, words_of
from pushforward.compare.peers.peer import Peer
from pushforward.data import Records

COMPONENTS = (1, 2, 4, 8, 16, 32)


class SklearnMixture(Peer):
    """`sklearn.mixture.GaussianMixture` with the number of components that has the least BIC, as its guide has it.

    Levels are the greatest of their one-hot numbers.
    """

    package = "scikit-learn"
    module = "sklearn"

    def fit(self, train: Records, *, seed: int, seconds: float) -> None:
        """A fit for each number of components."""
        import pandas as pd
        from sklearn.mixture import GaussianMixture

        self._schema, table = train.schema, filled(train)
        self._words = words_of(table)
        hot = pd.get_dummies(table, columns=self._words, prefix_sep="\0", dtype=float)
        self._columns, x = list(hot), hot.to_numpy()
        self._mean, self._scale = x.mean(0), np.where((scale := x.std(0)) > 0, scale, 1.0)
        z = (x - self._mean) / self._scale
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fits = [GaussianMixture(k, random_state=seed, reg_covar=1e-4).fit(z) for k in COMPONENTS if k <= len(z)]
        self._model = min(fits, key=lambda fit: fit.bic(z))

    def sample(self, n: int, *, given: Records | None = None, seed: int = 0) -> Records:
        """Draw n records."""
        import pandas as pd

        self._model.random_state = seed
        z, _ = self._model.sample(n)
        x = pd.DataFrame(z * self._scale + self._mean, columns=self._columns)
        x = x.sample(n, random_state=seed).reset_index(drop=True)  # they come component by component
        table = x[[name for name in self._columns if "\0" not in name]].copy()
        for name in self._words:
            own = [column for column in self._columns if column.startswith(name + "\0")]
            table[name] = [own[at].split("\0", 1)[1] for at in x[own].to_numpy().argmax(1)]
        return emptied(table, self._schema)

    def parameters(self) -> int:
        """Means, covariances and shares."""
        return self._model.means_.size + self._model.covariances_.size + self._model.weights_.size
