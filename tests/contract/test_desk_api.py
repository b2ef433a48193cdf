"""The desk's API over HTTP, as a browser and as somebody with other ideas would use it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from calls.clock import SystemClock
from calls.facts import AnyFact, Audited
from calls.words import ROLES, Role
from cti.bus import QueueNow, SeatNow
from cti.control import SeatLogOut, SeatMoreTime, SeatNotReady, SeatReady, SeatRedial, SeatVerify
from cti.desk import Doors, contract, watching
from cti.desk.accounts import REFUSED, WRONG_ALLOWED
from cti.desk.entrance import COOKIE, PASSWORD, SESSION, TOKEN_HEADER, TRIES
from cti.desk.people import ACCOUNTS
from cti.desk.watching import FEED, STATUS
from cti.desk.web import application, server
from cti.settings import CHECKOUT
from cti.store import Journal
from tests.desk import FakeHouse, code, doors
from tests.eventually import eventually
from tests.texting import free_port

OWN = "four words of my own"
"""The password that everybody here chooses, as nobody should."""

EVERYBODY, STARTING, STRANGER = frozenset(ROLES), "starting", "stranger"
"""`starting`: an adviser whose password was made by somebody else."""
ANYBODY = EVERYBODY | {STARTING, STRANGER}

# Whoever may use each route. A route that is missing here fails a test.
ROUTES: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/api/health"): ANYBODY,
    ("POST", "/api/texts/reports"): ANYBODY,
    ("POST", SESSION): ANYBODY,
    ("GET", SESSION): EVERYBODY | {STARTING},
    ("DELETE", SESSION): EVERYBODY | {STARTING},
    ("PUT", PASSWORD): EVERYBODY | {STARTING},
    ("GET", ACCOUNTS): frozenset({"admin"}),
    ("POST", ACCOUNTS): frozenset({"admin"}),
    ("PUT", ACCOUNTS + "/{name}"): frozenset({"admin"}),
    ("POST", ACCOUNTS + "/{name}/help"): frozenset({"admin"}),
    ("POST", "/api/v1/seats/{name}/ready"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/not-ready"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/more-time"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/log-out"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/redial"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/verify"): frozenset({"adviser"}),
    ("GET", STATUS): frozenset({"operator", "admin", "manager"}),
    ("GET", "/api/openapi.json"): EVERYBODY,
}


class Desk:
    """A desk that is served, and its browsers."""

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.journal = Journal(folder / "journal.db", "node", self.clock)
        self.doors: Doors = doors(self, self.journal, self.clock, folder)
        self.house = FakeHouse()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.facts: list[AnyFact] = []

    def record(self, fact: AnyFact, at: datetime | None = None) -> None:
        self.facts.append(fact)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        door = server(self.port, self.house, self.doors)
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
        token, session = self.doors.sessions.begin(account)
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


# Who may do what


async def test_every_role_may_use_its_routes_and_no_other(desk: Desk) -> None:
    for role in ROLES:
        await desk.account(role, role)
    await desk.doors.accounts.add(STARTING, ["lead"], None, by="admin")
    for who in (*ROLES, STARTING, STRANGER):
        for (method, path), allowed in ROUTES.items():
            cookies, csrf = ({}, "") if who == STRANGER else desk.signed_in(who)
            async with desk.browser(cookies) as browser:
                answer = await browser.request(
                    method, path.format(name="nobody"), json={}, headers={TOKEN_HEADER: csrf}
                )
            told = f"{method} {path} as {who}: {answer.status}"
            if who in allowed:
                expected = {401} if path == "/api/texts/reports" else {200, 204, 400, 409}
            else:
                expected = {401} if who == STRANGER else {403}
            assert answer.status in expected, told


def test_no_route_is_missing_from_the_table(desk: Desk) -> None:
    served = {
        (method, "/".join("{name}" if part.startswith("{") else part for part in route.path_format.split("/")))
        for route in application(desk.house, desk.doors).routes
        for method in route.methods
    }
    assert {each for each in served if each[0] != "OPTIONS"} == set(ROUTES)


async def test_a_route_that_is_nowhere_tells_a_stranger_nothing(desk: Desk) -> None:
    async with desk.browser() as browser:
        for path in ("/api", "/api/v1", "/api/v1/seats", "/api/schema"):
            assert (await browser.get(path)).status in {401, 404}, path


def test_the_description_in_the_docs_is_what_the_application_says() -> None:
    assert (CHECKOUT / "docs/desk.openapi.yaml").read_text(encoding="utf-8") == contract.text(), (
        "stale: .venv/bin/python -m cti.desk.contract > docs/desk.openapi.yaml"
    )
    described = contract.document()["paths"]
    assert {(method.upper(), path) for path, methods in described.items() for method in methods} == {
        (method, path.replace("{name}", "{seat}") if "seats" in path else path) for method, path in ROUTES
    }


# In and out


async def test_signing_in_choosing_a_password_and_signing_out(desk: Desk) -> None:
    password, secret = await desk.handed("zhao", ["admin"])
    assert secret is not None
    async with desk.browser() as browser:
        typed = {"name": "zhao", "password": password, "code": code(secret, desk.clock.utc())}
        answer = await browser.post(SESSION, json=typed)
        assert answer.status == 201
        cookie = answer.cookies[COOKIE]
        assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/api")
        who = await answer.json()
        assert (who["account"], who["roles"], who["must_change"]) == ("zhao", ["admin"], True)
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await browser.get(ACCOUNTS)).status == 403

        header = {TOKEN_HEADER: who["csrf"]}
        answer = await browser.put(PASSWORD, json={"old": password, "new": OWN}, headers=header)
        assert answer.status == 200
        assert answer.cookies[COOKIE].value != cookie.value
        header = {TOKEN_HEADER: (await answer.json())["csrf"]}
        assert [one["name"] for one in await (await browser.get(ACCOUNTS)).json()] == ["zhao"]

        assert (await browser.delete(SESSION, headers=header)).status == 204
        assert (await browser.get(SESSION)).status == 401
    async with desk.browser({COOKIE: cookie.value}) as browser:
        assert (await browser.get(SESSION)).status == 401, "the session before the new password"


async def test_an_admin_makes_changes_and_helps_an_account(desk: Desk) -> None:
    await desk.account("zhao", "admin")
    cookies, csrf = desk.signed_in("zhao")
    async with desk.browser(cookies) as browser:
        header = {TOKEN_HEADER: csrf}
        new = {"name": "wang.li", "roles": ["adviser"], "adviser": "8001"}
        made = await browser.post(ACCOUNTS, json=new, headers=header)
        assert made.status == 201
        assert (await made.json()).keys() == {"name", "password", "code_secret"}
        again = await browser.post(ACCOUNTS, json=new, headers=header)
        assert again.status == 409
        assert "Mend" in (await again.json())["detail"]
        lead = {"roles": ["lead"], "disabled": True}
        shown = await (await browser.put(f"{ACCOUNTS}/wang.li", json=lead, headers=header)).json()
        assert (shown["roles"], shown["adviser"], shown["disabled"]) == (["lead"], None, True)
        helped = await browser.post(f"{ACCOUNTS}/wang.li/help", json={"second_factor": True}, headers=header)
        assert (await helped.json())["code_secret"]
        assert (await browser.put(f"{ACCOUNTS}/nobody", json=lead, headers=header)).status == 409


async def test_all_that_can_be_wrong_with_a_sign_in_is_told_in_one_sentence(desk: Desk) -> None:
    password, _ = await desk.handed("wang.li", ["adviser"])
    _, secret = await desk.handed("zhao", ["admin"])
    assert secret is not None
    wrong = [
        {"name": "wang.li", "password": "wrong"},
        {"name": "li.wang", "password": password},
        {"name": "zhao", "password": "wrong", "code": code(secret, desk.clock.utc())},
    ]
    wrong += [{"name": "wang.li", "password": "wrong"}] * WRONG_ALLOWED + [{"name": "wang.li", "password": password}]
    async with desk.browser() as browser:
        answers = [await browser.post(SESSION, json=typed) for typed in wrong]
        told = {(answer.status, await answer.text()) for answer in answers}
    (status, text) = told.pop()
    assert not told
    assert status == 401
    assert REFUSED in text


async def test_an_address_that_guesses_is_turned_away_before_a_hash_is_made(desk: Desk) -> None:
    password, _ = await desk.handed("wang.li", ["adviser"])
    for _ in range(TRIES):
        desk.doors.wrong("127.0.0.1")
    async with desk.browser() as browser:
        answer = await browser.post(SESSION, json={"name": "wang.li", "password": password})
        assert answer.status == 429
        beside = {"X-Forwarded-For": "10.0.0.8"}
        answer = await browser.post(SESSION, json={"name": "wang.li", "password": password}, headers=beside)
        assert answer.status == 201, "another address, as nginx tells it"


# What is not from our page


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example"])
async def test_another_site_changes_nothing(desk: Desk, origin: str) -> None:
    password, _ = await desk.handed("wang.li", ["adviser"])
    cookies, csrf = desk.signed_in("wang.li")
    async with desk.browser(cookies) as browser:
        headers = {"Origin": origin, TOKEN_HEADER: csrf}
        assert (await browser.delete(SESSION, headers=headers)).status == 403
        typed = {"name": "wang.li", "password": password}
        assert (await browser.post(SESSION, json=typed, headers=headers)).status == 403
        assert (await browser.get(SESSION)).status == 200
        assert (await browser.delete(SESSION, headers={"Origin": desk.url, TOKEN_HEADER: csrf})).status == 204


@pytest.mark.parametrize("shown", ["", "wrong", "é"])
async def test_what_changes_something_shows_the_second_secret(desk: Desk, shown: str) -> None:
    await desk.handed("wang.li", ["adviser"])
    cookies, _ = desk.signed_in("wang.li")
    async with desk.browser(cookies) as browser:
        assert (await browser.delete(SESSION, headers={TOKEN_HEADER: shown} if shown else {})).status == 403
        assert (await browser.get(SESSION)).status == 200


WRONG_BODIES: dict[str, Any] = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]",
    "no password": b'{"name": "wang.li"}',
    "a number": b'{"name": 1, "password": "x"}',
    "a field too many": b'{"name": "wang.li", "password": "x", "role": "admin"}',
    "too long a name": b'{"name": "' + b"x" * 300 + b'", "password": "x"}',
    "not UTF-8": b'{"name": "\xff", "password": "x"}',
}


@pytest.mark.parametrize("wrong", WRONG_BODIES)
async def test_a_wrong_body_is_told_of_and_quotes_no_password(desk: Desk, wrong: str) -> None:
    async with desk.browser() as browser:
        answer = await browser.post(SESSION, data=WRONG_BODIES[wrong], headers={"Content-Type": "application/json"})
        assert answer.status == 400
        assert "traceback" not in (await answer.text()).lower()
    assert desk.facts == []


async def test_too_large_a_body_is_not_read(desk: Desk) -> None:
    async with desk.browser() as browser:
        answer = await browser.post(SESSION, json={"name": "x" * 20_000, "password": "x"})
        assert answer.status == 413


# Seats


async def test_an_adviser_acts_at_the_seat_where_they_sit_and_at_no_other(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    desk.house.sitting["1002"] = "8002"
    async with desk.posting("wang.li") as post:
        assert await post("1001/not-ready", {"reason": "lunch"}) == 403, "nobody sits there"
        assert await post("1001/ready") == 200
        assert await post("1001/not-ready", {"reason": "午休"}) == 200
        for wish in ("more-time", "redial", "verify", "log-out"):
            assert await post(f"1001/{wish}") == 200
        for wish in ("ready", "not-ready", "more-time", "redial", "verify", "log-out"):
            assert await post(f"1002/{wish}", {"reason": "lunch"}) == 403
        assert await post("1003/ready") == 409
    assert desk.house.asked == [
        SeatReady("1001", "8001"),
        SeatNotReady("1001", "午休"),
        SeatMoreTime("1001"),
        SeatRedial("1001"),
        SeatVerify("1001"),
        SeatLogOut("1001"),
    ]


async def test_a_lead_acts_at_every_seat_and_the_log_tells(desk: Desk) -> None:
    await desk.account("li.na", "lead")
    desk.house.sitting["1002"] = "8002"
    async with desk.posting("li.na") as post:
        assert await post("1002/not-ready", {"reason": "meeting"}) == 200
        assert await post("1002/ready") == 200
        assert await post("1002/log-out") == 200
    assert desk.house.asked == [SeatNotReady("1002", "meeting"), SeatReady("1002"), SeatLogOut("1002")]
    told = [
        (fact.account, fact.about) for fact in desk.facts if isinstance(fact, Audited) and fact.did == "seat_changed"
    ]
    assert told == [("li.na", f"1002 8002 {wish}") for wish in ("seat_not_ready", "seat_ready", "seat_log_out")]


async def test_a_lead_who_takes_calls_too_acts_for_nobody_towards_citizens(desk: Desk) -> None:
    password, _ = await desk.handed("li.na", ["adviser", "lead"])
    assert await desk.doors.accounts.choose("li.na", password, OWN, "10.0.0.7")
    desk.house.sitting["1002"] = "8002"
    async with desk.posting("li.na") as post:
        assert await post("1001/ready") == 200
        assert await post("1001/redial") == 200
        assert await post("1002/ready") == 200
        assert await post("1002/redial") == 403
        assert await post("1002/verify") == 403
    assert desk.house.asked == [SeatReady("1001", "8001"), SeatRedial("1001"), SeatReady("1002")]


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "x" * 61}, {"reason": 1}, {"reason": "x", "seat": "1"}]
)
async def test_a_reason_that_is_none_is_told_of(desk: Desk, body: dict[str, Any]) -> None:
    await desk.account("li.na", "lead")
    async with desk.posting("li.na") as post:
        assert await post("1001/not-ready", body) == 400
    assert desk.house.asked == []


# The feed

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


def talking(adviser: str = "8001") -> SeatNow:
    return SeatNow(state="talking", adviser=adviser, since=NOW)


async def test_a_feed_tells_how_all_stands_and_then_each_change(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    desk.house.feed.state("seat/1001", talking())
    async with desk.feeding("wang.li") as one, desk.feeding("wang.li") as another:
        first = {
            "kind": "seat",
            "seat": "1001",
            "now": {"state": "talking", "adviser": "8001", "since": "2026-01-05T01:00:00Z"},
        }
        assert [await each.receive_json() for each in (one, another)] == [first] * 2
        desk.house.feed.state("seat/1001", talking())  # as before: nothing to tell
        desk.house.feed.state("queue/cards", QueueNow(waiting=3, longest_wait_ms=41_000, updated_at=NOW))
        told = await one.receive_json()
        assert (told["kind"], told["queue"], told["now"]["waiting"]) == ("queue", "cards", 3)
        assert await another.receive_json() == told
        desk.house.feed.state("queue/cards", None)
        assert await one.receive_json() == {"kind": "queue_gone", "queue": "cards"}
    async with desk.feeding("wang.li") as late:
        assert await late.receive_json() == first


@pytest.mark.parametrize("who", [*ROLES, STARTING, STRANGER])
async def test_a_feed_is_for_whoever_is_signed_in(desk: Desk, who: str) -> None:
    desk.house.feed.state("seat/1001", talking())
    if who in ROLES:
        await desk.account(who, who)
    elif who == STARTING:
        await desk.handed(STARTING, ["lead"])
    if who in ROLES:
        async with desk.feeding(who) as feed:
            assert (await feed.receive_json())["seat"] == "1001"
    else:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with desk.feeding(None if who == STRANGER else who):
                pass
        assert refused.value.status == 403


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
async def test_another_site_opens_no_feed(desk: Desk, origin: str | None) -> None:
    await desk.account("wang.li", "adviser")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with desk.feeding("wang.li", origin):
            pass


async def test_a_feed_ends_with_its_session(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOKED_AGAIN_S", 0.01)
    await desk.account("wang.li", "adviser")
    async with desk.feeding("wang.li") as feed:
        await desk.doors.accounts.help("wang.li", second_factor=False, by="admin")
        assert (await feed.receive()).data == watching.SESSION_OVER


async def test_a_page_that_does_not_read_is_let_go_of_and_costs_the_others_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOKED_AGAIN_S", 0.01)
    monkeypatch.setattr(watching, "FAREWELL_S", 0.1)
    await desk.account("wang.li", "adviser")
    stuck = await stuck_feed(desk, desk.signed_in("wang.li")[0])
    reading = 0
    async with desk.feeding("wang.li") as feed:
        await eventually(lambda: desk.house.feed.open == 2)
        while desk.house.feed.open == 2:  # until the buffers of both ends are full, and then BEHIND_ALLOWED more
            desk.house.feed.state("seat/1001", talking(f"{reading:x<2000}"))
            assert (await feed.receive_json())["now"]["adviser"] == f"{reading:x<2000}"
            reading += 1
        assert desk.house.feed.open == 1
        desk.house.feed.state("seat/1002", talking("8002"))
        assert (await feed.receive_json())["seat"] == "1002"
    stuck.close()


async def stuck_feed(desk: Desk, cookies: dict[str, str]) -> socket.socket:
    """A page that opens a feed and never reads from it, as a sleeping laptop."""
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    page.setblocking(False)
    await asyncio.get_running_loop().sock_connect(page, ("127.0.0.1", desk.port))
    lines = [
        f"GET {FEED} HTTP/1.1",
        f"Host: 127.0.0.1:{desk.port}",
        f"Origin: {desk.url}",
        f"Cookie: {COOKIE}={cookies[COOKIE]}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "",
        "",
    ]
    await asyncio.get_running_loop().sock_sendall(page, "\r\n".join(lines).encode())
    return page
