"""Judges of drawn pictures: small networks trained on the real ones, with seeds of their own.

What each number means, for n drawn pictures against n held-out real ones:

- class accuracy: how often a judge sees the label that was asked for;
- utility: accuracy on real pictures of a network trained on drawn ones, over that of one trained on real ones;
- two-sample: accuracy in telling drawn from real (0.5: no better than chance), by gradient boosting on 32 principal
  components and by a small network, which sees blur;
- Fréchet: distance in the features of three judges, over that of as many real training pictures;
- coverage: share of real pictures with a drawn one within the distance of their fifth nearest real neighbour (Naeem
  et al. 2020, arXiv 2002.09797), over that of training pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from torch import Tensor, nn

NEIGHBOURS = 5
PIECES = 32  # principal components
STEPS = 600  # of a judge


class Judge(nn.Module):
    """A small network: pictures to features to classes."""

    def __init__(self, channels: int, side: int, classes: int):
        super().__init__()
        stages = [nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU()]
        width = 32
        while side > 4:
            stages += [nn.Conv2d(width, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            width, side = 64, side // 2
        self.features = nn.Sequential(
            *stages, nn.Flatten(), nn.Linear(width * side * side, 64), nn.ReLU(), nn.Dropout(0.25)
        )
        self.head = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, side, side) to logits."""
        return self.head(self.features(x))


def as_tensor(pixels: np.ndarray) -> Tensor:
    """(n, height, width[, channels]) uint8 to (n, channels, height, width) in [-1, 1]."""
    x = torch.from_numpy(np.array(pixels)).float() / 127.5 - 1
    return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)


def train(x: Tensor, y: Tensor, classes: int, seed: int, steps: int = STEPS) -> Judge:
    """A judge of these pictures and labels."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        judge = Judge(x.shape[1], x.shape[2], classes)
        optimizer = torch.optim.AdamW(judge.parameters(), 2e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
        for _ in range(steps):
            rows = torch.randint(len(x), (64,))
            loss = nn.functional.cross_entropy(judge(_shifted(x[rows])), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return judge.eval()


def _shifted(x: Tensor) -> Tensor:
    """Pictures moved by at most one pixel, so that a judge does not learn them by heart."""
    down, right = torch.randint(-1, 2, (2,)).tolist()
    padded = nn.functional.pad(x, (1, 1, 1, 1), mode="replicate")
    return padded[:, :, 1 + down : 1 + down + x.shape[2], 1 + right : 1 + right + x.shape[3]]


@torch.no_grad()
def _over(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return torch.cat([function(part) for part in x.split(512)])


def accuracy(judge: Judge, x: Tensor, y: Tensor) -> float:
    """Share of pictures whose label it sees."""
    return float((_over(judge, x).argmax(1) == y).float().mean())


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """|μ_a - μ_b|² + tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½) of features."""
    ca, cb = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(ca)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    both = np.sqrt(np.linalg.eigvalsh(root @ cb @ root).clip(0)).sum()  # features that never fire are no trouble here
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * both)


def covered(real: np.ndarray, drawn: np.ndarray) -> float:
    """Share of real points with a drawn one nearer than their k-th real neighbour."""
    among = np.sort(((real[:, None] - real[None]) ** 2).sum(-1), 1)[:, NEIGHBOURS]
    return float((((real[:, None] - drawn[None]) ** 2).sum(-1).min(1) <= among).mean())


@dataclass
class Court:
    """Judges of one data set.

    Args:
        train, held: (pixels, labels as whole numbers) to train judges on, and to compare with.
        classes: how many labels there are.
    """

    train: tuple[np.ndarray, np.ndarray]
    held: tuple[np.ndarray, np.ndarray]
    classes: int

    def __post_init__(self) -> None:
        x, y = as_tensor(self.train[0]), torch.from_numpy(self.train[1])
        self.judges = [train(x, y, self.classes, 100 + seed) for seed in range(3)]
        real, labels = as_tensor(self.held[0]), torch.from_numpy(self.held[1])
        self.best = float(np.mean([accuracy(judge, real, labels) for judge in self.judges]))
        rows = np.random.default_rng(0).permutation(len(x))[: len(real)]
        self.floor = self._frechet(x[rows])
        self.full = self._covered(x[rows])

    def _frechet(self, x: Tensor) -> float:
        real = as_tensor(self.held[0])
        return float(np.mean([frechet(_features(judge, x), _features(judge, real)) for judge in self.judges]))

    def _covered(self, x: Tensor) -> float:
        real = as_tensor(self.held[0])
        return float(np.mean([covered(_features(judge, real), _features(judge, x)) for judge in self.judges]))

    def verdict(self, pixels: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """All numbers about drawn pictures, of which there are at least as many as were held out."""
        n = len(self.held[0])
        x, y = as_tensor(pixels), torch.from_numpy(labels)
        real, truth = as_tensor(self.held[0]), torch.from_numpy(self.held[1])
        students = [accuracy(train(x, y, self.classes, 200 + s), real, truth) for s in range(2)]
        return {
            "class": float(np.mean([accuracy(judge, x[:n], y[:n]) for judge in self.judges])),
            "utility": float(np.mean(students)) / self.best,
            "pc": told_by_trees(pixels[:n], self.held[0]),
            "cnn": told_by_network(x[:n], real),
            "frechet": self._frechet(x[:n]) / self.floor,
            "coverage": self._covered(x[:n]) / self.full,
            **nearness(pixels[:n], self.train[0], self.held[0]),
        }


def _features(judge: Judge, x: Tensor) -> np.ndarray:
    return _over(judge.features, x).double().numpy()


def told_by_trees(drawn: np.ndarray, real: np.ndarray) -> float:
    """Accuracy of gradient boosting on principal components, over five folds."""
    x = np.concatenate([drawn, real]).reshape(len(drawn) + len(real), -1) / 255.0
    y = np.repeat([0, 1], [len(drawn), len(real)])
    pieces = PCA(min(PIECES, x.shape[1]), random_state=0).fit_transform(x)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return float((cross_val_predict(HistGradientBoostingClassifier(random_state=0), pieces, y, cv=folds) == y).mean())


def told_by_network(drawn: Tensor, real: Tensor) -> float:
    """Accuracy of a small network, over three folds."""
    x, y = torch.cat([drawn, real]), torch.cat([torch.zeros(len(drawn)), torch.ones(len(real))]).long()
    right = []
    for i, (fit, test) in enumerate(StratifiedKFold(3, shuffle=True, random_state=0).split(x, y)):
        right.append(accuracy(train(x[fit], y[fit], 2, 300 + i, STEPS // 2), x[test], y[test]))
    return float(np.mean(right))


def nearness(drawn: np.ndarray, train_: np.ndarray, held: np.ndarray) -> dict[str, float]:
    """Share of drawn pictures nearer to a training picture than the nearest twentieth of held-out ones."""
    base = train_.reshape(len(train_), -1).astype(np.float32) / 255

    def to_nearest(x: np.ndarray) -> np.ndarray:
        flat = x.reshape(len(x), -1).astype(np.float32) / 255
        squares = (flat**2).sum(1)[:, None] + (base**2).sum(1) - 2 * flat @ base.T
        return squares.min(1)

    limit = np.quantile(to_nearest(held), 0.05)
    return {"near": float((to_nearest(drawn) < limit).mean())}
