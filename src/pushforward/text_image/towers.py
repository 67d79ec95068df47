"""A picture tower and a text tower that end in one space."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from pushforward.data import Image
from pushforward.nets.conv import Shrink
from pushforward.nets.texts import TextEncoder

STAGES = 3  # of the picture tower, each twice as wide as the one before
SCALE, BIAS = 14.0, -10.0  # of logits at the start; the bias is that of sigmoid losses
FAST = 10.0  # times faster than other weights that they learn
SHARPEST = 100.0  # scale, beyond which one pair would outweigh all others
TINTS = {1: 16, 2: 8, 3: 4, 4: 3}  # colours looked for, on either axis, by channels
PIXELS = 256  # of a picture, about, that are looked at for their colour


class Towers(nn.Module):
    """Unit vectors f(picture), g(text); the logit of a pair is scale · f·g + bias.

    Args:
        look: (n, channels, height, width) pictures in [-1, 1] → (n, dim).
        read: what reads texts.
        say: (n, read.width) → (n, dim).
    """

    def __init__(self, look: nn.Module, read: TextEncoder, say: nn.Module):
        super().__init__()
        self.look, self.read, self.say = look, read, say
        # Adam moves each weight by about as much: a tenth of a logarithm is moved ten times as fast as one
        self.log_scale = nn.Parameter(torch.tensor(math.log(SCALE) / FAST))
        self.shift = nn.Parameter(torch.tensor(BIAS / FAST))

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied by."""
        return (FAST * self.log_scale).exp().clamp_max(SHARPEST)

    @property
    def bias(self) -> Tensor:
        """What is added to each logit of a sigmoid."""
        return FAST * self.shift

    def pictures(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) in [-1, 1] → (n, dim) of length 1."""
        return normalize(self.look(x).float(), dim=1)

    def texts(self, tokens: Tensor, drop: float = 0.0) -> Tensor:
        """(n, …) tokens → (n, dim) of length 1; `drop` is the share of words left out in training."""
        return normalize(self.say(self.read(tokens, drop)).float(), dim=1)


class PictureTower(nn.Module):
    """A picture as what convolutions see in it, place by place, and which colours there are.

    Args:
        image: the pictures.
        dim: numbers that come out.
        width: channels of the first stage.
        layers: residual blocks a stage.
        dropout: share of features that are dropped in training.
    """

    def __init__(self, image: Image, *, dim: int, width: int, layers: int, dropout: float):
        super().__init__()
        hidden = [width * 2**i for i in range(STAGES)]
        self.shrink = Shrink(image.channels, image.height, image.width, hidden=hidden, layers=layers)
        self.colours = Colours(image.channels)
        self.drop = nn.Dropout(dropout)
        self.last = nn.Linear(hidden[-1] * math.prod(self.shrink.size) + self.colours.outputs, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) in [-1, 1] → (n, dim)."""
        seen = torch.cat([self.shrink(x).flatten(1), self.colours(x).to(x.dtype)], 1)
        return self.last(self.drop(seen))


class Colours(nn.Module):
    """How much of each of some colours a picture holds, and how near its nearest pixel comes to it.

    Small parts of a picture may tell by their colour alone what a caption says, as skin does; convolutions learn that
    late.

    Args:
        channels: of the pictures.

    >>> Colours(3)(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 128])
    """

    def __init__(self, channels: int):
        super().__init__()
        # no linspace: since transformers was first used, it may forget that networks are built without memory
        axis = 2 * torch.arange(TINTS[channels]) / (TINTS[channels] - 1) - 1
        grid = torch.cartesian_prod(*[axis] * channels).reshape(-1, channels)
        self.centres = nn.Parameter(grid)
        self.log_widths = nn.Parameter(torch.full((len(grid),), 1.2 / (TINTS[channels] - 1)).log())
        self.outputs = 2 * len(grid)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) → (n, outputs)."""
        step = max(1, round(math.sqrt(x.shape[2] * x.shape[3] / PIXELS)))
        pixels = x[:, :, ::step, ::step].flatten(2).transpose(1, 2).float()
        with torch.autocast(x.device.type, enabled=False):
            far = pixels.square().sum(-1, keepdim=True) + self.centres.square().sum(-1) - 2 * pixels @ self.centres.T
            near = (-far / (2 * (2 * self.log_widths).exp())).exp()
        return torch.cat([4 * near.mean(1), near.amax(1)], 1)


def text_head(width: int, dim: int, dropout: float) -> nn.Module:
    """What stands above an encoder of texts: one hidden layer.

    Args:
        width: of what comes in.
        dim: of the space.
        dropout: share of hidden units that are dropped in training.
    """
    inner = 2 * width
    return nn.Sequential(nn.Linear(width, inner), nn.SiLU(), nn.Dropout(dropout), nn.Linear(inner, dim))


class Adapter(nn.Module):
    """x + W x + b, which begins as the identity: what is learned above a tower that is frozen.

    >>> Adapter(2)(torch.ones(1, 2)).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, width: int):
        super().__init__()
        self.change = nn.Linear(width, width)
        for weight in self.change.parameters():
            nn.init.zeros_(weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) → the same."""
        return x + self.change(x)
