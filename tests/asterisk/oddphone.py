"""A seat's telephone that does what no telephone should: says no in unusual words, nothing at all, or yes twice, and is mute.

    async with OddPhone("seat1004", password, server) as phone:
        phone.answers = (603,)
        ...
        phone.answers = (200, 200)      # the second from another device behind the same address

It registers and answers Asterisk's look whether it is there, like any other. It never sends sound.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from types import TracebackType
from typing import Self, cast
from uuid import uuid4

from tests.telephones.sip import Message, digest, new_branch, offer, read, request, response

REASONS = {
    180: "Ringing",
    200: "OK",
    480: "Temporarily Unavailable",
    486: "Busy Here",
    487: "Request Terminated",
    603: "Decline",
}
PATIENCE_S = 30.0
REGISTERED_S = 600


class OddPhone(asyncio.DatagramProtocol):
    """`answers` are the statuses said to each INVITE, one after the other; with none it is as if it had not come."""

    def __init__(self, user: str, password: str, server: str) -> None:
        self.answers: tuple[int, ...] = ()
        self.asked: Counter[str] = Counter()
        """How often each method came; an INVITE that is said again counts again."""
        self.calls: set[str] = set()
        """SIP Call-IDs of the calls that came."""
        self._user, self._password, self._server = user, password, server
        self._registering: asyncio.Queue[Message] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    async def __aenter__(self) -> Self:
        host, port = self._server.rsplit(":", 1)
        self._rtp.bind(("127.0.0.1", 0))
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0), remote_addr=(host, int(port)))
        challenge = await self._register("")
        proof = digest(
            challenge.headers["www-authenticate"], "REGISTER", f"sip:{self._server}", self._user, self._password
        )
        assert (await self._register(proof)).status == 200
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._transport.close()
        self._rtp.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if (message := read(data)) is None:
            return
        if message.status is not None:
            self._registering.put_nowait(message)
            return
        self.asked[message.method] += 1
        if message.method == "INVITE":
            self.calls.add(message.call_id)
            for number, status in enumerate(self.answers):
                self._say(message, status, f"device-{number}")
        elif message.method != "ACK":
            self._say(message, 200, "device-0")

    def _say(self, to: Message, status: int, tag: str) -> None:
        invited = to.method == "INVITE" and status == 200
        body = offer("127.0.0.1", self._rtp.getsockname()[1]) if invited else ""
        self._transport.sendto(response(to, status, REASONS[status], tag, self._contact, body))

    @property
    def _contact(self) -> str:
        host, port = self._transport.get_extra_info("sockname")
        return f"sip:{self._user}@{host}:{port}"

    async def _register(self, authorization: str) -> Message:
        own = f"<sip:{self._user}@{self._server}>"
        headers = {
            "Via": f"SIP/2.0/UDP {self._contact.rpartition('@')[2]};rport;branch={new_branch()}",
            "From": f"{own};tag=odd",
            "To": own,
            "Call-ID": uuid4().hex,
            "CSeq": "1 REGISTER",
            "Contact": f"<{self._contact}>;expires={REGISTERED_S}",
            "Max-Forwards": "70",
        }
        if authorization:
            headers["Authorization"] = authorization
        self._transport.sendto(request("REGISTER", f"sip:{self._server}", headers))
        return await asyncio.wait_for(self._registering.get(), PATIENCE_S)
