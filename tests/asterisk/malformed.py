"""INVITEs that no decent phone sends: what a hotline's door has to stand.

    for name, message in malformed(server).items():
        statuses = await send(server, message)

Each is refused or ignored; none may leave a channel behind, or stop the next caller. To add one: a line in `malformed`.
(Not here, because Asterisk takes them for calls: Max-Forwards 0, a Content-Length beyond the datagram, a header of 40 kB.)
"""

from __future__ import annotations

import asyncio
import os
import re

ANSWER_S = 0.3
"""Refusals come within a millisecond on the loopback; for silence there is nothing but a time to wait for."""


def invite(server: str, line: str = "12333", body: str | None = None, **headers: str | None) -> bytes:
    """A plain INVITE; a header given by name (`call_id="x"`) replaces the usual one, None leaves it out."""
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
    text = sdp if body is None else body
    usual: dict[str, str | None] = {
        "via": f"SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{os.urandom(6).hex()}",
        "from": "<sip:13900000001@127.0.0.1>;tag=1",
        "to": f"<sip:{line}@{server}>",
        "call_id": os.urandom(8).hex(),
        "cseq": "1 INVITE",
        "contact": "<sip:citizen@127.0.0.1>",
        "max_forwards": "70",
        "content_type": "application/sdp",
        "content_length": str(len(text)),
    }
    lines = [f"{_header(name)}: {value}" for name, value in {**usual, **headers}.items() if value is not None]
    return "\r\n".join([f"INVITE sip:{line}@{server} SIP/2.0", *lines, "", text]).encode()


def malformed(server: str, line: str = "12333") -> dict[str, bytes]:
    """A message for each way of being wrong, by its name."""
    whole = invite(server, line)
    return {
        "no Call-ID": invite(server, line, call_id=None),
        "no CSeq": invite(server, line, cseq=None),
        "no From": invite(server, line, **{"from": None}),
        "no Via": invite(server, line, via=None),
        "CSeq of another method": invite(server, line, cseq="1 BYE"),
        "CSeq that is no number": invite(server, line, cseq="first INVITE"),
        "Content-Length below zero": invite(server, line, content_length="-1"),
        "body that is no SDP": invite(server, line, body="hello"),
        "body of another type": invite(server, line, content_type="text/plain"),
        "SDP without audio": invite(server, line, body="v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"),
        "SDP with a codec that nobody has": invite(
            server,
            line,
            body="v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            "m=audio 40000 RTP/AVP 99\r\na=rtpmap:99 nonsense/8000\r\n",
        ),
        "a number of 2,000 digits": invite(server, "1" * 2000),
        "cut in the middle": whole[: len(whole) // 3],
        "no line ends": whole.replace(b"\r\n", b" "),
        "bytes that are no text": b"INVITE sip:\xff\xfe\x00@x SIP/2.0\r\n\r\n" + bytes(range(256)),
        "noise": os.urandom(500),
        "nothing": b"",
    }


async def send(server: str, message: bytes) -> list[int]:
    """Send one datagram; the SIP statuses that come back, none when nobody answers."""
    host, port = server.rsplit(":", 1)
    loop = asyncio.get_running_loop()
    answers = _Answers()
    transport, _ = await loop.create_datagram_endpoint(lambda: answers, remote_addr=(host, int(port)))
    try:
        transport.sendto(message)
        async with asyncio.timeout(ANSWER_S):
            await answers.final.wait()
    except TimeoutError:
        pass
    finally:
        transport.close()
    return answers.statuses


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.final = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if found := re.match(rb"SIP/2\.0 (\d{3}) ", data):
            self.statuses.append(int(found[1]))
            if self.statuses[-1] >= 200:
                self.final.set()


def _header(name: str) -> str:
    special = {"call_id": "Call-ID", "cseq": "CSeq"}
    return special.get(name, name.replace("_", "-").title())
