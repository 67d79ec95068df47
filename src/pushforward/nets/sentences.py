"""Texts as vectors of a frozen encoder that `transformers` loads."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self, final

import torch
from torch import Tensor, nn

from pushforward.errors import ArgumentError, FormatError, PushforwardError
from pushforward.training.randomness import scope

TOGETHER = 64  # texts that are encoded together
MOST = 1 << 16  # texts that are kept
LEARNED = "learned"  # what reads texts, where no encoder is named


class Frozen(nn.Module, ABC):
    """A model of `transformers` that reads texts and stays as it is: not saved, but named, with a hash of its weights.

    A text is encoded once, by the processor, and kept, as long as they are not too many.

    Args:
        name: its folder, or its name on the hub, such as ``sentence-transformers/all-MiniLM-L6-v2``.
        width: of the vectors, for a model that is not to be loaded before it is used.
        digest: the hash that it has to have; None takes what is there.
    """

    kind: ClassVar[str]  # the class of transformers that reads it
    wide: ClassVar[str]  # what its configuration calls the width of vectors

    def __init__(self, name: str, width: int | None = None, digest: str | None = None):
        super().__init__()
        self.name, self._wanted = name, digest
        self._held: dict[str, Any] = {}  # in a dict, lest it become a part of this module
        self._known: dict[str, Tensor] = {}
        self.width: int = width or getattr(self._beside("AutoConfig"), self.wide)

    @abstractmethod
    def _encoded(self, texts: list[str]) -> Tensor:
        """(n, width) vectors of texts that are not empty."""

    def tokens(self, texts: Sequence[str | None]) -> Tensor:
        """(n, width) vectors, of which a step only takes what it needs; 0 where there is no text."""
        if len(self._known) > MOST:
            self._known.clear()
        return kept(self._known, texts, self._encoded, self.width)

    def forward(self, tokens: Tensor, drop: float = 0.0) -> Tensor:
        """The vectors as they are; no word can be left out of them."""
        return tokens

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing of it changes

    def _load(self) -> Any:
        """The model, evaluating and without slopes into its weights."""
        if "model" not in self._held:
            with scope(0):  # weights that the folder lacks are drawn, alike each time
                model = self._opened(self.kind, use_safetensors=True).eval().requires_grad_(False)
            if self._wanted not in (None, digest_of(model)):
                raise FormatError(
                    f"the encoder {self.name!r} is not the one that the model was fitted with (its weights differ); "
                    "put that one in its place"
                )
            self._held["model"] = model
        return self._held["model"]

    def _beside(self, kind: str) -> Any:
        """What belongs to the model, such as its tokeniser."""
        if kind not in self._held:
            self._held[kind] = self._opened(kind)
        return self._held[kind]

    def _opened(self, kind: str, **options: Any) -> Any:
        try:
            import transformers
        except ImportError as error:
            raise PushforwardError(
                "encoders that were trained before need transformers; pip install 'pushforward[text]'"
            ) from error
        try:
            with _without_bars(transformers.utils.logging):
                return getattr(transformers, kind).from_pretrained(self.name, **options)
        except (OSError, ValueError) as error:
            why = " ".join(str(error).split())[:160]
            raise ArgumentError(
                f"encoder {self.name!r} cannot be loaded ({why}); name a folder or a hub name"
            ) from error

    def facts(self) -> dict[str, Any]:
        """Name, hash and width, as a saved model holds them."""
        return {"name": self.name, "sha256": digest_of(self._load()), "width": self.width}


@final
class Sentences(Frozen):
    """The mean of the last hidden states of a text, of length √width (Reimers, Gurevych 2019, arXiv 1908.10084)."""

    kind: ClassVar[str] = "AutoModel"
    wide: ClassVar[str] = "hidden_size"

    @torch.no_grad()
    def _encoded(self, texts: list[str]) -> Tensor:
        model = self._load()
        asked = self._beside("AutoTokenizer")(texts, padding=True, truncation=True, max_length=128, return_tensors="pt")
        states = model(**asked).last_hidden_state
        shown = asked["attention_mask"][..., None]
        mean = (states * shown).sum(1) / shown.sum(1).clamp_min(1)
        return nn.functional.normalize(mean.float(), dim=1) * self.width**0.5


@contextmanager
def _without_bars(logging: Any) -> Iterator[None]:
    """Inside, nothing shows how far the reading of weights has come, which is a matter of moments."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def kept(
    known: dict[str, Tensor], texts: Sequence[str | None], encode: Callable[[list[str]], Tensor], width: int
) -> Tensor:
    """(n, width) vectors of texts, each encoded once.

    Args:
        known: those that were encoded before; it is added to.
        texts: the texts; what is missing or empty becomes 0.
        encode: texts → vectors.
        width: of the vectors.
    """
    new = [text for text in dict.fromkeys(texts) if text and text.strip() and text not in known]
    new.sort(key=len)  # those that are encoded together are about as long
    for start in range(0, len(new), TOGETHER):
        part = new[start : start + TOGETHER]
        known.update(zip(part, encode(part).cpu(), strict=True))
    nothing = torch.zeros(width)
    return torch.stack([known.get(text or "", nothing) for text in texts]) if texts else nothing[None][:0]


def digest_of(model: nn.Module) -> str:
    """SHA-256 of names and weights."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(name.encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
