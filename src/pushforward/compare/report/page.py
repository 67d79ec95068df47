"""The page as a whole: its head, its parts in their order, and the way between them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.sections import (
    control,
    controls,
    cost,
    privacy,
    reproduce,
    samples,
    stability,
    table,
    time,
    unfit,
    worst,
)
from pushforward.compare.report.sections.answer import answer
from pushforward.compare.report.view import View

PARTS: tuple[tuple[str, str, str, Callable[[View], Safe | None]], ...] = (
    ("table", "Metrics", table.TITLE, table.table),
    ("samples", "Samples", samples.TITLE, samples.samples),
    ("time", "Time", time.TITLE, time.time),
    ("stability", "Stability", stability.TITLE, stability.stability),
    ("control", "Control", control.TITLE, control.control),
    ("columns", "Columns", worst.TITLE, worst.worst),
    ("controls", "Controls", controls.TITLE, controls.controls),
    ("privacy", "Copies", privacy.TITLE, privacy.privacy),
    ("cost", "Cost", cost.TITLE, cost.cost),
    ("unfit", "Not fit", unfit.TITLE, unfit.unfit),
    ("reproduce", "Reproduce", reproduce.TITLE, reproduce.reproduce),
)


def page(view: View) -> str:
    """The whole file."""
    there = [(key, short, title, body) for key, short, title, part in PARTS if (body := part(view))]
    ways = el("nav", [el("a", short, href=f"#{key}") for key, short, _, _ in there], aria_label="Parts of this page")
    parts = [el("section", el("h2", title), body, id=key) for key, _, title, body in there]
    name = view.comparison.data.get("name", "data")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"Which model for {name}?"),
        el("style", Safe(_look())),
    )
    version = (view.comparison.setting.get("versions") or {}).get("pushforward")
    foot = el("footer", el("p", "Made by pushforward", f" {version}" if version else None, "."))
    body = el("body", el("main", answer(view), ways, parts, foot))
    return f"<!DOCTYPE html>\n{join(el('html', head, body, lang='en'))}\n"


def _look() -> str:
    return resources.files(__package__).joinpath("look.css").read_text(encoding="utf-8")
