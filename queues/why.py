"""Why this caller and that seat: who else there was, and why each of them was passed over. Small enough for a fact.

Like everything about a decision it is told by groups: how many for one reason, and the first few by name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from calls.facts import Chosen, PassedOver, PassedOverWhy, SeatState
from queues.idle import IdleSeats
from queues.policy import Ask, Lack, Profile, Waiting
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


PULLED = "pulled"
"""The first word of `why` where a team lead gave the caller to the seat, whatever the rule says."""


def pulled(found: int | Lack) -> str:
    """As `in_a_few_words`, where a team lead gave the caller to the seat: what the adviser lacks by the rule, if anything."""
    return PULLED if isinstance(found, int) else f"{PULLED}: {' '.join(found)}"


class _Tally:
    """Counts by reason."""

    def __init__(self) -> None:
        self._found: dict[Lack, tuple[int, Lack, tuple[str, ...]]] = {}
        """By reason: the count below zero, so that sorting has the most frequent first; the reason; the first few."""

    def add(self, reason: Lack, count: int, some: Iterable[str] = ()) -> None:
        before, _, named = self._found.get(reason, (0, reason, ()))
        self._found[reason] = (before - count, reason, (*named, *some)[:NAMED])

    def told(self) -> tuple[PassedOver, ...]:
        """The most frequent reason first."""
        return tuple([PassedOver(*reason, -count, some) for count, reason, some in sorted(self._found.values())])


def seats_passed(
    idle: IdleSeats, states: Mapping[SeatState, int], ask: Ask, chosen: str, *, preferred: bool
) -> tuple[PassedOver, ...]:
    """The other seats at which somebody sits; `preferred`: the chosen one was it for its adviser's sake."""
    tally = _Tally()
    mine = idle.profile(chosen)
    surplus = idle.fit(mine, ask)
    for profile, rests in idle.groups():
        count = len(rests) - (profile == mine)
        if not count:
            continue
        others = [seat for _, seat in rests[: NAMED + 1] if seat != chosen]
        found = idle.fit(profile, ask)
        if isinstance(found, tuple):
            tally.add(found, count, others)
        elif preferred:
            tally.add(("not_preferred", ""), count, others)
        else:
            tally.add(("rest" if found == surplus else "surplus", ""), count, others)
    for state, why in BUSY_FOR.items():
        if count := states.get(state, 0):
            tally.add((why, ""), count)
    return tally.told()


def callers_passed(room: WaitingRoom, idle: IdleSeats, mine: Waiting, profile: Profile) -> tuple[PassedOver, ...]:
    """Callers of any queue whose turn was before, and whom an adviser of that profile cannot take."""
    tally, place = _Tally(), (mine.turn, mine.visit)
    for group in room.groups():
        if group.places[0] < place and isinstance(found := idle.fit(profile, group.ask), tuple):
            tally.add(found, bisect_left(group.places, place))
    return tally.told()


def pulled_past(room: WaitingRoom, mine: Waiting) -> tuple[PassedOver, ...]:
    """Callers of the same queue whose turn was before that of somebody whom a team lead pulled."""
    place = (mine.turn, mine.visit)
    count = sum(bisect_left(group.places, place) for group in room.groups() if group.queue == mine.needs.queue)
    return (PassedOver("pulled", "", count),) if count else ()
