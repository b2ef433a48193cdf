"""What is no proper call must harm nobody: broken INVITEs on the wire while a citizen talks with an adviser."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from calls.facts import QueueEntered, SeatAnswered
from cti.stack.supervisor import Supervisor
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen

pytestmark = pytest.mark.asterisk

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 29998 RTP/AVP 8\r\n"


def invite(
    uri: str = "sip:12333@127.0.0.1",
    headers: str = "",
    body: str = SDP,
    length: int | None = None,
    method: str = "INVITE",
) -> bytes:
    """A proper one, but for what the test makes of it."""
    branch = uuid4().hex
    return (
        f"{method} {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{branch}\r\n"
        f"From: <sip:13800009999@127.0.0.1>;tag={branch[:8]}\r\nTo: <sip:12333@127.0.0.1>\r\n"
        f"Call-ID: {branch}\r\nCSeq: 1 {method}\r\nContact: <sip:a@127.0.0.1>\r\nMax-Forwards: 70\r\n{headers}"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n{body}"
    ).encode("utf-8", "surrogateescape")


BROKEN = {
    "noise": bytes(range(256)) * 4,
    "nothing": b"\r\n\r\n",
    "a first line alone": b"INVITE sip:12333@127.0.0.1 SIP/2.0\r\n\r\n",
    "cut off": invite()[:200],
    "no Via": invite().replace(b"Via:", b"Viaduct:"),
    "no Call-ID": invite().replace(b"Call-ID:", b"Call:"),
    "another method in CSeq": invite().replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE"),
    "CSeq too large": invite().replace(b"CSeq: 1 ", b"CSeq: 99999999999999999999 "),
    "a length below nothing": invite(length=-1),
    "a length beyond the end": invite(length=60000),
    "a body that is no SDP": invite(body="v=0\r\nm=\r\nm=audio x y z\r\na"),
    "an SDP of another medium": invite(body=SDP.replace("audio", "video")),
    "a codec that nobody speaks": invite(body=SDP.replace("AVP 8", "AVP 97") + "a=rtpmap:97 klingon/8000\r\n"),
    "a header of 30 kB": invite(headers=f"X-Long: {'x' * 30000}\r\n"),
    "a thousand Vias": invite(headers="Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\n" * 1000),
    "NUL in the number": invite("sip:12\0333@127.0.0.1"),
    "no UTF-8": invite(headers="Subject: \udcff\udcfe\r\n"),
    "a loop": invite(headers="Max-Forwards: 0\r\n"),
}
STRANGE_NUMBERS = {
    "arguments": "12333,evil,s,1",
    "a function": "1%24%7BSHELL(id)%7D",
    "an expression": "12333%24%5B1+1%5D&12333",
    "a seat": "seat1001",
    "a room of ours": "to-seat",
    "very long": "1" * 900,
}
"""Well-formed, but no line of ours: refused, and whatever stands in them is never carried out."""


class Wire(asyncio.DatagramProtocol):
    """A socket to Asterisk, and the status lines that came back."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[str] = asyncio.Queue()

    def datagram_received(self, data: bytes, address: object) -> None:
        self.answers.put_nowait(data.split(b"\r\n")[0].decode(errors="replace") + call_id(data))

    async def until(self, wanted: str) -> str:
        """The first final answer to the request with this Call-ID."""
        async with asyncio.timeout(20):
            while wanted not in (answer := await self.answers.get()) or answer.startswith("SIP/2.0 1"):
                pass
        return answer.split()[1]

    async def still_there(self, transport: asyncio.DatagramTransport) -> None:
        """Asterisk has read all that was sent, and answers."""
        question = invite(method="OPTIONS")
        transport.sendto(question)
        await self.until(call_id(question))


def call_id(message: bytes) -> str:
    _, found, rest = message.partition(b"Call-ID: ")
    return rest.split(b"\r\n")[0].decode() if found else ""


async def test_broken_invites_harm_nobody(hotline: Hotline) -> None:
    asterisk = asterisk_pid(hotline)
    loop, (host, port) = asyncio.get_running_loop(), hotline.server.split(":")
    transport, wire = await loop.create_datagram_endpoint(Wire, remote_addr=(host, int(port)))
    async with hotline.adviser("1004", "8004") as seat, hotline.caller("2") as caller:
        await caller.saw(SeatAnswered)
        for message in BROKEN.values():
            transport.sendto(message)
            await wire.still_there(transport)
        for number in STRANGE_NUMBERS.values():
            message = invite(f"sip:{number}@127.0.0.1")
            transport.sendto(message)
            assert await wire.until(call_id(message)) in {"404", "400", "414", "416", "484"}, number
        assert hears(await listen(caller.phone, 2), SEAT_HZ)
        assert hears(await listen(seat, 2), CITIZEN_HZ)
        async with hotline.caller("4") as another:
            await another.saw(QueueEntered)
            await another.leave()
        await caller.leave()
    transport.close()
    assert asterisk_pid(hotline) == asterisk
    taken = await hotline.sql(
        "SELECT DISTINCT dialled FROM calls WHERE calling_number = '+8613800009999' AND line IS NOT NULL"
    )
    assert taken in ([], [("12333",)])  # some of the broken ones are good enough to be calls


def asterisk_pid(hotline: Hotline) -> int:
    return next(program.pid for program in Supervisor(hotline.settings).programs() if program.name == "asterisk")
