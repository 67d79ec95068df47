"""A small network that learns to tell pictures of one class from those of others, and its features."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pushforward.training.randomness import scope

STEPS = 600
WIDTH = 64  # of features
REMEMBERED = 8  # judges
FINE = 16  # pixels a side, beyond which the first layers, that cost nearly all, are half as wide


class Judge(nn.Module):
    """Pictures to features to classes.

    >>> judge = Judge(channels=1, height=8, width=8, classes=10)
    >>> judge(torch.zeros(2, 1, 8, 8)).shape, judge.features(torch.zeros(2, 1, 8, 8)).shape
    (torch.Size([2, 10]), torch.Size([2, 64]))
    """

    def __init__(self, channels: int, height: int, width: int, classes: int):
        super().__init__()
        own, wide = (16, 32) if max(height, width) > FINE else (32, 64)
        stages: list[nn.Module] = [nn.Conv2d(channels, own, 3, padding=1), nn.ReLU()]
        while max(height, width) > 4:
            pool = (2 if height > 4 else 1, 2 if width > 4 else 1)
            stages += [nn.Conv2d(own, wide, 3, padding=1), nn.ReLU(), nn.MaxPool2d(pool)]
            own, wide, height, width = wide, 64, height // pool[0], width // pool[1]
        last = nn.Linear(own * height * width, WIDTH)
        self.features = nn.Sequential(*stages, nn.Flatten(), last, nn.ReLU(), nn.Dropout(0.25))
        self.head = nn.Linear(WIDTH, classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth faster

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) to (n, classes) logits."""
        return self.head(self.features(x))


_KNOWN: OrderedDict[tuple[Any, ...], Judge] = OrderedDict()


def as_tensor(pixels: np.ndarray) -> Tensor:
    """(n, height, width[, channels]) uint8 to (n, channels, height, width) in [-1, 1]."""
    x = torch.from_numpy(np.array(pixels)).float() / 127.5 - 1
    return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)


def trained(x: Tensor, y: Tensor, classes: int, *, seed: int, steps: int = STEPS) -> Judge:
    """A judge of these pictures (n, channels, height, width) and the numbers (n,) of their classes.

    The last few are remembered, since judges of real pictures are asked about one set of draws after another.
    """
    said = hashlib.blake2b(x.contiguous().numpy().data)
    said.update(y.contiguous().numpy().data)
    key = (said.digest(), tuple(x.shape), classes, seed, steps, torch.get_num_threads())
    if key not in _KNOWN:
        _KNOWN[key] = _trained(x, y, classes, seed, steps)
    _KNOWN.move_to_end(key)
    while len(_KNOWN) > REMEMBERED:
        _KNOWN.popitem(last=False)
    return _KNOWN[key]


def _trained(x: Tensor, y: Tensor, classes: int, seed: int, steps: int) -> Judge:
    with scope(seed):
        judge = Judge(x.shape[1], x.shape[2], x.shape[3], classes)
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
def over(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The function of pictures, some of them at a time."""
    return torch.cat([function(part) for part in x.split(512)])


def right(judge: Judge, x: Tensor, y: Tensor) -> Tensor:
    """(n,) bool: of which pictures it sees the class."""
    return over(judge, x).argmax(1) == y


def accuracy(judge: Judge, x: Tensor, y: Tensor) -> float:
    """The share of pictures of which it sees the class; 1: all, 1 / classes: chance."""
    return float(right(judge, x, y).float().mean())


def features(judge: Judge, x: Tensor) -> np.ndarray:
    """(n, WIDTH) float64 what it sees of pictures before it decides."""
    return over(judge.features, x).double().numpy()
