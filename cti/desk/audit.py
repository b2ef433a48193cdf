"""The audit log: who signed in, who changed what, and each look at a person's data, in a chain that shows a mended past.

Each entry is a fact, and carries a seal (HMAC-SHA256, FIPS 198-1) over itself and the seal before it, made with a key that
is not in the database. Whoever changes, removes or adds a row there cannot make the seals fit; `broken` names the first that
does not. What the chain cannot show by itself is that its end was cut off: the controller knows the newest seal, and
`rexian audit` holds it against the last row.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import msgspec

from calls.clock import Clock
from calls.facts import Audited, AuditedAct
from calls.ports import FactSink
from cti.store import Journal

HEAD = "audit/head"
START = ""
"""What the first entry's seal is over, besides itself."""


class Head(msgspec.Struct, frozen=True):
    """The newest entry."""

    number: int = 0
    seal: str = START


class Audit:
    """Writes the chain; it goes on where the last controller's ended."""

    def __init__(self, facts: FactSink, journal: Journal, clock: Clock, key: str) -> None:
        self._facts, self._journal, self._clock = facts, journal, clock
        self._key = key
        self.head = journal.get(HEAD, Head) or Head()

    def write(self, did: AuditedAct, account: str | None, about: str, address: str | None = None) -> None:
        """One more entry: who did what, to what, and from which address where they showed who they are."""
        number, before = self.head.number + 1, self.head.seal
        entry = Audited(
            number=number, at=self._clock.utc(), account=account, did=did, about=about, address=address, seal=""
        )
        entry = msgspec.structs.replace(entry, seal=seal_of(entry, before, self._key))
        with self._journal.together():
            self._facts.record(entry)
            self.head = Head(number, entry.seal)
            self._journal.put(HEAD, self.head)


def seal_of(entry: Audited, before: str, key: str) -> str:
    """What the entry's seal must be after an entry with the seal `before`, as 64 hexadecimal digits."""
    body = msgspec.json.encode([before, *msgspec.structs.astuple(msgspec.structs.replace(entry, seal=""))])
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def broken(entries: Iterable[Audited], head: Head, key: str) -> str | None:
    """What is wrong with this log, oldest entry first; None when it is whole up to `head`, and beyond."""
    last = Head()
    for entry in entries:
        if entry.number != last.number + 1:
            return f"entry {last.number + 1} is missing: {entry.number} comes after {last.number}"
        if not hmac.compare_digest(entry.seal, seal_of(entry, last.seal, key)):
            return f"entry {entry.number} is not what was written: its seal does not fit"
        last = Head(entry.number, entry.seal)
        if last.number == head.number and last != head:
            return f"entry {entry.number} is not what the controller wrote: its seal is another one"
    return None if last.number >= head.number else f"entries {last.number + 1} to {head.number} are missing at the end"
