"""The Gaussian mixture as a family."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, doc
from torch import Tensor

from pushforward.data import Image, Records, Scan, Schema, Text
from pushforward.data.encodings.cells import CellEncoding, Cells
from pushforward.data.encodings.standardise import Standardise
from pushforward.data.holes import exchange, hide
from pushforward.errors import ArgumentError, DataError
from pushforward.evidence import Evidence
from pushforward.joint import JointModel
from pushforward.mixtures.gaussian import Mixture, Moments, solve
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.place import Place
from pushforward.training.progress import Progress
from pushforward.training.randomness import mix, moved
from pushforward.training.run import Run
from pushforward.training.statistic import Estimate, climb, total

PILOT = 16_384  # records that the start is found on
MOST = 1000  # iterations, where the run sets no bound


@dataclass(kw_only=True, eq=False)
class GaussianMixture(JointModel):
    """p(x) = Σ_k π_k N(x; μ_k, Σ_k) Π_f θ_kf[c_f], by expectation-maximisation (Dempster, Laird, Rubin 1977).

    Numbers and pixels are Gaussian in each component, categories have a table in each. Holes are marginalised
    exactly (Ghahramani, Jordan 1994); how often a cell is a hole is learned per component, for drawing. Any field
    can be held fixed when drawing: nothing has to be declared at fit.

    >>> import pushforward as pf
    >>> model = GaussianMixture(components=3).fit("penguins")
    >>> model.sample(2, given={"species": "Gentoo"}, seed=0).to_numpy()["species"].tolist()
    ['Gentoo', 'Gentoo']
    """

    _needless = ("batch", "precision", "validation")  # all records at once, in float64, until the likelihood settles

    components: Annotated[int, Ge(1), doc("how many Gaussians")] = 8
    covariance: Annotated[Literal["full", "diagonal"], doc("shape of each Gaussian")] = "full"
    ridge: Annotated[float, Gt(0), doc("added to the variances, in units of each number's own")] = 1e-6
    smoothing: Annotated[float, Gt(0), doc("pseudo-counts given to each category")] = 1.0
    tolerance: Annotated[float, Ge(0), doc("rise in nats per record below which it stops")] = 1e-5

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        for field in (*rest.of_kind(Text), *given.of_kind(Text)):
            raise DataError(f"field {field.name!r} is text, which a mixture cannot model; leave it out")

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        if self.components > len(data):
            raise ArgumentError(
                f"components={self.components} is more than the {len(data)} records; take at most {len(data)}"
            )
        place = Place(run)
        self._begin(data.schema, "cpu" if place.device.type == "mps" else str(place.device))  # MPS has no float64
        pilot, share = _pilot(data, weights, run.seed)
        self._scale = Standardise.robust(self._cells.encode(pilot).numbers, share).to(self._device)
        self.holes = torch.zeros(self.components, len(self._cells.may_miss), dtype=torch.float64, device=self._device)
        self._set(self._start(self._encode_cells(pilot), share, run.seed))

        held = [self._encode_cells(c) for c in data.chunks()] if isinstance(data, Records) else None

        def update(parameters: dict[str, Tensor]) -> Estimate:
            self._set(parameters)
            chunks = held if held is not None else (self._encode_cells(c) for c in data.chunks())
            moments = total(self._observed(chunks, weights, place), place)
            assert isinstance(moments, Moments)
            after = solve(moments, self.mixture, self.ridge, self.smoothing)
            holes = moments.holes / moments.mass.clamp_min(1e-300)[:, None]
            return Estimate(self._tensors(after, holes), float(moments.score / moments.weight))

        checkpoints = Checkpoints(run.folder, self._fingerprint(data, weights, run)) if run.folder else None
        start = self._tensors(self.mixture, self.holes)
        for progress, parameters in climb(
            start, update, run, place, tolerance=self.tolerance, most=MOST, checkpoints=checkpoints
        ):
            self._set(parameters)
            yield progress

    def _begin(self, schema: Schema, device: str) -> None:
        self._cells = CellEncoding(schema)
        self._device = device
        d = self._cells.width
        self._scale = Standardise(torch.zeros(d).double(), torch.ones(d).double()).to(device)

    def _observed(
        self, chunks: Iterator[Cells] | list[Cells], weights: np.ndarray | None, place: Place
    ) -> Iterator[Moments]:
        """The moments of this process's share of each chunk, under the current mixture."""
        at, part = 0, slice(place.rank, None, place.world)
        for cells in chunks:
            share = torch.ones(len(cells)) if weights is None else torch.from_numpy(weights[at : at + len(cells)])
            at += len(cells)
            cells, share = cells[part], share[part].to(self._scale.mean)
            responsibilities, density = self.mixture.posterior(cells)
            yield Moments.of(self.mixture, cells, responsibilities, density + self._units(cells), share)

    def _start(self, cells: Cells, share: Tensor, seed: int) -> dict[str, Tensor]:
        """One maximisation from the clusters of k-means (started by k-means++)."""
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        features = [cells.numbers.nan_to_num().float()]
        for f, factor in enumerate(self._cells.factors):
            spread = torch.nn.functional.one_hot(cells.codes[:, f].clamp_min(0), factor.levels)
            features.append((spread * (cells.codes[:, [f]] >= 0)).float())
        k = min(self.components, len(cells))
        kmeans = KMeans(k, n_init=1, random_state=mix(seed) % 2**32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different records than components is legal
            labels = kmeans.fit_predict(torch.cat(features, 1).cpu().numpy(), sample_weight=share.numpy())
        sure = torch.nn.functional.one_hot(torch.from_numpy(labels).long(), self.components).to(self._scale.mean)
        flat = self._flat()
        share = share.to(self._scale.mean)
        moments = Moments.of(flat, cells, sure, torch.zeros_like(share), share)
        return self._tensors(solve(moments, flat, self.ridge, self.smoothing), self.holes)

    def _flat(self) -> Mixture:
        """A mixture that says nothing: mean 0, variance 1, even tables."""
        k, d = self.components, self._cells.width
        levels = tuple(factor.levels for factor in self._cells.factors)
        table = torch.cat([torch.full((n,), 1 / n) for n in levels]) if levels else torch.zeros(0)
        spread = torch.ones(k, d) if self.covariance == "diagonal" else torch.eye(d).expand(k, d, d)
        grid = self._cells.resolution.to(self._device) / self._scale.scale
        even, zero = torch.full((k,), 1 / k).to(grid), torch.zeros(k, d).to(grid)
        return Mixture(even, zero, spread.contiguous().to(grid), table.repeat(k, 1).to(grid), levels, grid)

    # State

    def _tensors(self, mixture: Mixture, holes: Tensor) -> dict[str, Tensor]:
        return {
            "weights": mixture.weights,
            "means": mixture.means,
            "covariances": mixture.covariances,
            "tables": mixture.tables,
            "holes": holes,
        }

    def _set(self, parameters: Mapping[str, Tensor]) -> None:
        here = {name: tensor.to(self._device) for name, tensor in parameters.items()}
        self.holes = here.pop("holes")
        flat = self._flat()
        self.mixture = Mixture(**here, levels=flat.levels, grid=flat.grid)
        grid, known = self._cells.resolution, self._cells.resolution > 0
        self._offset = torch.where(known, grid, 1.0).log().to(self._device) - self._scale.scale.log()  # (d,)

    def _state(self) -> dict[str, Tensor]:
        scale = {"shift": self._scale.mean, "scale": self._scale.scale}
        return {**self._tensors(self.mixture, self.holes), **scale}

    def _skeleton(self) -> dict[str, Tensor]:
        k, cells = self.components, CellEncoding(self.schema)
        d, levels, h = cells.width, sum(f.levels for f in cells.factors), len(cells.may_miss)
        shapes = {
            "weights": (k,), "means": (k, d), "covariances": (k, d) if self.covariance == "diagonal" else (k, d, d),
            "tables": (k, levels), "holes": (k, h), "shift": (d,), "scale": (d,),
        }  # fmt: skip
        return {name: torch.empty(shape, dtype=torch.float64, device="meta") for name, shape in shapes.items()}

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        self._begin(self.schema, "cpu" if device == "mps" else device)
        self._scale = Standardise(state.pop("shift"), state.pop("scale")).to(self._device)
        self._set(state)

    @property
    def means(self) -> np.ndarray:
        """(K, d) means in the units of the data."""
        return self._scale.inverse(self.mixture.means).cpu().numpy()

    @property
    def covariances(self) -> np.ndarray:
        """(K, d, d) covariances in the units of the data."""
        return (self.mixture.full * self._scale.scale[:, None] * self._scale.scale).cpu().numpy()

    # Verbs

    def _density(self) -> str:
        return "bound" if self._cells.gridded else "exact"

    def _encode_cells(self, records: Records) -> Cells:
        cells = self._cells.encode(records)
        numbers = self._scale(cells.numbers.to(self._device))[0]
        return Cells(numbers, cells.codes.to(self._device), cells.holes.to(self._device))

    def _decode_cells(self, cells: Cells) -> Records:
        numbers = self._scale.inverse(cells.numbers).cpu()
        return self._cells.decode(Cells(numbers, cells.codes.cpu(), cells.holes.cpu()))

    def _log_evidence(self, evidence: Evidence) -> Tensor:
        cells = self._encode_cells(evidence.over(self.schema))
        return self.mixture.posterior(cells)[1] + self._units(cells)

    def _units(self, cells: Cells) -> Tensor:
        """(n,) what brings a log density of scaled numbers to the units of the data."""
        return (~cells.numbers.isnan()).to(self._offset) @ self._offset

    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        generator = moved(generator, self._device)
        known = self._encode_cells(evidence.over(self.schema))
        cells = self.mixture.draw(known, generator)
        missing = torch.zeros_like(cells.holes)
        if holes:  # a record has holes where its component has them
            k = torch.multinomial(self.mixture.posterior(cells)[0], 1, generator=generator)[:, 0]
            u = torch.rand(missing.shape, generator=generator, dtype=torch.float64, device=k.device)
            missing = u < self.holes[k]
        return self._decode_cells(Cells(cells.numbers, cells.codes, missing))

    def _denoise(self, records: Records, sigmas: Mapping[str, float]) -> Records:
        noise = torch.zeros(self._cells.width, dtype=torch.float64)
        for name, sigma in sigmas.items():
            full = 255.0 if isinstance(self.schema[name], Image) else 1.0
            noise[self._cells.columns[name]] = (sigma * full) ** 2
        noise = noise.to(self._device) / self._scale.scale**2
        pieces = []
        for chunk in records.chunks():
            cells = self._encode_cells(chunk)
            clean = Cells(self.mixture.denoised(cells, noise), cells.codes.clamp_min(0), cells.holes)
            pieces.append(exchange(chunk, self._decode_cells(clean), sigmas))
        return pieces[0].concat(*pieces[1:])

    def _responsibilities(self, records: Records) -> Tensor:
        return torch.cat([self.mixture.posterior(self._encode_cells(chunk))[0] for chunk in records.chunks()])

    def _predict_proba(self, records: Records, field: str) -> Tensor:
        f = self._cells.factor_of(field)
        assert f is not None
        start, n = self.mixture.starts[f], self.mixture.levels[f]
        hidden = hide(records, [field])
        pieces = [self.mixture.posterior(self._encode_cells(chunk))[0] for chunk in hidden.chunks()]
        return torch.cat(pieces) @ self.mixture.tables[:, start : start + n]


def _pilot(data: Records | Scan, weights: np.ndarray | None, seed: int) -> tuple[Records, Tensor]:
    """Some records from all over the data, of those that have a weight, and these weights."""
    able: int | np.ndarray = len(data) if weights is None else np.flatnonzero(weights)  # not a number for each record
    count = len(data) if weights is None else np.count_nonzero(weights)
    rows = np.sort(np.random.default_rng(mix(seed)).choice(able, min(count, PILOT), replace=False))
    share = np.ones(len(rows)) if weights is None else weights[rows]
    pieces, start = [], 0
    for chunk in data.chunks():
        here = rows[(rows >= start) & (rows < start + len(chunk))] - start
        pieces.append(chunk.take(here))
        start += len(chunk)
    return pieces[0].concat(*pieces[1:]), torch.from_numpy(share)
