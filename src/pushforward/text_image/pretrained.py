"""The towers of a CLIP that `transformers` loads, frozen."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from pushforward.nets.sentences import Frozen

LONGEST = 77  # tokens that these models read


class PretrainedCLIP(Frozen):
    """A `CLIPModel` (Radford et al. 2021, arXiv 2103.00020): pictures of any size, and texts, as vectors."""

    kind: ClassVar[str] = "CLIPModel"
    wide: ClassVar[str] = "projection_dim"

    def pictures(self, x: Tensor) -> Tensor:
        """(n, 1 or 3, height, width) in [-1, 1] → (n, width), with slopes into the pictures."""
        model = self._load().to(x.device)
        reader = self._beside("CLIPImageProcessor")
        mean, deviation = torch.tensor([reader.image_mean, reader.image_std], device=x.device)[:, :, None, None]
        side = model.config.vision_config.image_size
        large = interpolate(x.expand(-1, 3, -1, -1), (side, side), mode="bicubic", antialias=True)
        return _plain(model.get_image_features(pixel_values=((large + 1) / 2 - mean) / deviation))

    @torch.no_grad()
    def _encoded(self, texts: list[str]) -> Tensor:
        model = self._load()
        asked = self._beside("AutoTokenizer")(
            texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        )
        return _plain(model.get_text_features(**asked.to(model.device))).float()


class Looking(nn.Module):
    """The picture side of a pretrained CLIP as a tower.

    Args:
        clip: whose it is; it is looked at, not owned.
    """

    def __init__(self, clip: PretrainedCLIP):
        super().__init__()
        self._clip = [clip]  # in a list, lest it become a part of this module

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) in [-1, 1] → (n, width)."""
        return self._clip[0].pictures(x)


def _plain(found: Any) -> Tensor:
    """Features as a tensor, which later versions of transformers wrap."""
    return found if isinstance(found, Tensor) else found.pooler_output
