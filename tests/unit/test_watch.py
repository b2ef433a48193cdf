"""Looking on at a call: in time, late, and after its end; on a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from calls.clock import SystemClock
from calls.facts import CallEnded, CallRefused, Stamped, kind_of
from calls.moments import AwaitingKey, MenuStarted, Observation
from cti.store import Journal
from cti.watch import ENDED_KEPT, LAG_ALLOWED, Watch
from tests.histories import arrived


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "journal.db", "node1", SystemClock())
    yield journal
    await journal.close()


@pytest.fixture
def watch(journal: Journal) -> Watch:
    return Watch(journal)


def ended(call_id: str) -> CallEnded:
    return CallEnded(call_id=call_id, outcome="machine", ended_by="caller", lasted_ms=1, step="menu")


def refused(call_id: str) -> CallRefused:
    return CallRefused(
        call_id=call_id,
        trunk="t",
        dialled="1",
        calling_number=None,
        sip_call_id=f"sip-{call_id}",
        reason="no such line",
    )


class Onlooker:
    """Follows one call in a task of its own."""

    def __init__(self, watch: Watch, sip_call_id: str) -> None:
        self.seen: asyncio.Queue[Observation] = asyncio.Queue()
        self._begun = asyncio.Event()
        self._task = asyncio.create_task(self._look(watch.follow(sip_call_id, self._begun.set)))

    async def _look(self, seen: AsyncIterator[Observation]) -> None:
        async for one in seen:
            self.seen.put_nowait(one)

    async def begun(self) -> Onlooker:
        await asyncio.wait_for(self._begun.wait(), 10)
        return self

    async def next(self) -> str:
        one = await asyncio.wait_for(self.seen.get(), 10)
        return kind_of(one.fact) if isinstance(one, Stamped) else type(one).__name__

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_one_who_is_there_first_sees_all(watch: Watch) -> None:
    onlooker = await Onlooker(watch, "sip-a").begun()
    watch.record(arrived("a"))
    watch.moment("a", MenuStarted("main"))
    watch.moment("b", AwaitingKey("main"))
    watch.record(ended("a"))

    assert [await onlooker.next() for _ in range(3)] == ["call_arrived", "MenuStarted", "call_ended"]
    await onlooker.leave()


async def test_one_who_comes_late_is_told_what_happened_and_then_goes_on(watch: Watch) -> None:
    watch.record(arrived("a"))
    watch.moment("a", MenuStarted("main"))
    late = await Onlooker(watch, "sip-a").begun()
    watch.record(ended("a"))

    assert [await late.next() for _ in range(2)] == ["call_arrived", "call_ended"]
    await late.leave()
    after = await Onlooker(watch, "sip-a").begun()
    assert [await after.next() for _ in range(2)] == ["call_arrived", "call_ended"]
    await after.leave()


async def test_what_is_recorded_is_in_the_journal_whoever_looks(watch: Watch, journal: Journal) -> None:
    watch.record(arrived("a"))
    watch.record(ended("a"))
    await journal.flush()

    assert [kind_of(stamped.fact) for stamped in await journal.read_after(0)] == ["call_arrived", "call_ended"]


async def test_a_call_that_was_refused_is_over_and_can_still_be_seen(watch: Watch) -> None:
    watch.record(refused("a"))
    watch.record(ended("a"))
    onlooker = await Onlooker(watch, "sip-a").begun()

    assert [await onlooker.next() for _ in range(2)] == ["call_refused", "call_ended"]
    await onlooker.leave()


async def test_ended_calls_are_forgotten_in_time(watch: Watch) -> None:
    for number in range(ENDED_KEPT + 1):
        watch.record(arrived(f"c{number}"))
        watch.record(ended(f"c{number}"))
    first, second = await Onlooker(watch, "sip-c0").begun(), await Onlooker(watch, "sip-c1").begun()

    assert await second.next() == "call_arrived"
    assert first.seen.empty()
    await first.leave()
    await second.leave()


async def test_one_who_does_not_look_holds_up_nobody(watch: Watch) -> None:
    watch.record(arrived("a"))
    begun = asyncio.Event()
    stream = watch.follow("sip-a", begun.set)
    await anext(stream)
    assert begun.is_set()
    for _ in range(LAG_ALLOWED + 10):
        watch.moment("a", AwaitingKey("main"))

    for _ in range(LAG_ALLOWED):
        await anext(stream)
    watch.record(ended("a"))
    last = await anext(stream)
    assert isinstance(last, Stamped)
    assert kind_of(last.fact) == "call_ended"


async def test_who_waits_for_a_call_that_never_comes_leaves_nothing_behind(watch: Watch) -> None:
    onlooker = await Onlooker(watch, "sip-never").begun()
    await onlooker.leave()

    assert vars(watch)["_by_sip_call_id"] == {}


async def test_a_call_that_goes_on_under_a_new_controller_is_seen_from_there_on(watch: Watch) -> None:
    watch.resume("c1", "sip-c1")
    onlooker = await Onlooker(watch, "sip-c1").begun()
    watch.record(ended("c1"))

    assert await onlooker.next() == "call_ended"
    await onlooker.leave()
