"""Asterisk is killed: its calls end honestly, seats are free, every caller is owed a call, and the next call is taken."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from calls.clock import SystemClock
from calls.errors import NotPossible
from calls.facts import CallArrived, CallEnded, Fact, NoticeHeard, PositionSaid, SeatAnswered, SeatOffered
from cti.phone.baresip import Phone, RingOn
from cti.stack.supervisor import Supervisor
from tests.asterisk.hotline import Caller, Hotline, running_hotline
from tests.asterisk.phones import SEAT_HZ, hears
from tests.eventually import eventually
from tests.figures import tell

pytestmark = pytest.mark.asterisk

PORT_OFFSET = 4000
BUSY = {"reserved", "ringing", "talking"}
TALKING, RINGING, PAUSED = ("1001", "8004"), ("1002", "8006"), ("1003", "8008")
"""Seat and adviser: one for each of three queues."""

COME_TO: dict[str, type[Fact]] = {
    "talking": SeatAnswered,
    "ringing": SeatOffered,
    "queue": PositionSaid,
    "menu": NoticeHeard,
    "notice": CallArrived,
}
"""What tells that a caller has come to this step."""


@pytest.fixture(scope="module")
def mortal() -> Iterator[Hotline]:
    """A hotline whose seats ring for longer than the test takes to kill it."""
    with running_hotline(PORT_OFFSET, ring_s=20) as hotline:
        yield hotline


def asterisk_pid(hotline: Hotline) -> int:
    return next(program.pid for program in Supervisor(hotline.settings).programs() if program.name == "asterisk")


@asynccontextmanager
async def one_at_every_step(hotline: Hotline) -> AsyncIterator[tuple[dict[str, Caller], Phone]]:
    """A caller in the conversation, one whose seat rings, one in the queue, one in the menu, one in the notice; and the
    telephone of the seat that talks."""
    async with AsyncExitStack() as phones:
        seat = await phones.enter_async_context(hotline.adviser(*TALKING))
        await phones.enter_async_context(hotline.adviser(*RINGING, RingOn()))
        await phones.enter_async_context(hotline.adviser(*PAUSED))
        await hotline.not_ready(PAUSED[0])
        callers: dict[str, Caller] = {}
        for step, keys in (("talking", "2"), ("ringing", "3"), ("queue", "4"), ("menu", ""), ("notice", "")):
            callers[step] = await phones.enter_async_context(hotline.caller(keys))
            await callers[step].saw(COME_TO[step])
            if step == "talking":
                await eventually(lambda: hears(callers["talking"].phone.heard(), SEAT_HZ))
        yield callers, seat


async def no_seat_is_busy(hotline: Hotline) -> bool:
    return not BUSY & set((await hotline.status()).seats.values())


async def answers_again(hotline: Hotline) -> bool:
    try:
        return (await hotline.status()).ready
    except NotPossible:
        return False


async def nothing_left_but(hotline: Hotline, dropped: set[str]) -> bool:
    """A killed Asterisk leaves no record of its calls; in every other respect they have left nothing."""
    return await hotline.left() == {"calls in one book only": dropped}


async def sits_down_again(hotline: Hotline) -> bool:
    """The adviser who talked says to be ready, until the telephone is known again."""
    with suppress(NotPossible):
        await hotline.ready(*TALKING)
        return True
    return False


async def test_whoever_is_dropped_is_owed_a_call_and_the_next_one_is_taken(mortal: Hotline) -> None:
    clock = SystemClock()
    async with one_at_every_step(mortal) as (callers, seat):
        killed = clock.now()
        os.kill(asterisk_pid(mortal), signal.SIGKILL)
        await eventually(lambda: no_seat_is_busy(mortal))
        tell("Asterisk killed: seats free after", clock.now() - killed, "s")
        ends = {step: await caller.saw(CallEnded) for step, caller in callers.items()}
        tell("Asterisk killed: calls ended after", clock.now() - killed, "s")
        await eventually(lambda: answers_again(mortal))
        tell("Asterisk killed: takes calls again after", clock.now() - killed, "s")

        await seat.hangup()  # nobody tells a telephone that its call is gone; the adviser hears it
        await eventually(lambda: sits_down_again(mortal))
        tell("Asterisk killed: the adviser is ready again after", clock.now() - killed, "s")
        async with mortal.caller("2") as next_one:
            await next_one.saw(SeatAnswered)
            await next_one.leave()

    ids = {caller.call_id: step for step, caller in callers.items()}
    assert {end.ended_by for end in ends.values()} == {"fault"}
    assert [end.step for end in ends.values()][:-1] == ["talking", "ringing", "queue", "menu"]
    rows = await mortal.sql("SELECT call_id, outcome, endings FROM calls WHERE call_id = ANY($1)", list(ids))
    assert {ids[call_id]: (outcome, endings) for call_id, outcome, endings in rows} == {
        "talking": ("queued", 1),
        "ringing": ("queued", 1),
        "queue": ("queued", 1),
        "menu": ("fault", 1),
        "notice": ("fault", 1),
    }
    owed = await mortal.sql("SELECT call_id, calling_number, why, queue FROM callbacks_owed")
    assert {ids[call_id]: (why, queue) for call_id, _, why, queue in owed} == {
        "talking": ("asterisk_died", "pension"),
        "ringing": ("asterisk_died", "insurance"),
        "queue": ("asterisk_died", "labour"),
        "menu": ("asterisk_died", None),
        "notice": ("asterisk_died", None),
    }
    assert all(number.startswith("+86138") for _, number, *_ in owed)
    tell("Asterisk killed: callers owed a call", f"{len(owed)} of {len(callers)}")
    await eventually(lambda: nothing_left_but(mortal, set(ids)))
    assert await mortal.sql("SELECT * FROM conservation_violations") == []
    assert mortal.errors_logged() == []
    [(length_ms, alarms, lost)] = await mortal.sql(
        "SELECT length_ms, alarms, lost_why FROM recordings WHERE call_id = $1", callers["talking"].call_id
    )
    tell("Asterisk killed: of the conversation is recorded", length_ms or 0, f"ms, marked {alarms}, lost: {lost}")
    assert length_ms or lost
