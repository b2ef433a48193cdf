"""The journal's file: SQLite in WAL mode, written at once, and brought to the disk apart from that.

Two tables: `facts` (the history of this node) and `state` (what a restarted controller must know at once: seats,
announcements, lock-outs). One file, so that a fact and the state that goes with it are committed together or not.
To store something else: put it under a key of its own into `state`.

Two steps, because a disk under load may take seconds for an `fsync`, and a controller that is killed meanwhile must find
what it wrote: `commit` hands the transaction to the operating system, where it outlives this process; `sync` returns when
it would outlive a power cut too. Three connections, which WAL lets go on at once: one commits, one moves what is safe
from the write-ahead log into the main file, one reads, each in whatever thread calls it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import IO

import msgspec

from calls.errors import NotPossible
from calls.facts import Stamped

BUSY = timedelta(seconds=2)
"""How long to wait for SQLite's own lock; only a person's `sqlite3` shell or a backup can hold it."""

PRUNED_AT_ONCE = 5_000
"""Rows a step, so that pruning a week's history does not hold up the facts of this second."""

MOVED_EVERY = 300
"""Commits, of three or four pages each, until the write-ahead log is moved into the main file."""

LOG_LIMIT = 16_000
"""Pages in the log (64 MB) from which commits wait while it is moved: it begins anew only if nothing is added then."""

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (seq INTEGER PRIMARY KEY, at REAL NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


class SqliteFile:
    """The file at `path`, held by this process alone. Raises NotPossible when it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held = _hold(path)
        try:
            self._writer = _connect(path)
            self._writer.executescript(_TABLES)
            self._reader = _connect(path)
            self._mover = _connect(path)
            self._log = Path(f"{path}-wal").open("rb")  # noqa: SIM115 - closed by `close`
        except (sqlite3.Error, OSError) as error:
            self._held.close()
            raise NotPossible(
                f"{path}: cannot be used as the journal: {error}. "
                "Mend: see that the folder is writable and the disk has room; if the file is damaged, move it away."
            ) from error
        self._reading, self._writing = Lock(), Lock()
        self._unmoved = 0

    def last_seq(self) -> int:
        """The highest sequence number in the file; 0 when there is none."""
        with self._reading:
            (last,) = self._reader.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
        return int(last)

    def state(self) -> dict[str, bytes]:
        """All of the operational state, as JSON by key."""
        with self._reading:
            return dict(self._reader.execute("SELECT key, value FROM state"))

    def read_after(self, seq: int, upto: int, limit: int) -> list[Stamped]:
        """Up to `limit` facts beyond `seq` and not beyond `upto`, in order. Raises NotPossible when one cannot be read."""
        with self._reading:
            rows = self._reader.execute(
                "SELECT seq, body FROM facts WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (seq, upto, limit)
            ).fetchall()
        return [self._decoded(*row) for row in rows]

    def commit(self, facts: Iterable[tuple[int, float, bytes]], state: Mapping[str, bytes | None]) -> None:
        """Write all of it in one transaction; a state of None is removed. Raises sqlite3.Error; then nothing is kept."""
        with self._writing, self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.executemany("INSERT INTO facts VALUES (?, ?, ?)", facts)
            self._writer.executemany(
                "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [(key, value) for key, value in state.items() if value is not None],
            )
            self._writer.executemany(
                "DELETE FROM state WHERE key = ?", [(key,) for key, value in state.items() if value is None]
            )

    def sync(self) -> None:
        """Return when all that was committed before is on the disk. Raises OSError, sqlite3.Error."""
        os.fsync(self._log.fileno())
        self._unmoved += 1
        if self._unmoved >= MOVED_EVERY and self._move() > LOG_LIMIT:
            with self._writing:
                self._move()

    def _move(self) -> int:
        """Move the log into the main file; the pages in it that could not begin anew."""
        self._unmoved = 0
        _, pages, moved = self._mover.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return 0 if moved == pages else int(pages)

    def prune(self, upto: int, before: datetime) -> None:
        """Remove facts up to `upto` that happened before `before`, but the newest: the sequence goes on from it."""
        removed = PRUNED_AT_ONCE
        while removed == PRUNED_AT_ONCE:
            with self._writing, self._writer:
                removed = self._writer.execute(
                    "DELETE FROM facts WHERE at < ? AND seq IN (SELECT seq FROM facts WHERE seq <= ?"
                    " AND seq < (SELECT max(seq) FROM facts) ORDER BY seq LIMIT ?)",
                    (before.timestamp(), upto, PRUNED_AT_ONCE),
                ).rowcount

    def close(self) -> None:
        """Close all connections and let another process have the file."""
        self._log.close()
        for connection in (self._reader, self._mover, self._writer):
            connection.close()
        self._held.close()

    def _decoded(self, seq: int, body: bytes) -> Stamped:
        try:
            return msgspec.json.decode(body, type=Stamped)
        except msgspec.DecodeError as error:
            raise NotPossible(
                f"{self.path}: fact {seq} cannot be read: {error}. "
                "Mend: run the release that wrote it (it is newer than this one), or restore the file."
            ) from error


def _hold(path: Path) -> IO[bytes]:
    """Two controllers on one journal would give the same numbers to different facts: the second one is refused."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("wb")
    except OSError as error:
        raise NotPossible(f"{path}: {error.strerror}. Mend: see that the folder exists and is writable.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise NotPossible(
            f"{path}: another controller is using this journal. Mend: stop it, or give this one its own state folder."
        ) from error
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY.total_seconds(), isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")  # of commits: none; of moving the log: before and after
    connection.execute("PRAGMA wal_autocheckpoint=0")
    return connection
