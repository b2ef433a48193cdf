"""Who called before, read from a real PostgreSQL: what an adviser is reminded of, and a server that is away or started anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from calls.errors import NotPossible
from calls.facts import AnyFact, WrappedUp
from cti.store import Callers
from cti.store.shipper import write_batch
from tests.histories import arrived, conversation, ended, entered, menu_step, owed, rating, stamped
from tests.postgres import READER, Cluster

NUMBER, ANOTHER = "+8613800001111", "+8613800002222"
WRAPPED = WrappedUp(
    call_id="old",
    visit="old.1",
    adviser="8002",
    category="社会保障卡",
    topic="社会保障卡激活",
    result="to_call_back",
    note="问激活",
    due_at=datetime(2026, 1, 8, 1, 0, tzinfo=UTC),
)
OLD: list[AnyFact] = [
    arrived("old"),
    menu_step("old"),
    entered("old", "old.1"),
    *conversation("old", "old.1"),
    rating("old", "old.1", 4),
    WRAPPED,
    ended("old", "queued"),
    arrived("new"),
    owed("new"),
    arrived("other", ANOTHER),
]


@pytest.fixture
async def callers(cluster: Cluster, database: str) -> AsyncIterator[Callers]:
    connection = await asyncpg.connect(database, timeout=10, command_timeout=10)
    try:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        await write_batch(connection, "node1", "a journal", stamped(OLD, start=yesterday))
        long_ago: list[AnyFact] = [arrived("ancient"), ended("ancient", "machine")]
        await write_batch(
            connection, "node2", "another", stamped(long_ago, node="node2", start=yesterday - timedelta(days=60))
        )
    finally:
        await connection.close(timeout=10)
    callers = Callers(cluster.dsn(database.partition("@/")[2].partition("?")[0], READER))
    yield callers
    await callers.close()


async def test_what_was_before_this_call_and_nothing_else(callers: Callers) -> None:
    before = await callers.before(NUMBER, "new")
    assert (before.calls, before.messages, before.callbacks) == (1, 0, 1)
    (old,) = before.newest
    assert (old.call_id, old.queue, old.adviser, old.talked_ms, old.score) == ("old", "cards", "8002", 90_000, 4)
    assert (old.chosen, old.topic, old.result, old.note, old.due_at) == (
        ("cards",),
        "社会保障卡激活",
        "to_call_back",
        "问激活",
        WRAPPED.due_at,
    )
    unknown = await callers.before("+8613800009999", "new")
    assert (unknown.calls, unknown.newest) == (0, ())


async def test_a_server_that_is_away_is_told_and_one_that_was_started_anew_is_asked_again(
    callers: Callers, cluster: Cluster
) -> None:
    assert (await callers.before(NUMBER, "new")).calls == 1
    await asyncio.to_thread(cluster.stop)
    try:
        with pytest.raises(NotPossible, match="PostgreSQL does not tell"):
            await callers.before(NUMBER, "new")
    finally:
        await asyncio.to_thread(cluster.start)
    assert (await callers.before(NUMBER, "new")).calls == 1
    await asyncio.to_thread(cluster.stop)
    await asyncio.to_thread(cluster.start)
    assert (await callers.before(NUMBER, "new")).calls == 1, "the connection of before was of no use any more"


async def test_a_server_that_does_not_answer_keeps_nobody_waiting(
    callers: Callers, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.store.callers.ANSWER_S", 0.2)
    cluster.freeze()
    try:
        with pytest.raises(NotPossible, match="PostgreSQL does not tell"):
            await callers.before(NUMBER, "new")
    finally:
        cluster.thaw()
