"""What a phone tells, as typed events.

baresip's own events are JSON objects `{"type": "CALL_ESTABLISHED", "id": <SIP Call-ID>, "param": ...}`; those that
mean something to a person at a phone are classes here, others are left out. To add one: a class, and a line in `read`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from calls.clock import Instant

_STATUS = re.compile(r"^(\d{3}) ")


class PhoneEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something a phone noticed; `call_id` is the SIP Call-ID, empty for what belongs to no call."""

    at: Instant
    call_id: str = ""


class Registered(PhoneEvent, frozen=True):
    """The server took the registration."""


class RegistrationFailed(PhoneEvent, frozen=True):
    """The server refused the registration or was not there; the phone tries again by itself."""

    reason: str


class Incoming(PhoneEvent, frozen=True):
    """Somebody calls: the phone rings."""

    caller: str
    """The caller's SIP address."""


class Ringing(PhoneEvent, frozen=True):
    """The far phone rings."""


class EarlyMedia(PhoneEvent, frozen=True):
    """The far side sends sound before it answers."""


class Established(PhoneEvent, frozen=True):
    """The call is answered: both sides may hear each other."""


class KeyHeard(PhoneEvent, frozen=True):
    """The far side pressed a key."""

    key: str


class Closed(PhoneEvent, frozen=True):
    """The call is over."""

    reason: str
    """baresip's words, or the SIP status line of the refusal."""

    @property
    def status(self) -> int | None:
        """The SIP status when the call was refused (486, 404, ...), None when it ended otherwise."""
        found = _STATUS.match(self.reason)
        return int(found[1]) if found else None

    @property
    def by_peer(self) -> bool:
        """True when the far side hung up an answered call."""
        return self.reason == "Connection reset by peer"


def read(message: dict[str, Any], at: Instant) -> PhoneEvent | None:
    """The event in one of baresip's messages, None when it is of no interest."""
    call_id, text = str(message.get("id", "")), str(message.get("param", ""))
    event: PhoneEvent | None = None
    match message.get("type"):
        case "REGISTER_OK":
            event = Registered(at=at)
        case "REGISTER_FAIL":
            event = RegistrationFailed(at=at, reason=text)
        case "CALL_INCOMING":
            event = Incoming(at=at, call_id=call_id, caller=str(message.get("peeruri", "")))
        case "CALL_RINGING":
            event = Ringing(at=at, call_id=call_id)
        case "CALL_PROGRESS":
            event = EarlyMedia(at=at, call_id=call_id)
        case "CALL_ESTABLISHED":
            event = Established(at=at, call_id=call_id)
        case "CALL_DTMF_START":
            event = KeyHeard(at=at, call_id=call_id, key=text)
        case "CALL_CLOSED":
            event = Closed(at=at, call_id=call_id, reason=text)
    return event
