"""Every error of the package: each names the argument, its value and the cure, in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PushforwardError(Exception):
    """What all errors of the package derive from; the command line prints it and exits with 2."""

    def __init__(self, message: str = ""):
        super().__init__(" ".join(message.splitlines()))  # names that are quoted in it may hold line breaks


class ArgumentError(PushforwardError, ValueError):
    """An argument has a value that cannot be used."""


class DataError(PushforwardError, ValueError):
    """A file, a frame or an array holds what cannot be read or modelled."""


class UnmeasurableError(PushforwardError, ValueError):
    """What was asked for cannot be measured on these records; the message says why, and what would help."""


class NotFittedError(PushforwardError, ValueError, AttributeError):
    """A verb that needs a fitted model was called before `fit`."""


class DivergedError(PushforwardError, ArithmeticError):
    """A loss stopped being a finite number."""


class CaptionWarning(UserWarning):
    """Texts are not taken as they stand: one is missing, too long, or of words that were never seen."""


class CollapsedWarning(UserWarning):
    """A part of a model means little.

    Components of a mixture have shrunk onto a few records, so that what it says there is not to be trusted; numbers of
    a code carry nothing about a record; or a code holds more than a record does.
    """


class CopiedWarning(UserWarning):
    """Draws are likely to be copies of the records that were learned from."""


class FormatError(PushforwardError, ValueError):
    """A folder or file is not what `save` writes, or no longer what it wrote."""


def one_of(name: str, choices: Iterable[str], limit: int = 12) -> str:
    """The cure for a name that does not exist: the nearest spelling, and what does exist.

    >>> one_of("lable", ["image", "label"])
    "did you mean 'label'? There are: image, label"
    """
    known = [str(choice) for choice in choices]
    near = difflib.get_close_matches(name, known, n=1)
    shown = ", ".join(known[:limit]) + (f" and {len(known) - limit} more" if len(known) > limit else "")
    return (f"did you mean {near[0]!r}? There are: " if near else "there are: ") + (shown or "none")
