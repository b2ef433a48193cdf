"""A desk that is served, and its browsers; behind it, a hotline that is made up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from calls.clock import Instant, SystemClock
from calls.facts import AnyFact
from calls.words import Role
from cti.desk import Client, Doors, Provider, Reader
from cti.desk.entrance import COOKIE, TOKEN_HEADER
from cti.desk.watching import FEED
from cti.desk.web import server
from cti.store import Journal
from tests.desk import FakeHouse, doors
from tests.eventually import eventually
from tests.oidc import CLIENT, SECRET
from tests.texting import free_port

OWN = "four words of my own"
"""The password that everybody here chooses, as nobody should."""

STARTING, STRANGER, SCREEN = "starting", "stranger", "screen"
"""`starting`: somebody whose password was made by somebody else. `screen`: whoever is called so signs in for the wallboard."""


class SkippingClock(SystemClock):
    """The machine's clock; a test may skip a while, which the wall clock does not see."""

    skipped_s = 0.0

    def now(self) -> Instant:
        return Instant(super().now() + self.skipped_s)


class Desk:
    """A desk that is served, and its browsers; `issuer`: of a provider by which people may sign in, too.

    `ports`: its own, and that of the door in front of it; None: a free one, and there is no door.
    """

    def __init__(
        self,
        folder: Path,
        issuer: str | None = None,
        whole_s: float = 10.0,
        secret: str = SECRET,
        ports: tuple[int, int] | None = None,
    ) -> None:
        self.folder, self.clock = folder, SkippingClock()
        self.journal = Journal(folder / "journal.db", "node", self.clock)
        self.port, door = ports or (free_port(), None)
        self.url = f"http://127.0.0.1:{door or self.port}"
        self.facts: list[AnyFact] = []
        self.house = FakeHouse(self, self.journal, self.clock)
        self.provider: Provider | None = None
        if issuer is not None:
            reader = Reader(issuer, CLIENT, "preferred_username", ("gold",))
            self.provider = Provider(issuer, Client(CLIENT, secret, self.url), reader, self.clock, whole_s)
        self.doors: Doors = doors(self, self.journal, self.clock, folder, self.provider)

    def record(self, fact: AnyFact, at: datetime | None = None) -> None:
        self.facts.append(fact)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        door = server(self.port, self.house, self.doors)
        async with self.provider or nullcontext():
            serving = asyncio.create_task(door.serve())
            await eventually(lambda: door.started)
            try:
                yield
            finally:
                door.should_exit = True
                await serving
                await self.journal.close()

    async def handed(self, name: str, roles: list[Role]) -> tuple[str, str | None]:
        """A new account: its password, made by somebody else, and its second factor."""
        number = "8001" if "adviser" in roles else None
        handed = await self.doors.accounts.add(name, roles, number, by="admin")
        return handed.password, handed.code_secret

    async def account(self, name: str, role: Role) -> None:
        """Somebody whose password is their own."""
        password, _ = await self.handed(name, [role])
        assert await self.doors.accounts.choose(name, password, OWN, "10.0.0.7")

    def signed_in(self, name: str) -> tuple[dict[str, str], str]:
        """The cookie of a session of theirs, and its second secret."""
        account = self.doors.accounts.get(name)
        assert account is not None
        token, session = self.doors.sessions.begin(account, board=name == SCREEN)
        return {COOKIE: token}, session.csrf

    @asynccontextmanager
    async def posting(self, name: str) -> AsyncIterator[Callable[..., Awaitable[int]]]:
        """Posts to a path below seats, as them; the status of the answer."""
        cookies, csrf = self.signed_in(name)
        async with self.browser(cookies) as browser:

            async def post(path: str, body: object = None) -> int:
                async with browser.post(f"/api/v1/seats/{path}", json=body, headers={TOKEN_HEADER: csrf}) as answer:
                    return answer.status

            yield post

    @asynccontextmanager
    async def feeding(
        self, name: str | None, origin: str | None = "ours"
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A feed, opened by them from that page."""
        cookies = self.signed_in(name)[0] if name else None
        headers = {"Origin": self.url if origin == "ours" else origin} if origin else {}
        async with self.browser(cookies) as browser, browser.ws_connect(FEED, headers=headers) as feed:
            yield feed

    def browser(self, cookies: dict[str, str] | None = None) -> aiohttp.ClientSession:
        jar = aiohttp.CookieJar(unsafe=True)  # this machine's name is an address
        jar.update_cookies(cookies or {}, response_url=URL(self.url + "/api"))
        return aiohttp.ClientSession(self.url, cookie_jar=jar)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    async with desk.served():
        yield desk
