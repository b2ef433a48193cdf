"""Voice messages and complaints, which somebody is to answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from calls.facts.fact import Fact

MessagePurpose = Literal["message", "complaint"]
"""What a caller left: a message, or a complaint or suggestion, which goes to others than the adviser whom it is about."""


class VoiceMessageLeft(Fact, frozen=True, kw_only=True, tag="voice_message_left"):
    """A caller left a voice message; the recording of that name is sealed with the end of the call.

    It was on the disk before the caller was told that it is kept.
    """

    call_id: str
    message: str
    line: str
    about: str
    """The choice or the queue that led there."""
    calling_number: str | None
    """E.164; None when withheld: then whoever answers has only what was said."""
    begun_at: datetime
    """UTC; the recording is filed under this day."""
    length_ms: int
    spoken_ms: int
    """How long of it the caller spoke."""
    due_at: datetime
    """UTC: it is to be answered before."""
    purpose: MessagePurpose = "message"
    visit: str | None = None
    """The visit whose conversation a complaint is about; None: none in particular."""
    adviser: str | None = None
    """The adviser in that conversation."""


class VoiceMessageAnswered(Fact, frozen=True, kw_only=True, tag="voice_message_answered"):
    """Somebody says that the citizen has their answer."""

    call_id: str
    message: str
    adviser: str
