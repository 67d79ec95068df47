"""What a comparison found: a cell for each model and seed, what controls did, and who is ahead."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pushforward.compare.plain import from_plain, plain
from pushforward.errors import ArgumentError, FormatError
from pushforward.metrics import Measured

if TYPE_CHECKING:
    import pandas as pd

    from pushforward.compare.ranking import Summary

FORMAT = 1
COSTS = ("seconds to fit", "seconds per 1,000", "peak memory, MB", "parameters", "saved, MB")
FORMS = (".html", ".md", ".json")

Found = dict[str, Measured | str]  # by metric its answer, or the reason why there is none


@dataclass(frozen=True)
class Cell:
    """One model, fitted with one seed.

    Attributes:
        model: its words, such as ``gan:loss=hinge``, or the name of a peer.
        seed: of the fit and of its draws.
        failed: why there is nothing; None where there is.
        density: what `nats` are: ``exact``, ``bound``, ``estimate``, or ``none``.
        nats: the mean of log p of held-out records.
        found: by metric its answer, or the reason why there is none.
        cost: by the names of `COSTS`, as far as it is known.
        facts: what else is to say: ``steps``, ``stopped`` (when, before its time was over; None), ``alarms``
            (sentences), ``oscillation`` (of the loss; None), ``holds`` (what of `given` it accepts), ``exact`` (the
            share of draws that hold what was asked for; None), ``no nats`` (why not), ``draws`` (how many).
        drawn: the file in the comparison's folder with up to 2,000 drawn records.
    """

    model: str
    seed: int
    failed: str | None = None
    density: str = "none"
    nats: Measured | None = None
    found: Found = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    drawn: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The cell as plain JSON values."""
        return {f.name: plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The cell that `to_json` wrote.

        Raises:
            FormatError: it is none.
        """
        return _built(cls, value)


@dataclass(frozen=True)
class Comparison:
    """Models beside one another, fitted to the same records for the same time.

    Attributes:
        data: ``name``, ``rows`` learned from, ``held out``, ``fields`` (name and kind of each), ``target``, ``given``.
        setting: ``minutes``, ``seeds``, ``versions`` (by package), ``machine``, ``command``, ``date``.
        cells: one for each model and seed, in the order in which models were named.
        controls: by control what each metric says of it.
        greyed: by metric the reason why it cannot tell anything apart on these records.
        unfit: by family the reason why it cannot model these fields.
        sensitivity: by model, and by factor on its learning rate, the metric that decides.
        guidance: by model, and by weight of guidance, what was obeyed and covered.
        folder: where cells and draws are kept.
    """

    data: dict[str, Any]
    setting: dict[str, Any]
    cells: tuple[Cell, ...]
    controls: dict[str, Found] = field(default_factory=dict)
    greyed: dict[str, str] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)
    sensitivity: dict[str, dict[str, Measured | str]] = field(default_factory=dict)
    guidance: dict[str, dict[str, Found]] = field(default_factory=dict)
    folder: Path | None = None

    # Who is ahead

    @property
    def models(self) -> tuple[str, ...]:
        """The models in order of merit; those that failed in every seed stand last."""
        from pushforward.compare.ranking import ranked

        return tuple(summary.model for summary in ranked(self))

    def ranked(self) -> tuple[Summary, ...]:
        """A summary over seeds for each model, in order of merit; see `ranking.ranked`."""
        from pushforward.compare.ranking import ranked

        return ranked(self)

    def winner(self) -> tuple[str | None, str]:
        """The model that is ahead of all others beyond doubt, or None; and the sentence that says why."""
        from pushforward.compare.ranking import winner

        return winner(self)

    def of(self, model: str) -> tuple[Cell, ...]:
        """The cells of a model, by seed."""
        return tuple(sorted((cell for cell in self.cells if cell.model == model), key=lambda cell: cell.seed))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that were asked, in the order of a report."""
        return tuple(dict.fromkeys(_all_names((*self.controls.values(), *(cell.found for cell in self.cells)))))

    # To others

    def to_pandas(self) -> pd.DataFrame:
        """A row for each cell: what was measured, with the ends of its interval, what it cost, and why it failed."""
        from pushforward.compare.tables import frame

        return frame(self)

    def to_markdown(self) -> str:
        """The answer, the table with intervals, controls, and how to do it again, as Markdown."""
        from pushforward.compare.markdown import markdown

        return markdown(self)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, but for the folder."""
        said = {f.name: plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "folder"}
        return {"format": FORMAT, **said, "cells": [cell.to_json() for cell in self.cells]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], folder: Path | None = None) -> Self:
        """The comparison that `to_json` wrote.

        Raises:
            FormatError: it is none, or of another version.
        """
        if not isinstance(value, Mapping) or value.get("format") != FORMAT:
            raise FormatError(f"this is no comparison of format {FORMAT}; make it with this version of pushforward")
        said = {key: entry for key, entry in value.items() if key != "format"}
        cells = tuple(Cell.from_json(entry) for entry in said.pop("cells", ()))
        return _built(cls, said, cells=cells, folder=folder)

    def save(self, path: str | Path) -> Path:
        """Write it as a page (.html), Markdown (.md) or JSON (.json), whole or not at all.

        Raises:
            ArgumentError: the path ends in nothing of these, or cannot be written.
        """
        from pushforward.data.write import whole, write_text

        path = Path(path)
        match path.suffix.lower():
            case ".html":
                from pushforward.compare.report import html

                text = html(self)
            case ".md":
                text = self.to_markdown()
            case ".json":
                text = json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n"
            case _:
                raise ArgumentError(f"path={str(path)!r} must end in {', '.join(FORMS[:-1])} or {FORMS[-1]}")
        whole(path, lambda file: write_text(file, text))
        return path

    def __repr__(self) -> str:
        failed = sum(cell.failed is not None for cell in self.cells)
        name, _ = self.winner()
        ahead = f"{name} is ahead" if name else "no clear winner"
        return (
            f"Comparison({self.data['name']}: {', '.join(self.models)}; {ahead}{f'; {failed} failed' * bool(failed)})"
        )

    def _repr_html_(self) -> str:
        from pushforward.compare.tables import fragment

        return fragment(self)


def _all_names(found: Iterable[Found]) -> list[str]:
    return [name for entry in found for name in entry]


def _built(cls: Any, value: Mapping[str, Any], **more: Any) -> Any:
    try:
        return cls(**{key: from_plain(entry) for key, entry in value.items()}, **more)
    except (TypeError, AttributeError) as error:
        raise FormatError(f"this is no {cls.__name__.lower()} ({error}); run it again") from error
