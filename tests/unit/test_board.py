"""The wallboard: one answer for everybody, figures or the reason why not, and what stands in the way of calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calls.clock import Instant
from calls.errors import NotPossible
from cti import board as boards
from cti.admission import Admission
from cti.alarms import Alarms, StandingAlarm
from cti.asterisk.gate import TOO_MANY, Gate
from cti.board import KEPT_S, Board, Live
from cti.settings import Settings, Trunk
from cti.store import Journal
from cti.trunks import TrunkNow, Trunks, registrations
from tests.board import LIVE, FakeDays
from tests.eventually import eventually


class SetClock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self._now = 100.0

    def now(self) -> Instant:
        return Instant(self._now)

    def utc(self) -> datetime:
        return datetime(2026, 1, 5, 2, 0, tzinfo=UTC)

    def wait(self, seconds: float) -> None:
        self._now += seconds


async def look() -> Live:
    return LIVE


async def test_one_answer_is_good_for_everybody_for_some_seconds() -> None:
    clock, days = SetClock(), FakeDays()
    board = Board(clock, look, days)
    first = await asyncio.gather(*(board.now() for _ in range(100)))
    assert days.asked == 1
    assert all(one is first[0] for one in first)
    clock.wait(KEPT_S - 0.1)
    assert await board.now() is first[0]
    clock.wait(0.1)
    second = await board.now()
    assert days.asked == 2
    assert second.figures
    assert second.figures.today.arrivals == 2


async def test_a_database_that_is_away_takes_the_figures_and_nothing_else() -> None:
    clock, days = SetClock(), FakeDays()
    board = Board(clock, look, days)
    days.trouble = NotPossible("PostgreSQL does not tell")
    away = await board.now()
    assert (away.figures, away.why_no_figures) == (None, "database_away")
    assert (away.trunks, away.alarms, away.expected) == (LIVE.trunks, LIVE.alarms, LIVE.expected)
    for _ in range(50):
        await board.now()
    assert days.asked == 1, "one that is away is not asked more often"
    days.trouble = None
    clock.wait(KEPT_S)
    back = await board.now()
    assert (back.figures is None, back.why_no_figures) == (False, "")


async def test_a_database_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "ANSWER_S", 0.01)
    days = FakeDays()
    days.silent = asyncio.Event()
    board = await Board(SetClock(), look, days).now()
    assert (board.figures, board.why_no_figures, board.trunks) == (None, "database_slow", LIVE.trunks)


async def test_a_page_that_goes_away_takes_the_board_from_nobody() -> None:
    days = FakeDays()
    days.silent = asyncio.Event()
    board = Board(SetClock(), look, days)
    one, another = asyncio.create_task(board.now()), asyncio.create_task(board.now())
    await eventually(lambda: days.asked == 1)
    one.cancel()
    days.silent.set()
    assert (await another).figures
    assert days.asked == 1
    assert one.cancelled()


TOLD = """
 <Registration/ServerURI..............................>  <Auth....................>  <Status.......>
==========================================================================================

 trunk-telecom/sip:sip.carrier.example:5060              trunk-telecom               Registered        (exp. 278s)
 trunk-unicom/sip:10.0.0.9                               trunk-unicom                Rejected          (exp. 12s)

Objects found: 2
"""


def test_what_asterisk_says_of_registrations_is_read() -> None:
    assert registrations(TOLD) == {"trunk-telecom": "Registered", "trunk-unicom": "Rejected"}
    assert registrations("No objects found.") == {}


CARRIERS = (
    Trunk("telecom", register="1@sip.carrier.example:5060", max_calls=30),
    Trunk("unicom", register="1@10.0.0.9"),
    Trunk("mobile", match=("10.0.0.10",)),
)


class Exchange:
    """Trunks of a hotline that is not there, and an Asterisk's console that says `TOLD`."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(state_dir=folder, trunks=CARRIERS)
        clock = SetClock()
        self.journal = Journal(folder / "journal.db", "node", clock)
        self.admission = Admission(100, {"telecom": 30}, 30)
        self.alarms = Alarms(self.journal, self.journal)
        gate = Gate(self.settings, clock, self.journal, self.journal, self.admission, tuple)
        self.trunks = Trunks(self.settings, self.admission, gate)

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        console = self.settings.run_dir / "asterisk" / "asterisk.ctl"
        console.parent.mkdir(parents=True)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\0")
            writer.write(b"Asterisk 22/host\n" + TOLD.encode())
            writer.close()

        async with await asyncio.start_unix_server(answer, console):
            yield


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    exchange = Exchange(tmp_path)
    yield exchange
    await exchange.journal.close()


async def test_a_trunk_is_told_as_asterisk_and_the_gate_know_it(exchange: Exchange) -> None:
    for _ in range(3):
        assert exchange.admission.take("telecom", Instant(100.0)) is None
    async with exchange.answering():
        assert await exchange.trunks.now() == (
            TrunkNow("telecom", "registered", 3, 30),
            TrunkNow("unicom", "not_registered", 0, 240),
            TrunkNow("mobile", "open", 0, 240),
        )
        exchange.alarms.tell(TOO_MANY, "telecom", "callers are turned away")
        assert [trunk.state for trunk in await exchange.trunks.now()] == ["crowded", "not_registered", "open"]


async def test_of_an_asterisk_that_is_away_nothing_is_known(exchange: Exchange) -> None:
    assert [trunk.state for trunk in await exchange.trunks.now()] == ["unknown", "unknown", "open"]


async def test_alarms_that_stand_are_told_until_they_are_over(exchange: Exchange) -> None:
    alarms = exchange.alarms
    alarms.tell("voice_message_overdue", "1767576600.17/1", "it was to be answered")
    alarms.tell("long_wait", "cards", "somebody has waited for 200 s")
    assert alarms.standing() == (
        StandingAlarm("long_wait", "cards", "somebody has waited for 200 s"),
        StandingAlarm("voice_message_overdue", "1767576600.17/1", "it was to be answered"),
    )
    alarms.tell("long_wait", "cards", None)
    assert [alarm.name for alarm in alarms.standing()] == ["voice_message_overdue"]
