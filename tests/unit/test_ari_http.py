"""The REST side when the other end is not an Asterisk in good health, and what a request looks like."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cti.asterisk import http
from cti.asterisk.client import Ari
from cti.asterisk.errors import AriError, Refused, Unavailable, Unreadable
from cti.asterisk.transport import Query, query_string, segment

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


@asynccontextmanager
async def server(talk: Conversation) -> AsyncIterator[Ari]:
    """A client of a server that reads a request and then does `talk`."""

    served = asyncio.Queue[asyncio.StreamWriter]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        talk(reader, writer)
        await reader.read()
        writer.close()
        served.put_nowait(writer)

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        async with Ari(f"http://127.0.0.1:{port}/ari/", "rexian", "secret", "rexian") as ari:
            yield ari
        await (await served.get()).wait_closed()


def answer(status: str, body: str) -> Conversation:
    text = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    return lambda _, writer: writer.write(text.encode())


def silence(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Nothing is ever answered."""


def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The connection breaks in mid-answer."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[")
    writer.close()


async def test_no_answer_in_time_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REQUEST_TIMEOUT_S", 0.05)
    async with server(silence) as ari:
        with pytest.raises(Unavailable, match=r"channels\.answer: .* 0\.05 s"):
            await ari.channels.answer("c1")


async def test_a_broken_connection_is_unavailable_and_tells_no_digits() -> None:
    async with server(hang_up) as ari:
        with pytest.raises(Unavailable, match="send_dtmf") as caught:
            await ari.channels.send_dtmf("c1", dtmf="8675309")
    assert "8675309" not in repr(caught.value) + repr(caught.value.__cause__)


async def test_nobody_listening_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with Ari(f"http://127.0.0.1:{taken.getsockname()[1]}/ari", "rexian", "secret", "rexian") as ari:
            with pytest.raises(Unavailable, match=r"channels\.list_all"):
                await ari.channels.list_all()


async def test_an_answer_of_another_shape_is_unreadable() -> None:
    async with server(answer("200 OK", '{"id": 3}')) as ari:
        with pytest.raises(Unreadable, match=r"channels\.get"):
            await ari.channels.get("c1")


@pytest.mark.parametrize("body", ['{"message": "No"}', '{"error": "No"}', "No", '["No"]'])
async def test_a_refusal_in_any_dress_is_a_refusal(body: str) -> None:
    async with server(answer("400 No", body)) as ari:
        with pytest.raises(Refused, match=r"channels\.get: 400 No"):
            await ari.channels.get("c1")


async def test_the_client_is_not_used_outside_its_block() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Ari("http://127.0.0.1/ari", "rexian", "secret", "rexian").channels.list_all()


@pytest.mark.parametrize("body", ["[" * 100_000, '{"id": "\\ud800"}', "", "\x00"], ids=["deep", "half", "empty", "NUL"])
async def test_an_answer_that_nobody_can_read_is_unreadable(body: str) -> None:
    async with server(answer("200 OK", body)) as ari:
        with pytest.raises(Unreadable, match=r"channels\.get"):
            await ari.channels.get("c1")


@pytest.mark.parametrize("body", ["[" * 100_000, '{"message": ' + "[" * 100_000, '{"message": "\\ud800"}'])
async def test_a_refusal_that_nobody_can_read_is_a_refusal(body: str) -> None:
    async with server(answer("400 No", body)) as ari:
        with pytest.raises(Refused, match=r"channels\.get: 400 No"):
            await ari.channels.get("c1")


async def test_an_answer_that_trickles_is_unavailable_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REQUEST_TIMEOUT_S", 0.1)

    def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n")

    async with server(trickle) as ari:
        with pytest.raises(Unavailable, match=r"channels\.list_all"):
            await ari.channels.list_all()


LINES = (
    *(
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 404 Gone",
        b"HTTP/1.1 999 X",
        b"HTTP/1.1 301 Go",
        b"HTTP/9.9 -1",
        b"ICY 200 OK",
        b"",
    ),
    *(b"Content-Length: 2", b"Content-Length: -1", b"Content-Length: x", b"Content-Length: 99999999999999999999"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Content-Encoding: gzip", b"Connection: upgrade"),
    *(
        b"Location: \x00",
        b"Set-Cookie: a=\xff",
        b": ",
        b"\xff\xfe\x00",
        b"X: " + b"x" * 9000,
        b"2",
        b"[]",
        b"FFFFFFFFFF",
        b"0",
    ),
)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=30), max_size=8).map(b"\r\n".join))
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
async def test_whatever_is_answered_becomes_a_word(raw: bytes) -> None:
    """Cut off, malformed, or nothing of HTTP at all: a list of channels, or an AriError."""

    def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        writer.close()

    async with server(say) as ari:
        try:
            assert isinstance(await ari.channels.list_all(), list)
        except AriError as error:
            assert "channels.list_all" in str(error)  # noqa: PT017 - either outcome is right


def test_a_path_segment_cannot_leave_its_place() -> None:
    assert segment("../a b?c#d") == "..%2Fa%20b%3Fc%23d"


def test_a_query_says_what_was_given_and_nothing_else() -> None:
    query: Query = {"media": ["sound:a", "sound:b"], "skipms": 0, "mute": False, "lang": None, "value": "a&b=c+d 好"}

    assert query_string(query) == "?media=sound:a,sound:b&skipms=0&mute=false&value=a%26b%3Dc%2Bd%20%E5%A5%BD"
    assert query_string({"lang": None}) == ""
