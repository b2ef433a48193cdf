"""The wall clock jumps an hour forth and two back while citizens wait, ring and talk: no wait, no order, no length changes.

The controller alone is started with libfaketime before it, which moves the wall clock and leaves the monotonic one alone.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from calls.facts import ConversationEnded, QueueEntered, SeatAnswered, SeatDidNotAnswer, SeatOffered
from cti.phone.baresip import RingOn
from cti.settings import CHECKOUT
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.faults import kill, pid_of, until_working
from tests.figures import tell

pytestmark = pytest.mark.asterisk

HOUR_S = 3600
MOVED = Callable[[int], None]


@asynccontextmanager
async def movable_clock(hotline: Hotline) -> AsyncIterator[MOVED]:
    """A controller whose wall clock stands as many seconds off as was said last; afterwards one with the true clock."""
    conf = hotline.settings.etc_dir / "supervisord.conf"
    true = conf.read_text()
    folder = _folder()

    def move(seconds: int) -> None:
        new = folder / "new"
        new.write_text(f"{seconds:+d}\n")
        new.replace(folder / "clock")

    move(0)
    try:
        conf.write_text(true.replace("[program:controller]\n", f"[program:controller]\n{_faked(folder / 'clock')}\n"))
        await _take(hotline)
        yield move
    finally:
        conf.write_text(true)
        await _take(hotline)
        shutil.rmtree(folder)


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="clock-"))
    folder.chmod(0o755)  # the controller may be another user
    return folder


def _faked(clock: Path) -> str:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    assert library, "libfaketime is not installed. Mend: make test installs it (or: apt-get install libfaketime)."
    return (
        f'environment = LD_PRELOAD="{library}",FAKETIME_TIMESTAMP_FILE="{clock}",'
        'FAKETIME_NO_CACHE="1",FAKETIME_DONT_FAKE_MONOTONIC="1"'
    )


async def _take(hotline: Hotline) -> None:
    """Have supervisord restart what was changed in its file, and wait until it takes calls."""
    conf = str(hotline.settings.etc_dir / "supervisord.conf")
    before = pid_of(hotline, "controller")
    command = (str(CHECKOUT / ".venv/bin/supervisorctl"), "-c", conf, "update")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    assert pid_of(hotline, "controller") != before
    await until_working(hotline)


async def test_the_wall_clock_jumps_while_citizens_wait_ring_and_talk(hotline: Hotline) -> None:
    async with (
        movable_clock(hotline) as move,
        hotline.adviser("1004", "8004") as seat,
        hotline.adviser("1006", "8006"),
        hotline.adviser("1008", "8008", RingOn()),
    ):
        await hotline.not_ready("1006")
        began = time.monotonic()
        async with hotline.caller("2") as talking, hotline.caller("3") as first:
            await talking.saw(SeatAnswered)
            entered = await first.saw(QueueEntered)
            waits_since = time.monotonic()
            async with hotline.caller("3") as second:
                await second.saw(QueueEntered)
                await a_ring_during_the_jump(hotline, lambda: move(HOUR_S))
                async with hotline.caller("3") as third:
                    await third.saw(QueueEntered)
                    await hotline.all_kept()
                    move(-HOUR_S)
                    kill(hotline, "controller")  # the next one begins with the clock turned back
                    assert hears(await listen(talking.phone, 2), SEAT_HZ)
                    assert hears(await listen(seat), CITIZEN_HZ)
                    await until_working(hotline)

                    await hotline.ready("1006")
                    at_least = ms_since(waits_since)
                    for caller in (first, second, third):
                        assert (await caller.saw(SeatAnswered)).seat == "1006"
                        await caller.leave()
            answered = await first.saw(SeatAnswered)
            assert at_least <= answered.waited_ms <= ms_since(began)
            await talking.leave()
            talked_ms = (await talking.saw(ConversationEnded)).talked_ms
            assert talked_ms <= ms_since(began)
    assert await in_order_answered(hotline, entered.queue) == [caller.call_id for caller in (first, second, third)]
    await hotline.nothing_left()
    [(length_ms, hours)] = await hotline.sql(
        "SELECT r.length_ms, (SELECT extract(epoch FROM max(at) - min(at)) / 3600 FROM facts WHERE call_id = $1) "
        "FROM recordings r WHERE r.call_id = $1",
        talking.call_id,
    )
    assert abs(length_ms - talked_ms) <= 1000
    assert hours > 0.9  # the clock has really moved
    tell("wall clock +1 h, then -2 h: order kept; recording and talk differ by", abs(length_ms - talked_ms), "ms")


async def a_ring_during_the_jump(hotline: Hotline, jump: Callable[[], None]) -> None:
    """It lasts as long as a ring lasts."""
    async with hotline.caller("4") as rung_for:
        await rung_for.saw(SeatOffered)
        offered = time.monotonic()
        jump()
        missed = await rung_for.saw(SeatDidNotAnswer)
        limit_ms = hotline.settings.ring_s * 1000
        assert limit_ms <= missed.rang_ms <= max(limit_ms, ms_since(offered)) + 1000
        await rung_for.leave()


def ms_since(instant: float) -> int:
    return round((time.monotonic() - instant) * 1000)


async def in_order_answered(hotline: Hotline, queue: str) -> list[object]:
    """The last three calls of the queue that were answered, by the order in which that was written down."""
    rows = await hotline.sql(
        "SELECT f.call_id FROM facts f JOIN queue_visits v ON v.visit = f.body->>'visit' "
        "WHERE f.kind = 'seat_answered' AND v.queue = $1 ORDER BY f.seq DESC LIMIT 3",
        queue,
    )
    return [call_id for (call_id,) in reversed(rows)]
