"""What the tests of the data share."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pushforward.errors import PushforwardError


@pytest.fixture
def refuses() -> Callable[..., Any]:
    """A context that demands a refusal of one line which names the thing and the cure."""

    @contextmanager
    def context(*words: str) -> Iterator[None]:
        with pytest.raises(PushforwardError) as caught:
            yield
        message = str(caught.value)
        assert "\n" not in message
        assert len(message) < 500
        for word in words:
            assert word in message, message

    return context


@pytest.fixture
def png() -> Callable[..., bytes]:
    """PNG bytes of random pixels."""

    def make(height: int = 4, width: int = 5, channels: int = 3, seed: int = 0) -> bytes:
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
        out = io.BytesIO()
        Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(out, "PNG")
        return out.getvalue()

    return make
