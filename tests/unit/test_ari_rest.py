"""ARI's requests when the other end is not an Asterisk in good health, and what a request looks like."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import WSMsgType, web
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cti.asterisk import http, rest
from cti.asterisk.client import Ari
from cti.asterisk.errors import AriError, Refused, Unavailable, Unreadable
from cti.asterisk.transport import Query, query_string, segment

Asked = dict[str, str]
Conduct = Callable[[web.WebSocketResponse, Asked], Awaitable[None]]
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


class Server:
    """Takes websockets; on each request it does what `conduct` says."""

    def __init__(self, conduct: Conduct) -> None:
        self.asked: list[tuple[str, Asked]] = []
        """Every request, with the application of its websocket."""
        self.open: set[web.WebSocketResponse] = set()
        self._conduct = conduct

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        answering = web.WebSocketResponse()
        await answering.prepare(request)
        self.open.add(answering)
        async for frame in answering:
            asked = msgspec.json.decode(frame.data, type=Asked)
            self.asked.append((request.query["app"], asked))
            await self._conduct(answering, asked)
        self.open.discard(answering)
        return answering

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Ari]:
        """A client of it."""
        app = web.Application()
        app.router.add_get("/ari/events", self.serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        try:
            async with Ari(f"http://127.0.0.1:{port}/ari/", "rexian", "secret", "rexian") as ari:
                yield ari
        finally:
            await runner.cleanup()


def answer(status: int, body: str, reason: str = "No") -> Conduct:
    async def conduct(answering: web.WebSocketResponse, asked: Asked) -> None:
        told = {"type": "RESTResponse", "request_id": asked["request_id"], "status_code": status}
        told |= {"reason_phrase": reason, "message_body": body}
        await answering.send_str(msgspec.json.encode(told).decode())

    return conduct


async def silence(_: web.WebSocketResponse, __: Asked) -> None:
    """Nothing is ever answered."""


async def hang_up(answering: web.WebSocketResponse, _: Asked) -> None:
    await answering.close()


@asynccontextmanager
async def broken_server(talk: Conversation) -> AsyncIterator[Ari]:
    """A client of a server that reads the handshake and then does `talk`."""
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


async def test_a_request_is_a_line_of_json_and_so_is_its_answer() -> None:
    server = Server(answer(200, '{"value": "1"}'))
    async with server.running() as ari:
        assert (await ari.channels.get_channel_var("a/b", "CDR(x)")).value == "1"
        with pytest.raises(Unreadable):  # it is no channel
            await ari.channels.originate_with_id("c", "PJSIP/1", context="to", variables={"A": "1"})
    [(app, read), (_, originate)] = server.asked
    assert app.startswith("rexian-requests-")
    assert (read["method"], read["uri"]) == ("GET", "channels/a%2Fb/variable?variable=CDR%28x%29")
    assert "message_body" not in read
    assert originate["content_type"] == "application/json"
    assert msgspec.json.decode(originate["message_body"]) == {"variables": {"A": "1"}}


async def test_no_answer_in_time_is_unavailable_and_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "REQUEST_TIMEOUT_S", 0.2)
    answers = answer(200, "[]")

    async def one_in_silence(answering: web.WebSocketResponse, asked: Asked) -> None:
        if not asked["uri"].endswith("answer"):
            await answers(answering, asked)

    server = Server(one_in_silence)
    async with server.running() as ari:
        with pytest.raises(Unavailable, match=r"channels\.answer: .* 0\.2 s"):
            await ari.channels.answer("c1")
        assert await ari.channels.list_all() == []
        assert await ari.channels.list_all() == []
    assert len({app for app, _ in server.asked}) <= 2


async def test_a_connection_is_opened_while_all_are_busy_and_no_more_than_allowed() -> None:
    go_on, all_asked = asyncio.Event(), asyncio.Event()
    answers = answer(200, "[]")

    async def when_told(answering: web.WebSocketResponse, asked: Asked) -> None:
        if len(server.asked) == rest.CONNECTIONS:
            all_asked.set()
        await go_on.wait()
        await answers(answering, asked)

    server = Server(when_told)
    async with server.running() as ari:
        asking = [asyncio.create_task(ari.channels.list_all()) for _ in range(3 * rest.CONNECTIONS)]
        async with asyncio.timeout(10):
            await all_asked.wait()
        go_on.set()
        assert await asyncio.gather(*asking) == [[]] * len(asking)
    assert len({app for app, _ in server.asked}) == rest.CONNECTIONS


async def test_no_two_clients_share_a_name_with_which_one_would_silence_the_other() -> None:
    server = Server(answer(200, "[]"))
    async with server.running() as ari, Ari(ari.http.url, "rexian", "secret", "rexian") as other:
        await ari.channels.list_all()
        await other.channels.list_all()
    assert len({app for app, _ in server.asked}) == 2


async def test_a_broken_connection_is_unavailable_and_tells_no_digits() -> None:
    async with Server(hang_up).running() as ari:
        with pytest.raises(Unavailable, match="send_dtmf") as caught:
            await ari.channels.send_dtmf("c1", dtmf="8675309")
    assert "8675309" not in repr(caught.value) + repr(caught.value.__cause__)


async def test_after_a_break_there_is_another_connection() -> None:
    answers = answer(200, "[]")

    async def first_breaks(answering: web.WebSocketResponse, asked: Asked) -> None:
        await (answers(answering, asked) if len(server.asked) > 1 else answering.close())

    server = Server(first_breaks)
    async with server.running() as ari:
        with pytest.raises(Unavailable):
            await ari.channels.list_all()
        assert await ari.channels.list_all() == []


async def test_whoever_gave_up_waiting_disturbs_nobody() -> None:
    answers = answer(200, "[]")
    late: list[tuple[web.WebSocketResponse, Asked]] = []
    asked_once = asyncio.Event()

    async def late_first(answering: web.WebSocketResponse, asked: Asked) -> None:
        late.append((answering, asked))
        asked_once.set()
        if len(late) > 1:
            for each in late:
                await answers(*each)

    async with Server(late_first).running() as ari:
        gives_up = asyncio.create_task(ari.channels.list_all())
        async with asyncio.timeout(10):
            await asked_once.wait()
        gives_up.cancel()
        await asyncio.gather(gives_up, return_exceptions=True)
        for _ in range(3):  # on both connections: the late answer came by the first
            assert await ari.channels.list_all() == []


async def test_what_nobody_waits_for_any_more_still_keeps_its_connection_busy() -> None:
    answers, asked_once = answer(200, "[]"), asyncio.Event()

    async def never_the_first(answering: web.WebSocketResponse, asked: Asked) -> None:
        asked_once.set()
        if len(server.asked) > 1:
            await answers(answering, asked)

    server = Server(never_the_first)
    async with server.running() as ari:
        gives_up = asyncio.create_task(ari.channels.list_all())
        async with asyncio.timeout(10):
            await asked_once.wait()
        gives_up.cancel()
        await asyncio.gather(gives_up, return_exceptions=True)
        assert await ari.channels.list_all() == []
    (first, _), (second, _) = server.asked
    assert first != second


async def test_nothing_is_left_open_at_the_end() -> None:
    server = Server(answer(200, "[]"))
    async with server.running() as ari:
        await asyncio.gather(*(ari.channels.list_all() for _ in range(4)))
        assert server.open
    assert not server.open


async def test_nobody_listening_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with Ari(f"http://127.0.0.1:{taken.getsockname()[1]}/ari", "rexian", "secret", "rexian") as ari:
            with pytest.raises(Unavailable, match=r"channels\.list_all"):
                await ari.channels.list_all()


async def test_a_handshake_that_nobody_answers_is_unavailable_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "REQUEST_TIMEOUT_S", 0.1)
    async with broken_server(lambda _, __: None) as ari:
        with pytest.raises(Unavailable, match=r"channels\.list_all: .* 0\.1 s"):
            await ari.channels.list_all()


async def test_a_wrong_password_is_refused_with_the_mend() -> None:
    async with broken_server(lambda _, writer: writer.write(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")) as ari:
        with pytest.raises(Refused, match=r"channels\.list_all.*ari\.conf"):
            await ari.channels.list_all()


async def test_a_document_that_does_not_come_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT_S", 0.1)
    async with broken_server(lambda _, __: None) as ari:
        with pytest.raises(Unavailable, match=r"api-docs/channels\.json"):
            await ari.http.document("/api-docs/channels.json")
    async with broken_server(lambda _, writer: writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")) as ari:
        with pytest.raises(Unavailable, match=r"api-docs/channels\.json: 500"):
            await ari.http.document("/api-docs/channels.json")


async def test_the_client_is_not_used_outside_its_block() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Ari("http://127.0.0.1/ari", "rexian", "secret", "rexian").channels.list_all()


@pytest.mark.parametrize(
    "body", ['{"id": 3}', "[" * 100_000, '{"id": "\\ud800"}', "", "\x00"], ids=["shape", "deep", "half", "empty", "NUL"]
)
async def test_an_answer_that_nobody_can_read_is_unreadable(body: str) -> None:
    async with Server(answer(200, body)).running() as ari:
        with pytest.raises(Unreadable, match=r"channels\.get"):
            await ari.channels.get("c1")


@pytest.mark.parametrize(
    "body",
    [
        *('{"message": "No"}', '{"error": "No"}', "No", '["No"]'),
        *("[" * 100_000, '{"message": ' + "[" * 100_000, '{"message": "\\ud800"}'),
    ],
)
async def test_a_refusal_in_any_dress_is_a_refusal(body: str) -> None:
    async with Server(answer(400, body)).running() as ari:
        with pytest.raises(Refused, match=r"channels\.get: 400 No"):
            await ari.channels.get("c1")


FRAMES = (
    *(b"", b"\x00", b"[", b"[]", b"{}", b'"x"', b"[" * 9000, b'{"request_id": 0}', b"\xff\xfe"),
    *(b'{"request_id": "0"}', b'{"request_id": "0", "status_code": 200}', b'{"request_id": "9", "status_code": 200}'),
    b'{"request_id": "0", "status_code": -1, "message_body": "[]"}',
    b'{"request_id": "0", "status_code": "200"}',
    b'{"type": "StasisStart", "application": "x"}',
)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from(FRAMES) | st.binary(max_size=30)), max_size=4))
@example([(True, b'{"request_id": "0", "status_code": 200, "message_body": "[]"}')])
async def test_whatever_is_answered_becomes_a_word(frames: list[tuple[bool, bytes]]) -> None:
    """Not JSON, not an answer, not text: a list of channels, or an AriError."""

    async def say(answering: web.WebSocketResponse, _: Asked) -> None:
        for text, data in frames:
            await answering.send_frame(data, WSMsgType.TEXT if text else WSMsgType.BINARY)
        await answering.close()

    async with Server(say).running() as ari:
        [came] = await asyncio.gather(ari.channels.list_all(), return_exceptions=True)
    assert isinstance(came, list) or (isinstance(came, AriError) and "channels.list_all" in str(came))


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
async def test_whatever_answers_the_handshake_becomes_a_word(raw: bytes) -> None:
    """Cut off, malformed, or nothing of HTTP at all."""

    def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        writer.close()

    async with broken_server(say) as ari:
        with pytest.raises(AriError, match=r"channels\.list_all"):
            await ari.channels.list_all()


def test_a_path_segment_cannot_leave_its_place() -> None:
    assert segment("../a b?c#d") == "..%2Fa%20b%3Fc%23d"


def test_a_query_says_what_was_given_and_nothing_else() -> None:
    query: Query = {"media": ["sound:a", "sound:b"], "skipms": 0, "mute": False, "lang": None, "value": "a&b=c+d 好"}

    assert query_string(query) == "?media=sound:a,sound:b&skipms=0&mute=false&value=a%26b%3Dc%2Bd%20%E5%A5%BD"
    assert query_string({"lang": None}) == ""
