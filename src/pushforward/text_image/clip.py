"""CLIP as a family."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge, Gt, Le, Lt, doc
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from pushforward.data import Category, Image, Number, Records, Schema, Text, pictures
from pushforward.data.encodings.pixels import from_pixels
from pushforward.data.encodings.tokens import WORDS, pieces, words
from pushforward.errors import ArgumentError, CaptionWarning, DataError
from pushforward.nets.sentences import LEARNED, Frozen, Sentences
from pushforward.nets.texts import Texts, equal
from pushforward.neural import NeuralModel
from pushforward.saving import emptied
from pushforward.text_image import contrast
from pushforward.text_image.cutouts import covered, moved
from pushforward.text_image.neighbours import Neighbours
from pushforward.text_image.pretrained import Looking, PretrainedCLIP
from pushforward.text_image.towers import Adapter, PictureTower, Towers, text_head
from pushforward.training.player import Player, adam

BLOCK = 512  # records that go through a tower together
AMONG = 100  # texts among which a picture is looked for, when a fit measures what it has learned
SETTLED = 1024  # records of which those are taken
SAID = Schema((Text(name="text"),))  # what strings are
DECAY = 0.05  # of weights
FORGOTTEN = 0.5  # share of words known by their characters alone in training, at most: vectors are to be learned too
BUILT = ("dim", "width", "layers", "text_width", "drop")  # what towers that were trained before do not ask for
TOLD = 5  # words that a warning names


@dataclass(kw_only=True, eq=False)
class CLIP(NeuralModel):
    """Pictures and texts in one space: cos(f(picture), g(text)) is large where they belong together.

    Convolutions look at pictures, an encoder reads texts, and each picture has to find its own text among those of a
    batch, and each text its picture (``softmax``: Radford et al. 2021, arXiv 2103.00020; ``sigmoid``, pair by pair:
    Zhai et al. 2023, arXiv 2303.15343). Texts that are alike are no negatives of each other, and part of a batch are
    records whose captions are nearly alike, which are the hard ones.

    The data has one picture and one or more texts or categories, each of which is a text of its own to the picture; a
    category is read as ``name: value``. A record without any teaches nothing. Texts are read by words, characters and
    order, learned from the data, or by a frozen sentence encoder that `transformers` loads; with `pretrained` both
    towers are those of a CLIP that was trained before, and what is learned is a linear change of each.

    It draws nothing: it encodes, compares, finds, and tells what is on a picture.

    >>> import pushforward as pf
    >>> shapes = pf.read("shapes:train")[:200]
    >>> model = pf.CLIP(width=8).fit(shapes, steps=20)
    >>> model.predict(shapes[:2], among=["a small red circle", "a large blue square"]).shape
    (2,)
    >>> rows, cosines = model.search("a small red circle", shapes, k=3)
    >>> rows.shape, model.encode(["a red circle", "a blue square"]).shape
    ((3,), (2, 128))
    """

    network: ClassVar[Towers]

    loss: Annotated[Literal["softmax", "sigmoid"], doc("among all of a batch, or pair by pair")] = "softmax"
    dim: Annotated[int, Ge(2), doc("numbers of the space that pictures and texts share")] = 128
    width: Annotated[int, Ge(4), doc("channels of the first stage of pictures, each stage twice as wide")] = 48
    layers: Annotated[int, Ge(1), Le(64), doc("residual blocks a stage")] = 1
    text_encoder: Annotated[str, doc("what reads texts: learned, or folder or hub name of a sentence encoder")] = (
        LEARNED
    )
    pretrained: Annotated[str | None, doc("folder or hub name of a CLIP whose towers are kept")] = None
    text_width: Annotated[int, Ge(4), doc("width of what is learned to read texts")] = 128
    alike: Annotated[int, Ge(1), doc("records of a batch that are together for captions nearly alike; 1: none")] = 2
    move: Annotated[float, Ge(0), Lt(1), doc("how far pictures are scaled and turned in training; 0: not moved")] = 0.1
    drop: Annotated[float, Ge(0), Lt(1), doc("share of words left out in training, and of features")] = 0.1
    lr: Annotated[float, Gt(0), doc("learning rate")] = 2e-3

    _near: ClassVar[Neighbours | None] = None  # while a fit is under way
    _skipped: ClassVar[int] = 0

    @classmethod
    def from_pretrained(cls, name: str, *, size: int | None = None) -> Self:
        """A CLIP that was trained before, as `transformers` saves it, for pictures of three channels.

        Args:
            name: its folder, or its name on the hub.
            size: height and width of the pictures that will be shown; None: as those that it was trained on.

        Raises:
            PushforwardError: transformers is not installed.
            ArgumentError: there is no such model.
        """
        model = cls(pretrained=name)
        clip = PretrainedCLIP(name)
        side = size or clip._load().config.vision_config.image_size
        image = Image(name="image", channels=3, height=side, width=side)
        measured = {"records": 0, "seconds": 0.0, "steps": 0, "seed": 0, "last": {}, "text_encoder": clip.facts()}
        emptied(model, Schema((image, Text(name="caption", missing=True))), (), measured)
        network = model._towers(clip)
        network.log_scale.data.fill_(clip._load().logit_scale.item() / 10)
        model._place(network.eval(), "cpu")
        return model

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        for field in given:
            raise DataError(f"given={field.name!r} cannot be held fixed by CLIP, which draws nothing; leave given= out")
        for number in rest.of_kind(Number):
            raise DataError(f"field {number.name!r} is a number, which CLIP cannot read; leave it out")
        if len(rest.of_kind(Image)) != 1:
            names = [field.name for field in rest.of_kind(Image)]
            cure = "read it with leave_out= naming all but one" if names else "name one with image="
            raise DataError(f"CLIP needs one picture a record, and the data has {names or 'none'}; {cure}")
        if not rest.of_kind(Text, Category):
            raise DataError("CLIP needs a caption, and the data has no text or category; name one with text=")
        if self.pretrained is not None and self.text_encoder != LEARNED:
            raise ArgumentError(
                f"text_encoder={self.text_encoder!r} and pretrained={self.pretrained!r} are both said; say one of them"
            )
        if self.text_encoder != LEARNED and self.text_width != (usual := self.parameters()["text_width"].default):
            raise ArgumentError(
                f"text_width={self.text_width!r} is not for text_encoder={self.text_encoder!r}, which is as wide as "
                f"it is; leave text_width= out (it is {usual})"
            )
        for name in BUILT if self.pretrained is not None else ():
            if (value := getattr(self, name)) != self.parameters()[name].default:
                raise ArgumentError(
                    f"{name}={value!r} is not for pretrained={self.pretrained!r}, whose towers are as they are; "
                    f"leave {name}= out"
                )

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        if self.pretrained is not None:
            return self._towers(PretrainedCLIP(self.pretrained, **self._reader))
        (image,) = rest.of_kind(Image)
        tower = PictureTower(image, dim=self.dim, width=self.width, layers=self.layers, dropout=self.drop)
        reader = (
            Texts(self.text_width, forget=min(3 * self.drop, FORGOTTEN))
            if self.text_encoder == LEARNED
            else Sentences(self.text_encoder, **self._reader)
        )
        return Towers(tower, reader, text_head(reader.width, self.dim, self.drop))

    @staticmethod
    def _towers(clip: PretrainedCLIP) -> Towers:
        return Towers(nn.Sequential(Looking(clip), Adapter(clip.width)), clip, Adapter(clip.width))

    @property
    def _tiles(self) -> bool:
        return True

    def _batch_size(self) -> int:
        return 128

    def _tensors(self, records: Records) -> dict[str, Tensor]:
        (image,) = records.schema.of_kind(Image)
        column = records.column(image.name)
        out = {"image": torch.from_numpy(pictures.or_black(column))}
        columns = [self._said(records, field.name) for field in self._texts_of(records.schema)]
        for i, texts in enumerate(columns):
            out[f"text.{i}"] = self._tokens(texts)
        told = np.array([[bool(words(text)) for text in texts] for texts in columns], bool)
        out["told"] = torch.from_numpy((told & column.is_valid().to_numpy()).T.copy())  # of no picture nothing is told
        return out

    def _meet(self, tensors: dict[str, Tensor]) -> None:
        if isinstance(reader := self.network.read, Texts):
            for i, told in enumerate(tensors["told"].T):
                reader.remember(tensors[f"text.{i}"][told])

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        told = tensors["told"]
        texts = [tensors[f"text.{i}"] for i in range(told.shape[1])]
        skipped = int((~told.any(1)).sum())
        if skipped:
            warnings.warn(
                f"{skipped} of {len(told)} records have no text, or no picture; they teach nothing",
                CaptionWarning, stacklevel=2,
            )  # fmt: skip
        if all(bool(equal(text[own][:1], text[own]).all()) for text, own in zip(texts, told.T, strict=True)):
            raise DataError("all texts are alike, so none tells one picture from another; give captions that differ")
        near = Neighbours(tensors, generator) if self.alike > 1 else None
        self.__dict__.update(_near=near, _skipped=skipped)

    def players(self) -> list[Player]:
        """Both towers, which learn together."""
        return [Player("contrast", self.network, self._loss, adam(self.lr, weight_decay=DECAY))]

    def _loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        learns = self.network.training
        full, batch = len(batch["image"]), _told(batch, generator if learns else None)
        if not len(batch["image"]):  # still with a slope into every weight, as other processes of a run have one
            nothing = 0.0 * torch.stack([weight.sum() for weight in self.network.parameters()]).sum()
            return nothing, {"matched": nothing.detach()}
        if learns and self._near is not None:
            seeds = {name: tensor[: max(1, full // self.alike)] for name, tensor in batch.items()}
            batch = self._near.beside(seeds, self.alike - 1, generator)
        x = from_pixels(batch["image"])
        if learns and self.move:
            x = covered(moved(x, self.move, generator), generator)
        tokens = _texts(batch)
        f, g = self.network.pictures(x), self.network.texts(tokens, self.drop)
        with torch.autocast(x.device.type, enabled=False):  # cosines want all their digits
            logits = self.network.scale * (f @ g.T) + self.network.bias
            each = getattr(contrast, self.loss)(logits, equal(tokens, tokens))
            matched = (logits.argmax(1) == torch.arange(len(f), device=f.device)).float().mean()
        if "weight" in batch:
            each = each * batch["weight"]
        return each.mean(), {"matched": matched}

    @torch.no_grad()
    def _settle(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        self.__dict__.pop("_near")
        tensors = {name: tensor[:SETTLED] for name, tensor in _told(tensors, None).items()}
        tokens = _texts(tensors)
        if not len(tokens):  # none of those that were held out has a text
            self.__dict__["_found"] = {"among": 0}
            return
        first = ~equal(tokens, tokens).tril(-1).any(1)
        rows = first.nonzero()[:, 0][:AMONG]
        f = self.network.pictures(from_pixels(tensors["image"][rows]))
        near, own = f @ self.network.texts(tokens[rows]).T, torch.arange(len(rows), device=f.device)
        shares = [float((near.argmax(axis) == own).float().mean()) for axis in (1, 0)]
        self.__dict__["_found"] = {"among": len(rows), "texts": round(shares[0], 4), "pictures": round(shares[1], 4)}

    def _measured(self) -> dict[str, Any]:
        out: dict[str, Any] = {"found": self.__dict__.pop("_found"), "without_text": self.__dict__.pop("_skipped")}
        return super()._measured() | out

    @property
    def _frozen(self) -> Frozen | None:
        return self.network.read if isinstance(self.network.read, Frozen) else None

    # Texts

    def _texts_of(self, schema: Schema) -> list[Text | Category]:
        """The fields that are texts, in order."""
        return [field for field in schema if isinstance(field, Text | Category)]

    def _said(self, records: Records, name: str) -> list[str | None]:
        """A column as texts."""
        values = records.column(name).to_pylist()
        if isinstance(records.schema[name], Text):
            return values
        return [None if value is None else f"{name}: {value}" for value in values]

    def _tokens(self, texts: Sequence[str | None]) -> Tensor:
        """What the reader of texts takes; texts too long are cut, and that is said."""
        if isinstance(self.network.read, Texts):
            longest = max((text or "" for text in texts), key=len, default="")
            if len(words(longest)) > WORDS:
                what = f"a text of {len(longest):,} characters is cut to its first {WORDS} words"
                warnings.warn(
                    f"{what}; a caption says in a few words what a picture shows", CaptionWarning, stacklevel=3
                )
        return self.network.read.tokens(texts)

    def _warn_of_strange(self, texts: Sequence[str | None], tokens: Tensor) -> None:
        """Say which words were never seen in what was learned from."""
        reader = self.network.read
        if not isinstance(reader, Texts) or bool(reader.words(tokens[tokens[..., 0] > 0][:, 0]).all()):
            return
        each = list(dict.fromkeys(word for text in texts for word in words(text)))
        seen = reader.words(torch.tensor([pieces(word)[0] for word in each]))
        names = [word for word, known in zip(each, seen.tolist(), strict=True) if not known]
        more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
        warnings.warn(
            "words that were never seen are read by the characters that they share with others, if any: "
            f"{', '.join(names[:TOLD])}{more}",
            CaptionWarning, stacklevel=3,
        )  # fmt: skip

    # Vectors

    def picture_vectors(self, x: Tensor) -> Tensor:
        """(n, dim) vectors of length 1, with slopes into the pictures, of whatever size.

        Args:
            x: (n, channels, height, width) in [-1, 1].
        """
        self._require_fit("picture_vectors")
        (image,) = self.schema.of_kind(Image)
        if x.shape[2:] != (image.height, image.width):
            x = interpolate(x, (image.height, image.width), mode="bilinear", antialias=True)
        if x.shape[1] != image.channels:
            x = x.mean(1, keepdim=True).expand(-1, image.channels, -1, -1)
        return self.network.pictures(x)

    @torch.no_grad()
    def text_vectors(self, texts: Sequence[str | None]) -> Tensor:
        """(n, dim) vectors of length 1.

        Args:
            texts: n strings.
        """
        self._require_fit("text_vectors")
        tokens = self._tokens(texts)
        self._warn_of_strange(texts, tokens)
        parts = [self.network.texts(part.to(self.device)) for part in tokens.split(BLOCK)]
        return torch.cat(parts)

    @torch.no_grad()
    def _pictures(self, records: Records, name: str) -> Tensor:
        """(n, dim) vectors of a column of pictures."""
        if missing := records.column(name).null_count:
            raise DataError(f"field {name!r} lacks {missing} pictures; leave those records out")
        pixels = [pictures.to_pixels(part.column(name)) for part in records.chunks(BLOCK)]
        return torch.cat(
            [self.network.pictures(from_pixels(torch.from_numpy(p.copy()).to(self.device))) for p in pixels]
        )

    def _texts(self, records: Records) -> Tensor:
        """(n, dim) vectors of the texts of records: the mean of those that a record has."""
        columns = [self._said(records, field.name) for field in self._texts_of(records.schema)]
        there = torch.tensor([[bool(words(text)) for text in column] for column in columns], device=self.device)
        vectors = torch.stack([self.text_vectors(column) for column in columns])
        kept = there | ~there.any(0)  # of a record without any text, that of no word
        return normalize((vectors * kept[..., None]).sum(0), dim=1)

    def _side(self, data: Any, verb: str, of: str) -> Tensor:
        """The vectors of pictures or of texts, which the data has to hold.

        Args:
            data: records, or strings.
            verb: who asks.
            of: ``picture``, ``text``, or ``auto`` for pictures where there are some.
        """
        records = self._read(data, verb)
        image = next(iter(records.schema.of_kind(Image)), None)
        texts = self._texts_of(records.schema)
        if image is not None and of != "text":
            return self._pictures(records, image.name)
        if not texts or of == "picture":
            raise DataError(
                f"the data of {verb} has no {'text' if of == 'text' else 'picture'}; it has {records.names}"
            )
        return self._texts(records)

    # Verbs

    def _read(self, data: Any, verb: str, *, partial: bool = False) -> Records:
        if isinstance(data, list | tuple) and data and all(isinstance(each, str) for each in data):
            self._require_fit(verb)  # strings are texts, also to a model of categories alone
            return Records(SAID, pa.table([list(data)], schema=SAID.arrow))
        if isinstance(data, Records) and data.schema == SAID:
            return data
        return super()._read(data, verb, partial=partial)

    def _encode(
        self,
        records: Records,
        *,
        of: Annotated[
            Literal["auto", "picture", "text"], doc("what of records that hold both; auto: pictures")
        ] = "auto",
    ) -> Tensor:
        return self._side(records, "encode", of)

    def _similarity(self, data: Any, texts: Any) -> Tensor:
        if texts is None:
            records = self._read(data, "similarity")
            return (self._side(records, "similarity", "picture") * self._side(records, "similarity", "text")).sum(1)
        return self._side(data, "similarity", "picture") @ self._side(texts, "similarity", "text").T

    def _takes_parts(self, verb: str) -> bool:
        return True

    def _chosen(self, data: Any, captions: list[str]) -> Tensor:
        return (self.network.scale * self._similarity(data, captions)).softmax(1).detach()

    def _predict_proba(self, records: Records, field: str) -> Tensor:
        target = self.schema[field]
        assert isinstance(target, Category)
        return self._chosen(records, [f"{field}: {value}" for value in target.values])


def _told(batch: Mapping[str, Tensor], generator: torch.Generator | None) -> dict[str, Tensor]:
    """The records that have a text, and ``which`` of its texts each is known by.

    Args:
        batch: records as tensors.
        generator: draws which; without one the first is taken.
    """
    rows = batch["told"].any(1).nonzero()[:, 0]
    out = {name: tensor[rows] for name, tensor in batch.items()}
    if generator is None or not len(rows):
        return out | {"which": out["told"].int().argmax(1)}
    return out | {"which": torch.multinomial(out["told"].float(), 1, generator=generator)[:, 0]}


def _texts(batch: Mapping[str, Tensor]) -> Tensor:
    """(n, …) tokens of the text that each record is known by."""
    texts = torch.stack([batch[f"text.{i}"] for i in range(batch["told"].shape[1])], 1)
    return texts[torch.arange(len(texts), device=texts.device), batch["which"]]
