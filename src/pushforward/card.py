"""The model card: what a saved model is, for a person who finds the folder."""

from __future__ import annotations

from typing import Any

from pushforward.data.schema import Schema

_DENSITY = {
    "exact": "exact log-likelihoods",
    "bound": "lower bounds of log-likelihoods",
    "estimate": "estimates of log-likelihoods",
    "none": "no log-likelihoods",
}


def card(described: dict[str, Any], numbers: int) -> str:
    """Markdown about a model, from what `model.json` says of it.

    Args:
        described: the content of `model.json`.
        numbers: how many numbers were learned.
    """
    schema = Schema.from_json(described["schema"])
    given = described["given"]
    measured = described["measurements"]
    marks = {True: "yes", False: ""}
    cells = ((f.name, f.kind, f.describe(), marks[f.missing], marks[f.name in given]) for f in schema)
    rows = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    left = "".join(f"- `{column.name}` was left out: {column.reason}.\n" for column in schema.left_out)
    options = "\n".join(f"| {name} | {value} |" for name, value in described["hyperparameters"].items())
    last = ", ".join(f"{name} {value:g}" for name, value in measured["last"].items())
    return f"""# A {described["family"]} of {measured["records"]:,} records

Fitted with pushforward {described["version"]} in {measured["seconds"]:g} s and {measured["steps"]:,} steps
(seed {described["seed"]}; {last or "no losses"}). It holds {numbers:,} numbers and gives
{_DENSITY[described["density"]]}{", given " + ", ".join(given) if given else ""}.

```python
import pushforward as pf

model = pf.load(".")   # this folder
model.sample(10)
```

## Fields

| field | kind | range | holes | condition |
| --- | --- | --- | --- | --- |
{rows}

{left}
## Hyperparameters

| name | value |
| --- | --- |
{options}

## Mind

What it draws resembles the data it was fitted to, with that data's gaps and biases; the ranges and levels
above are taken from it. A draw is not an anonymous record: whether draws come too close to single records
has to be measured.
"""
