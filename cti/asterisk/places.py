"""Kept places (断线保位): whoever was cut off from the queue and rings again in time waits from the first time on, once.

keep_place(places, kept)                      # a call ends that had a place in a queue
place = take_place(places, number, "pension") # the same number joins that queue again; None when there is no place

Nobody can tell a cut line from a caller who hung up, so both keep it. A place that was given back is not kept a second
time: else somebody could ring in turns for hours ahead of those who hold the line.
"""

from __future__ import annotations

import msgspec

from calls.clock import Instant
from calls.facts import VisitOutcome
from cti.asterisk.kept import KeptCall
from cti.remembered import Remembered

KEEPS_PLACE: frozenset[VisitOutcome] = frozenset({"abandoned_waiting", "abandoned_ringing", "fault"})
"""How a visit ends whose place is kept."""


class KeptPlace(msgspec.Struct, frozen=True):
    """A place in `queue`, and the `visit` whose it was."""

    visit: str
    queue: str
    since_ms: int
    """Monotonic: from when its wait counts."""

    @property
    def since(self) -> Instant:
        """The same as the engine has it."""
        return Instant(self.since_ms / 1000)


def keep_place(places: Remembered[KeptPlace], kept: KeptCall) -> None:
    """Keep the place of a call that ends without its adviser, if it has one to keep."""
    if kept.needs is None or kept.place_of:
        return
    before = places.get(kept.calling_number)
    if before and before.queue == kept.needs.queue and before.since_ms < kept.since_ms:
        return  # two calls of one number, such as an office's: the first place is the one that counts
    visit = f"{kept.call_id}.{kept.visits}"
    places.put(kept.calling_number, KeptPlace(visit, kept.needs.queue, kept.since_ms))


def take_place(places: Remembered[KeptPlace], number: str | None, queue: str) -> KeptPlace | None:
    """The place of this number in this queue; it is then used up."""
    place = places.get(number)
    if number is None or place is None or place.queue != queue:
        return None
    places.forget(number)
    return place
