"""A leg that we ring, a seat's or a called citizen's: rung, answered or not, and its end. Its id is of our own choosing.

The leg runs through a dialplan context once it is answered, and then comes into our hands: a seat's through `to-seat`, where
its recording starts. Its events reach us from the first because the application is subscribed to all endpoints.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import msgspec
import structlog

from calls.facts import NotAnswered
from cti.asterisk.client import Ari
from cti.asterisk.ending import ASK_AGAIN_S, asked_to_go
from cti.asterisk.errors import AriError, Unavailable
from cti.asterisk.generated.messages import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelHangupRequest,
    ChannelHold,
    ChannelUnhold,
    ChannelUserevent,
    Message,
    StasisStart,
)
from cti.asterisk.keys import Keys
from cti.asterisk.returning import Return
from cti.asterisk.router import Came, Router, Vanished
from cti.asterisk.staying import until_answered

log = structlog.get_logger(__name__)

OUTLIVES_US_S = 5
"""Asterisk's own limit of a ring, beyond ours: it rings on no longer than this should the controller die meanwhile. It
goes by the wall clock, which may jump, so ours rules."""

END_TOLD_S = 3.0
"""Asterisk tells the end of a leg within milliseconds; after this long it is not told at all."""

DIALPLAN_S = 10.0
"""A channel sent through the dialplan is back within 10 ms, unless it opens or closes a recording on a disk that is held up:
some seconds of that are no reason to lose a caller. After this long it is given up."""

NORMAL = 16
"""Q.850: the party hung up."""

WHY: dict[int, NotAnswered] = {17: "busy", 19: "no_answer", 18: "no_answer", 21: "refused"}
"""Q.850 causes of a leg that was not answered; whatever else is said, it could not be reached."""


NO_CALL_RECORD = {"CDR_PROP(disable)": "1"}
"""Asterisk's call records are for arrivals: a leg that we ring makes none, answered or not."""


class Phone(msgspec.Struct, frozen=True):
    """What is rung: a PJSIP endpoint, or a number at one (`13800138000@trunk-city`)."""

    endpoint: str
    codec: str | None = None
    """Offered first; None: as Asterisk likes it."""


class DidNotAnswerError(Exception):
    """It rang in vain."""

    def __init__(self, reason: NotAnswered) -> None:
        self.reason: NotAnswered = reason
        super().__init__(reason)


class Leg:
    """The leg `channel`, from before it exists until it is gone. Always `close` it."""

    def __init__(self, ari: Ari, router: Router, channel: str | None = None, *, there: bool = False) -> None:
        """A leg to come, or one that is `there` already."""
        self.channel = channel or uuid4().hex
        self.packets = 0
        """RTP packets received on it, and on one whose place it took; known at its end."""
        self._ari = ari
        self._there = there
        self._closed = False
        self._back = Return()
        self._mailbox = router.mailbox(self.channel)
        self._box = self._mailbox.__enter__()

    async def ring(self, phone: Phone, to: tuple[str, str], ring_s: float, caller_id: str | None) -> None:
        """Ring until it answers and is through the context and extension `to`. Raises DidNotAnswerError."""
        context, extension = to
        self._there = True  # from here on it may exist, whatever the answer
        try:
            await until_answered(
                self._ari.channels.originate_with_id(
                    self.channel,
                    f"PJSIP/{phone.endpoint}",
                    context=context,
                    extension=extension,
                    priority=1,
                    timeout_s=math.ceil(ring_s) + OUTLIVES_US_S,
                    caller_id=caller_id,
                    variables=NO_CALL_RECORD,
                    formats=phone.codec,
                )
            )
        except AriError as error:
            self._there = isinstance(error, Unavailable)  # then nobody knows; any other answer is a no
            raise DidNotAnswerError("unreachable") from error
        try:
            async with asyncio.timeout(ring_s):
                await self._picked_up()
        except TimeoutError:
            await self._end()
            raise DidNotAnswerError("no_answer") from None

    async def _picked_up(self) -> None:
        """Raises DidNotAnswerError."""
        while True:
            match await self._box.get():
                case StasisStart() | Came():
                    return
                case ChannelDestroyed(cause=cause):
                    self._there = False
                    raise DidNotAnswerError(WHY.get(cause, "unreachable"))
                case Vanished():
                    self._there = False
                    raise DidNotAnswerError("unreachable")

    def at_hang_up(self, tell: Callable[[], None]) -> None:
        """Call this in the very instant in which it is read that the party hangs up: some 0.5 ms before `ended` returns."""
        self._box.at_once = lambda event: tell() if _hangs_up(event) else None

    async def through_dialplan(self, context: str, extension: str) -> None:
        """Send it through a dialplan context that comes back; also returns when it has left.

        `ended` must be waited for meanwhile. Raises TimeoutError when it does neither, AriError when it cannot be sent."""
        await self._back.again()
        await self._ari.channels.continue_in_dialplan(self.channel, context=context, extension=extension, priority=1)
        async with asyncio.timeout(DIALPLAN_S):
            await self._back.wait()

    async def ended(
        self, on_hold: Callable[[bool], None] | None = None, on_key: Callable[[str], None] | None = None
    ) -> int:
        """Wait for the leg's end; the Q.850 cause of it, 0 when Asterisk died. One that nobody told hung up, most likely.

        `on_hold` is told when it puts the far side on hold, and when it takes it back; `on_key` each key that is pressed.
        Who hangs up is told so some milliseconds before Asterisk has cleared the leg away: nobody need wait for that.
        """
        keys = Keys()
        while self._there:
            event = await self._box.get()
            if _hangs_up(event):
                self._back.came()
                return NORMAL
            if isinstance(event, ChannelHold | ChannelUnhold) and on_hold:
                on_hold(isinstance(event, ChannelHold))
            elif isinstance(event, ChannelDtmfReceived) and on_key and keys.is_new(event):
                on_key(event.digit)
            elif isinstance(event, StasisStart | Came):
                self._back.came()
            elif (cause := self._last(event)) is not None:
                return cause
        return NORMAL

    def _last(self, event: Message) -> int | None:
        """Take note of an event; the cause, if it is the leg's last."""
        match event:
            case ChannelUserevent(userevent=counts):
                self.packets += packets_received(counts)
            case ChannelDestroyed(cause=cause):
                self._there = False
                self._back.came()
                return cause or NORMAL  # 0: hung up while in nobody's bridge, for which no cause is told
            case Vanished(died=died):
                self._there = False
                self._back.came()
                return 0 if died else NORMAL
        return None

    async def close(self) -> None:
        """End it, if it is still there, and wait until its end is told: only then its packets are known. Once does it."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._end()
        finally:
            self._mailbox.__exit__(None, None, None)

    async def _end(self) -> None:
        while self._there and not await asked_to_go(self._ari.channels.hangup(self.channel), self.channel):
            await self._told_gone(ASK_AGAIN_S)
        await self._told_gone(END_TOLD_S)
        if self._there:
            log.warning("a leg did not end", leg=self.channel)

    async def _told_gone(self, wait_s: float) -> None:
        """Read its events until the last one has come, for so long at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while self._there:
                    self._last(await self._box.get())


def _hangs_up(event: Message) -> bool:
    """Whether the party itself ends it."""
    return isinstance(event, ChannelHangupRequest) and event.cause == NORMAL and not event.soft


def packets_received(counts: dict[str, object]) -> int:
    """RTP packets received, from the event that the dialplan's `leg-ends` sends; 0 when the leg never had media."""
    text = str(counts.get("received", ""))
    return int(text) if text.isdecimal() else 0
