"""The control socket, both ends of it, on real Unix sockets; and what is followed through it."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from calls.errors import NotPossible
from calls.moments import AwaitingKey
from cti.control import (
    LONGEST_LINE,
    AnyRequest,
    AskStatus,
    ControlServer,
    LeadTakeOver,
    Reload,
    SeatReady,
    ask,
    follow,
)
from cti.orders import told_of_lead
from cti.status import Done


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


def permissions(path: Path) -> int | None:
    """None when nothing is there."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


class Hotline:
    """What the server asks: it remembers, and answers as told."""

    def __init__(self) -> None:
        self.asked: list[AnyRequest] = []
        self.following: list[str] = []
        self.left = asyncio.Event()

    async def answer(self, request: AnyRequest) -> msgspec.Struct:
        self.asked.append(request)
        if isinstance(request, SeatReady):
            raise NotPossible(f"there is no seat {request.seat}")
        if isinstance(request, Reload):
            raise RuntimeError("a fault of ours")
        return Done("well")

    async def follow(self, sip_call_id: str, begun: Callable[[], None]) -> AsyncIterator[msgspec.Struct]:
        self.following.append(sip_call_id)
        begun()
        try:
            yield AwaitingKey("main")
            await asyncio.Event().wait()
        finally:
            self.left.set()


@pytest.fixture
async def hotline() -> Hotline:
    return Hotline()


@asynccontextmanager
async def listening(path: Path, hotline: Hotline) -> AsyncIterator[None]:
    async with ControlServer(path, hotline.answer, hotline.follow).listening():
        yield


async def say(path: Path, line: bytes) -> bytes:
    """A client without manners."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(line)
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


async def test_a_question_is_answered(path: Path, hotline: Hotline) -> None:
    async with listening(path, hotline):
        assert await ask(path, AskStatus(), Done) == Done("well")

    assert hotline.asked == [AskStatus()]


async def test_only_its_owner_may_ask(path: Path, hotline: Hotline) -> None:
    async with listening(path, hotline):
        assert permissions(path) == 0o600

    assert permissions(path) is None


async def test_what_cannot_be_done_is_said_with_the_reason(path: Path, hotline: Hotline) -> None:
    async with listening(path, hotline):
        with pytest.raises(NotPossible, match="there is no seat 1009"):
            await ask(path, SeatReady("1009", "8001"), Done)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"",
        b"{\n",
        b"[]\n",
        b"\xff\n",
        b'{"command": "sing"}\n',
        b'{"command": "status", "more": 1}\n',
        b'{"a": 1}\n',
    ],
)
async def test_what_is_no_request_is_told_so(path: Path, hotline: Hotline, line: bytes) -> None:
    async with listening(path, hotline):
        answer = msgspec.json.decode(await say(path, line))

    assert answer["error"].startswith("not a request: ")
    assert hotline.asked == []


async def test_a_line_without_end_is_cut_off(path: Path, hotline: Hotline) -> None:
    async with listening(path, hotline):
        answer = msgspec.json.decode(await say(path, b"x" * (LONGEST_LINE + 1)))
        assert await ask(path, AskStatus(), Done) == Done("well")

    assert answer == {"error": f"not a request: a line of more than {LONGEST_LINE} bytes"}


async def test_a_fault_of_ours_ends_the_connection_and_nothing_else(
    path: Path, hotline: Hotline, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(path, hotline):
        with pytest.raises(NotPossible, match=r"ended before it answered\. Mend: see its log"):
            await ask(path, Reload(), Done)
        assert await ask(path, AskStatus(), Done) == Done("well")

    assert "a fault of ours" in caplog.text


async def test_another_release_is_recognised(path: Path, hotline: Hotline) -> None:
    class Other(msgspec.Struct):
        something: int

    async with listening(path, hotline):
        with pytest.raises(NotPossible, match="Mend: both must be of one release"):
            await ask(path, AskStatus(), Other)


async def test_a_second_controller_is_refused_and_the_first_goes_on(path: Path, hotline: Hotline) -> None:
    async with listening(path, hotline):
        with pytest.raises(NotPossible, match=r"a controller is running already .* Mend: stop it first: make down\."):
            async with listening(path, Hotline()):
                pass
        assert await ask(path, AskStatus(), Done) == Done("well")


async def test_the_socket_of_a_dead_controller_is_no_hindrance(path: Path, hotline: Hotline) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    with pytest.raises(NotPossible, match=r"no controller is running .* Mend: start the hotline: make run\."):
        await ask(path, AskStatus(), Done)
    async with listening(path, hotline):
        assert await ask(path, AskStatus(), Done) == Done("well")


async def test_what_cannot_be_asked_whether_it_lives_is_not_removed(path: Path, hotline: Hotline) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as another_kind:
        another_kind.bind(str(path))
        with pytest.raises(NotPossible, match=r"Protocol wrong type for socket\. Mend: move it away"):
            async with listening(path, hotline):
                pass
        assert permissions(path) is not None


async def test_without_a_controller_the_mend_is_named(path: Path) -> None:
    with pytest.raises(NotPossible, match=r"no controller is running .* Mend: start the hotline: make run\."):
        await ask(path, AskStatus(), Done)
    with pytest.raises(NotPossible, match="no controller is running"):
        async with follow(path, "sip-1"):
            pass


async def test_a_call_is_followed_until_the_onlooker_leaves(path: Path, hotline: Hotline) -> None:
    async with listening(path, hotline):
        async with follow(path, "sip-1") as lines:
            first = await anext(lines)
            assert hotline.following == ["sip-1"]
            assert not hotline.left.is_set()
        await asyncio.wait_for(hotline.left.wait(), 10)

    assert msgspec.json.decode(first, type=AwaitingKey) == AwaitingKey("main")


async def test_an_onlooker_sees_the_end_of_the_controller(path: Path, hotline: Hotline) -> None:
    class Brief(Hotline):
        async def follow(self, sip_call_id: str, begun: Callable[[], None]) -> AsyncIterator[msgspec.Struct]:
            begun()
            yield AwaitingKey("main")

    async with listening(path, Brief()), follow(path, "sip-1") as lines:
        assert len([line async for line in lines]) == 1


def test_a_call_that_is_taken_over_is_told_in_a_line() -> None:
    assert told_of_lead(LeadTakeOver("1001", "1005")) == "1001 take-over 1005"
