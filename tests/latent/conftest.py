"""Auto-encoders whose likelihood is known in closed form, listed as families while a test runs."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
import pytest
import torch
from annotated_types import Ge, doc

from pushforward.codes import Codes
from pushforward.data import Category, Number, Records, Schema, Text
from pushforward.data.encodings.noise import normal
from pushforward.errors import DataError
from pushforward.families import FAMILIES
from pushforward.training.progress import Progress


@dataclass(kw_only=True, eq=False)
class Linear(Codes):
    """x | z ~ N(W z + μ, σ² I), z ~ N(0, I), by maximum likelihood (Tipping, Bishop 1999); q is the posterior."""

    _needless: ClassVar = ("batch", "precision", "validation", "steps", "minutes", "folder", "checkpoint")
    latent: Annotated[int, Ge(1), doc("numbers of a code")] = 2

    def code_schemas(self, rest=None):
        return (Schema(tuple(Number(name=f"z{i}") for i in range(self.latent))),)

    def code_records(self, codes, schema, source):
        columns = dict(zip(schema.names, codes.double().numpy().T, strict=True))
        return Records(schema, pa.table(columns, schema=schema.arrow)), torch.zeros(len(codes)).double()

    def codes_of(self, records, schema):
        return torch.from_numpy(np.stack([records.to_numpy()[name] for name in schema.names], 1))

    def _check(self, rest, given):
        for field in rest:
            if not isinstance(field, Number) or field.missing or field.resolution or field.type != "double":
                raise DataError(f"field {field.name!r} is no float without holes; leave it out")

    def _numbers(self, records):
        for field in records.schema:
            if records.column(field.name).null_count:
                raise DataError(f"field {field.name!r} has holes; leave those records out")
        return torch.from_numpy(np.stack(list(records.to_numpy().values()), 1).astype(np.float64))

    def _fit(self, data, weights, run):
        x = torch.cat([self._numbers(chunk) for chunk in data.chunks()])
        w = torch.ones(len(x)).double() if weights is None else torch.from_numpy(weights)
        mean = (w[:, None] * x).sum(0) / w.sum()
        values, vectors = torch.linalg.eigh((x - mean).T * w @ (x - mean) / w.sum())
        k = self.latent
        noise = values[: len(values) - k].mean().clamp_min(1e-6) if k < len(values) else values[0] / 2
        loads = vectors[:, -k:] * (values[-k:] - noise).clamp_min(0).sqrt()
        self.state = {"loads": loads, "mean": mean, "noise": noise.sqrt()}
        yield Progress("solve", 1, {"noise": float(noise)}, 0.0, 0.0)

    def _state(self):
        return dict(self.state)

    def _skeleton(self):
        d = len(self.schema)
        shapes = {"loads": (d, self.latent), "mean": (d,), "noise": ()}
        return {name: torch.empty(shape, dtype=torch.float64, device="meta") for name, shape in shapes.items()}

    def _restore(self, state, device):
        self.state = state

    def _posterior(self, records):
        """Mean (n, k), and the covariance (k, k), of z given x."""
        loads, noise = self.state["loads"], self.state["noise"]
        inner = torch.linalg.inv(loads.T @ loads + noise**2 * torch.eye(self.latent))
        return (self._numbers(records) - self.state["mean"]) @ loads @ inner, noise**2 * inner

    def _draw_codes(self, records, generator):
        mean, cov = self._posterior(records)
        root = torch.linalg.cholesky(cov)
        z = mean + normal(mean, generator) @ root.T
        return z, torch.distributions.MultivariateNormal(mean, scale_tril=root).log_prob(z)

    def _mean(self, codes):
        return codes @ self.state["loads"].T + self.state["mean"]

    def _log_given(self, records, codes):
        drawn = torch.distributions.Normal(self._mean(codes), self.state["noise"])
        return drawn.log_prob(self._numbers(records)).sum(1)

    def _records(self, x):
        columns = {f.name: x[:, i].numpy() for i, f in enumerate(self.schema)}
        return Records(self.schema, pa.table(columns, schema=self.schema.arrow))

    def _sample_given(self, codes, given, generator, *, sharp: bool = False):
        mean = self._mean(codes)
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype) * self.state["noise"]
        return self._records(mean if sharp else mean + noise)

    def _sample(self, n, given, generator):
        return self._sample_given(torch.randn(n, self.latent, generator=generator).double(), given, generator)

    def _encode(self, records):
        return self._posterior(records)[0]

    def _decode(self, codes, given=None):
        return self._records(self._mean(codes))

    def _reconstruct(self, records):
        return self._decode(self._encode(records))


@dataclass(kw_only=True, eq=False)
class Blind(Linear):
    """The same without a likelihood."""

    @property
    def _log_given(self):
        raise AttributeError("_log_given")


@dataclass(kw_only=True, eq=False)
class Signs(Codes):
    """A code of letters, whether each number is above its mean: codes as categories, or as one text."""

    certain: ClassVar = True
    _needless: ClassVar = Linear._needless
    only_text: bool = False

    _check, _state, _restore = Linear._check, Linear._state, Linear._restore
    _numbers, _records, _sample = Linear._numbers, Linear._records, Linear._sample

    def code_schemas(self, rest=None):
        width = len(self.schema) if self.fitted else 0
        text = Schema((Text(name="codes", longest=width),))
        cells = Schema(tuple(Category(name=f"c{i}", values=("a", "b")) for i in range(width or 2)))
        return (text,) if self.only_text else (cells, text)

    def code_records(self, codes, schema, source):
        letters = np.array(["a", "b"])[codes.numpy()]
        columns = [["".join(row) for row in letters]] if schema.of_kind(Text) else list(letters.T)
        table = pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema.arrow)
        return Records(schema, table), torch.zeros(len(codes)).double()

    def codes_of(self, records, schema):
        if schema.of_kind(Text):
            rows = [list(text) for text in records.column("codes").to_pylist()]
        else:
            rows = list(zip(*(records.column(name).to_pylist() for name in schema.names), strict=True))
        return torch.from_numpy((np.array(rows) == "b").astype(np.int64))

    def _fit(self, data, weights, run):
        table = self._numbers(data).numpy()
        mean = table.mean(0)
        up, down = (np.where(above, table - mean, 0) for above in (table > mean, table <= mean))
        self.state = {n: torch.from_numpy(x) for n, x in {
            "mean": mean, "low": mean + 2 * down.mean(0), "high": mean + 2 * up.mean(0)
        }.items()}  # fmt: skip
        yield Progress("count", 1, {"rows": float(len(data))}, 0.0, 0.0)

    def _skeleton(self):
        return {n: torch.empty(len(self.schema), dtype=torch.float64, device="meta") for n in ("mean", "low", "high")}

    def _encode(self, records):
        return (self._numbers(records) > self.state["mean"]).long()

    def _draw_codes(self, records, generator):
        return self._encode(records), torch.zeros(len(records)).double()

    def _mean(self, codes):
        return torch.where(codes == 1, self.state["high"], self.state["low"])

    def _log_given(self, records, codes):
        return torch.distributions.Normal(self._mean(codes), 1.0).log_prob(self._numbers(records)).sum(1)

    def _sample_given(self, codes, given, generator):
        mean = self._mean(codes)
        return self._records(mean + torch.randn(mean.shape, generator=generator))


KINDS = {"linear": Linear, "blind": Blind, "signs": Signs}


@pytest.fixture(autouse=True, scope="module")
def listed():
    """These families by name, as if the package had them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, cls in KINDS.items():
            patch.setitem(FAMILIES, name, (f"{cls.__module__}:{cls.__qualname__}", "for tests"))
        yield KINDS


def made(n=300, seed=0):
    """Numbers that hang together, and a group that shifts them."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, n)
    z = 0.4 * rng.standard_normal((n, 1)) + np.where(group[:, None] == 0, -1.5, 1.0)
    x = z @ [[2.0, -1.0, 0.5, 0.3]] + 0.5 * rng.standard_normal((n, 4)) + [10, 0, 0, -3]
    return {f"x{i}": x[:, i] for i in range(4)} | {"group": np.array(["a", "b"])[group]}


@pytest.fixture(scope="session")
def data():
    """What most tests learn from."""
    return made()
