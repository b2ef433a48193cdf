"""Who sits where: each adviser at one seat, what each may take, and how many there are of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from calls.errors import NotPossible
from queues.advisers import Adviser
from queues.policy import Profile
from queues.seats import Seat


class Presence:
    """The advisers of the file, and those of them (or of an older file) who sit at a seat."""

    def __init__(self, advisers: Mapping[str, Adviser]) -> None:
        self._profiles: dict[str, Profile] = {}
        self._sits: dict[str, Seat] = {}
        self._kinds: Counter[Profile] = Counter()
        self.configure(advisers)

    def configure(self, advisers: Mapping[str, Adviser]) -> None:
        """A new file; who sits stays, and may take what the file says by now."""
        self._profiles = {number: adviser.profile for number, adviser in advisers.items()}
        self._kinds = Counter(self._profiles[number] for number in self._sits if number in self._profiles)

    def profile(self, adviser: str | None) -> Profile | None:
        """What an adviser may take; None for nobody, and for whoever is in the file no more."""
        return self._profiles.get(adviser or "")

    def kinds(self) -> Iterable[Profile]:
        """Those of whom somebody sits."""
        return self._kinds

    def check(self, adviser: str, seat: Seat) -> None:
        """Raises NotPossible, with the reason, when this adviser cannot be at this seat."""
        if adviser not in self._profiles:
            raise NotPossible(f"there is no adviser {adviser}; add the number to lines/advisers.yaml and reload")
        elsewhere = self._sits.get(adviser, seat)
        if elsewhere is not seat:
            raise NotPossible(f"adviser {adviser} sits at seat {elsewhere.number}: log out there first")

    def sit(self, adviser: str, seat: Seat) -> None:
        """The adviser sits at this seat from now on, in place of whoever did."""
        if seat.adviser == adviser:
            return
        if seat.adviser is not None:
            self.leave(seat.adviser)
        seat.adviser = adviser
        self._sits[adviser] = seat
        if profile := self.profile(adviser):
            self._kinds[profile] += 1

    def leave(self, adviser: str) -> None:
        """The adviser sits nowhere any more."""
        self._sits.pop(adviser, None)
        if profile := self.profile(adviser):
            self._kinds[profile] -= 1
            if not self._kinds[profile]:
                del self._kinds[profile]
