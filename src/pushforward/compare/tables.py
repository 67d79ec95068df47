"""A comparison as rows and columns: words for tables, and a frame with all numbers."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from pushforward.compare.ranking import Summary, deciding
from pushforward.compare.result import COSTS, Comparison
from pushforward.errors import PushforwardError
from pushforward.metrics import Measured, about

if TYPE_CHECKING:
    import pandas as pd

MARKS = {"exact": "=", "bound": "≥", "estimate": "≈"}
MARKED = "log p of held-out records: = exact, ≥ no less than that, ≈ estimated; only numbers of one mark compare"
BRIEF = ("coverage", "utility", "pair trends")  # metrics of a short table, beside those that decide
HEADS = {"seconds to fit": "fit", "seconds per 1,000": "1,000 draws", "peak memory, MB": "memory",
         "parameters": "parameters", "saved, MB": "saved"}  # fmt: skip
MINUS = "\u2212"


def frame(comparison: Comparison) -> pd.DataFrame:
    """A row for each cell; of each metric the value, ``… low`` and ``… high``.

    Raises:
        PushforwardError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise PushforwardError("to_pandas() needs pandas; pip install pandas") from error
    rows = []
    for cell in comparison.cells:
        row: dict[str, Any] = {"model": cell.model, "seed": cell.seed, "failed": cell.failed, "density": cell.density}
        answers = {"nats": cell.nats} | {name: cell.found.get(name) for name in comparison.metrics}
        for name, one in answers.items():
            ends = (one.value, one.low, one.high) if isinstance(one, Measured) else (float("nan"),) * 3
            row |= dict(zip((name, f"{name} low", f"{name} high"), ends, strict=True))
        rows.append(row | {name: cell.cost.get(name, float("nan")) for name in COSTS})
    return pd.DataFrame(rows)


# Words


def number(value: float, like: float | None = None) -> str:
    """A number with no more digits than its size calls for, or that of another beside which it stands; a true minus.

    >>> number(0.51234), number(-1234.5), number(7.4417), number(0.02, like=7.4417)
    ('0.512', '−1,234', '7.44', '0.02')
    """
    size = abs(value if like is None else like)
    digits = 3 if size < 2 else 2 if size < 10 else 1 if size < 1000 else 0
    text = f"{value:,.{digits}f}"
    return text.replace("-", MINUS) if float(text.replace(",", "")) else text.replace("-", "")


def with_interval(one: Measured) -> str:
    """A number and its interval.

    >>> with_interval(Measured(0.52, 0.5, 0.54, "lower", 0.5))
    '0.520 (0.500 to 0.540)'
    """
    return f"{number(one.value)} ({number(one.low, one.value)} to {number(one.high, one.value)})"


def cost_in_words(name: str, value: float | None) -> str:
    """What a fit cost, with its unit.

    >>> cost_in_words("seconds to fit", 75.0), cost_in_words("parameters", 1234567.0)
    ('1:15 min', '1,234,567')
    """
    if value is None:
        return "–"
    if "seconds" in name:
        if value >= 60:
            return f"{int(value) // 60}:{int(value) % 60:02d} min"
        return f"{value:.1f} s" if value >= 1 else f"{1000 * value:.0f} ms"
    if "MB" in name:
        return f"{value / 1000:.1f} GB" if value >= 1000 else f"{value:.0f} MB" if value >= 10 else f"{value:.1f} MB"
    return f"{value:,.0f}"


def nats_in_words(summary: Summary, *, interval: bool = False) -> str:
    """The mean log probability behind the mark of what it is.

    >>> nats_in_words(Summary("flow", 1, nats=Measured(-2.5, -2.6, -2.4, "higher", 0.0), density="bound"))
    '≥ −2.50'
    """
    if summary.nats is None:
        return "–"
    words = with_interval(summary.nats) if interval else number(summary.nats.value)
    return f"{MARKS.get(summary.density, '?')} {words}"


def brief(comparison: Comparison) -> tuple[str, ...]:
    """The metrics of a short table: those that decide, what was asked for, and a few more."""
    decide = deciding(comparison)
    there = comparison.metrics
    asked = [name for name in there if about(name).group == "control"]
    return (*decide, *asked, *[name for name in BRIEF if name in there and name not in decide])


def seeds_in_words(summary: Summary) -> str:
    """How many seeds were finished, of how many.

    >>> seeds_in_words(Summary("gan", 3, failed={1: "it crashed"}))
    '2 of 3'
    """
    done = summary.seeds - len(summary.failed)
    return str(done) if not summary.failed else f"{done} of {summary.seeds}"


def fragment(comparison: Comparison) -> str:
    """The answer and a short table, for a notebook."""
    names = brief(comparison)
    heads = ["model", *names, "nats", *(HEADS[name] for name in COSTS[:3]), "seeds"]
    rows = [
        [
            s.model,
            *(with_interval(s.found[name]) if name in s.found else "–" for name in names),
            nats_in_words(s),
            *(cost_in_words(name, s.cost.get(name)) for name in COSTS[:3]),
            seeds_in_words(s),
        ]
        for s in comparison.ranked()
    ]
    _, why = comparison.winner()
    head = "".join(f"<th>{html.escape(word)}</th>" for word in heads)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(word)}</td>' for word in row)}</tr>" for row in rows)
    return f"<p>{html.escape(why)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
