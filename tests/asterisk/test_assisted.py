"""An adviser has the machine ask the caller who they are: nobody hears or keeps what is keyed, and whoever leaves may leave."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from bureau.people import DEMO_PIN, demo
from calls.facts import AssistedIdentification, ConversationEnded, RatingKeyed
from cti.control import SeatVerify, ask
from cti.phone.baresip import Phone
from cti.phone.places import RATE_HZ
from cti.status import Done
from recordings.listen import Samples
from tests.asterisk.ears import in_order, said, tone_dbfs
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.asterisk.test_services import NOBODY, SECRETS, WRONG_PIN
from tests.eventually import eventually
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

RETIRED = demo(datetime.now(UTC).date())[0]
LOUD_DBFS = -30.0
BEGIN = ("assist.begin", "id.ask")


async def test_the_adviser_learns_only_whether_it_is_so_also_after_a_controller_that_died(hotline: Hotline) -> None:
    async with hotline.adviser("1005", "8005") as seat, hotline.caller("2") as caller:
        answered = await caller.connected()
        await _talk(seat, caller)

        await seat.key("*9")
        await caller.hears(*BEGIN)
        await hotline.all_kept()
        kill(hotline, "controller")
        await until_working(hotline)
        interrupted = await caller.saw(AssistedIdentification)
        assert interrupted.outcome == "interrupted"
        await _talk(seat, caller)

        await ask(hotline.settings.control_socket, SeatVerify("1005"), Done)
        await caller.hears("assist.back", *BEGIN)
        music = await listen(seat)
        assert not hears(music, CITIZEN_HZ)
        assert abs(music / 32768).max() > 0.01, "no music"
        await _identifies(caller, NOBODY, WRONG_PIN, "id.failed")
        await _identifies(caller, RETIRED.id_number, DEMO_PIN, "id.passed")
        verified = await caller.saw(AssistedIdentification, times=2)
        assert (verified.outcome, verified.seat, verified.adviser) == ("verified", "1005", "8005")
        await eventually(lambda: in_order(("assist.not_verified", "assist.verified"), said(seat.heard())))
        assert not {"id.ask", "pin.ask"} & set(said(seat.heard()))
        await _talk(seat, caller)
        await caller.leave()
        assert (await caller.saw(ConversationEnded)).ended_by == "caller"
    [(path,)] = await hotline.sql("SELECT path FROM recordings WHERE visit = $1", answered.visit)
    _silent_in(hotline.recording(path), interrupted, verified)
    assert [str(file) for file in hotline.settings.state_dir.rglob("*") if file.is_file() and _holds(file)] == []


async def _identifies(caller: Caller, number: str, pin: str, then: str) -> None:
    """Key both as each is asked for, until this is said."""
    await _was_said_last(caller, "id.ask")
    await caller.phone.key(number)
    await _was_said_last(caller, "pin.ask")
    await caller.phone.key(pin)
    await _was_said_last(caller, then)


async def _was_said_last(caller: Caller, piece: str) -> None:
    try:
        await eventually(lambda: caller.said[-1] == piece)
    except TimeoutError as error:
        raise TimeoutError(f"{piece} was not said in the end, but {caller.said}") from error


@pytest.mark.parametrize("who", ["the caller", "the adviser"])
async def test_who_hangs_up_meanwhile_ends_the_conversation(hotline: Hotline, who: str) -> None:
    async with hotline.adviser("1006", "8006") as seat, hotline.caller("3") as caller:
        answered = await caller.connected()
        assert (await hotline.rexian("seat", "verify", "1006"))[:2] == (0, "1006 talking 8006\n")
        await caller.hears(*BEGIN)
        code, _, refused = await hotline.rexian("seat", "verify", "1006")
        assert (code, "the machine is asking this caller already" in refused) == (1, True)
        if who == "the caller":
            assert (await caller.leave()).ended_by == "caller"
        else:
            await seat.hangup()
            await caller.hears(*BEGIN, "rating.ask")
            await caller.leave()
            await caller.saw(RatingKeyed)
        told = await caller.saw(AssistedIdentification)
        over = await caller.saw(ConversationEnded)
    assert (told.outcome, over.ended_by) == (("hung_up", "caller") if who == "the caller" else ("adviser_left", "seat"))
    [(length_ms, alarms)] = await hotline.sql(
        "SELECT length_ms, alarms FROM recordings WHERE visit = $1", answered.visit
    )
    assert (length_ms, alarms) == (told.gap_from_ms, [])  # it ends where it was stopped


async def _talk(seat: Phone, caller: Caller) -> None:
    """For two seconds each hears the other."""
    adviser_heard, caller_heard = await asyncio.gather(listen(seat, 2), listen(caller.phone, 2))
    assert hears(adviser_heard, CITIZEN_HZ)
    assert hears(caller_heard, SEAT_HZ)


def _silent_in(recording: Path, *apart: AssistedIdentification) -> None:
    """Nothing is in either channel while they were apart, and both are there before, between and after."""
    sound, _ = soundfile.read(recording)
    talked_from = 0
    for fact in apart:
        begin, end = (ms * RATE_HZ // 1000 for ms in (fact.gap_from_ms, fact.gap_from_ms + fact.gap_ms))
        slack = RATE_HZ // 2
        assert not sound[begin + slack : end - slack].any()
        _both_are_heard(sound[talked_from + slack : begin - slack])
        talked_from = end
    _both_are_heard(sound[talked_from + RATE_HZ // 2 :])


def _both_are_heard(sound: Samples) -> None:
    assert tone_dbfs(sound[:, 0], CITIZEN_HZ) > LOUD_DBFS
    assert tone_dbfs(sound[:, 1], SEAT_HZ) > LOUD_DBFS


def _holds(path: Path) -> bool:
    try:
        return SECRETS.search(path.read_bytes()) is not None
    except FileNotFoundError:  # a file of PostgreSQL's that came and went
        return False
