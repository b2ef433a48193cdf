"""INVITEs that no decent phone sends, and the peer that sends them: what a hotline's door has to stand.

    async with peer(server) as wire:
        for name, message in malformed(server).items():
            await wire.say(message)

Each of `malformed` is refused or ignored. `tolerated` are wrong as well, but Asterisk takes them for calls; `strange_numbers`
are right, and dial what is no line of ours. To add one: a line in the table. What becomes a call is ended at once by the peer.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

ANSWER_S = 0.3
"""Refusals come within a millisecond on the loopback; for silence there is nothing but a time to wait for."""

PATIENCE_S = 30.0

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 29998 RTP/AVP 8\r\n"
CALLER = "13900000001"


def invite(server: str, line: str = "12333", body: str = SDP, method: str = "INVITE", **headers: str | None) -> bytes:
    """A plain INVITE; a header given by name (`call_id="x"`) replaces the usual one, None leaves it out."""
    usual: dict[str, str | None] = {
        "via": f"SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{os.urandom(6).hex()}",
        "sender": f"<sip:{CALLER}@127.0.0.1>;tag=1",
        "to": f"<sip:12333@{server}>",
        "call_id": os.urandom(8).hex(),
        "cseq": f"1 {method}",
        "contact": "<sip:citizen@127.0.0.1>",
        "max_forwards": "70",
        "content_type": "application/sdp",
        "content_length": str(len(body)),
    }
    lines = [f"{_header(name)}: {value}" for name, value in {**usual, **headers}.items() if value is not None]
    text = "\r\n".join([f"{method} sip:{line}@{server} SIP/2.0", *lines, "", body])
    return text.encode("utf-8", "surrogateescape")


def malformed(server: str, line: str = "12333") -> dict[str, bytes]:
    """A message for each way of being wrong, by its name; none becomes a call."""
    whole = invite(server, line)
    return {
        "no Call-ID": invite(server, line, call_id=None),
        "no CSeq": invite(server, line, cseq=None),
        "no From": invite(server, line, sender=None),
        "no Via": invite(server, line, via=None),
        "CSeq of another method": invite(server, line, cseq="1 BYE"),
        "CSeq that is no number": invite(server, line, cseq="first INVITE"),
        "CSeq too large": invite(server, line, cseq="99999999999999999999 INVITE"),
        "Content-Length below zero": invite(server, line, content_length="-1"),
        "body that is no SDP": invite(server, line, body="hello"),
        "body that is hardly an SDP": invite(server, line, body="v=0\r\nm=\r\nm=audio x y z\r\na"),
        "body of another type": invite(server, line, content_type="text/plain"),
        "SDP without audio": invite(server, line, body="v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"),
        "SDP of another medium": invite(server, line, body=SDP.replace("audio", "video")),
        "SDP with a codec that nobody has": invite(
            server, line, body=SDP.replace("AVP 8", "AVP 99") + "a=rtpmap:99 nonsense/8000\r\n"
        ),
        "a number of 2,000 digits": invite(server, "1" * 2000),
        "cut in the middle": whole[: len(whole) // 3],
        "a first line alone": whole.partition(b"\r\n")[0] + b"\r\n\r\n",
        "no line ends": whole.replace(b"\r\n", b" "),
        "bytes that are no text": b"INVITE sip:\xff\xfe\x00@x SIP/2.0\r\n\r\n" + bytes(range(256)),
        "noise": os.urandom(500),
        "nothing": b"",
        "line ends": b"\r\n\r\n",
    }


def tolerated(server: str, line: str = "12333") -> dict[str, bytes]:
    """Wrong, or beyond all measure, and good enough for Asterisk: each may be a call."""
    return {
        "a length beyond the end": invite(server, line, content_length="60000"),
        "a header of 30 kB": invite(server, line, x_long="x" * 30000),
        "a thousand Vias": invite(server, line, x="x" + "\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx" * 1000),
        "NUL in the number": invite(server, line[:2] + "\x00" + line[2:]),
        "ESC in the number": invite(server, line[:2] + "\x1b" + line[2:]),
        "no UTF-8": invite(server, line, subject="\udcff\udcfe"),
        "no UTF-8 in the caller's name": invite(server, line, sender=f'"\udcff\udcfe" <sip:{CALLER}@127.0.0.1>;tag=1'),
        "a loop": invite(server, line, max_forwards="0"),
    }


def strange_numbers(server: str) -> dict[str, bytes]:
    """Well-formed, but no line of ours: refused, and whatever stands in them is never carried out."""
    return {
        "arguments": invite(server, "12333,evil,s,1"),
        "a function": invite(server, "1%24%7BSHELL(id)%7D"),
        "an expression": invite(server, "12333%24%5B1+1%5D&12333"),
        "a seat": invite(server, "seat1001"),
        "a room of ours": invite(server, "to-seat"),
        "very long": invite(server, "1" * 900),
    }


def call_id(message: bytes) -> str:
    """The Call-ID of a message, empty when it has none."""
    found = re.search(rb"^(?:Call-ID|i)[ \t]*:[ \t]*([^\r\n]*)", message, re.MULTILINE | re.IGNORECASE)
    return found[1].decode(errors="replace") if found else ""


class Peer(asyncio.DatagramProtocol):
    """A socket on the trunk: says anything, ends whatever call comes of it, and knows what was answered to whom."""

    def __init__(self, server: str) -> None:
        self.answers: dict[str, list[int]] = {}
        """SIP statuses by the Call-ID of the request, oldest first."""
        self._server = server
        self._news = asyncio.Event()
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: object) -> None:
        if not (found := re.match(rb"SIP/2\.0 (\d{3}) ", data)):
            return
        status = int(found[1])
        self.answers.setdefault(call_id(data), []).append(status)
        if b"INVITE" in _line(data, b"CSeq") and status >= 200:
            self._transport.sendto(self._reply(data, b"ACK"))
            if status < 300:
                self._transport.sendto(self._reply(data, b"BYE"))
        self._news.set()

    def error_received(self, exc: Exception) -> None:
        """Nobody listens for a moment, or the datagram is too long for the machine: it is not answered, which shows."""

    def _reply(self, answer: bytes, method: bytes) -> bytes:
        """An ACK or a BYE in the dialog that the answer belongs to."""
        number = re.search(rb"\d+", _line(answer, b"CSeq"))
        count = int(number[0]) + (method == b"BYE") if number else 1
        branch = os.urandom(6).hex()
        if method == b"ACK" and (usual := re.search(rb"branch=([^;,\r\n]+)", _line(answer, b"Via"))):
            branch = usual[1].decode(errors="replace").removeprefix("z9hG4bK")  # of a refusal's ACK, the INVITE's own
        head = [
            method + f" sip:{self._server} SIP/2.0".encode(),
            f"Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{branch}".encode(),
            *(_line(answer, name) for name in (b"From", b"To", b"Call-ID")),
            b"CSeq: %d " % count + method,
            b"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        ]
        return b"\r\n".join(head)

    def tell(self, *messages: bytes) -> None:
        """Send datagrams."""
        for message in messages:
            self._transport.sendto(message)

    async def say(self, *messages: bytes) -> None:
        """Send datagrams; return when Asterisk has read the last, whatever it made of it."""
        question = invite(self._server, method="OPTIONS")
        self.tell(*messages, question)
        await self.final(call_id(question))

    async def final(self, wanted: str) -> int:
        """The final answer to the request with this Call-ID. Raises TimeoutError when none comes."""
        async with asyncio.timeout(PATIENCE_S):
            while not (statuses := [status for status in self.answers.get(wanted, ()) if status >= 200]):
                await self.news()
        return statuses[-1]

    async def news(self) -> None:
        """Wait for the next answer."""
        self._news.clear()
        await self._news.wait()


@asynccontextmanager
async def peer(server: str) -> AsyncIterator[Peer]:
    """A peer on this machine's own trunk, from a port of its own."""
    host, port = server.rsplit(":", 1)
    loop = asyncio.get_running_loop()
    transport, made = await loop.create_datagram_endpoint(lambda: Peer(server), remote_addr=(host, int(port)))
    try:
        yield made
    finally:
        transport.close()


async def send(server: str, message: bytes) -> list[int]:
    """Send one datagram and nothing after it; the SIP statuses that come back, none when nobody answers."""
    async with peer(server) as wire:
        wire.tell(message)
        try:
            async with asyncio.timeout(ANSWER_S):
                while True:
                    if found := [statuses for statuses in wire.answers.values() if statuses[-1] >= 200]:
                        return found[0]
                    await wire.news()
        except TimeoutError:
            return [status for statuses in wire.answers.values() for status in statuses]


def _line(message: bytes, name: bytes) -> bytes:
    """The first header line of this name, empty when there is none."""
    found = re.search(rb"^" + name + rb"[ \t]*:[^\r\n]*", message, re.MULTILINE | re.IGNORECASE)
    return found[0] if found else b""


def _header(name: str) -> str:
    special = {"call_id": "Call-ID", "cseq": "CSeq", "sender": "From"}
    return special.get(name, name.replace("_", "-").title())
