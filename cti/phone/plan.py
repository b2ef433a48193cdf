"""What a synthetic citizen is told before a call (`CallPlan`), and what the running controller tells beside it (`Watch`).

The controller speaks newline-delimited JSON: a fact as it is stamped (calls/facts.py), or one of the two moments below,
which are not facts: nobody needs them tomorrow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from calls.facts import Stamped

RATING_MENU = "rating"


class MenuStarted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="menu_started"):
    """A menu began to speak; a key may interrupt it."""

    menu: str


class AwaitingKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="awaiting_key"):
    """A menu has spoken and waits for a key."""

    menu: str


Observation = Stamped | MenuStarted | AwaitingKey

Watch = Callable[[str], AsyncIterator[Observation]]
"""Given the SIP Call-ID: everything the controller knows of that call, from its first fact on, as it happens."""


class _Head(msgspec.Struct):
    kind: str | None = None


_head = msgspec.json.Decoder(_Head)
_fact = msgspec.json.Decoder(Stamped)
_moment: msgspec.json.Decoder[MenuStarted | AwaitingKey] = msgspec.json.Decoder(MenuStarted | AwaitingKey)


def decode_observation(line: bytes) -> Observation:
    """One line from the controller. Raises msgspec.ValidationError on a shape that is neither fact nor moment."""
    return _fact.decode(line) if _head.decode(line).kind is None else _moment.decode(line)


class CallPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the citizen does. Seconds count from the INVITE unless said otherwise."""

    to: str = "12333"
    server: str = "127.0.0.1:5060"
    """host:port of the trunk's far side: the hotline."""
    calling_number: str = "13800001111"
    keys: str = ""
    """One for each menu that waits for a key."""
    barge: bool = False
    """Key as soon as a menu begins to speak."""
    rate: str | None = None
    """The key for the satisfaction question; None: hang up when it is asked."""
    say: Path | None = None
    """Spoken over and over from the answer on; silence when None."""
    hold_s: float | None = None
    """Hang up after so long a conversation; None: let the adviser end it."""
    hang_up_after_s: float | None = None
    """Hang up at that moment, wherever the call is."""
    max_s: float = 120.0
    """A call that is not over by then has failed, and is hung up."""
