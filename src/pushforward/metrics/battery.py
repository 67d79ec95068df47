"""All metrics that these records allow for, of any draws, with what is the same for all draws done once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

import numpy as np

from pushforward.data import Category, Image, Number, Records
from pushforward.errors import UnmeasurableError
from pushforward.metrics.columns import pairs, shape
from pushforward.metrics.distances import frechet_ratio, kernel_ratio
from pushforward.metrics.judge import STEPS
from pushforward.metrics.measured import Measured
from pushforward.metrics.neighbours import manifold
from pushforward.metrics.obedience import obeyed
from pushforward.metrics.privacy import closeness, copies, near_copies
from pushforward.metrics.rows import subset
from pushforward.metrics.spaces import Features, default_category, judges, picture_features, row_features
from pushforward.metrics.told_pictures import told_by_network, told_by_trees
from pushforward.metrics.two_sample import told_rows
from pushforward.metrics.usefulness import utility

MOST = 5000  # records of each side whose neighbours are looked for

Found = dict[str, Measured | UnmeasurableError]
Group = Literal["quality", "control", "privacy"]


@dataclass(frozen=True)
class Metric:
    """What a report says of a metric beside its numbers.

    Attributes:
        group: which trade-off it belongs to.
        words: what it is, with what its best and its worst value mean.
        least, most: what it can be.
    """

    group: Group
    words: str
    least: float = 0.0
    most: float = 1.0


_TOLD = "told drawn from held-out records; ½: never better than chance, 1: always"
METRICS: dict[str, Metric] = {
    "two-sample": Metric("quality", f"share of records that boosted trees {_TOLD}"),
    "two-sample AUC": Metric("quality", "area under the curve of those trees; ½: chance, 1: all told"),
    "two-sample, network": Metric("quality", f"share of pictures that a small network {_TOLD}"),
    "Fréchet ratio": Metric(
        "quality",
        "Fréchet distance in what networks see, over that of training records; 1: as real",
        most=math.inf,
    ),
    "kernel ratio": Metric(
        "quality", "squared kernel distance over that of as many real records; 1: as real", most=math.inf
    ),
    "precision": Metric("quality", "share of draws near a real record; 1: all look real"),
    "recall": Metric("quality", "share of real records near a draw; 1: all that is real is drawn"),
    "density": Metric(
        "quality", "how many real records a draw is near to, over what is expected; 1: as real", most=math.inf
    ),
    "coverage": Metric("quality", "share of real records that have a draw near them; about .97: as real"),
    "column shapes": Metric("quality", "how alike columns are distributed; 1: alike, 0: nothing in common"),
    "pair trends": Metric("quality", "how alike pairs of columns go together; 1: alike, 0: nothing in common"),
    "utility": Metric(
        "quality",
        "what a judge learns from draws over what it learns from real records; 1: as much",
        -math.inf,
        math.inf,
    ),
    "condition": Metric("control", "how often, or how nearly, a judge sees what was asked for", most=math.inf),
    "copies": Metric("privacy", "share of drawn rows that equal a training row; evidence, no guarantee"),
    "near copies": Metric(
        "privacy", "share of draws nearer to training records than 95% of held-out ones; no guarantee"
    ),
    "nearer to train": Metric(
        "privacy", "share of draws nearer to training than to held-out records; ½: chance; no guarantee"
    ),
    "membership": Metric("privacy", "AUC of telling training records by their nearest draw; ½: chance; no guarantee"),
}


class Battery:
    """All metrics of draws of one data set.

    Args:
        train: what generators learned from.
        held: what they did not, of the same fields.
        target: the field of `utility`; default: the last category of 2 to 100 levels, else the last number.
        given: fields of which draws hold the values that were asked for.
        seed: of all judges and intervals.
        steps: of judges of pictures.

    >>> import pushforward as pf
    >>> train, held = pf.read("penguins").split(0.5, seed=0)
    >>> battery = Battery(train, held)
    >>> found = battery.measure(train)
    >>> found["copies"].flag, round(found["column shapes"].value, 2)
    (True, 0.95)
    """

    def __init__(
        self, train: Records, held: Records, *, target: str | None = None, given: tuple[str, ...] = (), seed: int = 0,
        steps: int = STEPS,
    ):  # fmt: skip
        self.train, self.held, self.given, self.seed, self.steps = train, held, given, seed, steps
        numbers = [f.name for f in train.schema.of_kind(Number)]
        self.target = target or default_category(train) or (numbers[-1] if numbers else None)
        self.pictures = bool(train.schema.of_kind(Image))
        self.rowed = len([f for f in train.schema if not isinstance(f, Image)]) >= (2 if self.pictures else 1)

    @cached_property
    def spaces(self) -> list[Features]:
        """The features of three networks, or the fixed ones of rows."""
        if not self.pictures:
            return [row_features(self.train)]
        category = self.target if self.target and isinstance(self.train.schema[self.target], Category) else None
        return [picture_features(judge) for judge in judges(self.train, target=category, steps=self.steps)]

    def halves(self) -> tuple[Battery, Records]:
        """The same battery with one half of held-out records to compare with, and the other half."""
        order = np.random.default_rng(self.seed).permutation(len(self.held))
        one, other = (self.held.take(np.sort(part)) for part in np.array_split(order, 2))
        half = Battery(self.train, one, target=self.target, given=self.given, seed=self.seed, steps=self.steps)
        if "spaces" in self.__dict__:
            half.__dict__["spaces"] = self.spaces
        return half, other

    def measure(self, drawn: Records) -> Found:
        """What each metric says of draws, or why it cannot."""
        train, held, seed = self.train, self.held, self.seed
        out: Found = {}

        def add(names: tuple[str, ...], metric: Callable[[], Mapping[str, Measured]]) -> None:
            try:
                out.update(metric())
            except UnmeasurableError as error:
                out.update(dict.fromkeys(names, error))

        if self.pictures:
            add(("two-sample", "two-sample AUC"), lambda: _with_area(told_by_trees(drawn, held, seed=seed)))
            network = "two-sample, network"
            add((network,), lambda: {network: told_by_network(drawn, held, seed=seed, steps=self.steps // 2)})
            add(
                ("Fréchet ratio",), lambda: {"Fréchet ratio": frechet_ratio(drawn, held, train, self.spaces, seed=seed)}
            )
        else:
            add(("two-sample", "two-sample AUC"), lambda: _with_area(told_rows(drawn, held, seed=seed)))
        add(("kernel ratio",), lambda: {"kernel ratio": kernel_ratio(drawn, held, self.spaces, seed=seed)})
        add(("precision", "recall", "density", "coverage"), lambda: self._manifold(drawn))
        if self.rowed:
            add(("column shapes",), lambda: {"column shapes": shape(drawn, held, seed=seed)})
            add(("pair trends",), lambda: {"pair trends": pairs(drawn, held, seed=seed)})
        add(("utility",), lambda: {"utility": self._utility(drawn)})
        for name in self.given:
            add((f"condition {name}",), partial(self._condition, drawn, name))
        if self.pictures:
            add(("near copies",), lambda: {"near copies": near_copies(drawn, train, held)})
        else:
            add(("copies",), lambda: {"copies": copies(drawn, train, held)})
        add(("nearer to train", "membership"), lambda: closeness(drawn, train, held, seed=seed))
        return out

    def condition(self, drawn: Records, field: str) -> Measured:
        """How often, or how nearly, a judge sees in draws what was asked for; see `obeyed`.

        Raises:
            UnmeasurableError: the field is a picture or a text, or there is too little to learn it from.
        """
        kind = self.train.schema[field]
        if not isinstance(kind, Category | Number):  # a condition like any other, of which all else is measured
            raise UnmeasurableError(f"{field!r} is {kind.kind}, which is not judged; only categories and numbers are")
        return obeyed(drawn, self.train, self.held, field, seed=self.seed, steps=self.steps)

    def _manifold(self, drawn: Records) -> dict[str, Measured]:
        n = min(MOST, len(drawn), len(self.held))
        parts = [subset(part, n, self.seed + i) for i, part in enumerate((drawn, self.held))]
        ours, theirs = (np.concatenate([space(part) for space in self.spaces], 1) for part in parts)
        return manifold(ours, theirs)

    def _condition(self, drawn: Records, field: str) -> dict[str, Measured]:
        return {f"condition {field}": self.condition(drawn, field)}

    def _utility(self, drawn: Records) -> Measured:
        if self.target is None:
            raise UnmeasurableError("there is no category or number that a judge could learn to tell")
        return utility(drawn, self.train, self.held, self.target, seed=self.seed, steps=self.steps)


def about(name: str) -> Metric:
    """What there is to say of a metric; where several fields were asked for, each has a name of its own.

    >>> about("condition age").group
    'control'
    """
    return METRICS["condition" if name.startswith("condition ") else name]


def _with_area(found: Measured) -> dict[str, Measured]:
    return {"two-sample": found, "two-sample AUC": found.detail["auc"]}
