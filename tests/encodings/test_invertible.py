"""Every invertible encoding that there is, held to its contract."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch

import pushforward.data.encodings as package
from pushforward.data.encodings.invertible import Invertible
from pushforward.data.encodings.logit import Logit
from pushforward.data.encodings.quantile import Quantile
from pushforward.data.encodings.standardise import Standardise
from pushforward.testing import check_invertible


def discovered():
    for module in pkgutil.iter_modules(package.__path__):
        for value in vars(importlib.import_module(f"{package.__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Invertible) and value is not Invertible:
                yield value


EXAMPLES = [example for cls in sorted(set(discovered()), key=lambda c: c.__name__) for example in cls.examples()]
NAMES = [type(example).__name__ for example in EXAMPLES]


def spread(n=200, d=2):
    x = 2 * torch.randn(n, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x[x.abs().amax(1) < 4.9]  # within the domain of all examples


def test_discovery_finds_them():
    assert {"Logit", "Quantile", "Standardise"} <= set(NAMES)


@pytest.mark.parametrize("encoding", EXAMPLES, ids=NAMES)
def test_contract(encoding):
    check_invertible(encoding, spread())


@pytest.mark.parametrize("encoding", EXAMPLES, ids=NAMES)
def test_columns_rise(encoding):
    x = spread().sort(0).values
    assert (encoding(x)[0].diff(dim=0) > 0).all()


@pytest.mark.parametrize("encoding", EXAMPLES, ids=NAMES)
def test_a_density_carried_back_integrates_to_one(encoding):
    x = torch.linspace(-600, 600, 2_400_001, dtype=torch.float64)
    if isinstance(encoding, Logit):
        x = torch.linspace(0, 1, 400_003, dtype=torch.float64)[1:-1] * 9.9 - 4.95  # within both columns' bounds
        y, ladj = encoding(torch.stack([x, (x + 5) / 10 * 21 - 9], 1))
        step = torch.tensor([x[1] - x[0], (x[1] - x[0]) * 2.1])
    else:
        y, ladj = encoding(torch.stack([x, x], 1))
        step = (x[1] - x[0]).expand(2)
    density = (-0.5 * y**2 - 0.5 * np.log(2 * np.pi) + ladj).exp()
    np.testing.assert_allclose(density.sum(0) * step, 1, atol=2e-3)


# Broken twins


class WrongSign(Standardise):
    def forward(self, x):
        y, ladj = super().forward(x)
        return y, -ladj


class WrongInverse(Standardise):
    def inverse(self, y):
        return y * self.scale - self.mean


class Mixing(Standardise):
    def forward(self, x):
        y, ladj = super().forward(x)
        return y + 1e-3 * y.flip(1), ladj

    def inverse(self, y):
        return super().inverse((y - 1e-3 * y.flip(1)) / (1 - 1e-6))


@pytest.mark.parametrize(
    "broken, why",
    [(WrongSign, "automatic differentiation"), (WrongInverse, "is not x"), (Mixing, "depends on another")],
)
def test_saboteurs_are_rejected(broken, why):
    sound = Standardise.examples()[0]
    with pytest.raises(AssertionError, match=f"^check_invertible: .*{why}"):
        check_invertible(broken(sound.mean, sound.scale), spread())


# Standardise


def test_standardise_takes_the_moments_of_what_is_there():
    x = spread()
    holed = torch.cat([x, torch.full((7, 2), torch.nan, dtype=torch.float64)])
    encoding = Standardise.of(holed)
    torch.testing.assert_close(encoding.mean, x.mean(0))
    torch.testing.assert_close(encoding.scale, x.std(0, correction=0))


@pytest.mark.parametrize("value", [0.0, 1.0, -1e9, 1e-30, 0.1])
def test_standardise_keeps_a_constant_column_invertible(value):
    x = torch.full((30, 1), value, dtype=torch.float64)
    encoding = Standardise.of(x)
    assert encoding.scale.item() == 1
    torch.testing.assert_close(encoding.inverse(encoding(x)[0]), x)


def test_standardise_of_nothing_known_is_the_identity():
    encoding = Standardise.of(torch.full((3, 1), torch.nan, dtype=torch.float64))
    assert encoding.mean.item() == 0 and encoding.scale.item() == 1


# Quantile

COLUMNS = {
    "normal": np.random.default_rng(0).standard_normal(500),
    "heavy tails": np.random.default_rng(0).standard_cauchy(500),
    "ties": np.random.default_rng(0).integers(0, 3, 500).astype(float),
    "mostly zero": np.where(np.arange(500) % 10 == 0, np.arange(500), 0).astype(float),
    "two values": np.array([0.0, 1.0]),
    "one record": np.array([3.5]),
    "constant": np.full(40, -2.0),
    "huge": 1e12 + np.arange(100.0),
    "tiny": 1e-12 * np.arange(1.0, 100.0),
}


def quantile(name):
    return Quantile.of(torch.from_numpy(COLUMNS[name])[:, None])


@pytest.mark.parametrize("name", COLUMNS)
def test_quantile_is_strictly_increasing_everywhere_tails_included(name):
    column = COLUMNS[name]
    span = max(np.ptp(column), 1e-3 * abs(column).max(), 1e-12)
    x = torch.linspace(float(column.min() - 5 * span), float(column.max() + 5 * span), 999, dtype=torch.float64)
    encoding = quantile(name)
    y, ladj = encoding(x[:, None])
    assert (y.diff(dim=0) > 0).all() and y.isfinite().all() and ladj.isfinite().all()
    torch.testing.assert_close(encoding.inverse(y), x[:, None], rtol=1e-9, atol=1e-9 * span)


def test_quantile_makes_any_column_about_normal():
    column = torch.from_numpy(COLUMNS["heavy tails"])[:, None]
    y = Quantile.of(column)(column)[0][:, 0].sort().values
    wanted = torch.special.ndtri((torch.arange(500, dtype=torch.float64) + 0.5) / 500)
    assert (y - wanted).abs().mean() < 0.02


def test_quantile_passes_over_holes():
    column = torch.from_numpy(COLUMNS["normal"])
    holed = torch.cat([column, torch.full((100,), torch.nan, dtype=torch.float64)])
    one, other = Quantile.of(column[:, None]), Quantile.of(holed[:, None])
    assert torch.equal(one.x, other.x) and torch.equal(one.y, other.y)


def test_quantile_of_a_column_without_values_can_be_used():
    encoding = Quantile.of(torch.full((5, 1), torch.nan, dtype=torch.float64))
    assert encoding(torch.zeros(1, 1, dtype=torch.float64))[0].isfinite().all()


def test_quantile_leaves_equal_scores_for_a_column_times_a_thousand():
    column = torch.from_numpy(COLUMNS["normal"])[:, None]
    y, ladj = Quantile.of(column)(column)
    scaled, shifted = Quantile.of(1000 * column)(1000 * column)
    torch.testing.assert_close(scaled, y)
    torch.testing.assert_close(shifted, ladj - np.log(1000))
