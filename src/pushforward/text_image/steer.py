"""Pictures that a text asks for, found by moving the codes of a `VQ` until a `CLIP` finds the text in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from pushforward.adversarial.heads import within
from pushforward.autoencoders.quantisers.clusters import nearest
from pushforward.autoencoders.vq import VQ
from pushforward.data import Image, Records
from pushforward.diffusion.diffusion import Diffusion
from pushforward.drawing.trail import Trail
from pushforward.errors import ArgumentError
from pushforward.nets.frozen import frozen
from pushforward.text_image.clip import CLIP
from pushforward.text_image.cutouts import covered, moved
from pushforward.text_image.joint import Joint
from pushforward.text_image.prior import Prior
from pushforward.training.randomness import checked_seed, generator
from pushforward.training.randomness import moved as on_device

CUTOUTS = 8  # ways in which a picture is looked at in a step
REACH = 0.15  # how far it is moved for that
STATES = 9  # of the path that is kept
RATE = 0.1  # learning rate, in deviations of the vectors of codes


@final
@dataclass(frozen=True)
class Steered:
    """What `steer` found.

    Attributes:
        records: a picture of each restart, the best first.
        scores: (restarts,) how similar the ranking judge finds them to the text.
        codes: (restarts, k) the codes of the pictures.
        path: what the best one went through, from where it began; its `sigmas` are shares of the way that is left.
    """

    records: Records
    scores: np.ndarray
    codes: np.ndarray
    path: Trail

    def save(self, path: str) -> Any:
        """The pictures as a contact sheet; the path has a `save` of its own."""
        return self.records.save(path)


def steer(
    vq: VQ, clip: CLIP | Sequence[CLIP], text: str | Mapping[str, float], *, steps: int = 100, restarts: int = 4,
    seed: int | None = None, start: Any = None, prior: Joint | Diffusion | None = None, weight: float = 0.1,
    judge: CLIP | None = None,
) -> Steered:  # fmt: skip
    """Move the codes of pictures until a CLIP finds the text in them (VQGAN+CLIP: Crowson et al., arXiv 2204.08583).

    A point for each code of a picture is moved among the vectors of all codes; the nearest of them goes through the
    decoder, and gradients come back to the point as if it had gone itself. The picture is looked at in several
    cut-outs, and Adam goes down Σ wₜ ∠(f(cut-out), g(t))² over the texts t, with ∠ the angle between unit vectors. Of
    several CLIPs the mean is taken. With a prior, weight times how far a picture is from what the prior would have
    drawn is added.

    Args:
        vq: of pictures, fitted without conditions.
        clip: who looks; several make it harder to fool them.
        text: what is asked for; several texts by their weights, of which negative ones push away.
        steps: of Adam.
        restarts: pictures that are begun, each with codes and cut-outs of its own.
        seed: the same seed finds the same.
        start: a picture to begin from (records, as the VQ reads them); None: pictures that the VQ draws.
        prior: a `Joint`, or a `Diffusion` of pictures, that keeps them likely; it is not told the text.
        weight: of the prior, in squared deviations a pixel, against squared angles.
        judge: who ranks the restarts; one that was not looked at in the steps is not fooled by them.

    Raises:
        ArgumentError: the models do not fit, or an argument is out of range.

    >>> import pushforward as pf
    >>> shapes = pf.read("shapes:train")[:64]
    >>> vq = pf.VQ(width=4, stages=3).fit(shapes.select(["image"]), steps=2)
    >>> clip = pf.CLIP(width=4).fit(shapes, steps=2)
    >>> found = pf.steer(vq, clip, "a small red circle", steps=2, restarts=2, seed=0)
    >>> len(found.records), len(found.path)
    (2, 3)
    """
    clips = [clip] if isinstance(clip, CLIP) else list(clip)
    _check(vq, clips, judge)
    for name, value in (("steps", steps), ("restarts", restarts)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ArgumentError(f"{name}={value!r} is out of range; it must be a whole number, at least 1")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
        raise ArgumentError(f"weight={weight!r} is out of range; it must be a number, at least 0")
    texts = _weighted(text)
    source = on_device(generator(checked_seed(seed)), vq.device)
    aims = [_Aim(each, texts) for each in clips]
    likely = None if prior is None else Prior(prior, vq.schema.of_kind(Image)[0], source)
    way = _ways(vq, aims, _begin(vq, start, restarts, source), steps, source, likely, weight)
    with torch.no_grad():
        x = vq._outputs(way[-1], None).picture.clamp(-1, 1)
        ranks = aims if judge is None else [_Aim(judge, texts)]
        scores = torch.stack([aim.score(x) for aim in ranks]).mean(0)
    order = scores.argsort(descending=True)
    states = tuple(_shown(vq, codes[order[:1]]) for codes in way)
    left = tuple(float(t) for t in np.linspace(1, 0, len(states)))
    codes = way[-1][order]
    return Steered(_shown(vq, codes), scores[order].cpu().double().numpy(), codes.cpu().numpy(), Trail(states, left))


class _Aim:
    """The texts as one CLIP sees them."""

    def __init__(self, clip: CLIP, texts: Mapping[str, float]):
        self.clip = clip
        self._texts = clip.text_vectors(list(texts))
        self._weights = torch.tensor(list(texts.values()), device=self._texts.device)

    def loss(self, x: Tensor) -> Tensor:
        """(n,) weighted squared angles between pictures in [-1, 1] and texts."""
        found = self.clip.picture_vectors(x.to(self._texts.device))
        chord = (found[:, None] - self._texts).norm(dim=-1)
        angle = 2 * (chord / 2).clamp(max=1 - 1e-6).asin()
        return (angle.square() * self._weights).sum(1).to(x.device)

    def score(self, x: Tensor) -> Tensor:
        """(n,) weighted mean of the cosines."""
        found = self.clip.picture_vectors(x.to(self._texts.device)) @ self._texts.T
        return ((found * self._weights).sum(1) / self._weights.abs().sum()).to(x.device)


def _check(vq: VQ, clips: Sequence[CLIP], judge: CLIP | None) -> None:
    if not isinstance(vq, VQ):
        raise ArgumentError(f"vq={type(vq).__name__} has no codes to be moved; fit a VQ to pictures")
    vq._require_fit("steer")
    if vq.given or not vq.schema.of_kind(Image) or len(vq.schema) > 1:
        raise ArgumentError(f"the VQ was fitted to {', '.join(vq.schema.names)}; fit one to pictures alone")
    if not clips:
        raise ArgumentError("clip= names no CLIP; give at least one")
    for each in [*clips, *([judge] if judge is not None else [])]:
        if not isinstance(each, CLIP):
            raise ArgumentError(f"{type(each).__name__} finds no text in pictures; give a CLIP")
        each._require_fit("steer")


def _weighted(text: str | Mapping[str, float]) -> dict[str, float]:
    """Texts by weight."""
    texts = {text: 1.0} if isinstance(text, str) else {str(name): value for name, value in dict(text).items()}
    for name, value in texts.items():
        if not name.strip():
            raise ArgumentError(f"a text is {name!r}; say in a few words what the picture shall show")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ArgumentError(f"the weight of {name!r} is {value!r}; it must be a number")
    if not texts or max(texts.values()) <= 0:
        raise ArgumentError("no text has a weight above 0; say at least one that is asked for")
    return {name: float(value) for name, value in texts.items()}


@torch.no_grad()
def _begin(vq: VQ, start: Any, restarts: int, source: torch.Generator) -> Tensor:
    """(restarts, k) codes to begin from."""
    if start is None:
        return vq._draw(restarts, source)
    (tensors,) = vq._blocks(vq._single(start, "start"))
    return vq._codes(tensors).expand(restarts, -1).clone()


def _ways(
    vq: VQ, aims: Sequence[_Aim], codes: Tensor, steps: int, source: torch.Generator, prior: Prior | None, weight: float
) -> list[Tensor]:
    """The codes at some steps, the first and the last among them.

    What is moved are points among the vectors of all codes, within the box that holds these; each stands for the code
    whose vector is nearest, and slopes pass to it straight.
    """
    network, quantiser = vq.network, vq.network.quantiser
    vectors = quantiser.values(torch.arange(quantiser.size, device=codes.device)).detach().float()
    low, high = vectors.amin(0), vectors.amax(0)
    points = vectors[codes].requires_grad_()
    optimizer = torch.optim.Adam([points], lr=RATE * float(vectors.std()))
    kept = set(np.linspace(0, steps, min(STATES, steps + 1)).round().astype(int).tolist())
    way = [codes]
    ends = points.new_tensor(-1.0), points.new_tensor(1.0)
    with ExitStack() as stack:
        for module in (network, *(aim.clip.network for aim in aims)):
            stack.enter_context(frozen(module))
        for step in range(1, steps + 1):
            codes = nearest(points.detach().flatten(0, 1), vectors).view(codes.shape)
            values = vectors[codes] + points - points.detach()
            x = within(network.decode(values, None).picture, *ends)
            looks = covered(moved(x.repeat(CUTOUTS, 1, 1, 1), REACH, source), source)
            loss = torch.stack([aim.loss(looks) for aim in aims]).mean(0).sum() / CUTOUTS
            if prior is not None:
                loss = loss + weight * prior.loss(x).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            points.data.copy_(points.data.clamp(low, high))
            if step in kept:
                way.append(nearest(points.detach().flatten(0, 1), vectors).view(codes.shape))
    return way


@torch.no_grad()
def _shown(vq: VQ, codes: Tensor) -> Records:
    """What codes look like."""
    return vq._decode(codes.cpu(), None)
