"""Dead air: how long anybody who waited or talked heard nothing, from what the telephones heard and what the facts tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from tests.asterisk.hotline import Hotline
from tests.invariants import Verdict
from tests.telephones.crowd import Note
from tests.telephones.voice import Span

DEAD_AIR_S = 2.0
SLACK_S = 0.5
"""A fact is told some time after the sound that it speaks of."""

WINDOWS = """
SELECT c.sip_call_id, v.visit, v.seat, v.talk_ended_by,
       (SELECT min(mono_ms) FROM facts f WHERE f.call_id = v.call_id AND kind = 'queue_entered'
            AND body->>'visit' = v.visit),
       (SELECT min(mono_ms) FROM facts f WHERE f.call_id = v.call_id AND kind = 'queue_left' AND body->>'visit' = v.visit),
       (SELECT min(mono_ms) FROM facts f WHERE f.call_id = v.call_id AND kind = 'conversation_ended'
            AND body->>'visit' = v.visit)
FROM queue_visits v JOIN calls c USING (call_id)
"""


class Window(msgspec.Struct, frozen=True):
    """Somebody waited, or talked, from one instant to another."""

    visit: str
    doing: str
    span: Span


async def dead_air(
    hotline: Hotline, notes: Mapping[str, Note], seat_notes: Collection[tuple[str, Note]], excused: Collection[Span]
) -> Verdict:
    """The longest silence of those who waited and of those who talked; silence within `excused` times does not count."""
    worst = {"waiting": 0.0, "talking": 0.0}
    broken: list[str] = []
    for sip, visit, seat, ended_by, entered, left, ended in await hotline.sql(WINDOWS):
        if (note := notes.get(sip)) is None or entered is None or left is None:
            continue
        windows = [Window(visit, "waiting", (entered / 1000, left / 1000))]
        if ended is not None and ended_by != "fault":  # a telephone that vanished is silent for as long as its limit
            until = min(ended / 1000, _parted(seat, left / 1000, seat_notes))
            windows.append(Window(visit, "talking", (left / 1000, until)))
        for window in windows:
            silence = longest_silence(note.silences, window.span, excused)
            worst[window.doing] = max(worst[window.doing], silence)
            if silence > DEAD_AIR_S:
                broken.append(f"{visit}: {silence:.1f} s of silence while {window.doing}")
    figure = ", ".join(f"{doing} {seconds:.1f} s" for doing, seconds in worst.items())
    return Verdict(f"dead air is at most {DEAD_AIR_S:.0f} s", f"longest: {figure}", tuple(broken))


def longest_silence(silences: Collection[Span], window: Span, excused: Collection[Span]) -> float:
    """The longest of these silences inside the window and outside what is excused."""
    begin, end = window
    found = [(max(first, begin), min(last, end)) for first, last in silences]
    return max(
        (last - first for first, last in found if not any(first < until and since < last for since, until in excused)),
        default=0.0,
    )


def _parted(seat: str, answered: float, seat_notes: Collection[tuple[str, Note]]) -> float:
    """When the adviser's telephone ended the call that it answered at this instant: later its side is silent."""
    return next(
        (
            note.ended_at
            for number, note in seat_notes
            if number == seat and note.answered_at is not None and abs(note.answered_at - answered) < SLACK_S
        ),
        float("inf"),
    )
