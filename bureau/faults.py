"""A switch for tests: what can go wrong between two systems, on the real service. It exists only with `--faults`.

    POST   /faults {"kind": "cut", "times": 1, "operation": "/v1/card/report-loss"}
    DELETE /faults           nothing is wrong any more; whatever was held is let go

    silent   the connection is cut before anything is done     held     the question waits before anything is done
    cut      done, then the connection is cut                  late     done, and the answer waits
    failed   500 before anything is done                       failed_after   done, then 500
    busy     503 before anything is done                       twice    done, and answered twice on one connection
    garbage  done, and the answer is no JSON                   wrong    done, and the answer is JSON of another shape

That nobody listens at all is for a proxy before it (tests/proxy.py). To add a fault: its name here, what it does in `_play`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Literal, TypeAlias

import msgspec
from litestar.types import ASGIApp, Message, Receive, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

Kind = Literal["silent", "cut", "failed", "failed_after", "busy", "held", "late", "twice", "garbage", "wrong"]
INSTEAD: dict[str, tuple[int, bytes]] = {
    "failed": (500, b'{"code":"failed","reason":"a fault"}'),
    "failed_after": (500, b'{"code":"failed","reason":"a fault"}'),
    "busy": (503, b'{"code":"unavailable","reason":"a fault"}'),
    "garbage": (200, b"<html>990101"),
    "wrong": (200, b'{"reference":990101}'),
}
NOTHING_DONE = ("silent", "failed", "busy")
PATH = "/faults"

log = logging.getLogger(__name__)

Http: TypeAlias = Any
"""A scope, received or sent message of ASGI: a dictionary."""


class Fault(msgspec.Struct):
    """What goes wrong with the next `times` questions, all of them or those of one operation."""

    kind: Kind
    times: int = 1
    operation: str | None = None


class Cuttable(H11Protocol):
    """uvicorn's protocol, whose transport the switch can reach: ASGI itself has no word for cutting a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Faults:
    """Stands before the application. An ASGI application itself, to be served by way of `Cuttable`."""

    def __init__(self, application: ASGIApp, token: str) -> None:
        self._application, self._token = application, token
        self._fault: Fault | None = None
        self._let_go = asyncio.Event()

    async def __call__(self, scope: Http, receive: Receive, send: Send) -> None:
        """Answer one question, as it should be or not."""
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._switch(scope, receive, send)
        elif scope["type"] == "http" and (fault := self._take(scope["path"])):
            await self._play(fault, scope, receive, send)
        else:
            await self._application(scope, receive, send)

    def _take(self, path: str) -> Kind | None:
        fault = self._fault
        if fault is None or fault.times == 0 or path == "/health" or fault.operation not in (None, path):
            return None
        fault.times -= 1
        return fault.kind

    async def _switch(self, scope: Http, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if dict(scope["headers"]).get(b"authorization") != f"Bearer {self._token}".encode():
            await _answer(send, 401, b"")
            return
        self._let_go.set()
        self._let_go = asyncio.Event()
        self._fault = msgspec.json.decode(body, type=Fault) if scope["method"] == "POST" else None
        await _answer(send, 204, b"")

    async def _play(self, kind: Kind, scope: Http, receive: Receive, send: Send) -> None:
        transport: asyncio.Transport = scope["state"]["transport"]
        let_go = self._let_go
        if kind == "held":
            body = await _body(receive)
            await let_go.wait()
            await self._application(scope, _already(body, receive), send)
            log.info("what was held is done: %s", scope["path"])
            return
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        if kind not in NOTHING_DONE:
            await self._application(scope, receive, keep)
        if kind in INSTEAD:
            await _answer(send, *INSTEAD[kind])
        elif kind == "late":
            await let_go.wait()
            for message in answer:
                await send(message)
        elif kind == "twice":
            transport.write(2 * _raw(answer))
            transport.close()
            await _gone(receive)
        else:
            transport.abort()
            await _gone(receive)


async def _body(receive: Receive) -> bytes:
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    return body


def _already(body: bytes, receive: Receive) -> Receive:
    """A question that has arrived in full is carried out, also when whoever asked is gone meanwhile."""
    messages: list[Http] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Http:
        return messages.pop() if messages else await receive()

    return again


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _gone(receive: Receive) -> None:
    """Wait until uvicorn knows that the connection is gone; before, it would answer for us."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _raw(answer: list[Http]) -> bytes:
    start, *bodies = answer
    head = [b"HTTP/1.1 %d OK" % start["status"], *(b"%s: %s" % header for header in start["headers"])]
    return b"\r\n".join(head) + b"\r\n\r\n" + b"".join(body.get("body", b"") for body in bodies)
