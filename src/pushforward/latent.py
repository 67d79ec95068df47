"""Any family over the codes of any auto-encoder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge, Gt, Lt, doc
from torch import Tensor

from pushforward.codes import LENGTH, LONGEST, Codes, check_lengths, ranged
from pushforward.conditional import ConditionalModel
from pushforward.data import Image, Records, Scan, Schema, Text, as_records
from pushforward.data.encodings.noise import Alike, Source
from pushforward.data.holes import exchange
from pushforward.errors import ArgumentError, DataError
from pushforward.evidence import Evidence
from pushforward.families import name_of
from pushforward.model import Model
from pushforward.parameters import Parameter, of_function
from pushforward.parts import joined, of_part
from pushforward.runs import asked, check_folder, divided, is_data, told
from pushforward.saving import emptied
from pushforward.training.progress import Progress
from pushforward.training.randomness import generator
from pushforward.training.run import Run

MODEL: Any = "vae"  # words, which become a model of its own in every object
PRIOR: Any = "gaussian-mixture"
PARTS = ("model", "prior")  # hyperparameters, folders of checkpoints and beginnings of the names of weights
OTHERS = {"number": "gaussian-mixture", "category": "tree-mixture", "text": "ngram"}  # that can model such codes
TOGETHER = 1 << 14  # codes that are scored together


@dataclass(kw_only=True, eq=False)
class Latent(Model):
    """p(x | given) = ∫ p(x | z) p(z | given) dz: an auto-encoder gives z, and any other family learns how z falls.

    The auto-encoder is fitted first, to the fields that are not conditions; then the prior, to one code of each record
    beside its conditions. `sample` draws a code and then a record from it, and takes the options of both. Where both
    have a likelihood, `log_prob` is the bound log 1/K Σ_k p(x | z_k) p(z_k | given) / q(z_k | x) over draws z_k from
    the encoder (Burda, Grosse, Salakhutdinov 2016, arXiv:1509.00519), which rises with K and is below log p(x | given)
    on average. The models that are handed over are not fitted themselves.

    Args:
        model: an auto-encoder, or its words, ``"vae:latent=8"``.
        prior: any family that can model its codes beside the conditions, said alike.
        told: whether the auto-encoder is told the conditions too: p(x | z, given) instead of p(x | z).
        share: of the minutes of a run, what the auto-encoder gets.

    Raises:
        ArgumentError: a part is unknown, or is no auto-encoder.

    >>> Latent("vae:latent=4", prior="gaussian-mixture:components=5").prior.components
    5
    """

    _coder: ClassVar[Codes]  # fitted, as is the prior
    _prior: ClassVar[Model]
    _codes: ClassVar[Schema]  # how the codes stand as records

    model: Annotated[Codes, doc("auto-encoder, as family:option=value,option=value")] = field(
        default=MODEL, kw_only=False
    )
    prior: Annotated[Model, doc("family that learns how its codes fall, said alike")] = PRIOR
    told: Annotated[bool, doc("whether the auto-encoder is told the conditions, not the prior alone")] = False
    share: Annotated[float, Gt(0), Lt(1), doc("of the minutes, what the auto-encoder gets")] = 0.75

    # Hyperparameters

    def set_params(self, **values: Any) -> Self:
        """Change hyperparameters; those of a part are called ``model__latent`` or ``prior__components``."""
        whole = {name: value for name, value in values.items() if "__" not in name}
        super().set_params(**whole)
        for name in set(values) - set(whole):
            part, _, own = name.partition("__")
            if part not in PARTS:
                raise ArgumentError(f"{name}= is not an option of {type(self).__name__}; its parts are model and prior")
            getattr(self, part).set_params(**{own: values[name]})
        return self

    def options(self, verb: str = "sample") -> dict[str, Parameter]:
        """The options of a verb: of `sample` those of the prior and of drawing records from codes."""
        coder, prior = self._parts()
        if verb != "sample":
            return super().options(verb) if verb in ("log_prob", "score") else coder.options(verb)
        own, drawing = prior.options(), of_function(coder._sample_given)
        hidden = ("return_path", *((LENGTH, LONGEST) if LENGTH in own else ()))  # codes on the way are no records
        return {name: parameter for name, parameter in (drawing | own).items() if name not in hidden}

    def _parts(self) -> tuple[Codes, Model]:
        """An auto-encoder and a prior as said, not fitted, that nobody else holds."""
        known = self.parameters()
        said = [known[name].check(getattr(self, name)) for name in PARTS]
        coder, prior = (type(part)(**part.get_params()) for part in said)
        return coder, prior

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        coder, prior = self._parts()
        coder._check(rest, given if self.told else Schema(()))
        self._form(coder, prior, rest, given)

    def _check_count(self, n: int) -> None:
        for name, part in zip(PARTS, self._parts(), strict=True):
            try:
                part._check_count(n)  # a prior learns one code of each record
            except ArgumentError as error:
                raise ArgumentError(f"{name}={name_of(type(part))}: {error}") from error

    def _form(self, coder: Codes, prior: Model, rest: Schema, given: Schema) -> int:
        """Which of the ways in which codes can stand as records the prior can model beside the conditions.

        Raises:
            DataError: none of them, or the prior draws nothing.
        """
        if why := prior.lacks("sample"):
            raise DataError(f"prior={name_of(type(prior))} draws no codes ({why}); take another prior")
        refusals = []
        forms = list(enumerate(coder.code_schemas(rest)))
        if isinstance(prior, ConditionalModel):  # sees which codes stand side by side
            forms.sort(key=lambda form: not form[1].of_kind(Image))
        for position, schema in forms:
            for name in set(schema.names) & set(given.names):
                raise DataError(f"given={name!r} is also what a code of the auto-encoder is called; rename the field")
            try:
                prior._check(schema, given)
                check_lengths(prior, schema)
            except DataError as error:
                refusals.append((position, str(error)))
            else:
                return position
        pair = f"prior={name_of(type(prior))} cannot model the codes of model={name_of(type(coder))}"
        beside = f" given {list(given.names)}" if len(given) else ""
        such = OTHERS.get(coder.code_schemas(rest)[0].fields[0].kind, "diffusion")
        cure = "give other conditions" if such == name_of(type(prior)) else f"take another prior, such as {such}"
        raise DataError(f"{pair}{beside} ({min(refusals)[1]}); {cure}")

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        coder, prior = self._parts()
        schema, given = self.learning
        position = self._form(coder, prior, schema.without(given), schema.select(given))
        check_folder(run.folder, PARTS)
        first, second = divided(run, prior, self.share)
        judged = as_records(run.validation, schema) if is_data(run.validation) else None

        held = {} if judged is None else {"validation": self._seen(judged)}
        seen = self._seen(data) if isinstance(data, Records) or self.told else data.leaving_out(given, "a condition")
        heard = given if self.told else ()
        fitting = coder.fitting(seen, given=heard, weights=weights, **asked(coder, run, "model", minutes=first, **held))
        now = Progress("model", 0)
        later = None if run.minutes is None else 60 * (second or 0.0)
        for now in told("model", fitting, 0.0, later):
            yield now
        self.__dict__["_coder"] = coder

        source = generator(run.seed, 2, device=self._device)
        form = coder.code_schemas()[position]
        codes = ranged(self._drawn_beside(data, given, form, source), form.names)
        self.__dict__["_codes"] = codes.schema.select(form.names)
        held = {} if judged is None else {"validation": self._drawn_beside(judged, given, self._codes, source)}
        fitting = prior.fitting(
            codes, given=given, weights=weights, **asked(prior, run, "prior", minutes=second, **held)
        )
        yield from told("prior", fitting, now.elapsed, 0.0)
        self.__dict__["_prior"] = prior

    @property
    def _device(self) -> torch.device:
        return getattr(self._coder, "device", torch.device("cpu"))

    def _seen(self, records: Any) -> Any:
        """What the auto-encoder sees of records."""
        return records if self.told else records.without(self.learning[1])

    def _drawn_beside(self, data: Records | Scan, given: tuple[str, ...], form: Schema, source: Source) -> Records:
        """Codes drawn from q(z | x), one a record, as records of this form beside the conditions."""
        pieces = []
        for chunk in data.chunks():
            codes, _ = self._coder._draw_codes(self._seen(chunk), source)
            pieces.append(self._beside(codes, chunk.select(given), form, source)[0])
        return pieces[0].concat(*pieces[1:])

    def _beside(self, codes: Tensor, given: Records, form: Schema, source: Source) -> tuple[Records, Tensor]:
        """Codes as records of this form, with the conditions as further fields, and (n,) the log of how many of these
        have the same code.
        """
        drawn, many = self._coder.code_records(codes, form, source)
        schema = Schema((*form, *given.schema))
        columns = {f.name: (drawn if f.name in drawn.names else given).column(f.name) for f in schema}
        return Records(schema, pa.table(columns, schema=schema.arrow)), many

    # State

    def _measured(self) -> dict[str, Any]:
        parts = {"model": self._coder.measurements, "prior": self._prior.measurements}
        last = {f"{part}: {name}": v for part, found in parts.items() for name, v in found["last"].items()}
        steps = sum(found["steps"] for found in parts.values())
        return {"steps": steps, "last": last, "codes": self._codes.to_json(), **parts}

    def _state(self) -> dict[str, Tensor]:
        return joined({"model": self._coder._state(), "prior": self._prior._state()})

    def _skeleton(self) -> dict[str, Tensor]:
        coder, prior, _ = self._emptied()
        return joined({"model": coder._skeleton(), "prior": prior._skeleton()})

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        coder, prior, codes = self._emptied()
        for name, part in zip(PARTS, (coder, prior), strict=True):
            part._restore(of_part(state, name), device)
        self.__dict__.update(_coder=coder, _prior=prior, _codes=codes)

    def _emptied(self) -> tuple[Codes, Model, Schema]:
        """Both parts as they are after the fit, but for their weights, and what their codes are."""
        coder, prior = self._parts()
        codes = Schema.from_json(self.measurements["codes"])
        emptied(coder, self._seen(self.schema), self.given if self.told else (), self.measurements["model"])
        beside = Schema((*codes, *self.schema.select(self.given)))
        emptied(prior, beside, self.given, self.measurements["prior"])
        return coder, prior, codes

    # Verbs

    def _lacks(self, verb: str) -> str | None:
        if verb not in ("log_prob", "score"):
            return self._coder.lacks(verb)
        if not hasattr(self._coder, "_log_given"):
            return f"model={name_of(type(self._coder))} gives records no likelihood; take one that does, such as vae"
        return self._prior.lacks(verb)

    def _density(self) -> str:
        return "estimate" if self._prior.density == "estimate" else "bound"

    def _sample(self, n: int, given: Evidence | None, generator: torch.Generator, **options: Any) -> Records:
        own, drawing = self._prior.options(), of_function(self._coder._sample_given)
        asked = {name: value for name, value in options.items() if name in own}
        for text in self._codes.of_kind(Text):
            asked[LENGTH] = text.longest
        drawn = self._prior._sample(n, given, generator, **asked)
        codes = self._coder.codes_of(drawn.select(self._codes.names), self._codes)
        more = {name: value for name, value in options.items() if name in drawing}
        beside = drawn.without(self._codes.names)
        records = self._coder._sample_given(codes, Evidence(beside) if self.told else None, generator, **more)
        return self._with(records, beside)

    def _with(self, records: Records, given: Records) -> Records:
        """Records of the auto-encoder with the conditions that there are, in the order of the data."""
        schema = self.schema.select(dict.fromkeys([*records.names, *given.names]))
        columns = {f.name: (given if f.name in given.names else records).column(f.name) for f in schema}
        return Records(schema, pa.table(columns, schema=schema.arrow))

    def _log_prob(
        self,
        records: Records,
        *,
        samples: Annotated[int, Ge(1), doc("draws of the codes of a record; more bring the bound closer")] = 16,
    ) -> Tensor:
        draws = 1 if self._coder.certain else samples
        return torch.cat([self._bound(chunk, draws) for chunk in records.chunks(max(1, TOGETHER // draws))])

    def _bound(self, records: Records, draws: int) -> Tensor:
        """(n,) log mean_k p(x | z_k) p(z_k | given) / q(z_k | x)."""
        rest, given = self._seen(records), records.select(self.given)
        every = [generator(0, draw, device=self._device) for draw in range(draws)]
        drawn = [self._coder._draw_codes(rest, Alike(source)) for source in every]
        repeated = given.concat(*[given] * (draws - 1)) if self.given else given
        noise = Alike(generator(0, draws, device=self._device))
        codes, many = self._beside(torch.cat([z for z, _ in drawn]), repeated, self._codes, noise)
        log_z = self._prior._log_prob(codes).double().cpu() + many
        log_x = torch.stack([self._coder._log_given(rest, z).double().cpu() for z, _ in drawn])
        log_q = torch.stack([log_q.double().cpu() for _, log_q in drawn])
        weights = log_x + log_z.view(draws, -1) - log_q
        return weights.logsumexp(0) - math.log(draws)

    def _encode(self, records: Records, **options: Any) -> Tensor:
        return self._coder._encode(self._seen(records), **options)

    def _decode(self, codes: Tensor, given: Evidence | None) -> Records:
        records = self._coder._decode(codes, given if self.told else None)
        return records if given is None else self._with(records, given.values)

    def _code_moments(self) -> tuple[Tensor, Tensor]:
        return self._coder._code_moments()

    def _reconstruct(self, records: Records) -> Records:
        return self._exchanged(records, self._coder._reconstruct(self._seen(records)))

    def _denoise(self, records: Records, sigmas: Mapping[str, float]) -> Records:
        return self._exchanged(records, self._coder._denoise(self._seen(records), sigmas))

    @staticmethod
    def _exchanged(records: Records, rest: Records) -> Records:
        return exchange(records, rest, rest.names)  # what was given is the same in both
