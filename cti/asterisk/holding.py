"""The adviser puts the caller on hold, and takes them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queues import Held

if TYPE_CHECKING:
    from cti.asterisk.session import Session


def put_on_hold(call: Session, on: bool) -> None:
    """The adviser pressed the telephone's hold key: Asterisk plays music to the caller, we keep count."""
    conversation = call.kept.conversation
    if conversation is None or conversation.aside or on == (conversation.held_since_ms is not None):
        return  # it may be pressed twice, and while somebody else is asked it is not the caller who is spoken to
    with call.node.journal.together():
        call.node.floor.take(Held(conversation.seat, call.visit, on))
        call.keep(conversation=conversation.hold(on, call.now_ms()))
