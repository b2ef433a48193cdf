"""What can be seen of a call as it happens: its facts, and two passing moments beside them.

A moment is no fact: nobody needs it tomorrow, so it is shown to whoever looks on and is kept nowhere. On the wire
(newline-delimited JSON) a moment has a `kind`; a fact is told from it by having none at its head.
"""

from __future__ import annotations

import msgspec

from calls.facts import Stamped

RATING_MENU = "rating"
"""The satisfaction question, which is asked like a menu."""


class MenuStarted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="menu_started"):
    """A menu began to speak; a key may interrupt it."""

    menu: str


class AwaitingKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="awaiting_key"):
    """A menu has spoken and waits for a key."""

    menu: str


Observation = Stamped | MenuStarted | AwaitingKey


class _Head(msgspec.Struct):
    kind: str | None = None


_head = msgspec.json.Decoder(_Head)
_fact = msgspec.json.Decoder(Stamped)
_moment: msgspec.json.Decoder[MenuStarted | AwaitingKey] = msgspec.json.Decoder(MenuStarted | AwaitingKey)


def decode_observation(line: bytes) -> Observation:
    """One line as it is shown. Raises msgspec.ValidationError on a shape that is neither fact nor moment."""
    return _fact.decode(line) if _head.decode(line).kind is None else _moment.decode(line)
