"""What may become of a seat while citizens wait for it: no answer, not ready, wrapping up. A telephone that is gone has a
module of its own."""

from __future__ import annotations

import pytest

from calls.errors import NotPossible
from calls.facts import (
    CallEnded,
    QueueEntered,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
)
from cti.phone.baresip import RejectBusy, RingOn
from cti.phone.events import Closed
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import SEAT_HZ, hears, listen
from tests.eventually import eventually

pytestmark = pytest.mark.asterisk


async def states(hotline: Hotline, seat: str, last: int) -> list[tuple[object, ...]]:
    """The seat's last moves, oldest first: (state, reason)."""
    rows = await hotline.sql("SELECT state, reason FROM seat_states WHERE seat = $1 ORDER BY seq", seat)
    return rows[-last:]


async def visits(hotline: Hotline, caller: Caller) -> list[tuple[object, ...]]:
    return await hotline.sql(
        "SELECT outcome, returned, offers, not_answered, seat FROM queue_visits WHERE call_id = $1 ORDER BY visit",
        caller.call_id,
    )


async def test_a_seat_that_does_not_answer_costs_nobody_the_place(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004", RingOn()) as asleep, hotline.adviser("1005", "8005"):
        await hotline.not_ready("1005")
        async with hotline.caller("2") as first, hotline.caller("2") as second:
            await first.saw(SeatOffered)
            await second.saw(QueueEntered)
            missed = await first.saw(SeatDidNotAnswer)
            assert (missed.seat, missed.reason) == ("1004", "no_answer")
            assert missed.rang_ms >= 3000
            await asleep.wait_for(Closed)
            await hotline.seat_is("1004", "not_ready")

            await hotline.ready("1005")
            assert (await first.saw(SeatAnswered)).seat == "1005"
            await first.leave()
            await second.saw(SeatAnswered)
            await second.leave()
            assert (await states(hotline, "1004", 1)) == [("not_ready", "no_answer")]
    assert await visits(hotline, first) == [("answered", False, 2, 1, "1005")]
    assert await visits(hotline, second) == [("answered", False, 1, 0, "1005")]


async def test_a_busy_telephone_is_passed_over(hotline: Hotline) -> None:
    async with (
        hotline.adviser("1004", "8004", RejectBusy()),
        hotline.adviser("1005", "8005"),
        hotline.caller("2") as caller,
    ):
        missed = await caller.saw(SeatDidNotAnswer)
        assert (missed.seat, missed.reason) == ("1004", "busy")
        assert (await caller.saw(SeatAnswered)).seat == "1005"
        assert await states(hotline, "1004", 1) == [("not_ready", "busy")]
        await caller.leave()
    assert await visits(hotline, caller) == [("answered", False, 2, 1, "1005")]


async def test_not_ready_in_mid_call_holds_afterwards(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004") as seat:
        async with hotline.caller("2") as caller:
            await caller.connected()
            await hotline.not_ready("1004", "lunch")
            assert (await hotline.status()).seats["1004"] == "talking"
            assert hears(await listen(caller.phone, 2), SEAT_HZ)
            await seat.hangup()
            await caller.hears("rating.ask")
            await caller.leave()
        await hotline.seat_is("1004", "not_ready")
        assert await states(hotline, "1004", 3) == [("talking", ""), ("wrap_up", ""), ("not_ready", "lunch")]


async def test_wrap_up_ends_by_itself_and_the_next_caller_is_served(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004") as seat:
        async with hotline.caller("2", rate="3") as first, hotline.caller("2") as second:
            await first.connected()
            await second.saw(QueueEntered)
            await seat.hangup()
            await second.saw(SeatAnswered)
            await first.hears("rating.ask", "rating.thanks")
            assert (await first.over()).ended_by == "system"  # thanked, silent: the hotline closes the line
            assert (await second.leave()).outcome == "queued"
        moves = " ".join(str(state) for state, _ in await states(hotline, "1004", 9))
        assert "talking wrap_up ready reserved ringing talking" in moves
    assert await hotline.sql("SELECT score FROM ratings WHERE call_id = $1", first.call_id) == [(3,)]
    assert isinstance(first.facts[-1], CallEnded)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("ready", "1099", "--adviser", "8001"), "1099"),
        (("ready", "1004", "--adviser", "9999"), "9999"),
        (("ready", "1004"), "1004"),
        (("ready", "1004", "--adviser", "8004"), "not registered"),
        (("not-ready", "1004"), "1004"),
        (("log-out", "1099"), "1099"),
    ],
    ids=[
        "no such seat",
        "no such adviser",
        "nobody sits there",
        "no telephone",
        "nobody to stand up",
        "log out of nothing",
    ],
)
async def test_what_cannot_be_done_is_one_sentence(hotline: Hotline, words: tuple[str, ...], names: str) -> None:
    code, out, err = await hotline.rexian("seat", *words)
    assert (code, out) == (1, "")
    assert err.startswith("rexian: ")
    assert names in err
    assert err.count("\n") == 1


async def test_one_adviser_sits_at_one_seat(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004"), hotline.telephone("1005"):
        await eventually(lambda: registered(hotline, "1005"))
        with pytest.raises(NotPossible, match="sits at seat 1004"):
            await hotline.ready("1005", "8004")


async def registered(hotline: Hotline, seat: str) -> bool:
    async with hotline.ari() as ari:
        return (await ari.endpoints.get("PJSIP", f"seat{seat}")).state == "online"


async def test_an_adviser_who_leaves_while_the_number_is_said_costs_the_caller_no_turn(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004") as seat, hotline.caller("2") as caller:
        await caller.saw(SeatAnswered)
        await seat.hangup()
        await caller.hears("seat.lost")
        await hotline.seat_is("1004", "not_ready")
        await caller.leave()
