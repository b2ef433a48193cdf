"""Asterisk's answers, as observed, become the words of `cti.asterisk.errors`."""

import pytest

from cti.asterisk.errors import (
    AriError,
    Conflict,
    Gone,
    NotInStasis,
    Refused,
    Unavailable,
    Unreachable,
    Unset,
    from_answer,
)

# Each seen on Asterisk 22.10.1.
OBSERVED: list[tuple[str, int, str, type[AriError]]] = [
    ("channels.get", 404, "Channel not found", Gone),
    ("channels.get_channel_var", 404, "Provided channel was not found", Gone),
    ("channels.answer", 500, "Failed to answer channel", Gone),
    ("bridges.add_channel", 400, "Channel not found", Gone),
    ("bridges.add_channel", 404, "Bridge not found", Gone),
    ("bridges.play", 409, "Bridge not in Stasis application", Gone),
    ("bridges.remove_channel", 422, "Channel not in this bridge", Gone),
    ("playbacks.stop", 404, "Playback not found", Gone),
    ("recordings.get_live", 404, "Recording not found", Gone),
    ("applications.subscribe", 422, "Event source does not exist", Gone),
    ("events.user_event", 422, "Event source was not found", Gone),
    ("channels.get_channel_var", 404, "Provided variable was not found", Unset),
    ("channels.answer", 409, "Channel not in Stasis application", NotInStasis),
    ("bridges.add_channel", 422, "Channel not in Stasis application", NotInStasis),
    ("channels.create", 409, "Channel with given unique ID already exists", Conflict),
    ("channels.dial", 409, "Channel is not in the 'Down' state", Conflict),
    ("bridges.add_channel", 409, "Channel 1 currently recording", Conflict),
    ("channels.ring", 412, "Channel in invalid state", Conflict),
    ("channels.create", 500, "Allocation failed", Unreachable),
    ("channels.originate", 500, "Allocation failed", Unreachable),
    ("bridges.play", 500, "Allocation failed", Unavailable),
    ("channels.create", 400, "Invalid endpoint specified", Refused),
    ("channels.hangup", 400, "Invalid reason for hangup reason provided", Refused),
    ("channels.list_all", 401, "Invalid userid/password", Refused),
    ("channels.list_all", 503, "Asterisk not booted", Unavailable),
]


@pytest.mark.parametrize(("operation", "status", "text", "word"), OBSERVED)
def test_an_answer_becomes_a_word(operation: str, status: int, text: str, word: type[AriError]) -> None:
    error = from_answer(operation, status, text)

    assert type(error) is word
    assert str(error) == f"{operation}: {status} {text}"
