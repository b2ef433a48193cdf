"""Who callers have shown to be, and how often somebody may try: three times a call, five times a day for each account and for
each calling number.

A try is counted before it is made and taken back when it was right, so that many at once are no way round. One that would not
be let through is made all the same and its answer thrown away, and every answer waits for the beat: it takes as long, and
sounds the same. What is kept of an account or a number is a keyed hash (HMAC-SHA256): nobody reads from the journal whose
account was tried.

A code by text is such a try, too, counted as it is sent: it is good for one guess, and for five minutes, and is nowhere but in
the memory of this controller and on the citizen's telephone.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from calls.clock import Clock, Instant
from calls.words import Language
from cti.store import Journal
from ivr.business import Business, Citizen, Identity, IdentityKind, NotAvailable
from ivr.texts import Said, Text, Texts

TRIES_A_CALL, TRIES_A_DAY = 3, 5

BEAT_S = 0.5
"""An answer comes a whole number of these after the question. A system may need longer for an account that it has, or for a
PIN that is right; as long as both are within one beat, as they are in one that is well, nobody can hear which it was."""

CODE_DIGITS = 6
CODE_GOOD_FOR_S = 300.0
"""A text may take a minute, and an old citizen another to find it."""


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


class _Code(msgspec.Struct, frozen=True):
    """A code that was sent, or would have been. Never logged: its repr says nothing."""

    digits: str
    identity: Identity
    subjects: list[str]
    number: str | None
    """Where to; None: it was not sent, and no guess is right."""
    until: Instant

    def __repr__(self) -> str:
        return "_Code(...)"


class Shown(msgspec.Struct, frozen=True):
    """Who a caller has shown to be, as far as an adviser sees it: the last four signs of the number."""

    kind: IdentityKind
    ends_in: str


class CallersIdentity:
    """`ivr.window.Identification` of one call."""

    def __init__(
        self,
        business: Business,
        tries: Tries,
        texts: Texts,
        clock: Clock,
        call_id: str,
        calling_number: str | None,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.known: Citizen | None = None
        self.tries_left = TRIES_A_CALL
        self._business, self._tries, self._texts, self._clock = business, tries, texts, clock
        self._call_id, self._calling_number, self._rest = call_id, calling_number, rest
        self._identity: Identity | None = None
        """Of whoever is known; for as long as the call lasts, and nowhere else."""
        self._code: _Code | None = None

    @property
    def shown(self) -> Shown | None:
        """Whoever is known; None: nobody yet."""
        return Shown(self._identity.kind, self._identity.number[-4:]) if self._identity else None

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        """One try; see the Protocol."""
        began = self._clock.now()
        subjects, let_through = self._begin(identity)
        try:
            citizen = await self._business.verify(identity, pin)
        except NotAvailable:
            self._never_made(subjects)
            raise
        if citizen and let_through:
            self._right(citizen, identity, subjects)
        await self._wait_for_the_beat(began)
        return citizen if let_through else None

    async def send_code(self, identity: Identity, language: Language) -> None:
        """Begin a try; see the Protocol. The number is asked for in any case, so that it takes as long."""
        self._code, began = None, self._clock.now()
        subjects, let_through = self._begin(identity)
        try:
            number = await self._business.bound_number(identity)
        except NotAvailable:
            self._never_made(subjects)
            raise
        digits = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        until = Instant(self._clock.now() + CODE_GOOD_FOR_S)
        self._code = _Code(digits, identity, subjects, number if let_through else None, until)
        if number and let_through:
            said = (Said("text.code", {"code": digits}),)
            self._texts.send_secret(Text(self._call_id, "code", number, "bound", language, said))
        await self._wait_for_the_beat(began)

    async def verify_code(self, code: str) -> Citizen | None:
        """The guess; see the Protocol."""
        sent, self._code = self._code, None
        if sent is None:
            return None
        right = hmac.compare_digest(sent.digits.encode(), code.encode())
        if not right or sent.number is None or self._clock.now() > sent.until:
            return None
        try:
            citizen = await self._business.verify_by_number(sent.identity, sent.number)
        except NotAvailable:
            self._never_made(sent.subjects)
            raise
        if citizen:
            self._right(citizen, sent.identity, sent.subjects)
        return citizen

    async def bound_number(self) -> str | None:
        """See the Protocol."""
        return await self._business.bound_number(self._identity) if self._identity else None

    def _begin(self, identity: Identity) -> tuple[list[str], bool]:
        """Count a try: whom it counts for, and whether it may be let through."""
        self.tries_left -= 1
        subjects = [f"{identity.kind} {identity.number}"]
        if self._calling_number:
            subjects.append(f"from {self._calling_number}")
        return subjects, self._tries.begin(subjects)

    def _never_made(self, subjects: list[str]) -> None:
        self.tries_left += 1
        self._tries.take_back(subjects)

    def _right(self, citizen: Citizen, identity: Identity, subjects: list[str]) -> None:
        self._tries.take_back(subjects)
        self.known, self._identity = citizen, identity

    async def _wait_for_the_beat(self, began: Instant) -> None:
        await self._rest((began - self._clock.now()) % BEAT_S)
