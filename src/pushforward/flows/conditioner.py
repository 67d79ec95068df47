"""What says the parameters of a kernel, from what is known of a record."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

SMALL = 0.1  # share of their usual size that last weights begin with, so that a flow begins near the identity


class Conditioner(nn.Module):
    """Dense layers, whose outputs stand on the first axis, as kernels want them.

    With nothing to look at, it says what it has learned.

    Args:
        inputs, outputs: widths of what goes in and comes out.
        hidden: widths of the layers between.
    """

    def __init__(self, inputs: int, outputs: int, hidden: Sequence[int]):
        super().__init__()
        widths = [inputs, *hidden] if inputs else []
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))
        self.weight, self.bias = last(widths[-1] if inputs else 0, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) → (outputs, n)."""
        for layer in self.layers:
            x = layer(x).relu_()
        if not self.weight.shape[1]:
            return self.bias[:, None].expand(-1, len(x))
        return torch.addmm(self.bias[:, None], self.weight, x.T)


def shrunk(layer: nn.Module) -> nn.Module:
    """A last layer with small weights."""
    for weight in layer.parameters():
        weight.data.mul_(SMALL)
    return layer


def last(inputs: int, outputs: int) -> tuple[nn.Parameter, nn.Parameter]:
    """Small weights (outputs, inputs) and biases of a last layer, which may have no input."""
    bound = SMALL * max(1, inputs) ** -0.5
    weight, bias = torch.empty(outputs, inputs), torch.empty(outputs)
    for each in (weight, bias):
        if each.numel():
            nn.init.uniform_(each, -bound, bound)
    return nn.Parameter(weight), nn.Parameter(bias)
