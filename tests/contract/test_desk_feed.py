"""The feed: all that is so, then each change, for whoever is signed in, and nobody is held up by another."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime

import aiohttp
import pytest

from calls.words import ROLES
from cti.bus import QueueNow, SeatNow
from cti.desk import watching
from cti.desk.entrance import COOKIE
from cti.desk.feed import BEHIND_ALLOWED, Form
from cti.desk.watching import FEED
from tests.contract.served_desk import OWN, SCREEN, STARTING, STRANGER, Desk
from tests.eventually import eventually

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
            "now": {"state": "talking", "adviser": "8001", "since": "2026-01-05T01:00:00Z", "reason": ""},
        }
        assert [await each.receive_json() for each in (one, another)] == [[first]] * 2
        desk.house.feed.state("seat/1001", talking())  # as before: nothing to tell
        desk.house.feed.state("queue/cards", QueueNow(waiting=3, longest_wait_ms=41_000, updated_at=NOW))
        (told,) = await one.receive_json()
        assert (told["kind"], told["queue"], told["now"]["waiting"]) == ("queue", "cards", 3)
        assert await another.receive_json() == [told]
        desk.house.feed.state("queue/cards", None)
        assert await one.receive_json() == [{"kind": "queue_gone", "queue": "cards"}]
    async with desk.feeding("wang.li") as late:
        assert await late.receive_json() == [first]


async def test_a_feed_on_which_nothing_happens_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else a page could not tell it from a network that is cut."""
    monkeypatch.setattr(watching, "QUIET_S", 0.05)
    await desk.account("wang.li", "adviser")
    desk.house.feed.state("seat/1001", talking())
    async with desk.feeding("wang.li") as feed:
        assert len(await feed.receive_json()) == 1
        assert [await feed.receive_json() for _ in range(2)] == [[], []]
        desk.house.feed.state("seat/1001", None)
        while not (told := await feed.receive_json()):
            pass
        assert told == [{"kind": "seat_gone", "seat": "1001"}]


async def test_what_changes_at_once_is_told_together_in_its_order(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    desk.house.feed.state("seat/1001", talking())
    async with desk.feeding("wang.li") as feed:
        await feed.receive_json()
        for seat in ("1003", "1002", "1001"):
            desk.house.feed.state(f"seat/{seat}", talking("8002"))
        assert [told["seat"] for told in await feed.receive_json()] == ["1003", "1002", "1001"]


async def test_a_centre_of_many_seats_is_told_whole(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    for number in range(BEHIND_ALLOWED + 1):
        desk.house.feed.state(f"seat/{number}", talking())
    async with desk.feeding("wang.li") as feed:
        assert len(await feed.receive_json()) == BEHIND_ALLOWED + 1
        desk.house.feed.state("seat/0", None)
        assert await feed.receive_json() == [{"kind": "seat_gone", "seat": "0"}]


async def test_a_screen_is_told_of_every_seat_and_of_no_caller(desk: Desk) -> None:
    handed = await desk.doors.accounts.add(SCREEN, ["lead", "adviser"], "8009", by="admin")
    assert await desk.doors.accounts.choose(SCREEN, handed.password, OWN, "10.0.0.7")
    desk.house.feed.state("seat/1001", talking("8009"))
    form = Form(visit="c.1", call_id="c", adviser="8009", number="+8613912345678", queue=None, begun_at=NOW)
    desk.house.feed.form("c.1", "8009", form)
    async with desk.feeding(SCREEN) as feed:
        assert [told["kind"] for told in await feed.receive_json()] == ["seat"]


@pytest.mark.parametrize("who", [*ROLES, STARTING, STRANGER])
async def test_a_feed_is_for_whoever_is_signed_in(desk: Desk, who: str) -> None:
    desk.house.feed.state("seat/1001", talking())
    if who in ROLES:
        await desk.account(who, who)
    elif who == STARTING:
        await desk.handed(STARTING, ["lead"])
    if who in ROLES:
        async with desk.feeding(who) as feed:
            assert [told["seat"] for told in await feed.receive_json()] == ["1001"]
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
        assert await feed.receive_json() == []
        await desk.doors.accounts.help("wang.li", second_factor=False, by="admin")
        assert (await feed.receive()).data == watching.SESSION_OVER


async def test_a_page_that_does_not_read_is_let_go_of_and_costs_the_others_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOKED_AGAIN_S", 0.01)
    monkeypatch.setattr(watching, "FAREWELL_S", 0.1)
    monkeypatch.setattr(watching, "GATHERED_S", 0)
    await desk.account("wang.li", "adviser")
    stuck = await stuck_feed(desk, desk.signed_in("wang.li")[0])
    reading = 0
    async with desk.feeding("wang.li") as feed:
        assert await feed.receive_json() == []
        await eventually(lambda: desk.house.feed.open == 2)
        while desk.house.feed.open == 2:  # until the buffers of both ends are full, and then BEHIND_ALLOWED more
            desk.house.feed.state("seat/1001", talking(f"{reading:x<2000}"))
            assert [told["now"]["adviser"] for told in await feed.receive_json()] == [f"{reading:x<2000}"]
            reading += 1
        assert desk.house.feed.open == 1
        desk.house.feed.state("seat/1002", talking("8002"))
        assert [told["seat"] for told in await feed.receive_json()] == ["1002"]
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
