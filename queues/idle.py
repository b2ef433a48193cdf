"""The seats that are ready, in groups of advisers who may take the same calls, each by the length of its rest.

Which seat takes a call is a question to the first of each group, so it costs as much as there are different profiles.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from calls.clock import Instant
from queues.policy import Ask, Lack, Profile, fit
from queues.seats import Seat

Rest = tuple[Instant, str]
"""Since when a seat rests, and its number."""


class IdleSeats:
    """Seats in the state ready. `changed` are those that came since it was emptied."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self._of: dict[str, tuple[str, Profile, Rest]] = {}
        self._by_profile: dict[Profile, list[Rest]] = {}
        self._by_adviser: dict[str, str] = {}
        self._fits: dict[tuple[Ask, Profile], int | Lack] = {}
        """Answers of the rule, kept: there are few things to ask for, and few profiles."""
        self._closed: frozenset[str] = frozenset()

    def lend(self, closed: frozenset[str]) -> None:
        """Sites that lend nobody from now on; what others may lend must be looked at anew."""
        self._closed = closed
        self.changed.update(self._of)

    def __len__(self) -> int:
        return len(self._of)

    def profile(self, seat: str) -> Profile:
        """Of the adviser at an idle seat."""
        return self._of[seat][1]

    def add(self, seat: Seat, adviser: str, profile: Profile) -> None:
        """The seat is ready, with this adviser at it."""
        rest = (seat.since, seat.number)
        self._of[seat.number] = (adviser, profile, rest)
        self._by_adviser[adviser] = seat.number
        insort(self._by_profile.setdefault(profile, []), rest)
        self.changed.add(seat.number)

    def remove(self, seat: str) -> None:
        """It is no longer ready, or never was."""
        if seat not in self._of:
            return
        adviser, profile, rest = self._of.pop(seat)
        del self._by_adviser[adviser]
        rests = self._by_profile[profile]
        del rests[bisect_left(rests, rest)]
        if not rests:
            del self._by_profile[profile]
        self.changed.discard(seat)

    def fit(self, profile: Profile, ask: Ask) -> int | Lack:
        """The rule's answer, unless the adviser's site lends nobody at this moment."""
        if self._closed and ask.home is not None and profile.site != ask.home and profile.site in self._closed:
            return ("lending", profile.site)
        return self.could_fit(profile, ask)

    def could_fit(self, profile: Profile, ask: Ask) -> int | Lack:
        """`policy.fit`, remembered: what may be so at some time."""
        found = self._fits.get((ask, profile))
        if found is None:
            found = self._fits[ask, profile] = fit(profile, ask)
        return found

    def may_take(self, profile: Profile, ask: Ask) -> bool:
        """Whether advisers of that profile may take such a call."""
        return isinstance(self.fit(profile, ask), int)

    def some_may_take(self, profiles: Iterable[Profile], ask: Ask) -> bool:
        """Whether advisers of one of those profiles may take such a call."""
        return any(isinstance(self.fit(profile, ask), int) for profile in profiles)

    def groups(self) -> Iterable[tuple[Profile, list[Rest]]]:
        """Each profile with its seats, the longest rest first."""
        return self._by_profile.items()

    def best(self, ask: Ask, preferred: str | None) -> str | None:
        """The seat for a call: the preferred adviser's, then the fewest surplus levels, then the longest rest."""
        if preferred in self._by_adviser:
            seat = self._by_adviser[preferred]
            if self.may_take(self.profile(seat), ask):
                return seat
        best: tuple[int, Rest] | None = None
        for profile, rests in self._by_profile.items():
            beyond = self.fit(profile, ask)
            if isinstance(beyond, int) and (best is None or (beyond, rests[0]) < best):
                best = (beyond, rests[0])
        return best[1][1] if best else None
