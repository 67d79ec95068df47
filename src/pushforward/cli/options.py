"""Options: those that follow from a `Parameter`, and those that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
from annotated_types import Ge

from pushforward.cli.help import LAST, Option
from pushforward.errors import PushforwardError
from pushforward.parameters import Parameter

if TYPE_CHECKING:
    from pushforward.model import Model

_SIGNS = {int: "N", float: "X", str: "WORD"}


class Value(click.ParamType):
    """A word of the command line as a value of a parameter; what Python refuses is refused in the same words."""

    def __init__(self, parameter: Parameter):
        self.parameter, self.name = parameter, parameter.kind.__name__

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value.

        Raises:
            ArgumentError: it is no number, out of range, or none of the choices.
        """
        return self.parameter.read(value) if isinstance(value, str) else value


def of_parameter(parameter: Parameter, section: str, *, flag: str | None = None) -> Option | None:
    """The option of a parameter; None for one that only Python can pass."""
    if parameter.kind is object:
        return None
    flag = flag or f"--{parameter.name.replace('_', '-')}"
    if parameter.kind is bool:
        facts = [f"default {'on' if parameter.default else 'off'}"]
        names = [f"{flag}/--no-{flag.removeprefix('--')}"]
        return Option(names, default=parameter.default, section=section, help=parameter.doc, facts=facts)
    return Option(
        [flag], type=Value(parameter), default=parameter.default, section=section, help=parameter.doc,
        facts=[parameter.range, _default(parameter.default)], metavar=_SIGNS.get(parameter.kind, "FAMILY"),
    )  # fmt: skip


def _default(value: Any) -> str:
    if value is None:
        return ""
    return f"default {value:g}".replace("e-0", "e-") if isinstance(value, int | float) else f"default {value}"


def of_parameters(parameters: Mapping[str, Parameter], section: str, *, flag: str | None = None) -> list[Option]:
    """The options of all parameters that can be said in words; `flag` is how a single one is called."""
    options = (of_parameter(parameter, section, flag=flag) for parameter in parameters.values())
    return [option for option in options if option is not None]


# What several commands share


def data_argument() -> click.Argument:
    """DATA, which every command that reads names alike."""
    return click.Argument(["data"], metavar="DATA")


def model_argument() -> click.Argument:
    """MODEL, the folder of a saved model."""
    return click.Argument(["model"], metavar="MODEL")


def json_option() -> Option:
    """Output for programs."""
    return Option(["--json", "json_"], is_flag=True, help="for programs: JSON on stdout")


def seed_options(section: str = LAST) -> list[Option]:
    """Where randomness comes from."""
    seed = Parameter("seed", int, None, optional=True, bounds=(Ge(0),), doc="the same seed draws the same")
    return of_parameters({"seed": seed}, section)


def records_option() -> Option:
    """Where records are written."""
    line = "CSV, TSV, Parquet, JSON lines, NPZ, a PNG contact sheet, or a folder of PNGs"
    return Option(["--out"], metavar="PATH", help=line)


def verb(model: Model, name: str) -> Callable[..., Any]:
    """A verb of a fitted model.

    Raises:
        PushforwardError: the model has not got it; the message says why.
    """
    try:
        return getattr(model, name)
    except AttributeError as error:
        raise PushforwardError(str(error)) from error
