"""The controller dies at every instant of a call, one after the other; whatever it was at, the books are right afterwards.

On the fake Asterisk, where each turn that goes to the journal can be made the last. What is not on the disk by then is
gone, though Asterisk may have done what was asked of it meanwhile: `late` says how many more turns the dead one took.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from calls.clock import SystemClock
from calls.facts import (
    AdviserNumberSaid,
    AnyFact,
    CallArrived,
    CallEnded,
    CallRefused,
    ConsultationBegun,
    ConsultationEnded,
    ConversationEnded,
    QueueEntered,
    QueueLeft,
    RecordingLost,
    RecordingSealed,
    SeatAnswered,
    Stamped,
)
from calls.moments import RATING_MENU
from cti.settings import Outside, Trunk
from cti.store import Journal
from prompts import Sounds
from tests.contract.hotline_on_fake import CALLING, OTHER_ADVISER, OTHER_SEAT, SEAT, TRUNK, Calls, Site
from tests.eventually import eventually
from tests.fakes.ari import FakeAri

LATE = (0, 1, 3)
OUTSIDE = "市民热线"


class Mortal(Journal):
    """Once it is told to, keeps so many turns and no more; then tells that its controller is dead, some turns late."""

    def __init__(self, site: Site) -> None:
        self._depth, self._left, self._late, self._fake = 0, math.inf, 0, site.fake
        self.dead = asyncio.Event()
        super().__init__(site.settings.journal_path, site.settings.node, SystemClock())

    def die_after(self, turns: int, late: int) -> None:
        self._left, self._late = turns, late

    @property
    def has_died(self) -> bool:
        """Something that it was given is lost."""
        return self._left < 0

    def record(self, fact: AnyFact, at: datetime | None = None) -> Stamped:
        with self.together():
            return super().record(fact, at)

    def _put(self, key: str, value: bytes | None) -> None:
        with self.together():
            waiting = dict(self._puts)
            super()._put(key, value)
            if self._left <= 0:
                self._puts = waiting

    def together(self) -> AbstractContextManager[object]:
        return self._turn()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with super().together():
            self._closed = self._left <= 0  # what is recorded from here on is counted as lost
            self._depth += 1
            yield
            self._depth -= 1
            if self._depth == 0:
                self._left -= 1
                if self._left <= -self._late:
                    self._fake.deaf = True
                    self.dead.set()


Callers = set[str]
"""Who has called so far."""

Story = Callable[[Calls, Callers], Coroutine[None, None, None]]


async def dial(calls: Calls, callers: Callers) -> str:
    caller = calls.dial()
    callers.add(caller)
    calls.fake.legs[caller].variables.update(
        {"DIALLED": "12333", "REXIAN_TRUNK": TRUNK, "CDR(sipcallid)": f"sip-{caller}"}
    )
    await calls.until(lambda: "main" in calls.watch.asked)
    return caller


async def the_seat_hangs_up(calls: Calls, callers: Callers) -> None:
    """A whole call: menu, queue, conversation, rating."""
    calls.sit()
    caller = await dial(calls, callers)
    calls.fake.dtmf(caller, "1")
    await calls.told(AdviserNumberSaid)
    calls.fake.hangup(calls.leg())
    await calls.until(lambda: RATING_MENU in calls.watch.asked)
    calls.fake.dtmf(caller, "5")
    await eventually(lambda: calls.watch.asked.count(RATING_MENU) == 1 and not calls.fake.legs[caller].playing)
    calls.fake.hangup(caller)
    await calls.told(CallEnded)


async def the_caller_hangs_up(calls: Calls, callers: Callers) -> None:
    """The first seat does not answer, the second does."""
    calls.sit(phone="busy")
    caller = await dial(calls, callers)
    calls.fake.dtmf(caller, "1")
    await eventually(lambda: calls.floor.engine.seat(SEAT).state == "not_ready")
    calls.sit(OTHER_SEAT, OTHER_ADVISER)
    await calls.told(SeatAnswered)
    calls.fake.hangup(caller)
    await calls.told(CallEnded)


async def whoever_is_asked_takes_the_caller(calls: Calls, callers: Callers) -> None:
    """A colleague is asked, all three speak, and the caller is handed over."""
    calls.sit()
    caller = await dial(calls, callers)
    calls.fake.dtmf(caller, "1")
    await calls.told(AdviserNumberSaid)
    calls.sit(OTHER_SEAT, OTHER_ADVISER)
    calls.node.consult(SEAT, OTHER_ADVISER, None)
    await eventually(lambda: _asking(calls, caller) == "consulting")
    calls.node.asking(SEAT).be("conference")
    await eventually(lambda: _asking(calls, caller) == "conference")
    calls.fake.hangup(calls.leg())
    await calls.told(AdviserNumberSaid, 2)
    calls.fake.hangup(caller)
    await calls.told(CallEnded)


async def whoever_is_outside_takes_the_caller(calls: Calls, callers: Callers) -> None:
    """Somebody outside is asked, is handed the caller, and hangs up."""
    calls.fake.phones["PJSIP/12345@trunk-city"] = "answers"
    calls.sit()
    caller = await dial(calls, callers)
    calls.fake.dtmf(caller, "1")
    await calls.told(AdviserNumberSaid)
    calls.node.consult(SEAT, None, OUTSIDE)
    await eventually(lambda: _asking(calls, caller) == "consulting")
    calls.node.hand_over(SEAT)
    outside = next(name for name, leg in calls.fake.legs.items() if "12345" in leg.endpoint)
    await eventually(lambda: any({caller, outside} == {*each.channels} for each in calls.fake.bridges.values()))
    calls.fake.hangup(outside)
    await eventually(lambda: calls.node.sessions[caller].kept.step == "closing")
    calls.fake.hangup(caller)
    await calls.told(CallEnded)


def _asking(calls: Calls, caller: str) -> str | None:
    kept = calls.node.sessions[caller].kept.consultation
    return kept.state if kept else None


async def nobody_answers(calls: Calls, callers: Callers) -> None:
    """The caller hears that nobody is there."""
    caller = await dial(calls, callers)
    calls.fake.dtmf(caller, "1")
    await calls.told(QueueLeft)
    await eventually(lambda: not calls.fake.legs[caller].playing)
    calls.fake.hangup(caller)
    await calls.told(CallEnded)


def write_call_record(site: Site, caller: str, sent: float) -> None:
    """As Asterisk does when a call has ended."""
    site.settings.call_records.parent.mkdir(parents=True, exist_ok=True)
    with site.settings.call_records.open("a") as file:
        file.write(f'"{caller}","sip-{caller}","{TRUNK}","12333","{CALLING}",{sent},{sent},{sent + 1},"ANSWERED",""\n')


async def live(site: Site, story: Story, callers: Callers, turns: int) -> bool:
    """Whether the first controller lived to the end of the story."""
    journal = Mortal(site)
    async with site.controller(journal) as calls:
        journal.die_after(turns, LATE[turns % len(LATE)])
        told = asyncio.create_task(story(calls, callers))
        dead = asyncio.create_task(journal.dead.wait())
        try:
            await asyncio.wait({told, dead}, return_when=asyncio.FIRST_COMPLETED)
            return told.done() and told.result() is None and not journal.has_died
        finally:
            for task in (told, dead):
                task.cancel()
            await asyncio.gather(told, dead, return_exceptions=True)


def assert_conserved(history: list[AnyFact], arrived: set[str]) -> None:
    """Each call has one arrival and one end, each visit one beginning and one end, each conversation one end."""

    def of(*kinds: type[AnyFact]) -> Counter[str]:
        return Counter(getattr(fact, "call_id") for fact in history if isinstance(fact, kinds))  # noqa: B009 - of a union

    def visits(*kinds: type[AnyFact]) -> Counter[str]:
        return Counter(getattr(fact, "visit") for fact in history if isinstance(fact, kinds))  # noqa: B009 - of a union

    once = Counter(dict.fromkeys(arrived, 1))
    assert of(CallArrived, CallRefused) == once
    assert of(CallEnded) == once
    assert visits(QueueEntered) == visits(QueueLeft)
    assert set(visits(QueueEntered).values()) <= {1}
    assert visits(SeatAnswered) == visits(ConversationEnded)
    assert set(visits(SeatAnswered).values()) <= {1}
    assert visits(ConsultationBegun) == visits(ConsultationEnded)
    assert visits(RecordingSealed, RecordingLost).keys() == visits(SeatAnswered).keys()


@contextlib.asynccontextmanager
async def new_site(folder: Path, sounds: Sounds) -> AsyncIterator[Site]:
    async with FakeAri() as fake:
        site = Site(fake, folder, sounds)
        trunk = Trunk(TRUNK, match=("10.0.0.1",), dial="10.0.0.1")
        site.settings = msgspec.structs.replace(site.settings, trunks=(trunk,), outside=(Outside(OUTSIDE, "12345"),))
        yield site


@pytest.mark.parametrize("hung_up", [False, True], ids=["the caller stays", "the caller leaves meanwhile"])
@pytest.mark.parametrize(
    "story",
    [
        the_seat_hangs_up,
        the_caller_hangs_up,
        whoever_is_asked_takes_the_caller,
        whoever_is_outside_takes_the_caller,
        nobody_answers,
    ],
)
async def test_a_controller_that_dies_at_any_instant(
    story: Story, hung_up: bool, tmp_path: Path, sounds: Sounds
) -> None:
    lived, turns = False, 0
    while not lived:
        turns += 1
        async with new_site(tmp_path / f"{turns}", sounds) as site:
            callers: Callers = set()
            lived = await live(site, story, callers, turns)
            _leave(site, callers, hung_up)
            await _what_follows(site, callers)
    assert turns > 5
    print(f"{story.__name__}: died at each of {turns - 1} turns")  # noqa: T201 - the figure is the point


def _leave(site: Site, callers: Callers, hung_up: bool) -> None:
    """Who hangs up while there is no controller, if so; Asterisk writes who is gone into its own book."""
    if hung_up:
        for caller in callers & site.fake.legs.keys():
            site.fake.hangup(caller)
    for caller in callers - site.fake.legs.keys():
        write_call_record(site, caller, SystemClock().utc().timestamp())


async def _what_follows(site: Site, callers: Callers) -> None:
    """The next controller, to the end of the call; then the books are looked at."""
    async with site.controller() as calls:
        for caller in callers & site.fake.legs.keys():
            await eventually(lambda caller=caller: caller in calls.node.sessions)
            site.fake.hangup(caller)
        calls.node.books.catch_up(calls.node.lines, up=calls.node.sessions)
        await calls.nothing_left()
        await calls.journal.flush()
        history = [stamped.fact for stamped in await calls.journal.read_after(0, 10_000)]
        assert_conserved(history, callers)
        await eventually(lambda: not any(site.settings.raw_dir.iterdir()))
