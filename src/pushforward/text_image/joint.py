"""Pictures and captions as one distribution."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt, doc
from torch import Tensor, nn

from pushforward.autoencoders.vq import VQ
from pushforward.conditional import SMALLEST
from pushforward.data import Category, Image, Number, Records, Scan, Schema, Text, as_part, as_records
from pushforward.data.encodings.pixels import HALF, from_pixels
from pushforward.data.holes import blank
from pushforward.data.masks import unknown_pixels
from pushforward.diffusion.diffusion import Diffusion
from pushforward.errors import ArgumentError, DataError, FormatError, one_of
from pushforward.evidence import Evidence
from pushforward.latent import Latent
from pushforward.neural import NeuralModel
from pushforward.parts import joined, of_part
from pushforward.runs import asked, check_folder, is_data, told
from pushforward.saving import emptied
from pushforward.text_image.cutouts import moved
from pushforward.text_image.layout import Layout
from pushforward.text_image.masking import cost, planned, shown
from pushforward.text_image.missing import First, Way, drawn
from pushforward.text_image.network import Reading
from pushforward.text_image.painting import LEVELS, Painter, Painting
from pushforward.text_image.telling import BLOCK, SCORED, Telling
from pushforward.text_image.words import Words
from pushforward.training.player import Player, adam
from pushforward.training.progress import Progress
from pushforward.training.run import Run

PICTURES: Any = "diffusion:absent=0.2,dropout=0.1"  # words, which become a model of its own in every object
CODER = "vq:codes=2000"
FINE = 16  # side beyond which pictures are drawn as codes
CODING = 0.25  # of the minutes of pictures, what their codes get
PARTS = ("pictures", "words")  # folders of checkpoints and beginnings of the names of weights
WINDOWS = (0.1, 0.05)  # of averages of weights
LONGEST = 1.0  # gradient
AT_ONCE = 0.1  # nats that may be lost in a step of drawing

Best = Annotated[
    int,
    Ge(1),
    Le(1024),
    doc("draws of a picture for its words, or of words for a picture; what fits best stays"),
]
Steps = Annotated[int | None, Ge(1), doc("draw words in so many steps, at random places; none: the surest first")]
Slack = Annotated[float, Ge(0), doc("nats that may be lost in a step by drawing words at once; 0: as learned")]


@dataclass(kw_only=True, eq=False)
class Joint(NeuralModel):
    """p(picture, texts): either is drawn from the other, both from nothing, and the rest of both from a part.

    A `Diffusion` draws pictures from texts, or from none: their pixels, or of larger ones the codes that a `VQ` gives
    them, which say as much in far fewer numbers (Rombach et al. 2022, arXiv 2112.10752). A network of convolutions
    tells words that are hidden from those that are not, beside a picture that may be hidden: masked diffusion (Sahoo et
    al. 2024, arXiv 2406.07524; Shi et al. 2024, arXiv 2406.04329). What is hidden of either part does not follow that
    of the other (Bao et al. 2023, arXiv 2303.06555), so that every conditional follows, and pairs can be drawn words
    first; picture first, led by words that are forgotten before new ones are told beside it; or together: the picture
    half out of the noise, then the words, then the rest of the picture.

    `log_prob` is log p(words) + log p(picture | words), of which the first is a bound and the second an estimate, or
    that of one field given the others: of words a bound, so that it also says which caption fits a picture.

    The data has one picture and one or more texts or categories. Texts are written in small letters; a word that was
    never seen is read by its characters. `pictures` may be a model of pixels that is fitted already, which is then
    taken as it is.

    >>> import pushforward as pf
    >>> shapes = pf.read("shapes:train")[:200]
    >>> parts = {"pictures": "diffusion:width=8", "coder": "vq:width=8"}
    >>> model = pf.Joint(**parts, width=16, layers=1).fit(shapes, steps=20)
    >>> model.sample(2, given={"caption": "a small red circle"}, seed=0).names
    ('image', 'caption')
    >>> model.complete({"image": shapes.to_numpy()["image"][:2]}, seed=0).names
    ('image', 'caption')
    """

    network: ClassVar[Reading]
    _drawer: ClassVar[Painter | None]  # fitted; None where the picture is a condition
    _layout: ClassVar[Layout]

    pictures: Annotated[Diffusion, doc("what draws pictures, as diffusion:option=value,option=value")] = PICTURES
    coder: Annotated[
        VQ | Literal["auto"] | None,
        doc(f"brings pictures to codes that are drawn in their place; auto: {CODER} beyond {FINE} pixels a side"),
    ] = "auto"
    width: Annotated[int, Ge(4), doc("channels of what tells words")] = 96
    layers: Annotated[int, Ge(1), Le(64), doc("blocks of what tells words")] = 3
    share: Annotated[float, Gt(0), Lt(1), doc("of the minutes, what pictures get")] = 0.5
    move: Annotated[float, Ge(0), Lt(1), doc("how far pictures are scaled and turned when words are learned")] = 0.1
    absent: Annotated[float, Ge(0), Lt(1), doc("share of conditions dropped in training")] = 0.1
    lr: Annotated[float, Gt(0), doc("learning rate of what tells words")] = 2e-3

    # Hyperparameters

    def set_params(self, **values: Any) -> Self:
        """Change hyperparameters; those of parts are called ``pictures__width``, ``coder__codes`` and so on."""
        inner = {name: value for name, value in values.items() if name.startswith(("pictures__", "coder__"))}
        super().set_params(**{name: value for name, value in values.items() if name not in inner})
        for name, value in inner.items():
            part, _, own = name.partition("__")
            if (whole := self._part(part)) is None:
                raise ArgumentError(f"{name}={value!r} is of no part: coder=None draws pixels; say coder='vq' first")
            setattr(self, part, type(whole)(**{**whole.get_params(), own: value}))  # it may be somebody else's
        return self

    def _part(self, name: str) -> Any:
        known = self.parameters()[name]
        return known.check(CODER if getattr(self, name) == "auto" else getattr(self, name))

    def _painter(self, image: Image) -> Painter:
        """What draws such pictures, not fitted."""
        pictures = Diffusion(**self.pictures.get_params())
        coarse = self.pictures.fitted or max(image.height, image.width) <= FINE
        coder = None if self.coder == "auto" and coarse else self._part("coder")
        return pictures if coder is None else Latent(coder, prior=pictures, share=CODING)

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        whole = Schema((*rest, *given))
        for number in whole.of_kind(Number):
            raise DataError(f"field {number.name!r} is a number, which Joint cannot model; leave it out")
        images = [field.name for field in whole.of_kind(Image)]
        if len(images) != 1:
            raise DataError(
                f"Joint needs one picture a record, and the data has {images or 'none'}; "
                f"name {'the others in leave_out=' if images else 'one in image='}"
            )
        if not whole.of_kind(Text, Category):
            raise DataError(
                "Joint needs a caption, and the data has no text or category; name one in text=, or put a metadata.csv "
                "of file_name and caption beside the pictures"
            )
        painter = self._painter(whole.of_kind(Image)[0])
        painter._check(whole.select(images), whole.without(images))
        if isinstance(painter, Latent) and not painter.model.code_schemas(whole.select(images))[-1].of_kind(Image):
            raise DataError(
                f"coder= makes no grid of rounded codes of at least {SMALLEST} by {SMALLEST} of {images[0]!r}; say "
                "codebook=fsq and fewer stages=, or coder=None to draw pixels"
            )
        if self.pictures.fitted:
            if isinstance(painter, Latent):
                raise ArgumentError("pictures= was fitted to pixels, and coder= is to draw codes; say coder=None")
            self._check_fitted(whole, images[0])

    def _check_fitted(self, schema: Schema, image: str) -> None:
        """Refuse a fitted diffusion of anything but such pictures given all else."""
        model = self.pictures
        others = {name for name in schema.names if name != image}
        if set(model.given) != others or {f.name: f for f in model.schema} != {f.name: f for f in schema}:
            found = ", ".join(f"{field.name} ({field.describe()})" for field in model.schema)
            raise ArgumentError(
                f"pictures= was fitted to {found}, given {list(model.given)}; fit it to the same fields, "
                f"given={sorted(others)}"
            )

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        schema, given = self.learning
        (image,) = schema.of_kind(Image)
        check_folder(run.folder, PARTS)
        now = Progress("pictures", 0)
        if image.name in given:
            self.__dict__["_drawer"] = None
        elif self.pictures.fitted:
            self.__dict__["_drawer"] = self.pictures
        else:
            first, run = self._divided(run)
            model = self._painter(image)
            taught, shares = (data, weights) if isinstance(data, Scan) else _pictured(data, weights, image.name)
            others = [name for name in schema.names if name != image.name]
            held = {}
            if is_data(run.validation):
                held["validation"] = _pictured(as_records(run.validation, schema), None, image.name)[0]
            fitting = model.fitting(taught, given=others, weights=shares, **asked(model, first, PARTS[0], **held))
            for now in told(PARTS[0], fitting, 0.0, None if run.minutes is None else 60 * run.minutes):
                yield now
            self.__dict__["_drawer"] = model
        rest = replace(run, folder=None if run.folder is None else str(Path(run.folder) / PARTS[1]))
        yield from told(PARTS[1], super()._fit(data, weights, rest), now.elapsed, 0.0)

    def _divided(self, run: Run) -> tuple[Run, Run]:
        """The run of pictures, and what is left of the whole."""
        if run.minutes is None:
            return run, run
        minutes = self.share * run.minutes
        return replace(run, minutes=minutes), replace(run, minutes=run.minutes - minutes)

    def _survey(self, first: Callable[[], tuple[Records, np.ndarray | None]], run: Run) -> None:
        records, _ = first()
        texts = [records.column(field.name).drop_null().to_pylist() for field in records.schema.of_kind(Text)]
        words = Words.of(text for column in texts for text in column)
        self.__dict__["_layout"] = Layout(records.schema, words, Layout.lengths(records, words))

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        (image,) = Schema((*rest, *given)).of_kind(Image)
        layout = self.__dict__.get("_layout")
        sizes = self.measurements["tokens"] if layout is None else layout.sizes
        shape = (image.channels, image.height, image.width)
        return Reading(shape, sizes["length"], sizes["symbols"], width=self.width, layers=self.layers)

    @property
    def _tiles(self) -> bool:
        return True

    def _batch_size(self) -> int:
        return 64

    def _tensors(self, records: Records) -> dict[str, Tensor]:
        there = self._telling.there(records)
        return {
            "image": torch.from_numpy(self._telling.pixels(records)),
            "there": torch.from_numpy(there.copy()),
            "tokens": self._layout.encode(records),
        }

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        self.network.to(self.device)
        if isinstance(self._drawer, Diffusion):  # it may have been fitted in another place
            self._drawer._place(self._drawer.network, str(self.device))
        shown = from_pixels(tensors["image"][tensors["there"]])
        if len(shown):
            self.network.mean.copy_(shown.mean((0, 2, 3))[:, None, None])
            self.network.scale.copy_(shown.std((0, 2, 3)).clamp_min(1 / HALF)[:, None, None])

    def players(self) -> list[Player]:
        """The network that tells words."""
        return [Player("words", self.network, self._loss, adam(self.lr), averages=WINDOWS, clip=LONGEST)]

    def _loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        x = from_pixels(batch["image"])
        if self.network.training and self.move:
            x = moved(x, self.move, generator)
        telling, tokens = self._telling, batch["tokens"]
        plan = planned(len(tokens), telling.free, self._layout.owner.to(self.device), self.absent, generator)
        each = cost(self.network, shown(self.network, x, batch["there"], generator), tokens, plan)
        return (each * batch.get("weight", 1.0)).mean()

    @property
    def _picture(self) -> str:
        schema, _ = self.learning
        return schema.of_kind(Image)[0].name

    @property
    def _telling(self) -> Telling:
        painting = None if self._drawer is None else Painting(self._drawer)
        return Telling(*self.learning, painting, self._layout, self.network, self.device)

    # State

    def _measured(self) -> dict[str, Any]:
        spelled = {name: len(tensor) for name, tensor in self._layout.words.state().items()}
        return {
            "pictures": None if self._drawer is None else self._drawer.measurements,
            "tokens": {**self._layout.sizes, **spelled},
            "lengths": self._layout.widths,
        }

    def _state(self) -> dict[str, Tensor]:
        parts = {"words": self.network.state_dict(), "vocabulary": self._layout.words.state()}
        return joined(parts if self._drawer is None else {"pictures": self._drawer._state(), **parts})

    def _skeleton(self) -> dict[str, Tensor]:
        sizes = self.measurements["tokens"]
        spelled = {name: torch.empty(sizes[name], dtype=torch.uint8, device="meta") for name in Words.PARTS}
        parts = {"words": super()._skeleton(), "vocabulary": spelled}
        model = self._emptied()
        return joined(parts if model is None else {"pictures": model._skeleton(), **parts})

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        model = self._emptied()
        if model is not None:
            model._restore(of_part(state, "pictures"), device)
        layout = Layout(self.schema, Words.restored(of_part(state, "vocabulary")), self.measurements["lengths"])
        if layout.sizes != {name: self.measurements["tokens"][name] for name in layout.sizes}:
            raise FormatError("the vocabulary has another size than was measured; copy the model again")
        self.__dict__.update(_drawer=model, _layout=layout)
        super()._restore(of_part(state, "words"), device)

    def _emptied(self) -> Painter | None:
        """What draws pictures as it was after the fit, but for its weights."""
        if self.measurements["pictures"] is None:
            return None
        (image,) = self.schema.of_kind(Image)
        model = self._painter(image)
        others = [name for name in self.schema.names if name != image.name]
        emptied(model, self.schema, tuple(others), self.measurements["pictures"])
        return model

    # Verbs

    def _density(self) -> str:
        return "estimate"

    def _allowed(self) -> tuple[Collection[str], str]:
        return self.schema.names, ""

    def _takes_parts(self, verb: str) -> bool:
        return verb in ("complete", "predict_proba")

    def _sample(
        self,
        n: int,
        given: Evidence | None,
        generator: torch.Generator,
        *,
        guidance: Annotated[float, Ge(0), doc("how strongly a picture is led by its words; 1 as learned")] = 1.0,
        best: Best = 1,
        levels: Annotated[int, Ge(1), Le(10_000), doc("noise levels that a picture goes through")] = LEVELS,
        temperature: Annotated[float, Gt(0), doc("below 1 probable words become more so, above 1 less")] = 1.0,
        steps: Steps = None,
        slack: Slack = AT_ONCE,
        first: Annotated[First, doc("which part is drawn before the other, where neither is known")] = "words",
    ) -> Records:
        known = blank(self.schema.without(self.given), n) if given is None else given.values
        self._layout.warn(known)
        if best > 1:
            at_once = first == "together" and not self._telling.there(known).all()
            self._choosing(best, "first='together' draws them at once" if at_once else "")
        way = Way(first, guidance, best, levels, temperature, steps, slack)
        return drawn(self._telling, known, generator, way)

    def _choosing(self, best: int, why: str) -> None:
        """Refuse to choose among draws of one part by the other, for this reason or for one that always holds."""
        if self._drawer is None:
            why = "the picture is a condition, of which no probability is learned"
        elif not bool(self._telling.free.any()):
            why = "all words are conditions, of which no probability is learned"
        if why:
            raise ArgumentError(f"best={best} chooses pictures by words or words by pictures, and {why}; say best=1")

    def _complete(
        self,
        records: Records,
        generator: torch.Generator,
        *,
        mask: Annotated[Any, doc("(height, width) or (n, height, width) truths, True where a pixel is unknown")] = None,
        gap: Annotated[str | None, doc("what stands in a text for one word that is unknown, such as ___")] = None,
        best: Best = 1,
        steps: Steps = None,
        slack: Slack = AT_ONCE,
    ) -> Records:
        field = self.schema[self._picture]
        assert isinstance(field, Image)
        shape = (field.channels, field.height, field.width) if field.name in records.names else None
        unknown = unknown_pixels(mask, shape, len(records))
        self._layout.warn(records, gap)
        if best > 1:
            self._choosing(best, "" if unknown is None else "mask= hides a part of them")
        way = Way(best=best, steps=steps, slack=slack)
        return drawn(self._telling, records, generator, way, unknown=unknown, gap=gap, holes=False)

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
        records = as_part(data, self.schema)
        return torch.cat([self._telling.among(part, texts[0], captions, SCORED) for part in records.chunks(BLOCK)])


def _pictured(records: Records, weights: np.ndarray | None, image: str) -> tuple[Records, np.ndarray | None]:
    """The records that have a picture, and their weights."""
    there = np.flatnonzero(records.column(image).is_valid().to_numpy())
    return records.take(there), None if weights is None else weights[there]
