"""How to do it again: command, seeds, versions, machine."""

from __future__ import annotations

from collections.abc import Mapping

from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import listed

TITLE = "How to reproduce"


def reproduce(view: View) -> Safe | None:
    """The command, then everything that the result may hang on."""
    data, setting = view.comparison.data, view.comparison.setting
    facts: dict[str, str] = {"data": str(data.get("name", ""))}
    facts["split"] = " and ".join(f"{data[key]:,} {word}" for key, word in _PARTS.items() if key in data)
    facts["fields"] = ", ".join(f"{name} ({kind})" for name, kind in data.get("fields", ()))
    facts["given"] = listed(data["given"]) if data.get("given") else ""
    facts["target of utility"] = str(data.get("target") or "")
    facts["seeds"] = ", ".join(str(seed) for seed in sorted({cell.seed for cell in view.comparison.cells}))
    minutes = setting.get("minutes")
    facts["time for each fit"] = f"{float(minutes):g} minutes" if minutes is not None else ""
    facts["fits at once"] = str(setting.get("processes", ""))
    facts["threads of each"] = str(setting.get("threads", ""))
    machine = setting.get("machine")
    facts["machine"] = (
        ", ".join(f"{k}: {v}" for k, v in machine.items()) if isinstance(machine, Mapping) else str(machine or "")
    )
    versions = setting.get("versions") or {}
    facts["versions"] = ", ".join(f"{package} {version}" for package, version in versions.items())
    facts["date"] = str(setting.get("date") or "")
    items = [el("div", el("dt", key), el("dd", value)) for key, value in facts.items() if value]
    command = setting.get("command")
    return join(el("pre", el("code", command), tabindex="0") if command else None, el("dl", items, class_="facts-list"))


_PARTS = {"rows": "learned from", "held out": "held out"}
