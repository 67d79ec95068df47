"""What all parts of a page share: models in their order and colours, and the records that they drew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pushforward.compare.ranking import Summary, deciding
from pushforward.compare.report.elements import Safe, el
from pushforward.compare.result import Comparison
from pushforward.data import Field, Records, read
from pushforward.errors import PushforwardError
from pushforward.metrics import METRICS, Measured, Metric, about

COLOURS = 10  # that the page has; after so many models they come again, with another shape
HELD = "held.parquet"


@dataclass(frozen=True)
class View:
    """A comparison, and what is worked out of it once for all parts of its page.

    Attributes:
        comparison: what was found.
    """

    comparison: Comparison

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """The models in order of merit."""
        return self.comparison.ranked()

    @cached_property
    def ran(self) -> tuple[Summary, ...]:
        """Those of which at least one seed has an answer."""
        return tuple(one for one in self.summaries if len(one.failed) < one.seeds)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {model: i for i, model in enumerate(dict.fromkeys(cell.model for cell in self.comparison.cells))}

    def colour(self, model: str) -> str:
        """The class that gives a model its colour."""
        return f"m{self._places[model] % COLOURS}"

    def shape(self, model: str) -> int:
        """The shape of its mark."""
        return self._places[model] // COLOURS

    def name(self, model: str) -> Safe:
        """A model's name behind its mark."""
        shapes = ("", " square", " diamond")
        swatch = el("i", class_="swatch" + shapes[self.shape(model) % 3], aria_hidden="true")
        return el("span", swatch, model, class_=f"model {self.colour(model)}", title=model)

    # Metrics

    def metrics(self, *groups: str) -> list[str]:
        """The metrics of these groups that some model or control was asked for: those that say nothing stand last."""
        asked = [name for name in self.comparison.metrics if meaning(name).group in groups]
        known = list(METRICS)
        asked.sort(key=lambda name: known.index(name) if name in known else len(known))
        return sorted(asked, key=lambda name: name in self.comparison.greyed)

    @cached_property
    def deciding(self) -> tuple[str, ...]:
        """The metrics that models are ranked by."""
        return deciding(self.comparison)

    @cached_property
    def contenders(self) -> tuple[str, ...]:
        """The first model, and those whose merit may be as good."""
        able = [one for one in self.summaries if one.merit is not None]
        best = able[0].merit if able else None
        return tuple(one.model for one in able if best and one.merit and one.merit.low <= best.high)

    # Records

    @cached_property
    def held(self) -> Records | None:
        """Real records that no model has seen."""
        return self._read(HELD)

    @cached_property
    def drawn(self) -> dict[str, Records]:
        """By model, in order of merit, what its first seed drew, if it is there."""
        out = {}
        for one in self.ran:
            files = [cell.drawn for cell in self.comparison.of(one.model) if cell.drawn and cell.failed is None]
            if files and (found := self._read(files[0])) is not None:
                out[one.model] = found
        return out

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields of real records."""
        return self.held.schema.fields if self.held is not None else ()

    def _read(self, file: str) -> Records | None:
        if self.comparison.folder is None:
            return None
        folder = Path(self.comparison.folder).resolve()
        path = (folder / file).resolve()
        if not path.is_relative_to(folder) or not path.is_file():  # a name from a file must not lead elsewhere
            return None
        try:
            return read(path)
        except PushforwardError:  # a page without samples is better than none
            return None

    def found_of(self, model: str, metric: str) -> list[Measured]:
        """What each seed has of a metric."""
        answers = [cell.found.get(metric) for cell in self.comparison.of(model) if cell.failed is None]
        return [one for one in answers if isinstance(one, Measured)]


def meaning(name: str) -> Metric:
    """What there is to say of a metric; one that this version does not know says nothing."""
    try:
        return about(name)
    except KeyError:
        return Metric("quality", "")
