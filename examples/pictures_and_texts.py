"""Three roads from a caption to a picture, on the same captions: a game over pairs, one distribution, and steering.

python examples/pictures_and_texts.py [picture.png] [--data shapes|emoji] [--minutes 10] [--folder models]

All three learn from the same captioned pictures for the same minutes; of steering these go half to the `VQ` and half to
the `CLIP`. A second CLIP, which no road has seen, says how often it finds the own caption of a drawn picture among 100;
beside it stands what the CLIP finds that led the way. Models are kept in the folder, and taken from it where they are.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from look import GREY, INK, save

import pushforward as pf

SHOWN, AMONG = 6, 100


def kept(folder: Path | None, name: str, fit: Callable[[], Any]) -> Any:
    """A model from the folder, or a new one, which then is in it."""
    if folder is not None and (folder / name).exists():
        return pf.load(folder / name)
    model = fit()
    if folder is not None:
        model.save(folder / name)
    return model


def roads(
    train: pf.Records, minutes: float, folder: Path | None
) -> tuple[dict[str, Callable[[list[str]], np.ndarray]], pf.CLIP]:
    """What draws pictures of captions, by name, and the CLIP that leads."""
    game = kept(folder, "game", lambda: pf.GAN(width=24).fit(train, minutes=minutes, seed=0))
    joint = kept(folder, "joint", lambda: pf.Joint().fit(train, minutes=minutes, seed=0))
    codes = pf.VQ(codes=1024, local=True, width=64)
    vq = kept(folder, "vq", lambda: codes.fit(train.select(["image"]), minutes=minutes / 2, seed=0))
    clip = kept(folder, "clip", lambda: pf.CLIP().fit(train, minutes=minutes / 2, seed=0))

    def played(captions: list[str]) -> np.ndarray:
        return game.complete({"caption": captions}, seed=1).to_numpy()["image"]

    def drawn(captions: list[str]) -> np.ndarray:
        return joint.sample(len(captions), given={"caption": captions}, guidance=2.0, seed=1).to_numpy()["image"]

    def steered(captions: list[str]) -> np.ndarray:
        best = [pf.steer(vq, clip, caption, steps=60, restarts=2, seed=1).records[:1] for caption in captions]
        return best[0].concat(*best[1:]).to_numpy()["image"]

    def reranked(captions: list[str]) -> np.ndarray:
        some = vq.sample(400, seed=1)
        rows = clip.similarity(some, captions).argmax(0)
        return some.to_numpy()["image"][rows]

    by_name = {
        "A game over pairs": played, "One distribution": drawn, "Codes steered by CLIP": steered,
        "The best of 400 by CLIP": reranked,
    }  # fmt: skip
    return by_name, clip


def found(judge: pf.CLIP, pictures: np.ndarray, captions: list[str]) -> float:
    """How often a picture's own caption is the most similar."""
    cosines = judge.similarity({"image": pictures}, captions)
    own = np.array(captions) == np.array(captions)[:, None]
    return float((own & (cosines == cosines.max(1, keepdims=True))).any(1).mean())


def main() -> None:
    """Fit all, and draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("picture", nargs="?")
    parser.add_argument("--data", choices=["shapes", "emoji"], default="shapes")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, help="where models are kept")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    train, test = (pf.read(f"{said.data}:{split}").select(["image", "caption"]) for split in ("train", "test"))
    _, rows = np.unique(test.column("caption").to_pylist(), return_index=True)  # different captions, in any order
    test = test.take(np.random.default_rng(0).permutation(rows)[:AMONG])
    captions, pictures = test.column("caption").to_pylist(), test.to_numpy()["image"]
    if said.folder is not None:
        said.folder.mkdir(parents=True, exist_ok=True)
    judge = kept(said.folder, "judge", lambda: pf.CLIP().fit(train, minutes=said.minutes / 2, seed=7))
    ways, leader = roads(train, said.minutes, said.folder)
    drawn = {"Real": pictures} | {name: draw(captions) for name, draw in ways.items()}
    figure, axes = plt.subplots(len(drawn), SHOWN, figsize=(1.25 * SHOWN, 1.3 * len(drawn)))
    for line, (name, some) in zip(axes, drawn.items(), strict=True):
        share, own = (found(clip, some, captions) for clip in (judge, leader))
        print(f"{name}: found by a judge in {share:.2f}, by the leader in {own:.2f}", flush=True)
        for axis, picture, caption in zip(line, some, captions, strict=False):
            axis.imshow(picture)
            axis.set(xticks=[], yticks=[])
            plt.setp(axis.spines.values(), visible=True, color=GREY, linewidth=0.5)
            if axis in axes[0]:
                axis.set_title("\n".join(_lines(caption)), fontsize=6, color=INK, loc="center")
        line[0].set_ylabel(f"{name}\nfound {share:.0%}", fontsize=7)
    save(figure, "pictures-and-texts")


def _lines(caption: str, width: int = 18) -> list[str]:
    lines = [""]
    for word in caption.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


if __name__ == "__main__":
    main()
