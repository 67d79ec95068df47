"""What each metric says of the controls, and which of them it cannot tell from real records on these data."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from pushforward.errors import UnmeasurableError
from pushforward.metrics.battery import Battery, Found, about
from pushforward.metrics.controls import CONTROLS
from pushforward.metrics.measured import Measured

REALS, COPIES = "held-out reals", "training copies"


def controlled(battery: Battery) -> dict[str, Found]:
    """By control what each metric says of it, all with as many records as half of those that were held out.

    Conditions are not measured, since nobody asked for any; a control that does not exist for these data is left out.
    """
    if battery.pictures:
        with suppress(UnmeasurableError):  # each metric that needs them says why there are none
            _ = battery.spaces  # networks are trained once for both
    half, spare = battery.halves()
    half.given = ()
    out: dict[str, Found] = {}
    for name, control in CONTROLS.items():
        try:
            drawn = control(battery.train, spare, len(spare), battery.seed)
        except UnmeasurableError:
            continue
        out[name] = half.measure(drawn)
    return out


def blind(found: Mapping[str, Found]) -> dict[str, dict[str, str]]:
    """By metric the controls that it cannot tell from held-out records, and why.

    A metric of quality has to be worse for a control than for real records, with intervals that have nothing in common;
    of copies that is not asked, since they are distributed like real ones. A metric of copies has to flag them, and
    real records not.

    Args:
        found: what `controlled` found.
    """
    out: dict[str, dict[str, str]] = {}
    for name, real in found[REALS].items():
        privacy = about(name).group == "privacy"
        for control in [COPIES] if privacy else [c for c in found if c not in (REALS, COPIES)]:
            why = _why(real, found[control].get(name), control) if control in found else None
            if why:
                out.setdefault(name, {})[control] = why
    return out


def greyed(found: Mapping[str, Found]) -> dict[str, str]:
    """By metric why it says nothing on these data: it cannot be measured, or no control is told from real records."""
    unseen, out = blind(found), {}
    for name in found[REALS]:
        asked = 1 if about(name).group == "privacy" else len([c for c in found if c not in (REALS, COPIES)])
        if len(whys := unseen.get(name, {})) == asked and whys:
            out[name] = next(iter(whys.values()))
    return out


def _why(real: Measured | UnmeasurableError, other: Measured | UnmeasurableError | None, control: str) -> str | None:
    """Why the metric does not tell a control from real records; None: it does."""
    privacy = control == COPIES
    if isinstance(real, UnmeasurableError):
        return str(real)
    if other is None or isinstance(other, UnmeasurableError):  # it has nothing to say of draws like these, and says so
        return None if other is None or not privacy else str(other)
    both = f"{_shown(real)} for held-out records and {_shown(other)} for {control}"
    if privacy:
        if real.flag:
            return f"it flags held-out records as copies: {both}"
        return None if other.flag else f"it does not flag training records as copies: {both}"
    if real.clear_of(other) and other.gap > real.gap:
        return None
    return f"it does not tell {control} from held-out records: {both}"


def _shown(found: Measured) -> str:
    return f"{found.value:.3g} ({found.low:.3g} to {found.high:.3g})"
