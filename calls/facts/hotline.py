"""The hotline itself: a controller takes over, its files are read, something wants looking at."""

from __future__ import annotations

from calls.facts.fact import Fact


class ControllerStarted(Fact, frozen=True, kw_only=True, tag="controller_started"):
    """A controller took over this node; calls it found in Asterisk go on."""

    release: str
    boot_id: str
    adopted: int


class LinesLoaded(Fact, frozen=True, kw_only=True, tag="lines_loaded"):
    """The hotline files were read; `versions` maps a line's number to its version."""

    versions: dict[str, str]


class AlarmRaised(Fact, frozen=True, kw_only=True, tag="alarm_raised"):
    """Operations should look; `name` stays the same until it is cleared."""

    name: str
    subject: str
    detail: str


class AlarmCleared(Fact, frozen=True, kw_only=True, tag="alarm_cleared"):
    """What the alarm said is over."""

    name: str
    subject: str
