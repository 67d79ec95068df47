"""A comparison as Markdown: the answer first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pushforward.compare.ranking import Summary
from pushforward.compare.result import COSTS, Comparison
from pushforward.compare.tables import MARKED, cost_in_words, nats_in_words, number, seeds_in_words, with_interval
from pushforward.metrics import Measured, about

GROUPS = {"quality": "Quality", "control": "What was asked for", "privacy": "Copies: evidence, never a guarantee"}


def markdown(comparison: Comparison) -> str:
    """The whole, a section for each trade-off."""
    summaries = comparison.ranked()
    winner, why = comparison.winner()
    about_data, given = comparison.data, comparison.data.get("given") or []
    head = f"# {about_data.get('name', 'Comparison')}: {winner or 'no clear winner'}"
    setting = (
        f"{about_data.get('rows', 0):,} records to learn from, {about_data.get('held out', 0):,} held out"
        + (f", given {', '.join(given)}" if given else "")
        + f"; {comparison.setting.get('minutes', 0):g} minutes for each fit. Means over seeds, with 95 % intervals."
    )
    parts = [head, why[:1].upper() + why[1:] + ".", setting]
    for group, title in GROUPS.items():
        names = [name for name in comparison.metrics if about(name).group == group]
        if names:
            parts += [f"## {title}", _measured(comparison, summaries, names, nats=group == "quality")]
    parts += ["## Stability", _stability(comparison, summaries), "## Cost", _cost(summaries)]
    if any(comparison.guidance.values()):
        parts += ["## Guidance", _guidance(comparison)]
    parts += _reasons("Cannot tell anything apart on these records", comparison.greyed)
    parts += _reasons("Does not take part", comparison.unfit)
    parts += ["## How to reproduce", _reproduced(comparison.setting)]
    return "\n\n".join(parts) + "\n"


def _measured(comparison: Comparison, summaries: Sequence[Summary], names: list[str], *, nats: bool) -> str:
    heads = ["", *(f"{name} (says nothing)" if name in comparison.greyed else name for name in names)]
    rows = [[s.model, *(_answer(s.found.get(name)) for name in names)] for s in summaries]
    for control, found in comparison.controls.items():
        answers = [found.get(name) for name in names]
        rows.append([f"*{control}*", *(_answer(one if isinstance(one, Measured) else None) for one in answers)])
    notes = [f"- {name}: {about(name).words}." for name in names]
    if nats:
        heads.append("nats")
        for row, summary in zip(rows, summaries, strict=False):
            row.append(nats_in_words(summary, interval=True))
        rows = [row + [""] * (len(heads) - len(row)) for row in rows]
        notes.append(f"- nats: {MARKED}.")
    return f"{table(heads, rows)}\n\n" + "\n".join(notes)


def _answer(one: Measured | None) -> str:
    return "–" if one is None else with_interval(one) + (" ⚑" if one.flag else "")


def _stability(comparison: Comparison, summaries: Sequence[Summary]) -> str:
    from pushforward.compare.ranking import deciding

    names = deciding(comparison)
    heads = ["", "seeds", *(f"{name}: {word}" for name in names for word in ("spread", "worst seed")), "oscillation"]
    factors = list(dict.fromkeys(factor for found in comparison.sensitivity.values() for factor in found))
    heads += ["stopped", *(f"two-sample at {factor} × lr" for factor in factors), "said"]
    rows = []
    for s in summaries:
        own = [number(there[name]) if name in there else "–" for name in names for there in (s.spread, s.worst)]
        waves = "–" if s.oscillation is None else number(s.oscillation)
        rates = [comparison.sensitivity.get(s.model, {}).get(factor) for factor in factors]
        told = [_answer(one) if isinstance(one, Measured) else str(one or "–") for one in rates]
        notes = [*(f"seed {seed} failed: {why}" for seed, why in s.failed.items()), *s.alarms]
        rows.append([s.model, seeds_in_words(s), *own, waves, str(s.stopped or "–"), *told, "; ".join(notes) or "–"])
    return table(heads, rows)


def _cost(summaries: Sequence[Summary]) -> str:
    rows = [[s.model, *(cost_in_words(name, s.cost.get(name)) for name in COSTS)] for s in summaries]
    return table(["", *COSTS], rows)


def _guidance(comparison: Comparison) -> str:
    curves = {model: curve for model, curve in comparison.guidance.items() if curve}
    names = list(dict.fromkeys(name for curve in curves.values() for found in curve.values() for name in found))
    rows = []
    for model, curve in curves.items():
        for weight, found in curve.items():
            answers = [found.get(name) for name in names]
            rows.append([model, weight, *(_answer(one if isinstance(one, Measured) else None) for one in answers)])
    return table(["", "weight", *names], rows)


def _reasons(title: str, reasons: Mapping[str, str]) -> list[str]:
    lines = [f"- {name}: {why}" for name, why in reasons.items()]
    return [f"## {title}", "\n".join(lines)] if lines else []


def _reproduced(setting: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in setting.get("versions", {}).items())
    facts = {
        "seeds": ", ".join(map(str, setting.get("seeds", ()))), "versions": versions,
        "machine": setting.get("machine", ""), "date": setting.get("date", ""),
    }  # fmt: skip
    lines = [f"- {name}: {value}" for name, value in facts.items() if value]
    return f"```sh\n{setting.get('command', '')}\n```\n\n" + "\n".join(lines)


def table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown whose columns stand below one another in plain text too.

    >>> print(table(["", "fit"], [["gan", "1 s"]]))
    |     | fit |
    | --- | --- |
    | gan | 1 s |
    """
    lines = [[" ".join(word.replace("|", "\\|").split()) for word in row] for row in [list(heads), *rows]]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    text = [" | ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)) for line in lines]
    text.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in text)
