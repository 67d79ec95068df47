"""A GAN that is told the label draws digits: judged by networks trained on real ones, and looked at for leaks.

python benchmarks/gan_pictures.py digits 1 [--seeds 3] [--set width=32] [--sheet path.png]
python benchmarks/gan_pictures.py path/to/mnist5k.parquet 5
python benchmarks/gan_pictures.py digits 1 --few 300 --against augment=0   # the same with other settings beside

Numbers are those of `judges.py`, and

- leak: the share of draws that are nearer to a changed training picture (moved, cut out, or both, as `Augment` does
  it) than to any as it is, less the same share of held-out pictures. 0: no more draws look changed than real ones do.
  Draws that do not look like digits yet are near to cut ones too, so it says something only where the class is seen.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import torch
from judges import Court, nearness
from torch import Tensor

import pushforward as pf
from pushforward.adversarial.augment import Augment
from pushforward.spec import model_of

COPIES = 4  # changed pictures to a training picture


def arrays(records: pf.Records) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, and labels as whole numbers."""
    return records.to_numpy()["image"], np.array([int(v) for v in records.column("label").to_pylist()])


def points(model: pf.GAN, records: pf.Records) -> Tensor:
    """(n, pixels) as the discriminator sees them, in whose coordinates changes are made."""
    return model.network.flat(model._tensors(records.select(model.schema.names)))[0]


def changed(model: pf.GAN, x: Tensor) -> Tensor:
    """Copies that are moved, cut out, or both; those that came out as they were are left out."""
    source = torch.Generator().manual_seed(0)
    augment = Augment(model.network.flat.shape, model.colour, model.flips)
    copies = torch.cat([augment.drawn(len(x), torch.tensor(0.5), source)(x) for _ in range(COPIES)])
    return copies[(copies != x.repeat(COPIES, 1)).any(1)]


def leaked(model: pf.GAN, train: pf.Records, held: pf.Records, drawn: pf.Records) -> float:
    """How much larger the share of those near a changed picture is among draws than among held-out pictures."""
    base = points(model, train)
    copies = changed(model, base)

    def share(records: pf.Records) -> float:
        x = points(model, records)
        return float((nearest(x, copies) < nearest(x, base)).float().mean())

    return share(drawn) - share(held)


def nearest(x: Tensor, base: Tensor) -> Tensor:
    """(n,) distances."""
    return torch.cat([torch.cdist(part, base).min(1).values for part in x.split(256)])


def main() -> None:
    """A line a seed and setting, then the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--set", default="", help="hyperparameters, such as width=32,pack=2")
    parser.add_argument("--against", help="more hyperparameters, with which the same is done beside")
    parser.add_argument("--few", type=int, help="training pictures; the judges learn from all of them")
    parser.add_argument("--sheet", help="a PNG of a hundred draws of the first seed")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    full, held = pf.read(said.data).split(0.8, seed=0)
    train = full if said.few is None else full[: said.few]
    truth = arrays(held)
    court = Court(arrays(full), truth, 10)
    levels = list(train.schema["label"].values)
    asked = np.arange(len(full)) % 10
    kinds = [said.set] if said.against is None else [said.set, f"{said.set},{said.against}".strip(",")]
    rows: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    print(f"{len(train)} pictures, {said.minutes:g} min, {torch.get_num_threads()} threads", flush=True)
    for seed in range(said.first, said.first + said.seeds):
        for kind in kinds:
            model = model_of("--set", f"gan:{kind}", pf.Model)
            start = time.monotonic()
            model.fit(train, given="label", minutes=said.minutes, seed=seed)
            fitted = time.monotonic() - start
            drawn = model.sample(len(asked), given={"label": [levels[i] for i in asked]}, seed=1)
            pixels = drawn.to_numpy()["image"]
            found = court.verdict(pixels, asked)
            found |= nearness(pixels[: len(held)], arrays(train)[0], truth[0])
            found["leak"] = leaked(model, train, held, drawn[: len(held)])
            found["augmentation"] = float(model.network.discriminator.augmentation)
            rows[kind].append(found)
            alarms = ", ".join(sorted({text.split(":")[0] for _, text in model.history.notes})) or "none"
            print(f"gan:{kind} seed {seed}, {fitted:.0f} s, {model.measurements['steps']} steps, "
                  f"gamma {model.measurements['gamma']:g}, alarms {alarms}:", _rounded(found), flush=True)  # fmt: skip
            if said.sheet and seed == said.first and kind == said.set:
                drawn[:100].sheet(10).save(said.sheet)
    for kind, found_ in rows.items():
        means = {name: float(np.mean([row[name] for row in found_])) for name in found_[0]}
        print(f"gan:{kind} mean:", _rounded(means))


def _rounded(found: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in found.items()}


if __name__ == "__main__":
    main()
