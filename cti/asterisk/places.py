"""Kept places (断线保位): whoever was cut off from the queue and rings again in time waits from the first time on, once.

places.keep(kept)                        # a call ends that had a place in a queue
place = places.take(number, "pension")   # the same number joins that queue again; None when there is no place

Known by the calling number, which proves nothing: so it gives back a turn in the queue and nothing else. Nobody can tell a
cut line from a caller who hung up, so both keep it. A place that was given back is not kept a second time: else somebody
could ring in turns for hours ahead of those who hold the line. In the journal, so a restart keeps every place; of another
boot, whose clock does not compare, none is kept.
"""

from __future__ import annotations

import msgspec

from calls.clock import Clock, Instant
from calls.facts import VisitOutcome
from cti.asterisk.kept import KeptCall
from cti.store import Journal

KEEPS_PLACE: frozenset[VisitOutcome] = frozenset({"abandoned_waiting", "abandoned_ringing", "fault"})
"""How a visit ends whose place is kept."""

KEPT = "place/"


class KeptPlace(msgspec.Struct, frozen=True):
    """Instants are monotonic milliseconds of the boot `boot_id`."""

    visit: str
    """Whose place it was."""
    queue: str
    since_ms: int
    until_ms: int
    boot_id: str


class Places:
    """All kept places, by calling number."""

    def __init__(self, journal: Journal, clock: Clock, kept_s: float, boot_id: str) -> None:
        """`kept_s`: 0 keeps none."""
        self._journal, self._clock, self._kept_s, self._boot_id = journal, clock, kept_s, boot_id
        self._places = {key.removeprefix(KEPT): place for key, place in journal.find(KEPT, KeptPlace).items()}
        self._forget_old()

    def __len__(self) -> int:
        return len(self._places)

    def keep(self, kept: KeptCall) -> None:
        """Keep the place of a call that ends without its adviser, if it has one to keep and its number is known."""
        number, needs, now_ms = kept.calling_number, kept.needs, self._now_ms()
        if not self._kept_s or number is None or needs is None or kept.place_of:
            return
        self._forget_old()
        before = self._places.get(number)
        if before and before.queue == needs.queue and before.since_ms < kept.since_ms:
            return  # two calls of one number, such as an office's: the first place is the one that counts
        until_ms = now_ms + round(self._kept_s * 1000)
        visit = f"{kept.call_id}.{kept.visits}"
        self._places[number] = KeptPlace(visit, needs.queue, kept.since_ms, until_ms, self._boot_id)
        self._journal.put(KEPT + number, self._places[number])

    def take(self, number: str | None, queue: str) -> KeptPlace | None:
        """The place of this number in this queue; it is then used up."""
        self._forget_old()
        place = self._places.get(number or "")
        if number is None or place is None or place.queue != queue:
            return None
        self._forget(number)
        return place

    def _forget_old(self) -> None:
        now_ms = self._now_ms()
        for number, place in list(self._places.items()):
            if place.until_ms <= now_ms or place.boot_id != self._boot_id:
                self._forget(number)

    def _forget(self, number: str) -> None:
        del self._places[number]
        self._journal.forget(KEPT + number)

    def _now_ms(self) -> int:
        return round(self._clock.now() * 1000)


def since_of(place: KeptPlace) -> Instant:
    """From when the wait counts."""
    return Instant(place.since_ms / 1000)
