"""The Gaussian mixture as a family."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, doc
from torch import Tensor

from pushforward.data import Category, Image, Records, Scan, Schema, Text
from pushforward.data.encodings.cells import CellEncoding, Cells
from pushforward.data.encodings.standardise import Standardise
from pushforward.data.holes import exchange, hide, overlay
from pushforward.errors import ArgumentError, CollapsedWarning, DataError
from pushforward.evidence import Evidence
from pushforward.joint import JointModel
from pushforward.limits import within
from pushforward.mixtures import heldout, learning
from pushforward.mixtures.choosing import best_start, chosen
from pushforward.mixtures.codes import codes, decoded
from pushforward.mixtures.covariances import KINDS, Covariances
from pushforward.mixtures.events import events
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.given import Given
from pushforward.mixtures.heldout import Held, held_out, judging
from pushforward.mixtures.moments import collapsed
from pushforward.mixtures.prior import Prior
from pushforward.mixtures.start import PILOT, begun, clusters, scaled
from pushforward.mixtures.trials import Trials, folds
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.pilot import pilot
from pushforward.training.place import Place
from pushforward.training.progress import Progress
from pushforward.training.randomness import generator as seeded
from pushforward.training.randomness import mix, moved
from pushforward.training.run import Run
from pushforward.training.statistic import climb

MOST = 1000  # passes, where the run sets no bound


@dataclass(kw_only=True, eq=False)
class GaussianMixture(JointModel):
    """p(x) = Σ_k π_k N(x; μ_k, Σ_k) Π_f θ_kf[c_f], by expectation-maximisation (Dempster, Laird, Rubin 1977).

    Numbers and pixels are Gaussian in each component, categories have a table in each. Holes are marginalised
    exactly (Ghahramani, Jordan 1994); how often a cell is a hole is learned per component, for drawing. Any field
    can be held fixed when drawing, to a value, a range or a set: nothing has to be declared at fit. Ranges of several
    numbers that hang together have no closed form: two take quadrature (`pairs`), more a quasi-random mean (`boxes`).

    With ``covariance="factors"`` it is a mixture of factor analysers, Σ_k = Λ_k Λ_kᵀ + Ψ_k (Ghahramani, Hinton
    1996), for data as wide as pictures; `encode` then gives (n, 1 + factors) codes, the most probable component and
    the posterior mean of its latent, and `decode` the mean of the records that have this latent.

    With ``batch=`` EM goes stepwise (Cappé, Moulines 2009, arXiv:0712.4273), for streams and data larger than memory.
    With ``validation=`` it stops when held-out records score no better; ``components="auto"`` takes the number that
    scores held-out records best, and ``shrinkage="auto"`` draws covariances together, and makes them wider, as far
    as scores these best: for few records, whose own covariances are too sure of themselves. Components that shrink
    onto a few records are told by `CollapsedWarning`.

    >>> import pushforward as pf
    >>> model = GaussianMixture(components=3).fit("penguins")
    >>> model.sample(2, given={"species": "Gentoo"}, seed=0).to_numpy()["species"].tolist()
    ['Gentoo', 'Gentoo']
    >>> heavy = model.sample(100, given={"body_mass_g": pf.between(5000, 5500)}, seed=0).to_numpy()["body_mass_g"]
    >>> bool((heavy >= 5000).all() and (heavy <= 5500).all())
    True
    """

    _needless = ("precision",)  # it computes in float64

    components: Annotated[int | Literal["auto"], Ge(1), doc("how many Gaussians")] = 8
    covariance: Annotated[
        Literal["full", "tied", "diagonal", "spherical", "factors"], doc("shape of each Gaussian")
    ] = "full"
    factors: Annotated[int, Ge(1), doc("latent dimensions, where the covariance is of factors")] = 4
    starts: Annotated[int, Ge(1), doc("starts that are tried; the best is kept")] = 1
    shrinkage: Annotated[
        float | Literal["auto"], Ge(0), doc("records' worth of what all covariances share, given to each")
    ] = 0.0
    ridge: Annotated[float, Gt(0), doc("added to the variances, in units of each number's own")] = 1e-6
    smoothing: Annotated[float, Gt(0), doc("pseudo-counts given to each category")] = 1.0
    tolerance: Annotated[float, Ge(0), doc("rise in nats per record below which it stops")] = 1e-5

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        for field in (*rest.of_kind(Text), *given.of_kind(Text)):
            raise DataError(f"field {field.name!r} is text, which a mixture cannot model; leave it out")

    def _check_count(self, n: int) -> None:
        if self.components != "auto" and self.components > n:
            raise ArgumentError(f"components={self.components} is more than the {n} records; take at most {n}")

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        place = Place(run)
        fingerprint = self._fingerprint(data, weights, run, batch=run.batch, validation=heldout.said(run.validation))
        checkpoints = Checkpoints(run.folder, fingerprint) if run.folder else None
        self._begin(data.schema, "cpu" if place.device.type == "mps" else str(place.device))  # MPS has no float64
        held, weights = held_out(data, weights, run)
        sample, share = pilot(data, weights, run.seed, PILOT)
        self._scale = scaled(self._cells, sample, share).to(self._device)
        cells, share = self._encode_cells(sample), share.to(self._device)
        judged = None if held is None else Held(self._encode_cells(held.records), held.weights.to(self._device))
        self._start(cells, share, judged, run.seed)
        start = self._tensors(self.mixture, self.holes)
        update, every = learning.whole(self, data, weights, place), 1
        if run.batch is not None:
            size = min(run.batch, len(data))
            every = -(-len(data) // size)
            start |= learning.begun(self.mixture.moments(cells, share, self._offset))
            update = learning.stepwise(self, data, weights, place, size, run.seed)

        for progress, parameters in climb(
            start, update, run, place, tolerance=self.tolerance, most=MOST, every=every,
            judge=judging(self, judged), checkpoints=checkpoints,
        ):  # fmt: skip
            self._set(parameters)  # and not widened where the next step begins, which sets them anew
            self.mixture: Mixture = self.mixture.widened(self._prior.widening)
            yield progress
        self._warn()

    def _begin(self, schema: Schema, device: str) -> None:
        self._cells = CellEncoding(schema)
        self._device = device
        d = self._cells.width
        self._scale = Standardise(torch.zeros(d).double(), torch.ones(d).double()).to(device)

    def _start(self, cells: Cells, share: Tensor, held: Held | None, seed: int) -> None:
        """The best of some starts, each a maximisation from clusters, for as many components as said or found best."""

        def begin(cells: Cells, share: Tensor, k: int, start: int, prior: Prior) -> Mixture:
            flat = self._flat(k)
            labels = clusters(cells, flat.levels, k, share, seed if start == 0 else mix(seed, start), apart)
            return begun(flat, cells, labels, share, seed, prior)

        schema, given = self.learning
        conditions = [field.name for field in schema.select(given).of_kind(Category)]
        apart = [i for i, factor in enumerate(self._cells.factors) if factor.field in conditions]
        order = torch.randperm(len(cells), generator=seeded(seed, 3)).to(self._device)
        judges = None if held is None else (held.cells, held.weights)
        prior = Prior(self.ridge, self.smoothing)
        self._count, self._prior = chosen(
            lambda: Trials(begin, folds(cells, share, judges, order)), self.components, self.shrinkage, prior
        )
        self.mixture = best_start(begin, cells, share, self._count, self.starts, self._prior)
        self.holes = torch.zeros(self._count, len(self._cells.may_miss), dtype=torch.float64, device=self._device)
        self._set(self._tensors(self.mixture, self.holes))

    def _flat(self, k: int) -> Mixture:
        """A mixture that says nothing: mean 0, variance 1, even tables."""
        grid = self._cells.resolution.to(self._device) / self._scale.scale
        levels = tuple(factor.levels for factor in self._cells.factors)
        table = torch.cat([torch.full((n,), 1 / n) for n in levels]) if levels else torch.zeros(0)
        spread = self._kind.even(k, self._cells.width, self.factors).to(grid)
        even, zero = torch.full((k,), 1 / k).to(grid), torch.zeros(k, self._cells.width).to(grid)
        return Mixture(even, zero, spread, table.repeat(k, 1).to(grid), levels, grid)

    def _warn(self) -> None:
        """Say so where components have shrunk onto a few records."""
        self._collapsed = int(collapsed(self.mixture, self.ridge).sum())
        if self._collapsed:
            warnings.warn(
                f"{self._collapsed} of {self._count} components have collapsed onto a few records, or a line of them "
                f"(only ridge={self.ridge:g} holds their variance); take fewer, a larger ridge= or another covariance=",
                CollapsedWarning,
                stacklevel=2,
            )

    def _measured(self) -> dict[str, Any]:
        found: dict[str, Any] = {"components": self._count} if self.components == "auto" else {}
        if self.shrinkage == "auto":
            found |= {"shrinkage": self._prior.shrinkage, "widening": self._prior.widening}
        return found | ({"collapsed": self._collapsed} if self._collapsed else {})

    # State

    @property
    def _kind(self) -> type[Covariances]:
        return KINDS[self.covariance]

    def _tensors(self, mixture: Mixture, holes: Tensor) -> dict[str, Tensor]:
        own = {"weights": mixture.weights, "means": mixture.means, "tables": mixture.tables, "holes": holes}
        return own | mixture.covariances.tensors()

    def _set(self, parameters: Mapping[str, Tensor]) -> None:
        flat = self._flat(len(parameters["weights"]))
        here = {n: parameters[n].to(self._device) for n in self._tensors(flat, flat.weights)}
        self.holes = here["holes"]
        spread = self._kind(**{n: here[n] for n in flat.covariances.tensors()})
        self.mixture = Mixture(here["weights"], here["means"], spread, here["tables"], flat.levels, flat.grid)
        grid, known = self._cells.resolution, self._cells.resolution > 0
        self._offset = torch.where(known, grid, 1.0).log().to(self._device) - self._scale.scale.log()  # (d,)

    def _state(self) -> dict[str, Tensor]:
        scale = {"shift": self._scale.mean, "scale": self._scale.scale}
        return {**self._tensors(self.mixture, self.holes), **scale}

    def _skeleton(self) -> dict[str, Tensor]:
        k = self.measurements["components"] if self.components == "auto" else self.components
        cells = CellEncoding(self.schema)
        d, levels, h = cells.width, sum(f.levels for f in cells.factors), len(cells.may_miss)
        shapes = {
            "weights": (k,), "means": (k, d), "tables": (k, levels), "holes": (k, h), "shift": (d,), "scale": (d,),
            **self._kind.shapes(k, d, self.factors),
        }  # fmt: skip
        return {name: torch.empty(shape, dtype=torch.float64, device="meta") for name, shape in shapes.items()}

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        self._begin(self.schema, "cpu" if device == "mps" else device)
        self._scale = Standardise(state.pop("shift"), state.pop("scale")).to(self._device)
        self._set(state)
        self._count, self._collapsed = len(self.mixture.weights), self.measurements.get("collapsed", 0)

    @property
    def means(self) -> np.ndarray:
        """(K, d) means in the units of the data."""
        return self._scale.inverse(self.mixture.means).cpu().numpy()

    @property
    def covariances(self) -> np.ndarray:
        """(K, d, d) covariances in the units of the data."""
        scale = self._scale.scale
        dense = self.mixture.covariances.dense().expand(len(self.mixture.weights), -1, -1)
        return (dense * scale[:, None] * scale).cpu().numpy()

    # Verbs

    def _density(self) -> str:
        return "bound" if self._cells.gridded else "exact"

    def _lacks(self, verb: str) -> str | None:
        if verb in ("encode", "decode", "reconstruct") and self.covariance != "factors":
            return f'covariance="{self.covariance}" has no latent; fit again with covariance="factors"'
        return None

    def _encode_cells(self, records: Records) -> Cells:
        cells = self._cells.encode(records)
        numbers = self._scale(cells.numbers.to(self._device))[0]
        return Cells(numbers, cells.codes.to(self._device), cells.holes.to(self._device))

    def _decode_cells(self, cells: Cells) -> Records:
        numbers = self._scale.inverse(cells.numbers).cpu()
        return self._cells.decode(Cells(numbers, cells.codes.cpu(), cells.holes.cpu()))

    def _given(self, evidence: Evidence) -> Given:
        cells = self._encode_cells(evidence.over(self.schema))
        return Given(self.mixture, self.holes, cells, events(evidence.limits, self._cells, self._scale), self._offset)

    def _log_evidence(self, evidence: Evidence) -> Tensor:
        return self._given(evidence).log_prob()

    def _units(self, cells: Cells) -> Tensor:
        """(n,) what brings a log density of scaled numbers to the units of the data."""
        return (~cells.numbers.isnan()).to(self._offset) @ self._offset

    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        generator = moved(generator, self._device)
        cells, chosen = self._given(evidence).draw(generator)
        missing = cells.holes
        if holes:  # a record has holes where its component has them, but for what is known of them
            u = torch.rand(missing.shape, generator=generator, dtype=torch.float64, device=missing.device)
            names = [name in evidence.limits for name in self._cells.may_miss]
            said = torch.tensor(names, dtype=torch.bool, device=missing.device)
            missing = torch.where(said, missing, u < self.holes[chosen])
        return within(self._decode_cells(Cells(cells.numbers, cells.codes, missing)), evidence.limits)

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
        hidden = hide(records, [field])
        pieces = [self.mixture.posterior(self._encode_cells(chunk))[0] for chunk in hidden.chunks()]
        return torch.cat(pieces) @ self.mixture.table(f)

    def _encode(self, records: Records) -> Tensor:
        return torch.cat([codes(self.mixture, self._encode_cells(chunk)) for chunk in records.chunks()])

    def _decode(self, codes: Tensor, given: Evidence | None) -> Records:
        cells = decoded(self.mixture, codes.to(self.mixture.means), len(self._cells.may_miss))
        return overlay(self._decode_cells(cells), (given or Evidence.nothing(self.schema, len(codes))).values)

    def _reconstruct(self, records: Records) -> Records:
        return self._decode(self._encode(records), None)
