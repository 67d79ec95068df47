"""Families that could not take part, and why."""

from __future__ import annotations

from pushforward.compare.report.elements import Safe, el
from pushforward.compare.report.view import View

TITLE = "Who could not take part"


def unfit(view: View) -> Safe | None:
    """Each family with its reason."""
    reasons = view.comparison.unfit
    items = [el("div", el("dt", family), el("dd", reason)) for family, reason in reasons.items()]
    return el("dl", items, class_="meanings") if items else None
