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


def card(described: dict[str, Any], numbers: int, use: str = "sample(10)") -> str:
    """Markdown about a model, from what `model.json` says of it.

    Args:
        described: the content of `model.json`.
        numbers: how many numbers were learned.
        use: what to ask of the model first.
    """
    schema = Schema.from_json(described["schema"])
    given = described["given"]
    measured = described["measurements"]
    marks = {True: "yes", False: ""}
    cells = ((f.name, f.kind, f.describe(), marks[f.missing], marks[f.name in given]) for f in schema)
    rows = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    left = "".join(f"- `{column.name}` was left out: {column.reason}.\n" for column in schema.left_out)
    options = "\n".join(f"| {name} | {_shown(value)} |" for name, value in described["hyperparameters"].items())
    return f"""# A {described["family"]} of {measured["records"]:,} records

Fitted with pushforward {described["version"]} in {measured["seconds"]:g} s and {measured["steps"]:,} steps
(seed {described["seed"]}; {_losses(measured)}). It holds {numbers:,} numbers and gives
{_DENSITY[described["density"]]}{", given " + ", ".join(given) if given else ""}{_errors(measured)}.

```python
import pushforward as pf

model = pf.load(".")   # this folder
model.{use}
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
{_parts(described)}
## Mind

What it draws resembles the data it was fitted to, with that data's gaps and biases; the ranges and levels
above are taken from it. A draw is not an anonymous record: whether draws come too close to single records
has to be measured.
"""


def _losses(measured: dict[str, Any]) -> str:
    """The last losses of a fit, in words."""
    return ", ".join(f"{name} {value:g}" for name, value in measured["last"].items()) or "no losses"


def _errors(measured: dict[str, Any]) -> str:
    """How far a density is off that is solved for, where that was measured."""
    parts = [f"{value:g} by its {name}" for name, value in measured.get("errors", {}).items()]
    return f", off by {' and '.join(parts)} (nats a record)" if parts else ""


def _shown(value: Any) -> str:
    """A hyperparameter in words; one that is a model by its family and its own hyperparameters."""
    if not isinstance(value, dict):
        return str(value)
    options = ", ".join(f"{name} {_shown(own)}" for name, own in value["hyperparameters"].items())
    return f"{value['family']} ({options})" if options else str(value["family"])


def _parts(described: dict[str, Any]) -> str:
    """How each part was fitted, where the model is made of others."""
    known = described["measurements"]  # a part that was not needed has none
    parts = [
        name for name, value in described["hyperparameters"].items() if isinstance(value, dict) and known.get(name)
    ]
    if not parts:
        return ""
    rows = []
    for name in parts:
        of, measured = described["hyperparameters"][name]["family"], known[name]
        rows.append(f"| {name} | {of} | {measured['steps']:,} | {measured['seconds']:g} s | {_losses(measured)} |\n")
    return "\n## Parts\n\n| part | family | steps | time | last |\n| --- | --- | --- | --- | --- |\n" + "".join(rows)
