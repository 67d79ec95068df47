"""Evidence of copying, and nothing more: what was not found may be there all the same."""

from __future__ import annotations

from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.sections.table import metric_table
from pushforward.compare.report.view import View
from pushforward.compare.report.words import listed

TITLE = "Copies of training records"
CAUTION = (
    "These tests can find evidence that records were copied. They cannot show that none were: draws without a finding "
    "are not anonymous, and nothing here is a guarantee of privacy."
)


def privacy(view: View) -> Safe | None:
    """What was found of each model, in words first."""
    names = view.metrics("privacy")
    if not names:
        return None
    findings = [(one, name) for one in view.ran for name in names if name in one.found and one.found[name].flag]
    items = [
        el(
            "li",
            view.name(one.model),
            f", {name}: ",
            one.found[name].words or "evidence that training records were copied",
        )
        for one, name in findings
    ]
    silent = [name for name in names if name in view.comparison.greyed]
    said = "Evidence of copying was found:" if items else "No evidence of copying was found by these tests."
    if not items and len(silent) == len(names):
        said = "On these data none of these tests can find copies, so nothing is known."
    elif not items and silent:
        said += f" Of them, {listed(silent)} could not have found any on these data."
    return join(
        el("p", CAUTION, class_="note strong"),
        el("p", said, class_="bad" if items else None),
        el("ul", items, class_="notes") if items else None,
        metric_table(view, names),
    )
