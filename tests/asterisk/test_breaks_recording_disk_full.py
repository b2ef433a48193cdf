"""Disks that fill up, and sound that was half written: calls go on, what is missing is marked, what can be kept is kept.

The hotline is one of its own. Where root may mount, its two folders of sound are small disks in memory for one test; the
journal's disk is full for the controller alone, by a limit on the size of its files.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from calls.facts import AdviserNumberSaid, CallEnded
from cti.phone.baresip import Phone
from cti.stack.supervisor import Supervisor
from recordings.listen import channels, dominant_hz
from tests.asterisk.hotline import Caller, Hotline, running_hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.eventually import eventually
from tests.figures import tell

pytestmark = pytest.mark.asterisk

PORT_OFFSET = 3000
RESERVE_MB = 1
DISK_MB = 4


@pytest.fixture(scope="module")
def running_own() -> Iterator[Hotline]:
    """A hotline that can be broken."""
    with running_hotline(PORT_OFFSET, recording_reserve_mb=RESERVE_MB) as hotline:
        yield hotline


@pytest.fixture
def own(running_own: Hotline) -> Hotline:
    """The same, whatever an earlier test has found wrong."""
    running_own.errors_logged()
    return running_own


@pytest.fixture
def small_disks(own: Hotline) -> Iterator[tuple[Path, ...]]:
    """Where the hotline's sound lies: two disks of DISK_MB."""
    folders = own.settings.recordings_dir, own.settings.raw_dir
    with ExitStack() as mounted:
        for folder in folders:
            mounted.enter_context(small_disk(folder))
        yield folders


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """One over the folder, with the same owner."""
    owner = folder.parent.stat()
    options = f"size={DISK_MB}m,uid={owner.st_uid},gid={owner.st_gid},mode=700"
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("only a root who may mount can make the small disks that are filled here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(*folders: Path) -> Iterator[None]:
    """Not a byte is left on these disks inside the block."""
    fillers = [folder / "filler" for folder in folders]
    try:
        for filler in fillers:
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(4096))
        yield
    finally:
        for filler in fillers:
            filler.unlink()


def pid(hotline: Hotline, daemon: str) -> int:
    return next(program.pid for program in Supervisor(hotline.settings).programs() if program.name == daemon)


@contextmanager
def full_for_the_journal(hotline: Hotline) -> Iterator[None]:
    """No file of the controller may grow inside the block: what a full disk is to its journal."""
    journal = hotline.settings.journal_path
    largest = max(file.stat().st_size for file in journal.parent.glob(f"{journal.name}*"))
    limit_files(hotline, largest)
    try:
        yield
    finally:
        limit_files(hotline, resource.RLIM_INFINITY)


def limit_files(hotline: Hotline, size: int) -> None:
    """Let the controller's files grow to this, in bytes; only its own user may say so."""
    owner = hotline.settings.journal_path.stat()
    who: dict[str, Any] = {}
    if os.geteuid() != owner.st_uid:
        who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    limit = "unlimited" if size == resource.RLIM_INFINITY else str(size)
    subprocess.run(["prlimit", "--pid", str(pid(hotline, "controller")), f"--fsize={limit}:"], check=True, **who)


async def status_says(hotline: Hotline, words: str) -> bool:
    return any(words in problem for problem in (await hotline.status()).problems)


async def is_ready(hotline: Hotline) -> bool:
    return (await hotline.status()).ready


async def not_sealed(hotline: Hotline) -> bool:
    return (await alarms(hotline, "recording_not_sealed")) == [("recordings", None)]


async def recording(hotline: Hotline, caller: Caller) -> dict[str, Any]:
    """The row of the caller's one recording, with how long they talked."""
    [(path, length_ms, alarms, lost_why, talked_ms)] = await hotline.sql(
        "SELECT r.path, r.length_ms, r.alarms, r.lost_why, v.talked_ms FROM recordings r JOIN queue_visits v USING (visit)"
        " WHERE r.call_id = $1",
        caller.call_id,
    )
    return {"path": path, "length_ms": length_ms, "alarms": alarms, "lost_why": lost_why, "talked_ms": talked_ms}


async def recorded(hotline: Hotline, caller: Caller) -> bool:
    return bool(await hotline.sql("SELECT 1 FROM recordings WHERE call_id = $1", caller.call_id))


async def alarms(hotline: Hotline, name: str) -> list[tuple[Any, ...]]:
    """Subjects of the alarms of this name, and whether they are over."""
    return await hotline.sql(
        "SELECT DISTINCT subject, cleared_at >= raised_at FROM alarms WHERE name = $1 ORDER BY subject", name
    )


async def sound_flows(caller: Caller, seat: Phone) -> None:
    heard = await asyncio.gather(listen(caller.phone), listen(seat))
    assert [hears(sound, hz) for sound, hz in zip(heard, (SEAT_HZ, CITIZEN_HZ), strict=True)] == [True, True]


@asynccontextmanager
async def talking(hotline: Hotline, key: str) -> AsyncIterator[Caller]:
    """A citizen who talks with an adviser."""
    async with hotline.caller(key) as caller:
        await caller.saw(AdviserNumberSaid)
        yield caller


async def test_a_full_recording_disk_costs_nobody_a_call_and_is_told(
    own: Hotline, small_disks: tuple[Path, ...]
) -> None:
    async with (
        own.adviser("1004", "8004") as seat,
        own.adviser("1006", "8006") as other,
        talking(own, "2") as before,
    ):
        await sound_flows(before, seat)
        with full(*small_disks):
            began = time.monotonic()
            await eventually(lambda: status_says(own, "MB free where 1 are wanted"))
            tell("recording disk full: told after", time.monotonic() - began, "s")
            async with talking(own, "3") as during:
                await asyncio.gather(sound_flows(before, seat), sound_flows(during, other))
                assert (await during.leave()).outcome == "queued"
            await before.leave()
            await eventually(lambda: recorded(own, during))
            await eventually(lambda: not_sealed(own))
            assert not await recorded(own, before)
        began = time.monotonic()
        await eventually(lambda: recorded(own, before))
        tell("recording disk has room again: what waited is sealed after", time.monotonic() - began, "s")
    await eventually(lambda: is_ready(own))
    unrecorded, kept = await recording(own, during), await recording(own, before)
    assert "MB free where 1 are wanted" in unrecorded["lost_why"]
    assert (kept["lost_why"], set(kept["alarms"])) == (None, {"recording_leg_short"})
    assert abs(kept["length_ms"] - kept["talked_ms"]) <= 1000
    left, right = channels(own.recording(kept["path"]))[0]
    assert len(left) == len(right) == kept["length_ms"] * 8
    assert await alarms(own, "recording_disk_full") == [("raw", True), ("recordings", True)]
    assert await alarms(own, "recording_not_sealed") == [("recordings", True)]
    assert all("recorded" in error or "recording" in error for error in own.errors_logged())
    await own.nothing_left()


async def test_a_full_journal_disk_costs_nobody_a_call_and_no_fact(own: Hotline) -> None:
    async with own.adviser("1004", "8004") as seat:
        with full_for_the_journal(own):
            async with talking(own, "2") as caller:
                await sound_flows(caller, seat)
                await eventually(lambda: status_says(own, "the journal cannot be written"))
                await caller.leave()
                assert (await own.status()).answering
        began = time.monotonic()
        await eventually(lambda: recorded(own, caller))
        tell("journal's disk has room again: all facts in PostgreSQL after", time.monotonic() - began, "s")
    await eventually(lambda: is_ready(own))
    [(count, first, last)] = await own.sql("SELECT count(*), min(seq), max(seq) FROM facts")
    assert (count, (await own.status()).facts["lost"]) == (last - first + 1, 0)
    told = [type(fact).__name__ for fact in caller.facts]
    [(kept,)] = await own.sql("SELECT count(*) FROM facts WHERE body->>'call_id' = $1", caller.call_id)
    assert kept >= len(told) > 5
    assert told[-1] == CallEnded.__name__
    [(waited, over)] = await own.sql(
        "SELECT min(raised_at) <= (SELECT ended_at FROM calls WHERE call_id = $1), bool_and(cleared_at > raised_at)"
        " FROM alarms WHERE name = 'journal_unwritable'",
        caller.call_id,
    )
    assert (waited, over) == (True, True)
    assert all("the journal cannot be written" in error for error in own.errors_logged())
    await own.nothing_left()


async def test_what_a_killed_asterisk_left_half_written_is_repaired_and_marked(own: Hotline) -> None:
    async with own.adviser("1004", "8004") as seat:
        async with talking(own, "2") as caller:
            await sound_flows(caller, seat)
            await sound_flows(caller, seat)
            os.kill(pid(own, "asterisk"), signal.SIGKILL)
            await eventually(lambda: recorded(own, caller))
        await eventually(lambda: is_ready(own))
        found = await recording(own, caller)
        left, right = channels(own.recording(found["path"]))[0]
        assert "recording_leg_repaired" in found["alarms"]
        assert len(left) == len(right) == found["length_ms"] * 8
        assert dominant_hz(left[8000:16000], 8000) == pytest.approx(CITIZEN_HZ, abs=5)
        assert dominant_hz(right[8000:16000], 8000) == pytest.approx(SEAT_HZ, abs=5)
