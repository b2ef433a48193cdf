"""Who callers have shown to be, and how often somebody may try: three times a call, five times a day for each account and for
each calling number.

A try is counted before it is made and taken back when it was right, so that many at once are no way round. One that would not
be let through is made all the same and its answer thrown away: it takes as long, and sounds the same. What is kept of an
account or a number is a keyed hash (HMAC-SHA256): nobody reads from the journal whose account was tried.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from calls.clock import Clock
from cti.store import Journal
from ivr.business import Business, Citizen, Identity, NotAvailable

TRIES_A_CALL, TRIES_A_DAY = 3, 5


class Failed(msgspec.Struct, frozen=True):
    """How often on that day."""

    day: date
    tries: int


class Tries:
    """The failed tries of today, by account and by calling number; kept with the journal."""

    def __init__(self, journal: Journal, clock: Clock, zone: ZoneInfo, secret: str) -> None:
        self._journal, self._clock, self._zone, self._secret = journal, clock, zone, secret.encode()
        for key, failed in journal.find("tries/", Failed).items():
            if failed.day != self._today():
                journal.forget(key)

    def begin(self, subjects: list[str]) -> bool:
        """Count a try of all these; whether it may be let through."""
        counts = [self._count(subject) for subject in subjects]
        with self._journal.together():
            for subject, tries in zip(subjects, counts, strict=True):
                self._put(subject, tries + 1)
        return all(tries < TRIES_A_DAY for tries in counts)

    def take_back(self, subjects: list[str]) -> None:
        """It was right, or was never made."""
        with self._journal.together():
            for subject in subjects:
                self._put(subject, self._count(subject) - 1)

    def _count(self, subject: str) -> int:
        failed = self._journal.get(self._key(subject), Failed)
        return failed.tries if failed and failed.day == self._today() else 0

    def _put(self, subject: str, tries: int) -> None:
        if tries > 0:
            self._journal.put(self._key(subject), Failed(self._today(), tries))
        else:
            self._journal.forget(self._key(subject))

    def _key(self, subject: str) -> str:
        return f"tries/{hmac.new(self._secret, subject.encode(), hashlib.sha256).hexdigest()}"

    def _today(self) -> date:
        return self._clock.utc().astimezone(self._zone).date()


class CallersIdentity:
    """`ivr.window.Identification` of one call."""

    def __init__(self, business: Business, tries: Tries, calling_number: str | None) -> None:
        self.known: Citizen | None = None
        self.tries_left = TRIES_A_CALL
        self._business, self._tries, self._calling_number = business, tries, calling_number
        self._identity: Identity | None = None
        """Of whoever is known; for as long as the call lasts, and nowhere else."""

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        """One try; see the Protocol."""
        self.tries_left -= 1
        subjects = [f"{identity.kind} {identity.number}"]
        if self._calling_number:
            subjects.append(f"from {self._calling_number}")
        let_through = self._tries.begin(subjects)
        try:
            citizen = await self._business.verify(identity, pin)
        except NotAvailable:
            self.tries_left += 1
            self._tries.take_back(subjects)
            raise
        if citizen and let_through:
            self._tries.take_back(subjects)
            self.known, self._identity = citizen, identity
        return self.known

    async def bound_number(self) -> str | None:
        """See the Protocol."""
        return await self._business.bound_number(self._identity) if self._identity else None
