"""Dead air: how long anybody who waited or talked heard nothing, from what the telephones heard and what the facts tell.

There are two moments in which nothing plays that could go on without a controller: before the first word to a caller for
whom a seat rings already, and while the adviser's number is said. A controller that dies or stalls in one of them leaves
silence until the next one is there. Those silences are not judged by the law; their longest is told beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from cti.asterisk.waiting import SILENCE_S
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
       (SELECT min(mono_ms) FROM facts f WHERE f.call_id = v.call_id AND kind = 'adviser_number_said'
            AND body->>'visit' = v.visit),
       (SELECT min(mono_ms) FROM facts f WHERE f.call_id = v.call_id AND kind = 'conversation_ended'
            AND body->>'visit' = v.visit),
       ARRAY(SELECT (body->>'seat') || ' ' || mono_ms FROM facts f WHERE f.call_id = v.call_id AND kind = 'seat_offered'
            AND body->>'visit' = v.visit)
FROM queue_visits v JOIN calls c USING (call_id)
"""


class Window(msgspec.Struct, frozen=True):
    """Somebody waited, or talked, from one instant to another; what began in one of `held` needed the controller to go on."""

    visit: str
    doing: str
    span: Span
    held: tuple[Span, ...]


async def dead_air(
    hotline: Hotline,
    notes: Mapping[str, Note],
    seat_notes: Collection[tuple[str, Note]],
    dead: Collection[Span],
    headless: Collection[Span],
    lost: Collection[tuple[str, float]],
) -> Verdict:
    """The longest silence of those who waited and of those who talked.

    `dead`: when there was no Asterisk, and silence does not count. `headless`: when the controller was away or stalled.
    `lost`: which seat's telephone was lost when; whoever talked to it hears nothing from then on.
    """
    worst = {"waiting": 0.0, "talking": 0.0}
    longest_headless = 0.0
    broken: list[str] = []
    for sip, visit, seat, ended_by, entered, left, said, ended, offers in await hotline.sql(WINDOWS):
        if (note := notes.get(sip)) is None or entered is None or left is None:
            continue
        first = (entered / 1000, entered / 1000 + SILENCE_S)
        windows = [Window(visit, "waiting", (entered / 1000, left / 1000), (first, *_picked_up(offers, seat_notes)))]
        if ended is not None and ended_by != "fault":  # a telephone that vanished is silent for as long as its limit
            gone = min((at for each, at in lost if each == seat and at > left / 1000), default=float("inf"))
            until = min(ended / 1000, _parted(seat, left / 1000, seat_notes), gone)
            windows.append(Window(visit, "talking", (left / 1000, until), ((left / 1000, (said or ended) / 1000),)))
        for window in windows:
            for silence in _within(note.silences, window.span):
                length = silence[1] - silence[0]
                if _overlaps(silence, dead):
                    continue
                held = [(since - SLACK_S, until + SLACK_S) for since, until in window.held]
                if any(
                    since <= silence[0] < until and _overlaps((silence[0], until), headless) for since, until in held
                ):
                    longest_headless = max(longest_headless, length)
                    continue
                worst[window.doing] = max(worst[window.doing], length)
                if length > DEAD_AIR_S:
                    broken.append(f"{visit}: {length:.1f} s of silence while {window.doing}")
    figure = ", ".join(f"{doing} {seconds:.1f} s" for doing, seconds in worst.items())
    figure += f"; without a controller in the two moments that need one {longest_headless:.1f} s"
    return Verdict(f"dead air is at most {DEAD_AIR_S:.0f} s", f"longest: {figure}", tuple(broken))


def _within(silences: Collection[Span], window: Span) -> list[Span]:
    begin, end = window
    found = [(max(first, begin), min(last, end)) for first, last in silences]
    return [(first, last) for first, last in found if first < last]


def _overlaps(span: Span, others: Collection[Span]) -> bool:
    return any(span[0] < until and since < span[1] for since, until in others)


def _picked_up(offers: Collection[str], seat_notes: Collection[tuple[str, Note]]) -> list[Span]:
    """When an adviser's telephone was off the hook for somebody who waits: a controller that died may not have kept it yet."""
    found: list[Span] = []
    for seat, _, offered_ms in (offer.partition(" ") for offer in offers):
        answers = [
            note for number, note in seat_notes if number == seat and (note.answered_at or 0) > int(offered_ms) / 1000
        ]
        if nearest := min(answers, key=lambda note: note.answered_at or 0, default=None):
            found.append((nearest.answered_at or 0, nearest.ended_at))
    return found


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
