"""A comparison as one page: self-contained HTML that asks for nothing from outside, and runs no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pushforward.compare.result import Comparison


def html(comparison: Comparison) -> str:
    """The page of a comparison: the answer first, then all that it stands on.

    It is one file in light and dark, for screens from 400 pixels on and for print.

    Args:
        comparison: what was found; samples are shown where its folder still holds them.

    >>> from pushforward.compare.result import Cell, Comparison
    >>> page = html(Comparison({"name": "a table"}, {}, (Cell("vae", 0, failed="it ran out of memory"),)))
    >>> page.startswith("<!DOCTYPE html>"), "it ran out of memory" in page
    (True, True)
    """
    from pushforward.compare.report.page import page
    from pushforward.compare.report.view import View

    return page(View(comparison))
