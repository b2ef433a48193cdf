"""Asterisk's own call records, followed as the file grows: what came and went while no controller looked is told from here.

Asterisk writes one line a call when it ends (`dialplan/templates/cdr_custom.conf.j2`), whether or not a controller runs.
The place up to which the file was read is kept with the journal, in the same commit as the facts that were made of it.
A new journal begins at the file's end: older calls are another journal's history.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from cti.store import Journal

log = structlog.get_logger(__name__)

PLACE = "callrecords/place"


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What Asterisk says of a call that is over."""

    call_id: str
    sip_call_id: str
    trunk: str
    """Empty when the call did not come in by a trunk."""
    dialled: str
    calling: str
    started: datetime
    ended: datetime
    step: str
    """What the dialplan last did by itself: `hold`, `apology`, `refused`; empty when the controller had the call."""

    @property
    def lasted_ms(self) -> int:
        """From its arrival to its end."""
        return max(0, round((self.ended - self.started).total_seconds() * 1000))


class _Place(msgspec.Struct, frozen=True):
    """How far which file was read."""

    inode: int
    offset: int


class CallRecords:
    """The file at `path`, which need not be there yet."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self._path, self._journal = path, journal
        self._seen = self._end()
        if journal.get(PLACE, _Place) is None:
            self._keep(self._seen)

    def read_all(self) -> list[CallRecord]:
        """The records written since the last reading, oldest first. Inside `Journal.together`, with what is made of them."""
        self._seen = self._end()
        return self.read_older()

    def read_older(self) -> list[CallRecord]:
        """As `read_all`, but only those that were there at the last reading already."""
        until, self._seen = self._seen, self._end()
        place = self._journal.get(PLACE, _Place) or until
        same = place.inode == until.inode and place.offset <= until.offset  # else a new file was put in its place
        offset = place.offset if same else 0
        if until.offset == offset:
            return []
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                new = file.read(until.offset - offset)
        except OSError as error:
            log.warning("Asterisk's call records cannot be read", path=str(self._path), error=str(error))
            return []
        whole = new[: new.rfind(b"\n") + 1]  # a line that is still being written is read next time
        self._keep(_Place(until.inode, offset + len(whole)))
        rows = csv.reader(whole.decode(errors="replace").replace("\0", "").splitlines())
        return [record for row in rows if (record := _record(row))]

    def _end(self) -> _Place:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return _Place(0, 0)
        return _Place(now.st_ino, now.st_size)

    def _keep(self, place: _Place) -> None:
        self._journal.put(PLACE, place)


def _record(row: list[str]) -> CallRecord | None:
    """None for a line that a full disk or a person spoilt: it is told and passed over."""
    try:
        call_id, sip_call_id, trunk, dialled, calling, started, _, ended, _, step = row
        return CallRecord(
            call_id=call_id,
            sip_call_id=sip_call_id,
            trunk=trunk,
            dialled=dialled,
            calling=calling,
            started=datetime.fromtimestamp(float(started), UTC),
            ended=datetime.fromtimestamp(float(ended), UTC),
            step=step,
        )
    except (ValueError, OverflowError, OSError):
        log.warning("a line of Asterisk's call records cannot be read", columns=len(row))
        return None
