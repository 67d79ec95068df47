"""Tables field after field, as a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt, doc
from torch import Tensor, nn

from pushforward.counts.chains.answers import Answers
from pushforward.counts.chains.chain_model import ChainModel, conditions_first
from pushforward.counts.trees.coding import Coding, Grain
from pushforward.data import Records, Schema
from pushforward.flows.tables.free import Free
from pushforward.flows.tables.ordered import Ordered
from pushforward.neural import NeuralModel
from pushforward.saving import shapes, skeleton
from pushforward.training.player import Player, adam
from pushforward.training.run import Run

CODED = "coding."  # beginning of the names of what states are, among what is saved
RARER = 3  # the second network learns in every so-manieth step


class Tables(nn.Module):
    """Both networks of a table.

    Args:
        sizes: states of each variable, in the order in which they are drawn.
        options: width, layers and dropout of both.
    """

    def __init__(self, sizes: list[int], options: Mapping[str, Any]):
        super().__init__()
        self.ordered, self.free = Ordered(sizes, **options), Free(sizes, **options)


@dataclass(kw_only=True, eq=False)
class Autoregressive(ChainModel, NeuralModel):
    """log p(x) = Σ_v log p(x_v | x_1 … x_{v-1}): fields drawn one after another, each from those before it.

    A field is a few states (levels, frequent values, bins, a hole) and an exact distribution of the values within each,
    as in a `DependencyTree`. One network tells every state from the states before it, in the order of the fields with
    conditions first: records are scored and drawn by it, exactly so if one cell is a hole. Another, trained beside it,
    tells any fields from any others: evidence on other fields, ranges, sets and further holes go by that one.

    >>> model = Autoregressive(width=32).fit("penguins", steps=30, seed=0)
    >>> model.sample(2, given={"island": "Dream"}, seed=0).column("island").to_pylist()
    ['Dream', 'Dream']
    """

    network: ClassVar[Tables]

    bins: Annotated[int, Ge(4), Le(4096), doc("bins of a number, at most")] = 64
    width: Annotated[int, Ge(4), doc("hidden units of a layer")] = 384
    layers: Annotated[int, Ge(1), Le(64), doc("hidden layers")] = 3
    dropout: Annotated[float, Ge(0), Lt(1), doc("share of hidden units left out in training")] = 0.4
    weight_decay: Annotated[float, Ge(0), doc("of all weights, as a share of the learning rate")] = 0.3
    lr: Annotated[float, Gt(0), doc("learning rate")] = 1e-3

    # Learning

    def _survey(self, first: Callable[[], tuple[Records, np.ndarray | None]], run: Run) -> None:
        schema, given = self.learning
        records, weights = first()
        share = np.ones(len(records)) if weights is None else weights
        self.__dict__["_coding"] = Coding.of(conditions_first(schema, given), records, share, Grain(self.bins))

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        options = {"width": self.width, "layers": self.layers, "share": self.dropout}
        return Tables(self._sizes(), options)

    def _sizes(self) -> list[int]:
        """States of each variable, one more where it may be a hole."""
        return list(self._coding.sizes_with_holes if "_coding" in self.__dict__ else self.measurements["sizes"])

    def _measured(self) -> dict[str, Any]:
        return {"sizes": self._sizes(), "shapes": shapes(self._coding.tensors())}

    def _batch_size(self) -> int:
        return 512

    def _tensors(self, records: Records) -> dict[str, Tensor]:
        return {"states": self._coding.with_holes(self._coding.encode(records))}

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        """Both networks begin with the shares of the states."""
        states, weight = tensors["states"], tensors.get("weight")
        counts = [
            torch.bincount(column, weight, minlength=size).float() + 0.5
            for column, size in zip(states.T, self._sizes(), strict=True)
        ]
        for part in (self.network.ordered, self.network.free):
            part.last.bias.data.copy_(torch.cat([(count / count.sum()).log() for count in counts]))
        self.network.to(self.device)

    def players(self) -> list[Player]:
        """Two that never meet: fields in order, and any fields from any others."""
        make = adam(self.lr, weight_decay=self.weight_decay)
        return [
            Player("ordered", self.network.ordered, self._in_order, make),
            Player("free", self.network.free, self._at_will, make, every=RARER),
        ]

    def _in_order(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        part, states = self.network.ordered, batch["states"]
        return _mean(part.states.surprise(part(states), states).sum(1), batch)

    def _at_will(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        return _mean(self.network.free.loss(batch["states"], generator), batch)

    @property
    def _answers(self) -> Answers:
        return Answers(self.network.ordered, self.network.free, self._coding.sizes)

    # State

    def _state(self) -> dict[str, Tensor]:
        return super()._state() | {CODED + name: tensor for name, tensor in self._coding.tensors().items()}

    def _skeleton(self) -> dict[str, Tensor]:
        coding = {CODED + name: tensor for name, tensor in skeleton(self.measurements["shapes"]).items()}
        return super()._skeleton() | coding

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        coded = {name.removeprefix(CODED): tensor for name, tensor in state.items() if name.startswith(CODED)}
        self.__dict__["_coding"] = Coding.of_tensors(conditions_first(self.schema, self.given), coded)
        super()._restore({name: tensor for name, tensor in state.items() if not name.startswith(CODED)}, device)


def _mean(terms: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    return (terms * batch["weight"]).mean() if "weight" in batch else terms.mean()
