"""The journal: where every fact is written first, on this node's own disk, off the event loop.

`record` stamps a fact and returns; a thread of the journal's own writes what has come since it wrote last, and from then on
the death of this process costs nothing of it. A second thread brings what is written to the disk, so one `fsync` serves as
many facts as came meanwhile, and a disk that takes seconds for it holds up no writing. Whoever must not go on before a fact
is safe from a power cut (a reference that is read out to the citizen) awaits `flush`. Readers follow by sequence number,
and see only what is safe: a number that a power cut took back would be used for another fact. The newest facts come from
memory, older ones from the file, so a slow or dead reader costs the calls nothing and misses nothing.

When the disk is full, `problem` says so, facts wait in bounded memory and are tried again; past the bound they are
counted in `lost`, and their numbers stay unused, so that the gap shows in every copy of the history. Afterwards the
history itself tells of it, by the alarms `journal_unwritable` (stamped when it began) and, with their number, `facts_lost`.

The operational state (`put`, `get`, `find`, `forget`) is written by the same thread, together with the facts recorded
before it. It is kept in memory too: reading it costs no I/O.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Condition, Event, Thread
from typing import TypeVar
from uuid import uuid4

import msgspec
import structlog

from calls.clock import Clock
from calls.facts import VERSION, AlarmCleared, AlarmRaised, AnyFact, Stamped
from cti.store.sqlitefile import SqliteFile

T = TypeVar("T")

KEPT = timedelta(days=7)
"""Facts stay in the journal this long after they are in Postgres: time to mend a bus or a database by hand."""

PRUNED_EVERY = timedelta(hours=1)

GATHERED = timedelta(milliseconds=5)
"""What comes within so long is one commit, unless somebody waits for it: a call's facts come in bursts, and each commit
wakes the disk and all who follow. It is also what a kill may cost at most, however slow the disk is."""

MEMORY_LIMIT = 100_000
"""Facts that may wait for a full disk: over an hour of a busy centre, some 100 MB."""

RECENT = 10_000
"""Facts kept in memory for those who follow closely."""

RETRY = timedelta(milliseconds=500)
"""Between attempts while the disk refuses."""

UNWRITABLE = "journal_unwritable"
FACTS_LOST = "facts_lost"
"""Alarms, about this node: while facts wait in memory, and when there was no room for them there."""

_ID = "journal/id"
_SHIPPED = "journal/shipped"

log = structlog.get_logger(__name__)


class Journal:
    """The history of node `node`, in the file at `path`; a FactSink. Raises NotPossible when it cannot be opened."""

    def __init__(self, path: Path, node: str, clock: Clock) -> None:
        self.node = node
        self._unwritable: str | None = None
        self._unsafe: str | None = None
        self.lost = 0
        """Facts that were not kept since this journal was opened: no room on the disk or in memory, or it was closed."""
        self._lost_told = 0
        self._clock = clock
        self._file = SqliteFile(path)
        self._state = self._file.state()
        self._recorded = self._written_seq = self._file.last_seq()
        self.committed = 0
        """Number of the last fact that is on the disk, as far as this process has seen to it."""
        self._changed = Condition()
        self._hurry, self._to_sync = Event(), Event()
        self._to_sync.set()
        self._facts: list[Stamped] = []
        self._puts: dict[str, bytes | None] = {}
        self._changes = self._written = 0  # each record and put is a change; so many of them are written
        self._safe = -1  # and on the disk; the first sync is for what the last process wrote
        self._in_hand = 0
        self._recent: list[Stamped] = []
        self._closing = self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self.shipped_upto = self.get(_SHIPPED, int) or 0
        """Facts up to this one are in PostgreSQL, as far as is known before the shipper has asked."""
        self._pruned_at = clock.now()
        if _ID not in self._state:
            self.put(_ID, uuid4().hex)
        self._threads = [
            Thread(target=self._run, args=(work,), name=name, daemon=True)
            for name, work in (("journal", self._write), ("journal-disk", self._sync))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def problem(self) -> str | None:
        """What keeps facts from the disk at this moment; None when all is well."""
        return self._unwritable or self._unsafe

    @property
    def id(self) -> str:
        """Names this file for life: two files of the same node name are two histories."""
        return self.get(_ID, str) or ""

    @property
    def recorded(self) -> int:
        """Number of the last fact that was recorded, which may not be on the disk yet."""
        return self._recorded

    # Facts

    def record(self, fact: AnyFact, at: datetime | None = None) -> Stamped:
        """Stamp the fact and keep it; the stamped fact. Never blocks and never raises.

        The stamp says now, or `at` (UTC) for what happened earlier and is only learnt now.
        """
        with self._changed:
            self._recorded += 1
            utc = self._clock.utc()
            ago_s = (utc - at).total_seconds() if at else 0.0
            stamped = Stamped(
                node=self.node,
                seq=self._recorded,
                at=at or utc,
                mono_ms=round((self._clock.now() - ago_s) * 1000),
                version=VERSION,
                fact=fact,
            )
            full = len(self._facts) + self._in_hand >= MEMORY_LIMIT
            if self._closed or (full and not isinstance(fact, AlarmRaised | AlarmCleared)):
                self.lost += 1
                return stamped
            self._facts.append(stamped)
            self._changes += 1
            self._changed.notify()
        return stamped

    async def flush(self) -> None:
        """Wait until all that was recorded and put so far is on the disk; while the disk refuses, for ever."""
        wanted = self._changes
        self._hurry.set()
        await self._until(lambda: self._safe >= wanted)

    async def wait_beyond(self, seq: int) -> None:
        """Wait until there are facts beyond `seq` on the disk."""
        await self._until(lambda: self.committed > seq)

    async def read_after(self, seq: int, limit: int = 500) -> list[Stamped]:
        """Up to `limit` facts beyond `seq` that are on the disk, in order. Raises NotPossible when one cannot be read."""
        with self._changed:
            upto = self.committed
            if self._recent and seq >= self._recent[0].seq - 1:
                first = bisect_right(self._recent, seq, key=_seq)
                last = bisect_right(self._recent, upto, key=_seq)
                return self._recent[first : min(last, first + limit)]
        return await asyncio.to_thread(self._file.read_after, seq, upto, limit)

    async def follow(self, after: int, limit: int = 500) -> AsyncGenerator[list[Stamped], None]:
        """All facts beyond `after`, for ever, in lists of at most `limit`, each as soon as it is on the disk."""
        while True:
            await self.wait_beyond(after)
            facts = await self.read_after(after, limit)
            after = facts[-1].seq
            yield facts

    def shipped(self, seq: int) -> None:
        """Facts up to `seq` are in Postgres: they may be removed once they are older than KEPT."""
        self.shipped_upto = seq

    def together(self) -> AbstractContextManager[object]:
        """Inside the block, all that is recorded and put is written in one commit, or not at all.

        For a turn whose fact must come once and whose state says that it came. The block must not await: it holds the
        journal's lock.
        """
        return self._changed

    # Operational state

    def put(self, key: str, value: object) -> None:
        """Keep `value` (anything msgspec can encode) under `key`, for the next controller too; the last one counts."""
        self._put(key, msgspec.json.encode(value))

    def forget(self, key: str) -> None:
        """Remove what is kept under `key`, if anything is."""
        self._put(key, None)

    def get(self, key: str, shape: type[T]) -> T | None:
        """What is kept under `key`; None when nothing is, or when another release wrote what this one cannot read."""
        value = self._state.get(key)
        if value is None:
            return None
        try:
            return msgspec.json.decode(value, type=shape)
        except msgspec.DecodeError as error:
            log.warning("state of another release is not understood and ignored", key=key, error=str(error))
            return None

    def find(self, prefix: str, shape: type[T]) -> dict[str, T]:
        """All that is kept under keys that begin with `prefix`, by whole key."""
        found = {key: self.get(key, shape) for key in self._state if key.startswith(prefix)}
        return {key: value for key, value in found.items() if value is not None}

    async def close(self) -> None:
        """Bring what is left to the disk and close the file. What a full disk still refuses is counted in `lost`."""
        self.put(_SHIPPED, self.shipped_upto)
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._hurry.set()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._file.close()

    def _put(self, key: str, value: bytes | None) -> None:
        with self._changed:
            if value is None:
                self._state.pop(key, None)
            else:
                self._state[key] = value
            self._puts[key] = value
            self._changes += 1
            self._changed.notify()

    async def _until(self, done: Callable[[], bool]) -> None:
        self._loop = asyncio.get_running_loop()
        while not done():
            waiter = self._loop.create_future()
            self._waiters.add(waiter)
            try:
                if done():  # the thread, which has committed meanwhile, may have found nobody to wake
                    return
                await waiter
            finally:
                self._waiters.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    # The threads

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # whatever it is: a controller whose history has stopped must say so
            self._unwritable = f"{self._file.path}: the journal has stopped: {error!r}. Mend: restart the controller."
            self._closed = True
            raise
        finally:
            self._to_sync.set()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._facts or self._puts or self._closing)
                if not (self._facts or self._puts):
                    self._closed = True
                    return
            self._hurry.wait(GATHERED.total_seconds())
            with self._changed:
                self._hurry.clear()
                facts, self._facts = self._facts, []
                puts, self._puts = self._puts, {}
                changes, self._in_hand = self._changes, len(facts)
            if self._commit(facts, puts):
                self._wrote(facts, changes)
                self._prune()

    def _commit(self, facts: list[Stamped], puts: dict[str, bytes | None]) -> bool:
        rows = [(fact.seq, fact.at.timestamp(), _encoded(fact)) for fact in facts]
        while True:
            try:
                self._file.commit(rows, puts)
            except sqlite3.Error as error:
                self._refused(error)
                if self._closing:
                    return self._give_up(len(facts))
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, RETRY.total_seconds())
                continue
            return True

    def _wrote(self, facts: list[Stamped], changes: int) -> None:
        if self._unwritable:
            self._mended()
        with self._changed:
            self._recent += facts
            if len(self._recent) > 2 * RECENT:
                del self._recent[:-RECENT]
            if facts:
                self._written_seq = facts[-1].seq
            self._written, self._in_hand = changes, 0
        self._to_sync.set()

    def _sync(self) -> None:
        while True:
            self._to_sync.wait()
            self._to_sync.clear()
            with self._changed:
                last, seq, changes = self._closed, self._written_seq, self._written
            try:
                self._file.sync()
            except (OSError, sqlite3.Error) as error:
                self._unsafe = (
                    f"{self._file.path}: what is written does not come to the disk: {error}. Mend: see to that disk."
                )
                log.error("the journal does not come to the disk", path=str(self._file.path), error=str(error))
                if not last:
                    with self._changed:
                        self._changed.wait_for(lambda: self._closing, RETRY.total_seconds())
                    self._to_sync.set()
                    continue
            else:
                self._synced(seq, changes)
            if last:
                return

    def _synced(self, seq: int, changes: int) -> None:
        with self._changed:
            self.committed, self._safe, self._unsafe = seq, changes, None
        if self._loop is not None and self._waiters:
            with suppress(RuntimeError):  # the loop that waited once is closed: nobody is left to wake
                self._loop.call_soon_threadsafe(self._wake)

    def _refused(self, error: sqlite3.Error) -> None:
        new = self._unwritable is None
        self._unwritable = (
            f"{self._file.path}: the journal cannot be written: {error}; facts wait in memory. "
            "Mend: make room on that disk."
        )
        if new:
            log.error("the journal cannot be written", path=str(self._file.path), error=str(error))
            self.record(AlarmRaised(name=UNWRITABLE, subject=self.node, detail=self._unwritable))

    def _mended(self) -> None:
        """Written again. What is told of it waits in memory with the rest, and is committed together."""
        log.info("the journal is written again", lost=self.lost)
        self._unwritable = None
        self.record(AlarmCleared(name=UNWRITABLE, subject=self.node))
        if lost := self.lost - self._lost_told:
            detail = f"{lost} facts found no room in memory while the journal could not be written."
            self.record(AlarmRaised(name=FACTS_LOST, subject=self.node, detail=detail))
            self._lost_told += lost

    def _give_up(self, facts: int) -> bool:
        self.lost += facts
        log.error("facts were lost with the closing journal", path=str(self._file.path), facts=facts)
        return False

    def _prune(self) -> None:
        now = self._clock.now()
        if now - self._pruned_at < PRUNED_EVERY.total_seconds():
            return
        self._pruned_at = now
        try:
            self._file.prune(self.shipped_upto, self._clock.utc() - KEPT)
        except sqlite3.Error as error:
            log.warning("old facts could not be removed; tried again later", error=str(error))


def _seq(stamped: Stamped) -> int:
    return stamped.seq


def _encoded(stamped: Stamped) -> bytes:
    """JSON for the file. Half a surrogate pair, which the wire may bring and no database takes, becomes `?`."""
    try:
        return msgspec.json.encode(stamped)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(stamped), ensure_ascii=False).encode(errors="replace")
