"""Pictures and captions as one distribution."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt, doc
from torch import Tensor, nn

from pushforward.autoencoders.quantisers.fsq import levels_of
from pushforward.autoencoders.vq import VQ
from pushforward.data import Category, Image, Number, Records, Scan, Schema, Text, as_part, as_records
from pushforward.data.holes import blank
from pushforward.data.masks import unknown_pixels
from pushforward.errors import ArgumentError, DataError, FormatError, one_of
from pushforward.evidence import Evidence
from pushforward.nets.conv import map_of
from pushforward.neural import NeuralModel
from pushforward.parts import joined, of_part
from pushforward.runs import asked, check_folder, is_data, told
from pushforward.saving import emptied
from pushforward.text_image.drawing import First
from pushforward.text_image.layout import Layout
from pushforward.text_image.masking import cost, planned
from pushforward.text_image.network import Pairs
from pushforward.text_image.telling import BLOCK, Telling, codes_of
from pushforward.text_image.words import Words
from pushforward.training.place import half_pays, pick
from pushforward.training.player import Player, adam
from pushforward.training.progress import Progress
from pushforward.training.run import Run

CODES: Any = "vq:codes=1024,local=true,width=64"  # words, which become a model of its own in every object
PARTS = ("vq", "pairs")  # folders of checkpoints and beginnings of the names of weights
WINDOWS = (0.1, 0.05)  # of averages of weights
LONGEST = 1.0  # gradient
VARIED, PLAIN = 4, 0.5  # ways in which texts are varied, and share of steps in which they are not
AT_ONCE = 0.5  # nats that may be lost in a step of drawing
SCORED = 8  # draws of what is hidden, over which a bound is the mean

Steps = Annotated[int | None, Ge(1), doc("draw each part in so many steps, at random places; none: the surest first")]
Slack = Annotated[float, Ge(0), doc("nats that may be lost in a step by drawing places at once; 0: as learned")]


@dataclass(kw_only=True, eq=False)
class Joint(NeuralModel):
    """p(picture, texts): either is drawn from the other, both from nothing, and the rest of both from a part.

    A `VQ` brings a picture to a grid of codes, a text is a row of words. Some of both are hidden, by shares that are
    independent (Bao et al. 2023, arXiv 2303.06555), and a network of convolutions tells what is hidden from what is
    not: masked diffusion (Sahoo et al. 2024, arXiv 2406.07524; Shi et al. 2024, arXiv 2406.04329), from which every
    conditional follows. `log_prob` is the bound log p(words) + log p(codes | words) + log p(picture | codes), or that
    of one field given the others, so that it also says which caption fits a picture.

    The data has one picture and one or more texts or categories. Texts are written in small letters; a word that was
    never seen is read by its characters. `vq` may be a model that is fitted already, which is then taken as it is.

    >>> import pushforward as pf
    >>> shapes = pf.read("shapes:train")[:200]
    >>> model = pf.Joint(vq="vq:width=8,local=true", width=16, layers=1).fit(shapes, steps=20)
    >>> model.sample(2, given={"caption": "a small red circle"}, seed=0).names
    ('image', 'caption')
    >>> model.complete({"image": shapes.to_numpy()["image"][:2]}, seed=0).names
    ('image', 'caption')
    """

    network: ClassVar[Pairs]
    _coder: ClassVar[VQ]  # fitted
    _layout: ClassVar[Layout]

    vq: Annotated[VQ, doc("what brings pictures to codes, as vq:option=value,option=value")] = CODES
    width: Annotated[int, Ge(4), doc("channels of both streams")] = 128
    layers: Annotated[int, Ge(1), Le(64), doc("blocks")] = 6
    share: Annotated[float, Gt(0), Lt(1), doc("of the minutes, what the VQ gets")] = 0.25
    absent: Annotated[float, Ge(0), Lt(1), doc("share of conditions dropped in training")] = 0.1
    lr: Annotated[float, Gt(0), doc("learning rate")] = 1e-3

    # Hyperparameters

    def set_params(self, **values: Any) -> Self:
        """Change hyperparameters; those of the VQ are called ``vq__codes`` and so on."""
        own = {name: value for name, value in values.items() if not name.startswith("vq__")}
        super().set_params(**own)
        inner = {name.removeprefix("vq__"): value for name, value in values.items() if name not in own}
        if inner:
            self.vq = VQ(**{**self.vq.get_params(), **inner})  # it may be somebody else's, or fitted
        return self

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        whole = Schema((*rest, *given))
        for number in whole.of_kind(Number):
            raise DataError(f"field {number.name!r} is a number, which Joint cannot model; leave it out")
        images = [field.name for field in whole.of_kind(Image)]
        if len(images) != 1:
            raise DataError(
                f"Joint needs one picture a record, and the data has {images or 'none'}; name one in image="
            )
        if not whole.of_kind(Text, Category):
            raise DataError("Joint needs a caption, and the data has no text or category; name one in text=")
        self.vq._check(whole.select(images), Schema(()))
        if self.vq.body == "dense":
            raise ArgumentError("vq: body=dense has no grid of codes; say body=auto")
        if self.vq.fitted:
            self._check_vq(self.vq.schema, self.vq.given, whole.of_kind(Image)[0])

    @staticmethod
    def _check_vq(schema: Schema, given: tuple[str, ...], image: Image) -> None:
        """Refuse a fitted VQ of anything but such pictures."""
        kinds = [field.describe() for field in schema if field.name not in given]
        if given or kinds != [image.describe()] or schema.names != (image.name,):
            found = ", ".join(f"{field.name} ({field.describe()})" for field in schema)
            wanted = f"{image.name} ({image.describe()})"
            raise ArgumentError(
                f"vq was fitted to {found}, not to {wanted} alone; fit it to data.select([{image.name!r}])"
            )

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        schema, _ = self.learning
        (image,) = schema.of_kind(Image)
        others = [name for name in schema.names if name != image.name]
        check_folder(run.folder, PARTS)
        now = Progress("vq", 0)
        if self.vq.fitted:
            self.__dict__["_coder"] = self.vq
        else:
            first, run = self._divided(run)
            coder = VQ(**self.vq.get_params())
            held = (
                {"validation": as_records(run.validation, schema).select([image.name])}
                if is_data(run.validation)
                else {}
            )
            seen, shares = _pictures(data, weights, image.name, others)
            fitting = coder.fitting(seen, weights=shares, **asked(coder, first, "vq", **held))
            for now in told("vq", fitting, 0.0, None if run.minutes is None else 60 * run.minutes):
                yield now
            self.__dict__["_coder"] = coder
        rest = replace(run, folder=None if run.folder is None else str(Path(run.folder) / "pairs"))
        yield from told("pairs", super()._fit(data, weights, rest), now.elapsed, 0.0)

    def _divided(self, run: Run) -> tuple[Run, Run]:
        """The run of the VQ, in half precision where that is faster, and what is left of the whole."""
        fast = run.precision == "auto" and half_pays(torch.device(pick(run.device)))
        first = replace(run, precision="bfloat16" if fast else run.precision)
        if run.minutes is None:
            return first, run
        minutes = self.share * run.minutes
        return replace(first, minutes=minutes), replace(run, minutes=run.minutes - minutes)

    def _survey(self, first: Callable[[], tuple[Records, np.ndarray | None]]) -> None:
        records, _ = first()
        texts = [records.column(field.name).drop_null().to_pylist() for field in records.schema.of_kind(Text)]
        words = Words.of(text for column in texts for text in column)
        self.__dict__["_layout"] = Layout(records.schema, words, Layout.lengths(records, words))

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        whole = Schema((*rest, *given))
        (image,) = whole.of_kind(Image)
        grid = map_of(image.height, image.width, self.vq.stages)
        levels = levels_of(self.vq.codes) if self.vq.codebook == "fsq" else (self.vq.codes,)
        layout = self.__dict__.get("_layout")
        sizes = self.measurements["tokens"] if layout is None else layout.sizes
        return Pairs(grid, levels, sizes["length"], sizes["symbols"], width=self.width, layers=self.layers)

    @property
    def _tiles(self) -> bool:
        return True

    def _batch_size(self) -> int:
        return 64

    def _tensors(self, records: Records) -> dict[str, Tensor]:
        codes = codes_of(self._coder, records, self._picture)
        tokens, varied = self._layout.encode(records), self._layout.varied(records, VARIED)
        return {"codes": codes, "tokens": tokens, "varied": varied}

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        self.network.to(self.device)

    def players(self) -> list[Player]:
        """One network for both parts."""
        return [Player("pairs", self.network, self._loss, adam(self.lr), averages=WINDOWS, clip=LONGEST)]

    def _loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        codes, tokens = batch["codes"], batch["tokens"]
        able = (codes != self.network.hidden_code) & (self._picture not in self.learning[1])
        plan = planned(able, self._telling.free, self._layout.owner.to(self.device), self.absent, generator)
        shown = self._said(batch, generator) if self.network.training else tokens
        picture, words = cost(
            self.network, codes, tokens, torch.where(plan.tokens.any(1)[:, None], tokens, shown), plan
        )
        weight = batch.get("weight", 1.0)
        facts = {"codes": _over(picture, plan.codes), "words": _over(words, plan.tokens)}
        return ((picture + words) * weight).mean(), facts

    def _said(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        """(n, length) what a picture is told: its words as they are, or varied, lest it is learned by heart."""
        n, device = len(batch["tokens"]), self.device
        which = torch.randint(VARIED, (n,), generator=generator, device=device)
        plain = torch.rand(n, 1, generator=generator, device=device) < PLAIN
        return torch.where(plain, batch["tokens"], batch["varied"][torch.arange(n, device=device), which])

    @property
    def _picture(self) -> str:
        return self.learning[0].of_kind(Image)[0].name

    @property
    def _telling(self) -> Telling:
        return Telling(*self.learning, self._coder, self._layout, self.network, self.device)

    # State

    def _measured(self) -> dict[str, Any]:
        spelled = {name: len(tensor) for name, tensor in self._layout.words.state().items()}
        return {
            "vq": self._coder.measurements,
            "tokens": {**self._layout.sizes, **spelled},
            "lengths": self._layout.widths,
        }

    def _state(self) -> dict[str, Tensor]:
        words = self._layout.words.state()
        return joined({"vq": self._coder._state(), "pairs": self.network.state_dict(), "words": words})

    def _skeleton(self) -> dict[str, Tensor]:
        sizes = self.measurements["tokens"]
        spelled = {name: torch.empty(sizes[name], dtype=torch.uint8, device="meta") for name in Words.PARTS}
        return joined({"vq": self._emptied()._skeleton(), "pairs": super()._skeleton(), "words": spelled})

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        coder = self._emptied()
        coder._restore(of_part(state, "vq"), device)
        layout = Layout(self.schema, Words.restored(of_part(state, "words")), self.measurements["lengths"])
        if layout.sizes != {name: self.measurements["tokens"][name] for name in layout.sizes}:
            raise FormatError("the vocabulary has another size than was measured; copy the model again")
        self.__dict__.update(_coder=coder, _layout=layout)
        super()._restore(of_part(state, "pairs"), device)

    def _emptied(self) -> VQ:
        """The VQ as it was after the fit, but for its weights."""
        coder = VQ(**self.vq.get_params())
        emptied(coder, self.schema.select([self._picture]), (), self.measurements["vq"])
        return coder

    # Verbs

    def _density(self) -> str:
        return "bound"

    def _allowed(self) -> tuple[Collection[str], str]:
        return self.schema.names, ""

    def _read(self, data: Any, verb: str, *, partial: bool = False) -> Records:
        if verb not in ("complete", "predict_proba"):
            return super()._read(data, verb, partial=partial)
        self._require_fit(verb)
        records = as_part(data, self.schema)
        if len(records) == 0:
            raise DataError(f"the data of {verb} holds no records; give at least one")
        return records

    def _lacks(self, verb: str) -> str | None:
        if verb == "sample" and self._picture in self.given and not bool(self._telling.free.any()):
            return "everything is a condition"
        return None

    def _sample(
        self,
        n: int,
        given: Evidence | None,
        generator: torch.Generator,
        *,
        guidance: Annotated[float, Ge(0), doc("how strongly a picture is led by its words; 1 as learned")] = 1.0,
        temperature: Annotated[float, Gt(0), doc("below 1 the probable becomes more so, above 1 less")] = 1.0,
        steps: Steps = None,
        slack: Slack = AT_ONCE,
        first: Annotated[First, doc("which part is drawn before the other, where neither is known")] = "words",
    ) -> Records:
        known = blank(self.schema.without(self.given), n) if given is None else given.values
        self._layout.warn(known)
        how: dict[str, Any] = {
            "guidance": guidance,
            "temperature": temperature,
            "steps": steps,
            "slack": slack,
            "first": first,
        }
        return self._telling.drawn(known, generator, **how)

    def _complete(
        self,
        records: Records,
        generator: torch.Generator,
        *,
        mask: Annotated[Any, doc("(height, width) or (n, height, width) truths, True where a pixel is unknown")] = None,
        gap: Annotated[str | None, doc("what stands in a text for one word that is unknown, such as ___")] = None,
        steps: Steps = None,
        slack: Slack = AT_ONCE,
    ) -> Records:
        field = self.schema[self._picture]
        assert isinstance(field, Image)
        shape = (field.channels, field.height, field.width) if field.name in records.names else None
        unknown = unknown_pixels(mask, shape, len(records))
        self._layout.warn(records, gap)
        how = {"steps": steps, "slack": slack}
        return self._telling.drawn(records, generator, unknown=unknown, gap=gap, holes=False, **how)

    def _log_prob(
        self,
        records: Records,
        *,
        of: Annotated[str | None, doc("a field that is scored given all others; none: all of them")] = None,
        samples: Annotated[int, Ge(1), doc("draws of what is hidden; more bring less noise")] = SCORED,
    ) -> Tensor:
        free = [name for name in self.schema.names if name not in self.given]
        if of is not None and of not in free:
            raise ArgumentError(f"of={of!r} is no field that is modelled; {one_of(of, free)}")
        self._layout.warn(records)
        return torch.cat([self._telling.bound(chunk, of, samples) for chunk in records.chunks(BLOCK)])

    def _predict_proba(self, records: Records, field: str) -> Tensor:
        target = self.schema[field]
        assert isinstance(target, Category)
        return torch.cat([self._telling.levels(chunk, target) for chunk in records.chunks(BLOCK)])

    def _chosen(self, data: Any, captions: list[str]) -> Tensor:
        texts = [field for field in self.schema.of_kind(Text) if field.name not in self.given]
        if not texts:
            raise ArgumentError("among= needs a text that is modelled, and the model has none; name a field")
        return self._telling.among(as_part(data, self.schema), texts[0], captions, SCORED)


def _pictures(
    data: Records | Scan, weights: np.ndarray | None, image: str, others: list[str]
) -> tuple[Records | Scan, np.ndarray | None]:
    """The pictures of data that there are, and their weights."""
    if isinstance(data, Scan):
        return data.leaving_out(others, "not a picture"), weights
    there = np.flatnonzero(data.column(image).is_valid().to_numpy())
    return data.select([image]).take(there), None if weights is None else weights[there]


def _over(each: Tensor, hide: Tensor) -> Tensor:
    """The mean over those records of which something was hidden."""
    return each.sum() / hide.any(1).sum().clamp_min(1)
