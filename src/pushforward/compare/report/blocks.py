"""Larger pieces that several parts of the page are made of."""

from __future__ import annotations

from pushforward.compare.report.elements import Child, Safe, el


def note(*words: Child) -> Safe:
    """What to know before reading what comes."""
    return el("p", *words, class_="note")


def head(name: Child, class_: str | None = None) -> Safe:
    """The head of a column."""
    return el("th", name, scope="col", class_=class_)


def table(words: str, heads: Child, rows: Child, class_: str = "plain") -> Safe:
    """A table in a box that scrolls by itself where the page is narrow.

    Args:
        words: what it is, for who cannot see it.
        heads: of the columns.
        rows: its rows.
        class_: its look.
    """
    inside = el("table", el("thead", el("tr", heads)), el("tbody", rows), class_=class_)
    return el("div", inside, class_="scroll", tabindex="0", role="region", aria_label=words)
