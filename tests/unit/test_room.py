"""Room to record: told before it is gone, once, and again when there is enough."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from calls.clock import SystemClock
from calls.facts import AlarmCleared, AlarmRaised
from cti import room as room_module
from cti.alarms import Alarms
from cti.room import MEGABYTE, Room
from cti.store import Journal
from tests.eventually import eventually

BLOCK = 4096


class Disk:
    """One whose free room a test sets; every folder is on it."""

    def __init__(self) -> None:
        self.free_mb = 5000.0
        self.flags = 0
        self.error: OSError | None = None

    def statvfs(self, _folder: Path) -> os.statvfs_result:
        if self.error:
            raise self.error
        blocks = math.ceil(self.free_mb * MEGABYTE / BLOCK)
        return os.statvfs_result((BLOCK, BLOCK, 10**9, blocks + 1000, blocks, 0, 0, 0, self.flags, 255))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "statvfs", disk.statvfs)
    monkeypatch.setattr(room_module, "LOOK_EVERY_S", 0.005)
    return disk


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[Room, Journal]]:
    """With 1,000 MB wanted; neither folder is there yet."""
    journal = Journal(folder / "journal.db", "node1", SystemClock())
    room = Room(Alarms(journal, journal), {"recordings": folder / "a" / "b", "raw": folder / "raw"}, 1000)
    watching = asyncio.create_task(room.watch())
    try:
        yield room, journal
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await journal.close()


async def told(journal: Journal) -> list[object]:
    await journal.flush()
    return [stamped.fact for stamped in await journal.read_after(0, 100)]


async def test_too_little_room_is_told_once_and_cleared_with_enough(tmp_path: Path, disk: Disk) -> None:
    async with watched(tmp_path) as (room, journal):
        assert room.trouble is None
        disk.free_mb = 999
        await eventually(lambda: room.trouble is not None)
        disk.free_mb = 12.5
        await eventually(lambda: "only 12 MB free" in (room.trouble or ""))
        disk.free_mb = 1099
        await eventually(lambda: "only 1099 MB free" in (room.trouble or ""))
        disk.free_mb = 1101
        await eventually(lambda: room.trouble is None)
        raised, cleared = await told(journal)
    assert isinstance(raised, AlarmRaised)
    assert (raised.name, raised.subject) == ("recording_disk_full", "recordings")
    assert "only 999 MB free" in raised.detail
    assert "recording_reserve_mb" in raised.detail
    assert cleared == AlarmCleared(name="recording_disk_full", subject="recordings")


async def test_the_alarm_of_a_dead_controller_is_cleared_by_the_next(tmp_path: Path, disk: Disk) -> None:
    disk.free_mb = 0
    for _ in range(2):
        async with watched(tmp_path) as (room, journal):
            await eventually(lambda: room.trouble is not None)
            assert [type(fact) for fact in await told(journal)] == [AlarmRaised]
    disk.free_mb = 5000
    async with watched(tmp_path) as (_, journal):
        await journal.wait_beyond(1)
        assert [type(fact) for fact in await told(journal)] == [AlarmRaised, AlarmCleared]


@pytest.mark.parametrize(
    ("flags", "error", "why"),
    [(os.ST_RDONLY, None, "read-only"), (0, OSError(5, "Input/output error"), "Input/output error")],
)
async def test_a_disk_that_cannot_be_written_or_asked_is_no_room(
    tmp_path: Path, disk: Disk, flags: int, error: OSError | None, why: str
) -> None:
    disk.flags, disk.error = flags, error
    async with watched(tmp_path) as (room, _):
        await eventually(lambda: why in (room.trouble or ""))


async def test_two_disks_are_two_alarms(tmp_path: Path, disk: Disk) -> None:
    disk.free_mb = 0
    journal = Journal(tmp_path / "journal.db", "node1", SystemClock())
    room = Room(Alarms(journal, journal), {"recordings": tmp_path, "raw": Path("/proc")}, 1000)
    watching = asyncio.create_task(room.watch())
    await journal.wait_beyond(1)
    watching.cancel()
    subjects = [fact.subject for fact in await told(journal) if isinstance(fact, AlarmRaised)]
    await journal.close()
    assert subjects == ["recordings", "raw"]
