"""What a comparison measures: functions of records, each usable alone. This package knows no family."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Names and their modules, imported when they are first used: a family asks for one of them, and none of the others.
_HOMES = {
    "CONTROLS": "controls",
    "METRICS": "battery",
    "Battery": "battery",
    "Measured": "measured",
    "Metric": "battery",
    "about": "battery",
    "blind": "blindness",
    "closeness": "privacy",
    "controlled": "blindness",
    "copies": "privacy",
    "frechet_ratio": "distances",
    "greyed": "blindness",
    "judges": "spaces",
    "kernel_ratio": "distances",
    "manifold": "neighbours",
    "membership": "privacy",
    "near_copies": "privacy",
    "nearer_to_train": "privacy",
    "obeyed": "obedience",
    "pairs": "columns",
    "picture_features": "spaces",
    "row_features": "spaces",
    "shape": "columns",
    "told_by_network": "told_pictures",
    "told_by_trees": "told_pictures",
    "told_rows": "two_sample",
    "tried": "measured",
    "utility": "usefulness",
    "worst": "two_sample",
}

if TYPE_CHECKING:
    from pushforward.metrics.battery import METRICS, Battery, Metric, about
    from pushforward.metrics.blindness import blind, controlled, greyed
    from pushforward.metrics.columns import pairs, shape
    from pushforward.metrics.controls import CONTROLS
    from pushforward.metrics.distances import frechet_ratio, kernel_ratio
    from pushforward.metrics.measured import Measured, tried
    from pushforward.metrics.neighbours import manifold
    from pushforward.metrics.obedience import obeyed
    from pushforward.metrics.privacy import closeness, copies, membership, near_copies, nearer_to_train
    from pushforward.metrics.spaces import judges, picture_features, row_features
    from pushforward.metrics.told_pictures import told_by_network, told_by_trees
    from pushforward.metrics.two_sample import told_rows, worst
    from pushforward.metrics.usefulness import utility

__all__ = [
    "CONTROLS",
    "METRICS",
    "Battery",
    "Measured",
    "Metric",
    "about",
    "blind",
    "closeness",
    "controlled",
    "copies",
    "frechet_ratio",
    "greyed",
    "judges",
    "kernel_ratio",
    "manifold",
    "membership",
    "near_copies",
    "nearer_to_train",
    "obeyed",
    "pairs",
    "picture_features",
    "row_features",
    "shape",
    "told_by_network",
    "told_by_trees",
    "told_rows",
    "tried",
    "utility",
    "worst",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"pushforward.metrics.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'pushforward.metrics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
