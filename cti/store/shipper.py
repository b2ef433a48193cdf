"""From the journal to PostgreSQL: every fact exactly once, in order, in batches, for ever.

One transaction a batch writes the facts, their rows in the other tables, and the node's high-water mark in `nodes`. The
mark is read under a lock in that same transaction, so a batch that is sent twice, because its answer was lost or
because two shippers run by accident, adds nothing the second time.

PostgreSQL may be away, frozen or half gone: every step has a time limit at which the connection is cut, because asyncpg's
own way to give up is to ask the server for it, and the next attempt comes within a second. What a cut connection left
behind in a server that still runs is ended by the server's own limits, or by the next connection. Nobody waits for the
shipper; the journal keeps what it has not taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import asyncpg
import structlog

from calls.errors import NotPossible, RexianError
from calls.facts import Stamped
from cti.store.journal import Journal
from cti.store.projections import batched, storable
from cti.store.schema import FORESEEN
from cti.store.statements import FACTS

BATCH = 500
"""Facts a transaction: beyond this they get no cheaper, and the event loop waits longer for each."""

GATHERED = timedelta(milliseconds=200)
"""What comes within so long is one batch: people see it within a second all the same."""

ANSWER_TIMEOUT = timedelta(seconds=3)
"""For a connection, and for the question whether the server is there."""

BATCH_TIMEOUT = timedelta(seconds=5)
"""A batch takes some 20 ms. One that takes this long is tried again at half the size, so that a slow disk gets on too."""

SESSION_TIMEOUT = timedelta(minutes=1)
"""The server ends a session that has asked nothing for so long: nobody is there any more."""

HEARTBEAT = timedelta(seconds=2)
"""In a quiet hour the connection is tried this often, so that `problem` tells the truth."""

FIRST_RETRY = timedelta(milliseconds=100)
LAST_RETRY = timedelta(seconds=1)

END_WHAT_WAS_LEFT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid() "
    "AND application_name = current_setting('application_name') AND xact_start < now() - make_interval(secs => $1)"
)
"""A session that waits for the rest of a message knows no limit of its own, and would keep the mark locked for ever."""

log = structlog.get_logger(__name__)


class Shipper:
    """Ships what `journal` commits to the database at `dsn` (`postgresql://...`), as long as `run` runs."""

    def __init__(self, journal: Journal, dsn: str) -> None:
        self.problem: str | None = "not connected to PostgreSQL yet"
        """Why facts are not shipped at this moment; None when they are."""
        self._journal = journal
        self._dsn = dsn
        self._shipped = journal.shipped_upto
        self._wait = FIRST_RETRY
        self._size = BATCH
        # A session whose peer is gone without a word would keep the lock on the mark: the server ends it by itself.
        self._session = {
            "application_name": f"rexian {journal.node}",
            "statement_timeout": _ms(BATCH_TIMEOUT),
            "idle_in_transaction_session_timeout": _ms(BATCH_TIMEOUT),
            "idle_session_timeout": _ms(SESSION_TIMEOUT),
        }

    @property
    def behind(self) -> int:
        """Facts recorded that are not in PostgreSQL, as far as this controller knows."""
        return max(0, self._journal.recorded - self._shipped)

    async def run(self) -> None:
        """Ship until cancelled. Never gives up."""
        while True:
            try:
                async with self._connected() as connection:
                    await self._ship(connection)
            except Exception as error:  # also what nobody foresaw: the hotline does not end with its shipper
                self._failed(error)
            await asyncio.sleep(self._wait.total_seconds())
            self._wait = min(self._wait * 2, LAST_RETRY)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
            connection = await asyncpg.connect(self._dsn, server_settings=self._session)
        try:
            yield connection
        finally:
            connection.terminate()  # nothing is lost by it, and nothing waits for a server that does not answer

    async def _ship(self, connection: asyncpg.Connection) -> None:
        with _cut_after(ANSWER_TIMEOUT, connection):
            await connection.execute(END_WHAT_WAS_LEFT, BATCH_TIMEOUT.total_seconds())
            after = self._shipped = await self._high_water(connection)
        if not self.behind:
            self._working(after)
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT.total_seconds()):
                    await self._journal.wait_beyond(after)
            except TimeoutError:
                with _cut_after(ANSWER_TIMEOUT, connection):
                    await connection.execute("SELECT 1")
            else:
                after = await self._ship_batch(connection, after)
            self._working(after)
            if self.behind < self._size:
                await asyncio.sleep(GATHERED.total_seconds())

    async def _ship_batch(self, connection: asyncpg.Connection, after: int) -> int:
        facts = await self._journal.read_after(after, self._size)
        try:
            with _cut_after(BATCH_TIMEOUT, connection):
                await write_batch(connection, self._journal.node, self._journal.id, facts)
        except (TimeoutError, asyncpg.QueryCanceledError):
            self._size = max(1, len(facts) // 2)
            raise
        self._size = min(self._size * 2, BATCH)
        return facts[-1].seq

    async def _high_water(self, connection: asyncpg.Connection) -> int:
        node, journal = self._journal.node, self._journal.id
        row = await connection.fetchrow("SELECT journal, last_seq FROM nodes WHERE node = $1", node)
        if row is None:
            return 0
        if row["journal"] != journal:
            raise NotPossible(
                f"PostgreSQL holds facts of node {node} that come from another journal file ({row['journal']}). "
                "Mend: give this node a name of its own in the setting `node`, or bring its former journal back."
            )
        return int(row["last_seq"])

    def _working(self, shipped: int) -> None:
        if self.problem is not None:
            log.info("facts are shipped to PostgreSQL", behind=self._journal.committed - shipped)
            self.problem = None
        self._wait = FIRST_RETRY
        self._shipped = shipped
        self._journal.shipped(shipped)

    def _failed(self, error: Exception) -> None:
        reason = str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
        problem = reason if isinstance(error, RexianError) else f"PostgreSQL takes no facts: {reason}"
        if self.problem != problem:
            surprise = None if isinstance(error, (*FORESEEN, RexianError)) else error
            log.warning("facts are not shipped to PostgreSQL", reason=reason, behind=self.behind, exc_info=surprise)
        self.problem = problem


@contextmanager
def _cut_after(limit: timedelta, connection: asyncpg.Connection) -> Iterator[None]:
    """Raises TimeoutError when the block takes longer; the connection is closed then."""
    loop = asyncio.get_running_loop()
    cut = loop.call_later(limit.total_seconds(), connection.terminate)
    try:
        yield
    except FORESEEN as error:
        if loop.time() >= cut.when():
            raise TimeoutError from error
        raise
    finally:
        cut.cancel()


async def write_batch(connection: asyncpg.Connection, node: str, journal: str, facts: list[Stamped]) -> None:
    """Write those of these facts, in order and all of one node, that are not there yet; all of them or none.

    After an error the connection is of no further use: nothing is rolled back here, which could wait for ever.
    """
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(
        "INSERT INTO nodes (node, journal, first_seq, last_seq, facts, shipped_at) "
        "VALUES ($1, $2, $3, $3::bigint - 1, 0, now()) ON CONFLICT DO NOTHING",
        node,
        journal,
        facts[0].seq,
    )
    mark = await connection.fetchval("SELECT last_seq FROM nodes WHERE node = $1 FOR UPDATE", node)
    fresh, text = storable([fact for fact in facts if fact.seq > mark])
    if fresh:
        await connection.execute(FACTS, text)
        for statement, rows in batched(fresh):
            await connection.execute(statement.sql, *zip(*rows, strict=True))
        await connection.execute(
            "UPDATE nodes SET last_seq = $2, facts = facts + $3, shipped_at = now() WHERE node = $1",
            node,
            fresh[-1].seq,
            len(fresh),
        )
    await transaction.commit()


def _ms(span: timedelta) -> str:
    return f"{span / timedelta(milliseconds=1):.0f}"
