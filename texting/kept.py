"""Which texts were taken, in one SQLite file: the key that the hotline chose, what was answered, what became of it.

No text and no number is in it. What was asked is kept as an HMAC of it, by which the same key with another text is known.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
import time
from pathlib import Path
from typing import Literal, NamedTuple, cast

KEPT_FOR_S = 7 * 86_400
"""So long a key is known; one that comes later is new."""

State = Literal["taken", "delivered", "undeliverable"]

TABLE = """
CREATE TABLE IF NOT EXISTS texts (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, id TEXT NOT NULL, at REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'taken', reported INTEGER NOT NULL DEFAULT 0)
"""


class KeyUsedOtherwise(Exception):
    """The same key came with another text."""


class Report(NamedTuple):
    """What the hotline has not acknowledged yet."""

    key: str
    state: State


class Kept:
    """The file at `path`."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._key = key
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute(TABLE)
        self._file.execute("DELETE FROM texts WHERE at < ? AND reported", (time.time() - KEPT_FOR_S,))

    def take(self, key: str, to: str, body: str, made: str) -> tuple[str, bool]:
        """Its id, `made` unless it was taken before; whether it is new. Raises KeyUsedOtherwise."""
        fingerprint = hmac.new(self._key, f"{to}\n{body}".encode(), hashlib.sha256).hexdigest()
        new = self._file.execute(
            "INSERT INTO texts (key, fingerprint, id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (key, fingerprint, made, time.time()),
        ).rowcount
        [(before, known)] = self._file.execute("SELECT fingerprint, id FROM texts WHERE key = ?", (key,))
        if not hmac.compare_digest(before, fingerprint):
            raise KeyUsedOtherwise
        return known, bool(new)

    def became(self, key: str, state: State) -> None:
        """What became of it; to be reported."""
        self._file.execute("UPDATE texts SET state = ?, reported = 0 WHERE key = ?", (state, key))

    def unreported(self) -> list[Report]:
        """All that the hotline does not know yet, the oldest first."""
        rows = self._file.execute("SELECT key, state FROM texts WHERE state != 'taken' AND NOT reported ORDER BY at")
        return [Report(key, cast("State", state)) for key, state in rows]

    def reported(self, key: str) -> None:
        """The hotline knows."""
        self._file.execute("UPDATE texts SET reported = 1 WHERE key = ?", (key,))

    def close(self) -> None:
        """Nothing more is kept."""
        self._file.close()
