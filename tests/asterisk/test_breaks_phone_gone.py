"""A seat's telephone is gone, or as good as gone: nobody rings it twice, nobody loses the place, whoever talked is told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from calls.errors import NotPossible
from calls.facts import ConversationEnded, QueueEntered, SeatAnswered, SeatDidNotAnswer, SeatOffered
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.oddphone import OddPhone
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.eventually import eventually
from tests.figures import tell

pytestmark = pytest.mark.asterisk


async def states(hotline: Hotline, seat: str, last: int = 1) -> list[tuple[object, ...]]:
    """The seat's last moves, oldest first: (state, reason)."""
    rows = await hotline.sql("SELECT state, reason FROM seat_states WHERE seat = $1 ORDER BY seq", seat)
    return rows[-last:]


async def visits(hotline: Hotline, caller: Caller) -> list[tuple[object, ...]]:
    return await hotline.sql(
        "SELECT outcome, returned, offers, not_answered, seat FROM queue_visits WHERE call_id = $1 ORDER BY visit",
        caller.call_id,
    )


def offered(*callers: Caller) -> list[str]:
    """The seats that were rung for these callers."""
    return sorted(fact.seat for caller in callers for fact in caller.facts if isinstance(fact, SeatOffered))


async def test_a_dead_and_a_frozen_telephone(hotline: Hotline) -> None:
    """Killed while a caller comes; killed, and frozen, while nobody does."""
    async with (
        hotline.adviser("1004", "8004") as dead,
        hotline.adviser("1006", "8006") as frozen,
        hotline.adviser("1008", "8008") as idle,
        hotline.adviser("1005", "8005"),
    ):
        await hotline.not_ready("1004")
        await hotline.not_ready("1005")
        async with hotline.caller("2") as first, followed_by(hotline, first) as second:
            began = time.monotonic()
            await dead.kill()
            await idle.kill()
            frozen.freeze()
            await hotline.ready("1004")  # nobody knows yet
            missed = await first.saw(SeatDidNotAnswer)
            assert missed.seat == "1004"
            tell("telephone dead, a caller comes: back at the head of the queue after", missed.rang_ms / 1000, "s")
            for seat, how in (("1008", "killed"), ("1006", "frozen")):
                await hotline.seat_is(seat, "not_ready")
                assert await states(hotline, seat) == [("not_ready", "phone_gone")]
                tell(f"telephone {how}: seat not ready after", time.monotonic() - began, "s")

            await hotline.ready("1005")
            answered = await first.saw(SeatAnswered)
            since = (await first.saw(QueueEntered)).since_ms
            assert answered.seat == "1005"
            assert answered.waited_ms >= missed.rang_ms
            assert since <= (await second.saw(QueueEntered)).since_ms
            await first.leave()
            await second.saw(SeatAnswered)
            await second.leave()
        assert offered(first, second) == ["1004", "1005", "1005"]

        with pytest.raises(NotPossible, match="not registered"):
            await hotline.ready("1008")
        async with hotline.telephone("1008"):  # it has power again
            await eventually(lambda: comes_back(hotline, "1008"))
    assert await visits(hotline, first) == [("answered", False, 2, 1, "1005")]


@asynccontextmanager
async def followed_by(hotline: Hotline, first: Caller) -> AsyncIterator[Caller]:
    """Another caller of the same queue, once the first one waits there; who waits as well."""
    await first.saw(QueueEntered)
    async with hotline.caller("2") as second:
        await second.saw(QueueEntered)
        yield second


async def comes_back(hotline: Hotline, seat: str) -> bool:
    """The adviser says ready; until then the seat stays as it was."""
    assert await states(hotline, seat) == [("not_ready", "phone_gone")]
    try:
        await hotline.ready(seat)
    except NotPossible:
        return False
    return True


async def test_a_telephone_that_says_goodbye_to_the_registrar(hotline: Hotline) -> None:
    async with hotline.telephone("1004"):
        await hotline.ready("1004", "8004")
    await hotline.seat_is("1004", "not_ready")
    assert await states(hotline, "1004") == [("not_ready", "phone_gone")]
    async with hotline.adviser("1005", "8005"), hotline.caller("2") as caller:
        await caller.saw(SeatAnswered)
        await caller.leave()
    assert await visits(hotline, caller) == [("answered", False, 1, 0, "1005")]
    await hotline.log_out("1004")


async def test_a_telephone_that_vanishes_in_mid_call(hotline: Hotline) -> None:
    """Its power fails: no BYE. The caller is told, waits at the head, and speaks to the next adviser."""
    async with hotline.adviser("1004", "8004") as lost, hotline.adviser("1005", "8005") as next_seat:
        await hotline.not_ready("1005")
        async with hotline.caller("2") as caller:
            await caller.connected()
            assert hears(await listen(caller.phone, 2), SEAT_HZ)
            began = time.monotonic()
            await lost.kill()
            assert (await caller.saw(ConversationEnded)).ended_by == "fault"
            await caller.hears("seat.lost", "queue.enter", "number.1")
            limit_s = hotline.settings.seat_rtp_timeout_s
            tell(f"telephone gone in mid-call, limit {limit_s:g} s: apology heard after", time.monotonic() - began, "s")
            again = await caller.saw(QueueEntered, times=2)
            assert again.returned
            assert again.since_ms == (await caller.saw(QueueEntered)).since_ms
            assert await states(hotline, "1004") == [("not_ready", "phone_gone")]

            await hotline.ready("1005")
            assert (await caller.connected(times=2)).seat == "1005"
            assert hears(await listen(next_seat, 2), CITIZEN_HZ)
            await caller.leave()
    assert await visits(hotline, caller) == [("answered", False, 1, 0, "1004"), ("answered", True, 1, 0, "1005")]
    await hotline.nothing_left()
    rows = await hotline.sql(
        "SELECT length_ms > 1000, left_packets > 50, lost_why FROM recordings WHERE call_id = $1", caller.call_id
    )
    assert rows == [(True, True, None), (True, True, None)]


async def test_a_telephone_that_registers_from_elsewhere_in_mid_call(hotline: Hotline) -> None:
    """It has another address now, and the old one is told removed: the call stays where it is, the next one finds it."""
    async with hotline.adviser("1004", "8004") as seat, hotline.caller("2") as caller:
        await caller.connected()
        async with hotline.telephone("1004") as elsewhere, hotline.caller("2") as following:
            await following.saw(QueueEntered)
            assert hears(await listen(caller.phone, 2), SEAT_HZ)
            assert hears(await listen(seat), CITIZEN_HZ)
            await caller.leave()
            assert (await following.connected()).seat == "1004"
            assert hears(await listen(elsewhere), CITIZEN_HZ)
            await following.leave()
    assert await visits(hotline, following) == [("answered", False, 1, 0, "1004")]


NOT_ANSWERED = {(486,): "busy", (480,): "no_answer", (603,): "refused", (180, 486): "busy", (): "no_answer"}
"""What an odd telephone says to an INVITE, and what is kept of it."""


async def test_telephones_that_answer_oddly(hotline: Hotline) -> None:
    """One caller meets them all, each once, and keeps the place; the last one answers twice and sends no sound."""
    seat = "1004"
    async with OddPhone(f"seat{seat}", hotline.secrets.seats[seat], hotline.server) as odd:
        await eventually(lambda: sits_down(hotline, seat))
        async with hotline.adviser("1005", "8005") as good:
            await hotline.not_ready("1005")
            odd.answers, _ = next(iter(NOT_ANSWERED.items()))
            async with hotline.caller("2") as caller:
                for times, (odd.answers, reason) in enumerate(NOT_ANSWERED.items(), 1):
                    if times > 1:
                        await hotline.ready(seat)
                    missed = await caller.saw(SeatDidNotAnswer, times)
                    assert (odd.answers, missed.reason) == (odd.answers, reason)
                    await hotline.seat_is(seat, "not_ready")
                odd.answers = (200, 200)
                await hotline.ready(seat)
                await caller.saw(SeatAnswered)
                assert (await caller.saw(ConversationEnded)).ended_by == "fault"
                await caller.hears("seat.lost")
                assert await states(hotline, seat) == [("not_ready", "phone_gone")]
                await hotline.ready("1005")
                assert (await caller.connected(times=2)).seat == "1005"
                assert hears(await listen(good), CITIZEN_HZ)
                await caller.leave()
        await hotline.log_out(seat)
    assert len(odd.calls) == len(NOT_ANSWERED) + 1
    assert await visits(hotline, caller) == [
        ("answered", False, len(NOT_ANSWERED) + 1, len(NOT_ANSWERED), seat),
        ("answered", True, 1, 0, "1005"),
    ]


async def sits_down(hotline: Hotline, seat: str) -> bool:
    try:
        await hotline.ready(seat, "8004")
    except NotPossible:
        return False
    return True
