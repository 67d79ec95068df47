"""How well `Joint` draws pictures from captions, captions from pictures, and both.

    python benchmarks/joint.py shapes --minutes 20 --out shapes-joint
    python benchmarks/joint.py emoji --minutes 45 --judge emoji-clip --out emoji-joint

Of shapes a tenth of the training pairs is held out (`seen`: their combinations of colour, shape and size were
learned from); `unseen` are pictures with a combination that was not. Drawn pictures are read by a deterministic parser.
Of emoji, `test` are persons in a tone that they were never seen in, `unseen` concepts never seen. The tone of a drawn
emoji is the one whose real picture of the same concept is nearest where tones differ. With ``--judge``, a CLIP that
`benchmarks/clip.py` fitted with another seed looks for the own caption of each drawn picture among 100.

Pairs that are drawn words first, picture first and together are told apart by a network that sees both; chance is .5.
Words are draws then, not the likeliest of many. A picture that comes first is led by words that are forgotten. A
copy is a draw much nearer to a training picture than those are to each other. ``--model`` measures one that was saved.
"""

from __future__ import annotations

import argparse
import itertools
import re
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

import pushforward as pf
from pushforward.metrics.copying import copied
from pushforward.nets.conv import Shrink
from pushforward.nets.texts import Texts
from pushforward.testing.shapes import attribute_f1, met
from pushforward.training.randomness import scope

TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
TONE = re.compile(rf", ({'|'.join(TONES)}) skin tone$")
SURE = 0.1  # temperature of captions
MOST = 300  # pairs of a split that are drawn
FIRSTS = ("words", "picture", "together")


def captions(records: pf.Records) -> list[str]:
    """Those of records."""
    return records.column("caption").to_pylist()


def from_words(model: pf.Model, records: pf.Records, **how: object) -> np.ndarray:
    """Pictures drawn from captions."""
    return model.sample(len(records), given={"caption": captions(records)}, seed=1, **how).to_numpy()["image"]


def from_pictures(model: pf.Model, records: pf.Records, **told: object) -> list[str]:
    """Captions of pictures; where nothing else is said, nearly the most probable, not draws of all there may be."""
    told = told or {"temperature": SURE}
    return captions(model.sample(len(records), given=records.select(["image"]), seed=1, **told))


# Shapes


def shapes(model: pf.Model, sets: dict[str, pf.Records], how: dict[str, object], told: dict[str, object]) -> None:
    """Captions met, and attributes found, split by split."""
    for name, records in sets.items():
        drawn, real = from_words(model, records, **how), records.to_numpy()["image"]
        own = np.mean([met(said, picture) for said, picture in zip(captions(records), drawn, strict=True)])
        f1 = attribute_f1(from_pictures(model, records, **told), captions(records))
        true = np.mean([met(c, p) for c, p in zip(captions(records), real, strict=True)])
        print(
            f"{name:8} captions met {own:.3f} (real {true:.3f}), attributes F1 {f1:.3f}",
            flush=True,
        )


# Emoji


class Tones:
    """The real pictures of each concept in all tones, and where they differ."""

    def __init__(self, *splits: pf.Records):
        self.pictures: dict[tuple[str, str], np.ndarray] = {}
        for records in splits:
            for caption, picture in zip(captions(records), records.to_numpy()["image"], strict=True):
                if found := TONE.search(caption):
                    self.pictures[TONE.sub("", caption), found[1]] = picture.astype(float)

    def of(self, picture: np.ndarray, concept: str) -> str | None:
        """The tone of a drawn picture; None where the real ones are not known in all tones."""
        if not all((concept, tone) in self.pictures for tone in TONES):
            return None
        real = np.stack([self.pictures[concept, tone] for tone in TONES])
        skin = np.ptp(real.mean(-1), axis=0) > 40  # grey levels, between the lightest and the darkest
        colours = [each[skin].mean(0) for each in (*real, picture.astype(float))]
        return TONES[int(np.argmin([np.square(colours[-1] - colour).sum() for colour in colours[:-1]]))]


def emoji(
    model: pf.Model, sets: dict[str, pf.Records], everything: tuple[pf.Records, ...], judge: pf.Model | None,
    how: dict[str, object], told: dict[str, object],
) -> None:  # fmt: skip
    """Tones, concepts among 100 by the judge, and captions, split by split."""
    tones = Tones(*everything)
    for name, records in sets.items():
        drawn, said = from_words(model, records, **how), captions(records)
        asked = [TONE.search(caption) for caption in said]
        right = [
            tones.of(picture, TONE.sub("", caption)) == tone[1]
            for picture, caption, tone in zip(drawn, said, asked, strict=True)
            if tone and tones.of(picture, TONE.sub("", caption)) is not None
        ]
        found = from_pictures(model, records, **told)
        told_tone = [(TONE.search(a) or [None] * 2)[1] == tone[1] for a, tone in zip(found, asked, strict=True) if tone]
        exact = np.mean([TONE.sub("", a) == TONE.sub("", b) for a, b in zip(found, said, strict=True)])
        line = f"{name:8} tone {_mean(right)}, caption: tone {_mean(told_tone)}, concept {exact:.3f}"
        print(line + _judged(judge, drawn, records), flush=True)


def _mean(values: list[bool]) -> str:
    return f"{np.mean(values):.3f}" if values else "  -  "


def _judged(judge: pf.Model | None, drawn: np.ndarray, records: pf.Records) -> str:
    if judge is None:
        return ""
    from clip import top1  # beside this file

    concepts = np.array([TONE.sub("", caption) for caption in captions(records)])
    found = [
        top1(judge.similarity(pictures, captions(records)), concepts)
        for pictures in ({"image": drawn}, records.select(["image"]))
    ]
    return f", own among 100 {found[0]:.3f} (real pictures {found[1]:.3f})"


# Pairs


class Teller(nn.Module):
    """Which of two kinds a pair is of."""

    def __init__(self, shape: tuple[int, int, int], width: int = 32):
        super().__init__()
        self.look, self.read = Shrink(*shape, hidden=(width, 2 * width), layers=1), Texts(2 * width)
        self.last = nn.Sequential(nn.Linear(4 * width, 2 * width), nn.SiLU(), nn.Linear(2 * width, 1))

    def forward(self, x: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """(n,) logits."""
        h = self.look(x).mean((2, 3))
        w = self.read(tokens)
        return self.last(torch.cat([h * w, w], 1))[:, 0]


def told_apart(one: pf.Records, other: pf.Records, steps: int = 400) -> float:
    """Accuracy on held-out pairs, the half of each kind."""
    pictures, words, kinds = [], [], []
    for kind, records in enumerate((one, other)):
        x = torch.from_numpy(records.to_numpy()["image"].copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
        pictures.append(x)
        words += captions(records)
        kinds.append(torch.full((len(x),), float(kind)))
    x, y = torch.cat(pictures), torch.cat(kinds)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    train, test = order[: len(y) // 2], order[len(y) // 2 :]
    with scope(0):
        teller = Teller(tuple(x.shape[1:]))
        tokens = teller.read.tokens(words)
        learner = torch.optim.AdamW(teller.parameters(), lr=1e-3, weight_decay=0.05)
        for _ in range(steps):
            rows = train[torch.randint(len(train), (64,))]
            loss = nn.functional.binary_cross_entropy_with_logits(teller(x[rows], tokens[rows]), y[rows])
            learner.zero_grad()
            loss.backward()
            learner.step()
        with torch.no_grad():
            return float(((teller.eval()(x[test], tokens[test]) > 0).float() == y[test]).float().mean())


def pairs(model: pf.Model, real: pf.Records, n: int, how: dict[str, object]) -> None:
    """How well ways of drawing pairs, and real ones, are told apart."""
    how = {name: value for name, value in how.items() if name != "best"}  # which the last of the ways cannot do
    drawn = {first: model.sample(n, seed=i, first=first, **how) for i, first in enumerate(FIRSTS)}
    for a, b in itertools.combinations(FIRSTS, 2):
        print(f"pairs {a} first, {b} first: told apart {told_apart(drawn[a], drawn[b]):.3f}", flush=True)
    some = real.take(np.random.default_rng(0).choice(len(real), min(n, len(real)), replace=False))
    print(f"pairs words first, real: told apart {told_apart(drawn['words'][: len(some)], some):.3f}", flush=True)


def copies(model: pf.Model, train: pf.Records, asked: pf.Records, how: dict[str, object]) -> None:
    """Copies among pictures of captions never seen, and of those that were learned from."""
    real = torch.from_numpy(train.to_numpy()["image"].reshape(len(train), -1).copy()).float() / 255
    for name, records in {"held-out captions": asked, "captions learned from": train[: len(asked)]}.items():
        drawn = torch.from_numpy(from_words(model, records, **how).reshape(len(records), -1).copy()).float() / 255
        print(f"copies, {name}: {copied(real, drawn):.3f}", flush=True)


def speed(model: pf.Model, records: pf.Records, how: dict[str, object], told: dict[str, object]) -> None:
    """Seconds for 16 pictures and for a caption, the median of five."""
    asked, times = records[:16], []
    calls = (lambda: from_words(model, asked, **how), lambda: from_pictures(model, asked[:1], **told))
    for call in calls:
        call()
        took = []
        for _ in range(5):
            start = time.monotonic()
            call()
            took.append(time.monotonic() - start)
        times.append(float(np.median(took)))
    print(f"16 pictures {times[0]:.2f} s, a caption {times[1]:.3f} s", flush=True)


def main() -> None:
    """Fit or load, and print what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", choices=["shapes", "emoji"])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validation", type=float, default=None, help="share of pairs that tell which weights stay")
    parser.add_argument("--fields", default="caption", help="texts and categories, of emoji")
    parser.add_argument("--option", action="append", default=[], help="name=value, a hyperparameter")
    parser.add_argument("--how", action="append", default=[], help="name=value, an option of sample")
    parser.add_argument("--told", action="append", default=[], help="the same, of captions")
    parser.add_argument("--judge", default=None, help="folder of a CLIP")
    parser.add_argument("--model", default=None, help="folder of a model that was saved")
    parser.add_argument("--out", default=None)
    parser.add_argument("--pairs", type=int, default=600)
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    fields = ["image", *said.fields.split(",")]
    train, seen = pf.read(f"{said.data}:train").select(fields).split(0.9 if said.data == "shapes" else 0.95, seed=0)
    held = {
        name: pf.read(f"{said.data}:{name}") for name in (["test"] if said.data == "shapes" else ["test", "unseen"])
    }
    if said.model is None:
        known = pf.Joint.parameters()
        options = dict(pair.split("=", 1) for pair in said.option)
        model = pf.Joint(**{name: known[name].read(value) for name, value in options.items()})
        start = time.monotonic()
        model.fit(train, minutes=said.minutes, seed=said.seed, device="cpu", validation=said.validation)
        steps = {"pictures": model.measurements["pictures"]["steps"], "words": model.measurements["steps"]}
        print(f"{steps} steps, {time.monotonic() - start:.0f} s, {model.measurements['last']}", flush=True)
        if said.out:
            model.save(said.out)
    else:
        model = pf.load(said.model)
    known = model.options()
    how, told = (
        {name: known[name].read(value) for name, value in (pair.split("=", 1) for pair in several)}
        for several in (said.how, said.told)
    )
    judge = None if said.judge is None else pf.load(said.judge)
    asked = held["unseen" if said.data == "emoji" else "test"]
    if said.data == "shapes":
        shapes(model, {"seen": seen[:MOST], "unseen": held["test"][:MOST]}, how, told)
    else:
        sets = {"seen": seen, "test": held["test"], "unseen": held["unseen"]}
        emoji(model, sets, (train, seen, *held.values()), judge, how, told)
    speed(model, seen, how, told)
    copies(model, train, asked[:MOST], how)
    pairs(model, train, said.pairs, how)
    if said.out or said.model:
        shown = held["test"][:24]
        drawn = pf.read({"image": from_words(model, shown, **how), "caption": captions(shown)}, text=["caption"])
        both = [each for pair in zip(range(24), range(24, 48), strict=True) for each in pair]
        real = shown.select(["image", "caption"])
        real.concat(drawn).take(both).select(["image"]).save(Path(said.out or said.model).with_suffix(".png"))


if __name__ == "__main__":
    main()
