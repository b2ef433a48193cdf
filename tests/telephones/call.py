"""One call as a telephone knows it: the SIP dialogue and its sound, from INVITE to BYE.

Everything that a person may do at any moment may be done here at any moment: hang up before the answer (CANCEL), as the
answer comes (BYE after all), or never.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from uuid import uuid4

from tests.telephones.sip import Message, far_port, new_branch, offer, request, response
from tests.telephones.voice import Voice

RESEND_S = (0.5, 1.0, 2.0, 4.0)
"""Between the tries of a request over UDP; after the last one the far side counts as gone."""

BUSY = 486
GONE = 0
"""No answer ever came."""


class Call:
    """Made by `Telephone`. `send` carries a datagram to the server; `on_over` is told the end of it."""

    def __init__(
        self,
        phone: str,
        server: str,
        contact: str,
        voice: Voice,
        send: Callable[[bytes], None],
        on_over: Callable[[Call], None],
    ) -> None:
        self.voice = voice
        self.call_id = f"{uuid4().hex}@soak"
        self.status: int | None = None
        """The final response; None until it comes, 0 when nobody ever answered."""
        self.answered_at: float | None = None
        """Monotonic, as are all instants here."""
        self.ended_at: float | None = None
        self.ended_by_peer = False
        self.heard_of = False
        """The server said something to the INVITE: it is a call."""
        self.answered, self.over = asyncio.Event(), asyncio.Event()
        self._host = contact.rpartition("@")[2].rpartition(":")[0]
        self._send, self._on_over = send, on_over
        self._contact, self._tag = contact, uuid4().hex[:12]
        self._near, self._far = f"<sip:{phone}@{server}>;tag={self._tag}", ""
        self._target, self._server = "", server
        self._sequence, self._branch = 1, new_branch()
        self._invite: Message | None = None
        self._ack = b""
        self._any_answer, self._answer_due = asyncio.Event(), asyncio.Event()
        self._responses: dict[int, asyncio.Future[Message]] = {}
        self._last_response = b""
        self._hanging_up = False
        self._goodbye: asyncio.Task[None] | None = None

    # --- what a person does

    async def dial(self, line: str) -> None:
        """Send the INVITE until the server says something; return once it has, or never will."""
        self._target, self._far = f"sip:{line}@{self._server}", f"<sip:{line}@{self._server}>"
        text = self._request("INVITE", self._branch, offer(self._host, self.voice.port))
        for wait_s in RESEND_S:
            self._send(text)
            if await _happens(self._any_answer, wait_s):
                return
        self._end(GONE)

    def ring(self, invite: Message) -> None:
        """A call to this telephone."""
        self._invite, self.call_id = invite, invite.call_id
        self._near, self._far = f"{invite.headers['to']};tag={self._tag}", invite.headers["from"]
        self._target = invite.contact
        self._respond(invite, 180, "Ringing")

    async def answer(self) -> None:
        """Pick up; the 200 is said again until its ACK."""
        if self._invite is None or self.over.is_set():
            return
        self._begin(far_port(self._invite.body))
        for wait_s in RESEND_S:
            self._respond(self._invite, 200, "OK", offer(self._host, self.voice.port))
            if await _happens(self._answer_due, wait_s) or self.over.is_set():
                return

    def reject(self) -> None:
        """486."""
        if self._invite is not None and not self.over.is_set():
            self._respond(self._invite, BUSY, "Busy Here")
            self._end(BUSY)

    async def hang_up(self) -> None:
        """CANCEL or BYE, whichever is right now; returns when the call is over."""
        if self.over.is_set():
            return
        self._hanging_up = True
        if self.answered_at is None and self._invite is not None:
            self.reject()
        elif self.answered_at is None:
            self._send(self._request("CANCEL", self._branch))
            if not await _happens(self.over, sum(RESEND_S)):
                self._end(GONE)
        else:
            await self._bye()

    def press(self, key: str) -> None:
        """A key, once the call is answered."""
        if self.answered_at is not None and not self.over.is_set():
            self.voice.press(key)

    # --- what comes

    def take(self, message: Message) -> None:
        """A message of this dialogue."""
        if (status := message.status) is None:
            self._asked(message)
        elif message.method == "INVITE":
            self._answered(message, status)
        elif status >= 200 and (waiting := self._responses.get(message.cseq)) and not waiting.done():
            waiting.set_result(message)

    def lose(self) -> None:
        """The telephone is no more: nobody is told."""
        self._end(GONE)

    def _asked(self, asked: Message) -> None:
        match asked.method:
            case "ACK":
                self._answer_due.set()
            case "INVITE" if self._invite is not None and asked.cseq == self._invite.cseq:
                self._send(self._last_response)  # it did not reach the far side
            case "INVITE":
                self._respond(asked, 200, "OK", offer(self._host, self.voice.port))
            case "CANCEL" if self._invite is not None:
                self._respond(asked, 200, "OK")
                if self.answered_at is None:
                    self._respond(self._invite, 487, "Request Terminated")
                    self._end(487)
            case "BYE":
                self._respond(asked, 200, "OK")
                self.ended_by_peer = True
                self._end(200)
            case _:
                self._respond(asked, 200, "OK")

    def _answered(self, answer: Message, status: int) -> None:
        self.heard_of = True
        self._any_answer.set()
        if status < 200:
            return
        if status >= 300:
            self._far = answer.headers["to"]
            self._send(self._request("ACK", self._branch, sequence=1))
            self._end(status)
            return
        if not self._ack:
            self._far, self._target = answer.headers["to"], answer.contact
            self._ack = self._request("ACK", new_branch(), sequence=1)
            self._begin(far_port(answer.body))
            if self._hanging_up:  # the answer crossed our CANCEL
                self._goodbye = asyncio.create_task(self._bye())
        self._send(self._ack)

    # --- how

    def _begin(self, port: int | None) -> None:
        self.answered_at = time.monotonic()
        if port is not None:
            self.voice.connect(port)
        self.voice.heard.begin(self.answered_at)
        self.answered.set()

    def _end(self, status: int) -> None:
        if self.over.is_set():
            return
        self.status, self.ended_at = status, time.monotonic()
        if self.answered_at is not None:
            self.voice.heard.end(self.ended_at)
        self.voice.close()
        self._any_answer.set()
        self._answer_due.set()
        self.over.set()
        self._on_over(self)

    async def _bye(self) -> None:
        self._sequence += 1
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._responses[self._sequence] = answer
        text = self._request("BYE", new_branch())
        for wait_s in RESEND_S:
            self._send(text)
            done, _ = await asyncio.wait({answer}, timeout=wait_s)
            if done:
                break
        self._end(200)

    def _respond(self, to: Message, status: int, reason: str, body: str = "") -> None:
        text = response(to, status, reason, self._tag, self._contact, body)
        if to is self._invite:
            self._last_response = text
        self._send(text)

    def _request(self, method: str, branch: str, body: str = "", sequence: int | None = None) -> bytes:
        headers = {
            "Via": f"SIP/2.0/UDP {self._contact.rpartition('@')[2]};branch={branch};rport",
            "From": self._near,
            "To": self._far,
            "Call-ID": self.call_id,
            "CSeq": f"{sequence or self._sequence} {method}",
            "Contact": f"<{self._contact}>",
            "Max-Forwards": "70",
        }
        return request(method, self._target, headers, body)


async def _happens(event: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
