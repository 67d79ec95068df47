"""What of a table survives fit → sample: types, ranges, decimals, levels, and the rate of holes, column by column.

python benchmarks/fidelity.py [minutes of diffusion on adult]
"""

from __future__ import annotations

import sys

import pyarrow.compute as pc

import pushforward as pf

N = 30_000


def compare(name: str, model: pf.Model, data: pf.Records) -> None:
    """Print the largest difference in the rate of holes, in points, and what did not survive."""
    drawn = model.sample(N, seed=0)
    assert drawn.table.schema.equals(data.table.schema), "types"
    worst: tuple[float, str] = (0.0, "none")
    lost: list[str] = []
    for field in data.schema:
        ours, theirs = drawn.column(field.name), data.column(field.name)
        apart = 100 * (ours.null_count / N - theirs.null_count / len(data))
        worst = max(worst, (abs(apart), field.name))
        if isinstance(field, pf.Number):
            low, high = pc.min_max(ours).as_py().values()
            inside = field.low <= low and high <= field.high
            whole = field.decimals is None or pc.all(pc.equal(ours, pc.round(ours, field.decimals))).as_py()
            lost += [] if inside and whole else [field.name]
        elif isinstance(field, pf.Category):
            lost += [] if set(pc.unique(ours.drop_null()).to_pylist()) <= set(field.values) else [field.name]
    steps = model.measurements["steps"]
    gap, column = worst
    print(f"{name:32} {steps:5} steps   holes off by at most {gap:.2f} points ({column}), lost: {lost or 'none'}")


def main() -> None:
    """Both families on both tables."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    penguins, adult = pf.read("penguins"), pf.read("adult")
    compare("mixture, penguins", pf.GaussianMixture(components=3).fit(penguins), penguins)
    compare("mixture, adult", pf.GaussianMixture().fit(adult, steps=60), adult)
    compare("diffusion, penguins", pf.Diffusion().fit(penguins, steps=2000), penguins)
    compare(f"diffusion, adult, {minutes:g} min", pf.Diffusion().fit(adult, minutes=minutes), adult)


if __name__ == "__main__":
    main()
