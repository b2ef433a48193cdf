"""Why this caller and that seat: who else there was, and why each of them was passed over. Small enough for a fact.

Like everything about a decision it is told by groups: how many for one reason, and the first few by name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice

from calls.facts import Chosen, PassedOver, PassedOverWhy, SeatState
from queues.idle import IdleSeats
from queues.policy import Ask, Profile, Waiting
from queues.waiting import WaitingRoom

NAMED = 3
"""So many seats are named for each reason; the others are counted."""

BUSY_FOR: Mapping[SeatState, PassedOverWhy] = {
    "not_ready": "not_ready",
    "reserved": "reserved",
    "ringing": "ringing",
    "calling": "calling",
    "talking": "talking",
    "holding": "holding",
    "wrap_up": "wrap_up",
}
"""States in which somebody sits at a seat and it takes no call."""


def in_a_few_words(chosen: Chosen) -> str:
    """What decided, for whoever reads the bare fact."""
    seat = "preferred adviser" if chosen.preferred else f"fewest surplus levels ({chosen.surplus})"
    waited, rested = chosen.waited_ms / 1000, chosen.rested_ms / 1000
    return f"waited {waited:.1f} s, first in turn; {seat}, rested {rested:.1f} s"


class _Tally:
    """Counts by reason."""

    def __init__(self) -> None:
        self._found: dict[tuple[PassedOverWhy, str], tuple[int, tuple[str, ...]]] = {}

    def add(self, why: PassedOverWhy, detail: str, count: int, some: Iterator[str]) -> None:
        if count:
            before, named = self._found.get((why, detail), (0, ()))
            self._found[why, detail] = (before + count, (*named, *islice(some, NAMED - len(named))))

    def told(self) -> tuple[PassedOver, ...]:
        """The most frequent reason first."""
        most = sorted(self._found.items(), key=lambda found: (-found[1][0], found[0]))
        return tuple(PassedOver(why, detail, count, some) for (why, detail), (count, some) in most)


def seats_passed(
    idle: IdleSeats, states: Mapping[SeatState, int], ask: Ask, chosen: str, *, preferred: bool
) -> tuple[PassedOver, ...]:
    """The other seats at which somebody sits; `preferred`: the chosen one was it for its adviser's sake."""
    tally = _Tally()
    mine = idle.fit(idle.profile(chosen), ask)
    for profile, rests in idle.groups():
        others = (seat for _, seat in rests if seat != chosen)
        count = len(rests) - (profile == idle.profile(chosen))
        found = idle.fit(profile, ask)
        if isinstance(found, tuple):
            tally.add(*found, count, others)
        elif preferred:
            tally.add("not_preferred", "", count, others)
        else:
            tally.add("rest" if found == mine else "surplus", "", count, others)
    for state, why in BUSY_FOR.items():
        tally.add(why, "", states.get(state, 0), iter(()))
    return tally.told()


def callers_passed(room: WaitingRoom, idle: IdleSeats, mine: Waiting, profile: Profile) -> tuple[PassedOver, ...]:
    """Callers of any queue whose turn was before, and whom an adviser of that profile cannot take."""
    tally = _Tally()
    for group in room.groups():
        found = idle.fit(profile, group.ask)
        if isinstance(found, tuple):
            tally.add(*found, bisect_left(group.places, (mine.turn, mine.visit)), iter(()))
    return tally.told()
