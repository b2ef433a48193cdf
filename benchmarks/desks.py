"""A hundred desks that look on while five hundred facts a second are told: how old a fact is when a browser has it.

Each desk is a websocket from its own sign-in, through the stack's nginx, to a controller that is whole but for one thing:
it tells of a hundred seats that nobody sits at, each five times a second (`told.py`). Every desk is told of every seat,
its own and the floor's, so 50,000 facts a second arrive in all, and not one may be missing. The same once more beside a
client that opens a feed and never reads from it. The rival is the stack's Mosquitto: the same messages, MQTT 5 at QoS 0,
to a hundred subscribers.

Facts are dated by the clock of this machine, which publisher and readers share.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import msgspec
from yarl import URL

from benchmarks.figures import percentile
from benchmarks.hotlines import Rexian
from benchmarks.instead import beside, instead_of_controller
from benchmarks.mosquitto import connected
from benchmarks.processes import Processes, spent
from benchmarks.told import A_SECOND, DESKS, TOPIC
from calls.errors import NotPossible
from cti.control import AddAccount, ask
from cti.desk.accounts import Handed
from cti.desk.entrance import COOKIE, PASSWORD, SESSION, TOKEN_HEADER, SignedIn
from cti.desk.feed import SeatTold, Told
from cti.desk.watching import FEED

NAME, OWN = "bench", "four words of my own"
"""One account with a session for each desk: what a session costs does not depend on whose it is."""

RAMP_S = 3.0
"""Not counted: until everybody has heard how all stands."""

DEFLATE = 15
"""What a browser offers: to take compressed messages."""

Values = dict[str, float]


class Desk:
    """One reader of facts: how old each was, and whether one was missing."""

    def __init__(self) -> None:
        self.ages_ms: list[float] = []
        self.missed = 0
        self._last: int | None = None

    def hears(self, told: Told) -> None:
        """One fact, at this moment."""
        if not isinstance(told, SeatTold) or told.seat not in DESKS or told.now.adviser is None:
            return
        self.ages_ms.append(1000 * (time.time() - told.now.since.timestamp()))
        number = int(told.now.adviser)
        if self._last is not None and number > self._last + 1:
            self.missed += number - self._last - 1
        self._last = number


class Heard(msgspec.Struct, frozen=True):
    """What all desks heard in a while, and what that took."""

    ages_ms: list[float]
    core: dict[str, float]
    """Share of one core, percent, by process."""


async def desks(exchange: Rexian, lasting_s: float, tell: Callable[[str], None]) -> tuple[Values, Values]:
    """Ours, and Mosquitto's. Raises NotPossible when a fact did not come."""
    async with instead_of_controller(exchange, "-m", "benchmarks.told", "feed") as pid:
        processes = Processes({"controller": pid, "nginx": exchange.processes().pids["nginx"]})
        async with _browsers(exchange) as (readers, cookie):
            plain = await _heard(readers, processes, lasting_s, tell, "feed")
            with _asleep(exchange, cookie):
                stuck = await _heard(readers, processes, lasting_s, tell, "feed, beside one that does not read")
    processes = Processes({"mosquitto": exchange.processes().pids["mosquitto"]})
    async with _subscribers(exchange) as readers, beside(exchange, "-m", "benchmarks.told", "mqtt"):
        other = await _heard(readers, processes, lasting_s, tell, "Mosquitto")
    return (
        {
            "fact_to_browser_ms_p50": percentile(plain.ages_ms, 50),
            "fact_to_browser_ms_p95": percentile(plain.ages_ms, 95),
            "fact_to_browser_ms_p95_one_stuck": percentile(stuck.ages_ms, 95),
            "controller_core_at_100_desks": plain.core["controller"],
            "controller_core_at_100_desks_one_stuck": stuck.core["controller"],
        },
        {
            "fact_to_browser_ms_p50": percentile(other.ages_ms, 50),
            "fact_to_browser_ms_p95": percentile(other.ages_ms, 95),
            "controller_core_at_100_desks": other.core["mosquitto"],
        },
    )


async def _heard(
    readers: list[Desk], processes: Processes, lasting_s: float, tell: Callable[[str], None], what: str
) -> Heard:
    await asyncio.sleep(RAMP_S)
    for desk in readers:
        desk.ages_ms, desk.missed = [], 0
    before, began = processes.cpu_ms(), time.monotonic()
    await asyncio.sleep(lasting_s)
    used, lasted_s = spent(before, processes.cpu_ms()), time.monotonic() - began
    ages, missed = [age for desk in readers for age in desk.ages_ms], sum(desk.missed for desk in readers)
    core = {name: ms / (10 * lasted_s) for name, ms in used.items()}
    shares = ", ".join(f"{name} {share:.1f} %" for name, share in core.items())
    tell(
        f"  {what}: {len(ages) / lasted_s:.0f} facts/s arrive, p50 {percentile(ages, 50):.1f} ms, "
        f"p95 {percentile(ages, 95):.1f} ms, oldest {max(ages, default=float('nan')):.1f} ms, {missed} missing; {shares}"
    )
    fewest = min(len(desk.ages_ms) for desk in readers)
    if missed or fewest < 0.9 * lasting_s * A_SECOND:
        raise NotPossible(f"{what}: a desk heard {fewest} facts in {lasting_s:g} s, and {missed} were missing")
    return Heard(ages, core)


@contextlib.asynccontextmanager
async def _browsers(exchange: Rexian) -> AsyncIterator[tuple[list[Desk], str]]:
    """A hundred feeds that are read, and the cookie of one more session."""
    async with contextlib.AsyncExitStack() as stack:
        cookies = await _signed_in(exchange, 1 + len(DESKS))
        readers = [Desk() for _ in DESKS]
        reading = []
        for desk, cookie in zip(readers, cookies, strict=False):
            browser = await stack.enter_async_context(aiohttp.ClientSession(_door(exchange)))
            headers = {"Origin": str(_door(exchange)).rstrip("/"), "Cookie": f"{COOKIE}={cookie}"}
            feed = await stack.enter_async_context(browser.ws_connect(FEED, headers=headers, compress=DEFLATE))
            reading.append(asyncio.create_task(_read(feed, desk)))
        try:
            yield readers, cookies[-1]
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)


async def _read(feed: aiohttp.ClientWebSocketResponse, desk: Desk) -> None:
    decode = msgspec.json.Decoder(list[Told]).decode
    async for message in feed:
        for told in decode(message.data):
            desk.hears(told)


@contextlib.asynccontextmanager
async def _subscribers(exchange: Rexian) -> AsyncIterator[list[Desk]]:
    """A hundred subscribers to all of it."""
    decode = msgspec.json.Decoder(Told).decode
    async with contextlib.AsyncExitStack() as stack:
        readers = [Desk() for _ in DESKS]
        for number, desk in enumerate(readers):
            subscriber = connected(
                exchange.settings,
                f"bench-{number}",
                "reader",
                exchange.secrets.mqtt_reader,
                f"{TOPIC}/#",
                lambda payload, desk=desk: desk.hears(decode(payload)),  # type: ignore[misc]  # bound in the loop
            )
            await stack.enter_async_context(subscriber)
        yield readers


async def _signed_in(exchange: Rexian, number: int) -> list[str]:
    """So many sessions, each by a sign-in at the door."""
    handed = await ask(exchange.settings.control_socket, AddAccount(NAME, ["lead"], None), Handed)
    async with aiohttp.ClientSession(_door(exchange), raise_for_status=True) as browser:
        async with browser.post(SESSION, json={"name": NAME, "password": handed.password}) as answer:
            token, cookie = msgspec.json.decode(await answer.read(), type=SignedIn).csrf, answer.cookies[COOKIE].value
        chosen = {"old": handed.password, "new": OWN}
        headers = {TOKEN_HEADER: token, "Cookie": f"{COOKIE}={cookie}"}
        async with browser.put(PASSWORD, json=chosen, headers=headers):
            pass
    cookies = []
    for _ in range(number):
        async with (
            aiohttp.ClientSession(_door(exchange), raise_for_status=True) as browser,
            browser.post(SESSION, json={"name": NAME, "password": OWN}) as answer,
        ):
            cookies.append(answer.cookies[COOKIE].value)
    return cookies


@contextlib.contextmanager
def _asleep(exchange: Rexian, cookie: str) -> Iterator[None]:
    """A feed that is opened and never read from, as a sleeping laptop."""
    door = _door(exchange)
    with socket.socket() as page:
        page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        page.connect((door.host, door.port))
        lines = [
            f"GET {FEED} HTTP/1.1",
            f"Host: {door.authority}",
            f"Origin: {str(door).rstrip('/')}",
            f"Cookie: {COOKIE}={cookie}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "",
            "",
        ]
        page.sendall("\r\n".join(lines).encode())
        if (answer := page.recv(12, socket.MSG_PEEK)) != b"HTTP/1.1 101":
            raise NotPossible(f"a feed that is not to be read was not opened: {answer!r}")
        yield


def _door(exchange: Rexian) -> URL:
    return URL(f"http://{exchange.settings.host}:{exchange.settings.web_port}")
