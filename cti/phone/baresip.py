"""A SIP phone in the hands of a script: the program baresip in a folder of its own, told what to do over TCP.

    async with Phone(Identity(user="13800001111", server="127.0.0.1:5060")) as phone:
        await phone.dial("sip:12333@127.0.0.1:5060")
        await phone.wait_for(Established)
        await phone.key("1")
        await phone.wait_for(Closed, timeout_s=60)
        phone.heard()

Every phone ends with its `async with`, whatever happens inside. It takes one call at a time, and keeps what it heard
until the next. Written for baresip 1.0.0 (Debian 12), whose commands its own `/help` lists.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from calls.clock import Instant
from cti.phone.events import Closed, Incoming, PhoneEvent, Registered, RegistrationFailed, read
from cti.phone.places import Identity
from cti.phone.program import Program
from cti.phone.sound import Samples, read_growing, silence, write_microphone
from cti.phone.wire import PhoneFailed

E = TypeVar("E", bound=PhoneEvent)

RTP_PORTS = range(20000, 30000)
LONGEST_CALL_S = 300.0
RING_S = 5.0
"""One ring in China: 1 s of sound, 4 s of rest."""

KEY_S = 0.3
"""From key to key; the program sends each for 0.18 s."""

REGISTER_S = 40.0
"""SIP itself gives up on an answer after 32 s, and baresip says so."""


class AnswerAfter(msgspec.Struct, frozen=True):
    """Answer when it has rung so long."""

    seconds: float = 0.0


class RejectBusy(msgspec.Struct, frozen=True):
    """Turn every call away with 486."""


class RingOn(msgspec.Struct, frozen=True):
    """Ring until somebody calls `answer()` or `hangup()`, or the caller gives up."""


AnswerPolicy = AnswerAfter | RejectBusy | RingOn


class Packets(msgspec.Struct, frozen=True):
    """RTP packets of the present call so far."""

    sent: int
    received: int


class Phone:
    """A SIP phone. Raises PhoneFailed at the door when baresip is missing or does not start, or is not registered.

    `microphone` is what it says, over and over (silence when not given), up to `longest_call_s`: then it hangs up.
    `sip_port` 0 is any free one; a port that is named takes the two after it as well.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        answers: AnswerPolicy = RingOn(),  # noqa: B008 - frozen
        microphone: Samples | None = None,
        host: str = "127.0.0.1",
        sip_port: int = 0,
        rtp_ports: range = RTP_PORTS,
        longest_call_s: float = LONGEST_CALL_S,
    ) -> None:
        self.identity = identity
        self._answers = answers
        self._microphone = silence(1) if microphone is None else microphone
        self._host, self._sip_port, self._rtp_ports = host, sip_port, rtp_ports
        self._longest_call_s = longest_call_s
        self._events: list[PhoneEvent] = []
        self._next_wait = 0
        self._news = asyncio.Event()
        self._ended = False
        self._call_id = ""
        self._answering: asyncio.Task[None] | None = None
        self._program: Program

    async def __aenter__(self) -> Self:
        folder = Path(tempfile.mkdtemp(prefix="phone-"))
        self._program = Program(folder, self._on_event, self._on_end)
        try:
            microphone = folder / "microphone.wav"
            write_microphone(microphone, self._microphone, self._longest_call_s)
            await self._program.start(self.identity, self._host, self._sip_port, self._rtp_ports, microphone)
            if self.identity.password:
                await self._registered()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._leave()

    @property
    def address(self) -> str:
        """Where this phone itself can be called: `sip:user@host:port`."""
        return f"sip:{self.identity.user}@{self._program.ports.host}:{self._program.ports.sip}"

    @property
    def call_id(self) -> str:
        """SIP Call-ID of the present or the last call, empty before the first."""
        return self._call_id

    async def dial(self, uri: str) -> str:
        """Call `uri` (`sip:12333@127.0.0.1:5060`) and return the SIP Call-ID at once, before anybody answers."""
        self._next_wait = len(self._events)
        self._clear_heard()
        await self._program.control.command("dial", uri)
        found = re.findall(r"\bid=(\S+)", await self._program.control.command("callstat"))
        # A call that was refused on the spot is no longer in that list, and its end has been told before the list came.
        found += [event.call_id for event in self._events[self._next_wait :] if event.call_id]
        if not found:
            raise PhoneFailed(f"baresip placed no call to {uri}. It wrote:\n{self._program.log()}")
        self._call_id = found[0]
        return self._call_id

    async def answer(self) -> None:
        """Take the call that rings."""
        await self._program.control.command("accept")

    async def hangup(self) -> None:
        """End the call: BYE, CANCEL before the answer, 486 to a call that rings here."""
        await self._program.control.command("hangup")

    async def hold(self) -> None:
        """Put the far side on hold."""
        await self._program.control.command("hold")

    async def resume(self) -> None:
        """Take it back."""
        await self._program.control.command("resume")

    async def key(self, digits: str) -> None:
        """Press keys (0-9 * # A-D), sent as RFC 2833 events one after the other, as fast as a quick finger."""
        if not re.fullmatch(r"[0-9*#A-D]+", digits):
            raise ValueError("a telephone has the keys 0-9, *, #, A-D")
        for place, digit in enumerate(digits):
            if place:
                await asyncio.sleep(KEY_S)
            await self._program.control.command("sndcode", digit)

    async def wait_for(self, *kinds: type[E], timeout_s: float = 10.0) -> E:
        """The next event of these kinds after the one last waited for (or after `dial`); others are passed over.

        Raises TimeoutError, or PhoneFailed when the program ends first.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                while self._next_wait < len(self._events):
                    event = self._events[self._next_wait]
                    self._next_wait += 1
                    if isinstance(event, kinds):
                        return event
                if self._ended:
                    raise PhoneFailed(f"the phone's program ended. It wrote:\n{self._program.log()}")
                await self._news.wait()

    async def events(self) -> AsyncIterator[PhoneEvent]:
        """Every event from the phone's start on, until its program ends."""
        seen = 0
        while True:
            while seen < len(self._events):
                yield self._events[seen]
                seen += 1
            if self._ended:
                return
            await self._news.wait()

    def heard(self, first: int = 0) -> Samples:
        """What came out of the earpiece in the present or last call, from sample `first` on; grows while it is up.

        8 kHz. Packets are put end to end: where none came there is no silence either.
        """
        path = max(self._program.folder.glob("dump-*-dec.wav"), default=None)
        return silence(0) if path is None else read_growing(path, first)

    async def packets(self) -> Packets:
        """RTP packets sent and received in the present call. Raises PhoneFailed when there is none."""
        text = await self._program.control.command("audio_debug")
        sent = re.search(r"TX: packets=(\d+)", text)
        received = re.findall(r"\brcvd=(\d+)", text)  # one for each source: the far side may change it in mid-call
        return Packets(int(sent[1]) if sent else 0, sum(map(int, received)))

    async def kill(self) -> None:
        """Vanish: no BYE, no un-REGISTER, as a phone that lost its power."""
        await self._program.kill()

    def freeze(self) -> None:
        """Stop dead with every socket open, as a phone whose network is gone."""
        self._program.freeze()

    async def _registered(self) -> None:
        # It registers from its first moment on, so its answer may be older than our connection.
        already = await self._program.control.command("reginfo")
        if "OK" in already:
            return
        reason = "refused"
        if "ERR" not in already:
            outcome: PhoneEvent = await self.wait_for(Registered, RegistrationFailed, timeout_s=REGISTER_S)
            if not isinstance(outcome, RegistrationFailed):
                return
            reason = outcome.reason
        raise PhoneFailed(
            f"{self.identity.server} did not register {self.identity.user}: {reason}. "
            "Mend: check user and password, and that the server runs"
        )

    def _clear_heard(self) -> None:
        for path in self._program.folder.glob("dump-*.wav"):
            path.unlink()

    def _on_event(self, message: dict[str, Any]) -> None:
        event = read(message, Instant(time.monotonic()))
        if event is None:
            return
        if isinstance(event, Incoming):
            self._call_id = event.call_id
            self._clear_heard()
            self._answering = asyncio.create_task(self._follow_policy())
        elif isinstance(event, Closed) and self._answering:
            self._answering.cancel()
        self._events.append(event)
        self._tell()

    def _on_end(self) -> None:
        self._ended = True
        self._tell()

    def _tell(self) -> None:
        """Wake everybody who waits; who comes later waits for the next news."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _follow_policy(self) -> None:
        match self._answers:
            case AnswerAfter(seconds=seconds):
                await asyncio.sleep(seconds)
                await self.answer()
            case RejectBusy():
                await self.hangup()
            case RingOn():
                pass

    async def _leave(self) -> None:
        try:
            if self._answering:
                self._answering.cancel()
                await asyncio.gather(self._answering, return_exceptions=True)
            await self._program.end()
        finally:
            shutil.rmtree(self._program.folder)
