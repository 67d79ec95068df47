"""Which family, and why: models beside one another on the same records.

The package is named like what it does, so that ``pushforward.compare`` is both: it may be called like the function.
"""

from __future__ import annotations

import sys
from types import ModuleType

from pushforward.compare.advice import Advice, recommend
from pushforward.compare.result import Cell, Comparison
from pushforward.compare.run import compare, comparing

__all__ = ["Advice", "Cell", "Comparison", "compare", "comparing", "recommend"]


class _Callable(ModuleType):
    """A module that is called like the function whose name it bears."""

    __call__ = staticmethod(compare)


sys.modules[__name__].__class__ = _Callable
