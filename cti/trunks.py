"""How each trunk is, for people who look on: how many calls it carries, and whether its carrier still knows us.

Of a trunk that is known by its addresses nothing can be asked: whether its carrier is there, only its calls show.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from cti.admission import Admission
from cti.asterisk.config import trunk_endpoint
from cti.asterisk.console import console
from cti.asterisk.errors import Unavailable
from cti.asterisk.gate import Gate
from cti.settings import Settings

TrunkState = Literal["open", "registered", "not_registered", "crowded", "shut", "unknown"]
"""`open`: known by its addresses. `crowded`: callers were turned away within the last minute; `shut`: all of them are, for
two seconds. `unknown`: Asterisk does not answer."""

_REGISTRATION = re.compile(r"^\s*([^\s/]+)/\S+\s+\S+\s+(\w+)", re.MULTILINE)
"""A line of `pjsip show registrations`: name/server, account, state."""


class TrunkNow(msgspec.Struct, frozen=True):
    """How a trunk is at this moment."""

    name: str
    state: TrunkState
    calls: int
    """That it carries."""
    most: int
    """That it may carry at once."""


class Trunks:
    """Those of the settings."""

    def __init__(self, settings: Settings, admission: Admission, gate: Gate) -> None:
        self._settings, self._admission, self._gate = settings, admission, gate
        self._console = settings.run_dir / "asterisk" / "asterisk.ctl"

    async def now(self) -> tuple[TrunkNow, ...]:
        """Each of them, in the order of the settings. Raises nothing; asks Asterisk at most two seconds."""
        trunks, most = self._settings.trunks, self._settings.max_calls
        try:
            asked = await console(self._console, "pjsip show registrations") if any(t.register for t in trunks) else ""
        except Unavailable:
            asked = None
        told = None if asked is None else registrations(asked)
        return tuple(
            TrunkNow(
                trunk.name,
                self._gate.crowd(trunk.name)
                or (_state(trunk_endpoint(trunk.name), told) if trunk.register else "open"),
                self._admission.carried_of(trunk.name),
                min(trunk.max_calls or most, most),
            )
            for trunk in trunks
        )


def registrations(told: str) -> dict[str, str]:
    """What Asterisk's console says of each registration, by the trunk's endpoint."""
    return dict(_REGISTRATION.findall(told))


def _state(endpoint: str, told: dict[str, str] | None) -> TrunkState:
    if told is None:
        return "unknown"
    return "registered" if told.get(endpoint) == "Registered" else "not_registered"
