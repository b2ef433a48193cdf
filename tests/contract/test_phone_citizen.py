"""A synthetic citizen calls a real exchange; the controller beside it is a script of observations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.errors import NotPossible
from calls.facts import AnyFact, CallArrived, CallEnded, CallOutcome, EndedBy, RatingKeyed, SeatAnswered, Stamped
from calls.moments import AwaitingKey, MenuStarted, Observation
from cti.phone.baresip import RejectBusy
from cti.phone.citizen import call
from cti.phone.events import Closed, Established, KeyHeard
from cti.phone.plan import CallPlan
from tests.asterisk.exchange import PASSWORD, exchange
from tests.asterisk.phones import SEAT_HZ, Seat, hears, listen

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[str]:
    async with exchange() as (_, server):
        yield server


def stamped(fact: AnyFact) -> Stamped:
    now = round(time.monotonic() * 1000)
    return Stamped(node="n", seq=1, at=datetime.now(UTC), mono_ms=now, version=1, fact=fact)


def arrived(sip_call_id: str) -> Stamped:
    return stamped(
        CallArrived(
            call_id="c1",
            line="12333",
            line_version="v",
            trunk="demo",
            dialled="12333",
            calling_number=None,
            sip_call_id=sip_call_id,
        )
    )


def seat_answered() -> Stamped:
    return stamped(SeatAnswered(call_id="c1", visit="v1", seat="201", adviser="8001", waited_ms=1, rang_ms=1))


def ended(by: EndedBy = "caller", outcome: CallOutcome = "queued") -> Stamped:
    return stamped(CallEnded(call_id="c1", outcome=outcome, ended_by=by, lasted_ms=1, step="end"))


async def test_a_whole_call(server: str) -> None:
    async with Seat("201", PASSWORD, server) as seat:

        async def watch(sip_call_id: str) -> AsyncIterator[Observation]:
            yield arrived(sip_call_id)
            yield MenuStarted("main")
            yield AwaitingKey("main")
            assert (await seat.wait_for(KeyHeard)).key == "1"
            yield AwaitingKey("cards")
            assert (await seat.wait_for(KeyHeard)).key == "2"
            yield seat_answered()
            await listen(seat)
            yield AwaitingKey("rating")
            assert (await seat.wait_for(KeyHeard)).key == "5"
            yield stamped(RatingKeyed(call_id="c1", visit="v1", adviser="8001", score=5))
            assert (await seat.wait_for(Closed)).by_peer
            yield ended()

        report = await call(CallPlan(to="201", server=server, keys="12", rate="5"), watch)

    assert report.completed, report.text("en")
    assert report.reason is None
    assert (report.call_id, report.seat, report.adviser, report.score) == ("c1", "201", "8001", 5)
    assert report.ended_by == "caller"
    assert [step.detail["key"] for step in report.steps if step.kind == "key_sent"] == ["1", "2", "5"]
    assert report.connected_ms is not None
    tone = report.heard[0]
    assert abs(tone.hz - SEAT_HZ) < 5
    assert abs(tone.start_ms - report.connected_ms) < 500
    assert report.packets_received > 50
    assert report.packets_sent > 50
    assert [step.at_ms for step in report.steps] == sorted(step.at_ms for step in report.steps)


async def test_with_barge_keys_go_out_when_a_menu_begins_to_speak(server: str) -> None:
    async with Seat("201", PASSWORD, server) as seat:

        async def watch(sip_call_id: str) -> AsyncIterator[Observation]:
            yield AwaitingKey("main")
            yield MenuStarted("main")
            assert (await seat.wait_for(KeyHeard)).key == "1"
            await seat.hangup()
            yield ended(by="seat")

        report = await call(CallPlan(to="201", server=server, keys="1", barge=True), watch)
    assert report.completed, report.text("en")
    assert report.ended_by == "seat"


async def test_what_it_says_reaches_the_seat_from_any_wav(server: str, tmp_path: Path) -> None:
    wav = tmp_path / "say.wav"
    instants = np.arange(44100) / 44100
    soundfile.write(wav, np.stack([np.sin(2 * np.pi * 660 * instants) * 0.3] * 2, axis=1), 44100)
    async with Seat("201", PASSWORD, server) as seat:

        async def watch(sip_call_id: str) -> AsyncIterator[Observation]:
            await seat.wait_for(Established)
            assert hears(await listen(seat, 2), 660)
            yield seat_answered()
            await seat.wait_for(Closed)
            yield ended()

        report = await call(CallPlan(to="201", server=server, say=wav, hold_s=0.2), watch)
    assert report.completed, report.text("en")


async def only_the_end(sip_call_id: str) -> AsyncIterator[Observation]:
    yield arrived(sip_call_id)
    yield ended(outcome="machine", by="system")


async def nothing(sip_call_id: str) -> AsyncIterator[Observation]:
    never: tuple[Observation, ...] = ()
    for seen in never:
        yield seen


async def test_hanging_up_at_a_given_moment_is_no_failure(server: str) -> None:
    report = await call(CallPlan(to="104", server=server, keys="1", rate="5", hang_up_after_s=0.5), only_the_end)
    assert report.completed, report.text("en")
    assert report.connected_ms is None
    assert report.lasted_ms >= 500


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (CallPlan(to="104", max_s=0.5), "too_long"),
        (CallPlan(to="999"), "not_answered"),
        (CallPlan(to="103", keys="1"), "keys_left"),
        (CallPlan(to="103", rate="5"), "not_rated"),
    ],
)
async def test_a_call_that_does_not_go_as_planned_says_why(server: str, plan: CallPlan, reason: str) -> None:
    planned = CallPlan(to=plan.to, server=server, keys=plan.keys, rate=plan.rate, max_s=plan.max_s)
    report = await call(planned, only_the_end)
    assert not report.completed
    assert report.reason == reason


async def test_a_controller_that_says_nothing_is_noticed(server: str) -> None:
    report = await call(CallPlan(to="103", server=server), nothing)
    assert report.reason == "end_not_told"
    assert report.ended_by == "system"
    assert report.call_id is None


async def test_a_busy_line_shows_its_status(server: str) -> None:
    async with Seat("202", PASSWORD, server, RejectBusy()):
        report = await call(CallPlan(to="202", server=server), only_the_end)
    assert report.reason == "not_answered"
    assert [step.detail["reason"] for step in report.steps if step.kind == "closed"] == ["486 Busy Here"]


async def test_a_watch_that_fails_fails_the_call(server: str) -> None:
    async def watch(sip_call_id: str) -> AsyncIterator[Observation]:
        yield arrived(sip_call_id)
        raise NotPossible("the controller went away")

    with pytest.raises(NotPossible, match="went away"):
        async with asyncio.timeout(10):
            await call(CallPlan(to="104", server=server), watch)


async def test_a_wav_that_is_none_is_refused_before_anybody_is_called(tmp_path: Path) -> None:
    (tmp_path / "say.wav").write_text("hello")
    with pytest.raises(NotPossible, match=r"say\.wav"):
        await call(CallPlan(say=tmp_path / "say.wav", server="127.0.0.1:9"), nothing)
