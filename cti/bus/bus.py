"""Publishing on MQTT: facts from the journal, states as they are now. Publish only: nothing that comes in is obeyed.

Nobody ever waits for the broker. Facts are followed in the journal by number, so the bus keeps no queue of its own that
could run full: while the broker is slow or away the facts wait in the journal, and the mark of the last one that it
acknowledged (kept in the journal's state) says where to go on, also after a restart. What was sent and not acknowledged
is sent again. Of a state only the latest counts: at most ten times a second, and all of them after each connection.

The client's id is the node's name: when a controller takes over while the broker still believes in the dead one's
connection, the broker ends that one first, so `offline` never comes after the new one's `online`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Literal, Protocol

import msgspec
import structlog
from mqtt5 import ConnectPacket, QoS, Will

from calls.clock import Clock
from calls.errors import RexianError
from cti.bus.broker import Broker, BrokerGone, connected
from cti.bus.messages import STATES, NodeNow, State, fact_topic, public, state_topic, status_topic
from cti.store import Journal
from cti.together import together

BATCH = 100
"""Facts between two moves of the mark."""

LAST_WORDS = timedelta(seconds=1)
"""A controller that stops does not wait longer than this to say so; the last will says it too."""

KEEP_ALIVE = timedelta(seconds=10)
"""The broker tells the others that a node is gone after one and a half of these."""

STATES_EVERY = timedelta(milliseconds=100)
GATHERED = timedelta(milliseconds=50)
"""Facts that come within so long go out together."""

MARK_EVERY = timedelta(seconds=1)
"""How often the mark is written: after a kill at most this much is published twice."""

FIRST_RETRY = timedelta(milliseconds=100)
LAST_RETRY = timedelta(seconds=1)

_MARK = "bus/published"

log = structlog.get_logger(__name__)


class Publisher(Protocol):
    """What a call or a seat sees of the bus."""

    def state(self, suffix: str, value: State | None) -> None:
        """Publish `value` as the present state of `queue/<name>` or `seat/<number>`; None takes it away."""
        ...


class Bus:
    """Publishes what `journal` commits, and the states, as long as `run` runs. A `Publisher`."""

    def __init__(self, journal: Journal, clock: Clock, *, host: str, port: int, username: str, password: str) -> None:
        self.problem: str | None = "not connected to the MQTT broker yet"
        """Why nothing is published at this moment; None when all is."""
        self._journal = journal
        self._clock = clock
        self._host, self._port = host, port
        self._username, self._password = username, password
        self._published = journal.get(_MARK, int) or 0
        self._marked_at = clock.now()
        self._states: dict[str, bytes] = {}
        self._stale: set[str] = set()
        self._changed = asyncio.Event()
        self._wait = FIRST_RETRY

    @property
    def behind(self) -> int:
        """Facts recorded that the broker has not acknowledged."""
        return max(0, self._journal.recorded - self._published)

    def state(self, suffix: str, value: State | None) -> None:
        """Publish `value` as the present state of `queue/<name>` or `seat/<number>`; None takes it away."""
        group = suffix.partition("/")[0]
        if value is not None and not isinstance(value, STATES[group]):
            raise TypeError(f"{suffix} takes a {STATES[group].__name__}, not a {type(value).__name__}")
        topic = state_topic(self._journal.node, suffix)
        payload = b"" if value is None else msgspec.json.encode(value)
        if self._states.get(topic) == payload:
            return
        self._states[topic] = payload
        self._stale.add(topic)
        self._changed.set()

    async def run(self) -> None:
        """Publish until cancelled, then say `offline`. Never gives up."""
        while True:
            try:
                async with self._connected() as broker:
                    await together(self._publish_states(broker), self._publish_facts(broker), broker.watch())
            except Exception as error:  # also what nobody foresaw: the hotline does not end with its bus
                self._failed(error)
            await asyncio.sleep(self._wait.total_seconds())
            self._wait = min(self._wait * 2, LAST_RETRY)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Broker]:
        status = status_topic(self._journal.node)
        hello = ConnectPacket(
            f"rexian-{self._journal.node}",
            username=self._username,
            password=self._password.encode(),
            clean_start=True,
            keep_alive=int(KEEP_ALIVE.total_seconds()),
            will=Will(status, payload=_encoded(NodeNow(state="offline", at=None)), qos=QoS.AT_LEAST_ONCE, retain=True),
        )
        async with connected(self._host, self._port, hello) as broker:
            await broker.publish([(status, self._status("online"))], retain=True)
            self._stale = set(self._states)
            self._changed.set()
            try:
                yield broker
            except asyncio.CancelledError:
                last = asyncio.create_task(broker.publish([(status, self._status("offline"))], retain=True))
                await asyncio.wait({last}, timeout=LAST_WORDS.total_seconds())
                last.cancel()
                await asyncio.gather(last, return_exceptions=True)
                raise
            finally:
                self._mark()

    async def _publish_facts(self, broker: Broker) -> None:
        if not self.behind:
            self._working()
        async with aclosing(self._journal.follow(self._published, BATCH)) as batches:
            async for facts in batches:
                await broker.publish([(fact_topic(fact), _encoded(public(fact))) for fact in facts])
                self._published = facts[-1].seq
                self._working()
                if self._clock.now() - self._marked_at >= MARK_EVERY.total_seconds():
                    self._mark()
                if self.behind < BATCH:
                    await asyncio.sleep(GATHERED.total_seconds())

    async def _publish_states(self, broker: Broker) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            topics, self._stale = self._stale, set()
            await broker.publish([(topic, self._states[topic]) for topic in sorted(topics)], retain=True)
            await asyncio.sleep(STATES_EVERY.total_seconds())

    def _mark(self) -> None:
        self._marked_at = self._clock.now()
        if self._published != self._journal.get(_MARK, int):
            self._journal.put(_MARK, self._published)

    def _status(self, state: Literal["online", "offline"]) -> bytes:
        return _encoded(NodeNow(state=state, at=self._clock.utc()))

    def _working(self) -> None:
        self._wait = FIRST_RETRY
        if self.problem is not None:
            log.info("facts and states are published on MQTT", behind=self.behind)
            self.problem = None

    def _failed(self, error: Exception) -> None:
        where = f"{self._host}:{self._port}"
        problem = str(error) if isinstance(error, RexianError) else f"the MQTT broker at {where} takes nothing: {error}"
        if self.problem != problem:
            surprise = None if isinstance(error, BrokerGone | OSError | RexianError) else error
            log.warning(
                "nothing is published on MQTT", broker=where, reason=str(error), behind=self.behind, exc_info=surprise
            )
        self.problem = problem


def _encoded(value: object) -> bytes:
    return msgspec.json.encode(value)
