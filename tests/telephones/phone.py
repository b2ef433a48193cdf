"""A telephone in some hundred lines: dozens of them fit in one process, with their sound measured packet by packet.

    async with Telephone("13800000001", server, metronome, CITIZEN) as phone:
        call = await phone.dial("12333")
        await call.answered.wait()

With a password it is a seat's: it registers, rings (`on_call`), and may vanish as phones do (`vanish`, `go_silent`).
baresip is the phone of the other tests; it is a real product, but says nothing of when a packet came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self
from uuid import uuid4

from tests.telephones.call import RESEND_S, Call
from tests.telephones.sip import Message, digest, new_branch, read, request, response
from tests.telephones.voice import Metronome, Voice

REGISTERED_S = 60
REGISTER_AGAIN_S = 20.0
"""A seat that Asterisk forgot, because Asterisk itself was away, is back within this."""

RETRY_S = 2.0


class Telephone(asyncio.DatagramProtocol):
    """One address, one call at a time; a second one hears 486 and is counted in `doubled`."""

    def __init__(
        self,
        user: str,
        server: str,
        metronome: Metronome,
        says: list[bytes],
        password: str = "",
        host: str = "127.0.0.1",
    ) -> None:
        self.user, self.server = user, server
        self.on_call: Callable[[Call], None] = lambda call: call.reject()
        self.calls: list[Call] = []
        """Those that came or went, the present one last."""
        self.doubled = 0
        """Calls that came while another was up: no seat may ever get one."""
        self.registered = asyncio.Event()
        self._metronome, self._says, self._password, self._host = metronome, says, password, host
        self._transport: asyncio.DatagramTransport
        self._silent = False
        self._registering: asyncio.Task[None] | None = None
        self._answers: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        host, port = self.server.rsplit(":", 1)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self._host, 0), remote_addr=(host, int(port))
        )
        if self._password:
            self._registering = asyncio.create_task(self._stay_registered())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if (call := self.call) and not call.over.is_set() and not self._silent:
            await call.hang_up()
        await self.vanish()

    @property
    def call(self) -> Call | None:
        """The present or the last one."""
        return self.calls[-1] if self.calls else None

    @property
    def busy(self) -> bool:
        """A call is up, or rings."""
        return bool(self.calls) and not self.calls[-1].over.is_set()

    async def dial(self, line: str) -> Call:
        """Call a line; returns when the server has heard of it, or never will (`Call.status` is 0)."""
        call = self._new_call()
        await call.dial(line)
        return call

    async def vanish(self) -> None:
        """As a phone that lost its power: no goodbye, and nobody at its port."""
        self._silent = True
        if self._registering:
            self._registering.cancel()
            await asyncio.gather(self._registering, return_exceptions=True)
        if self.call:
            self._metronome.voices.discard(self.call.voice)
            self.call.lose()
        self._transport.close()

    def go_silent(self) -> None:
        """As a phone whose network is gone: its port is there, nothing comes from it."""
        self._silent = True
        if self.call:
            self._metronome.voices.discard(self.call.voice)

    # --- asyncio's protocol

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._silent or (message := read(data)) is None:
            return
        if message.method == "REGISTER":
            self._answers.put_nowait(message)
        elif known := next((call for call in reversed(self.calls) if call.call_id == message.call_id), None):
            known.take(message)
        elif message.status is None:
            self._asked(message)

    def error_received(self, exc: Exception) -> None:
        """The server's port is closed: it is being restarted, and the request is said again."""

    # --- how

    def _asked(self, asked: Message) -> None:
        if asked.method == "INVITE" and self.busy:
            self.doubled += 1
            self._send(response(asked, 486, "Busy Here", uuid4().hex))
        elif asked.method == "INVITE":
            call = self._new_call()
            call.ring(asked)
            self.on_call(call)
        elif asked.method == "OPTIONS":
            self._send(response(asked, 200, "OK", uuid4().hex, self._contact))
        elif asked.method != "ACK":
            self._send(response(asked, 481, "Call Does Not Exist", uuid4().hex))

    def _new_call(self) -> Call:
        voice = Voice(self._host, self._says)
        self._metronome.voices.add(voice)
        call = Call(self.user, self.server, self._contact, voice, self._send, self._over)
        self.calls.append(call)
        return call

    def _over(self, call: Call) -> None:
        self._metronome.voices.discard(call.voice)

    @property
    def _contact(self) -> str:
        host, port = self._transport.get_extra_info("sockname")
        return f"sip:{self.user}@{host}:{port}"

    def _send(self, data: bytes) -> None:
        if not self._silent and not self._transport.is_closing():
            self._transport.sendto(data)

    async def _stay_registered(self) -> None:
        sequence, call_id = 0, f"{uuid4().hex}@soak"
        while True:
            answer, authorisation = None, ""
            for _ in range(3):  # unasked, challenged, and once more when the challenge was stale
                sequence += 1
                answer = await self._register(sequence, call_id, authorisation)
                if answer is None or answer.status != 401:
                    break
                challenge = answer.headers["www-authenticate"]
                authorisation = digest(challenge, "REGISTER", f"sip:{self.server}", self.user, self._password)
            if answer is not None and answer.status == 200:
                self.registered.set()
                await asyncio.sleep(REGISTER_AGAIN_S)
            else:
                await asyncio.sleep(RETRY_S)

    async def _register(self, sequence: int, call_id: str, authorisation: str) -> Message | None:
        headers = {
            "Via": f"SIP/2.0/UDP {self._contact.rpartition('@')[2]};branch={new_branch()};rport",
            "From": f"<sip:{self.user}@{self.server}>;tag=soak",
            "To": f"<sip:{self.user}@{self.server}>",
            "Call-ID": call_id,
            "CSeq": f"{sequence} REGISTER",
            "Contact": f"<{self._contact}>;expires={REGISTERED_S}",
            "Max-Forwards": "70",
        }
        if authorisation:
            headers["Authorization"] = authorisation
        text = request("REGISTER", f"sip:{self.server}", headers)
        for wait_s in RESEND_S:
            self._send(text)
            try:
                async with asyncio.timeout(wait_s):
                    while True:
                        answer = await self._answers.get()
                        if answer.cseq == sequence and (answer.status or 0) >= 200:
                            return answer
            except TimeoutError:
                continue
        return None
