"""A team lead at a conversation: listens in (监听), whispers to the adviser (耳语), or speaks with both (强插).

The lead's telephone stands in a bridge of its own with a snoop channel on the adviser's leg, which is the lead's ears and, as
`SPEAKS` says, mouth. Whatever the lead does, and however it ends, the conversation's own bridge never changes (decision
0034): hold, moving to another telephone and hanging up are as without a lead. Whoever takes the caller apart from the
adviser, or ends the conversation, says so by `end`, at once; the rest is cleared away here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import structlog

from calls.errors import NotPossible
from calls.facts import LeadHow, LeadJoined, LeadLeft, LeadLeftWhy
from cti.asterisk.ears import Ears
from cti.asterisk.ending import GONE_S, remove_bridge
from cti.asterisk.errors import AriError, Gone, NotInStasis
from cti.asterisk.kept import Conversation, KeptCall, KeptLead
from cti.asterisk.leg import NORMAL, DidNotAnswerError, Leg
from cti.asterisk.seated import UNRECORDED
from recordings import Part

if TYPE_CHECKING:
    from cti.asterisk.generated.channels import SnoopChannelSpy
    from cti.asterisk.session import Session

log = structlog.get_logger(__name__)

SPEAKS: Mapping[LeadHow, SnoopChannelSpy] = {"listen": "none", "whisper": "out", "barge": "both"}
"""Into what the lead's voice is mixed: nothing, what the adviser hears, and what the adviser says as well."""

ENDED: Mapping[LeadLeftWhy, str] = {
    "left": "the lead has left",
    "conversation_ended": "the conversation is over",
    "apart": "the machine is asking the caller who they are, which nobody hears. Mend: ask again when they talk",
    "interrupted": "Asterisk does not do it at this moment. Mend: try again in some seconds",
}


class Lead:
    """One lead at one conversation. `run` is the whole of it; `be` says how, `end` that it is over."""

    def __init__(self, call: Session, own: str) -> None:
        self.own = own
        """The seat whose telephone is the lead's."""
        self.deaf = asyncio.Event()
        """Set when it is over and nothing can be heard any more."""
        self.gone = asyncio.Event()
        """Set when it is over and cleared away."""
        self._call = call
        self._wanted: LeadHow = "listen"
        self._as: tuple[LeadHow, str] | None = None
        """How it is now, and on which leg; None: not yet."""
        self._ears: Ears | None = None
        self._recorded = False
        self._look, self._settled, self._over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._reason = ""

    @property
    def over(self) -> bool:
        """Whether it has ended, but for clearing away."""
        return self._over.is_set()

    async def be(self, how: LeadHow) -> None:
        """Listen, whisper or barge from now on; returns when it is so. Raises NotPossible with the reason when it is over."""
        self._wanted = how
        self._settled.clear()
        self.look_again()
        await self._settled.wait()
        if self.over:
            raise NotPossible(self._reason)

    def look_again(self) -> None:
        """What the lead wants, or the leg on which the adviser talks, has changed."""
        self._look.set()

    def end(self, why: LeadLeftWhy, reason: str = "") -> None:
        """It is over, and that is told; the second time does nothing. Never blocks."""
        if self.over:
            return
        self._over.set()
        self._reason = reason or ENDED[why]
        self._settled.set()
        tell_left(self._call, why)

    async def run(self) -> None:
        """From the ringing of the lead's telephone until all is cleared away."""
        undo = AsyncExitStack()
        being = asyncio.create_task(self._be_there(undo))
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({being, over}, return_when=asyncio.FIRST_COMPLETED)
            if not self.over:
                self.end("left" if being.result() == NORMAL else "interrupted")
        except DidNotAnswerError as error:
            self.end("left", f"the telephone at seat {self.own} did not answer ({error.reason}). Mend: try again")
        except (AriError, TimeoutError) as error:
            log.warning("a lead cannot be at a conversation", call_id=self._call.call_id, error=str(error))
            self.end("interrupted")
        finally:
            self.end("interrupted")
            for task in (being, over):
                task.cancel()
            await asyncio.gather(being, over, return_exceptions=True)
            await undo.aclose()
            self.deaf.set()
            self._call.lead = None
            self.gone.set()

    async def _be_there(self, undo: AsyncExitStack) -> int:
        """Until the lead's telephone is gone; the Q.850 cause. Raises DidNotAnswerError, AriError, TimeoutError."""
        call, conversation = self._call, self._conversation
        leg = call.leg(undo)
        phone = call.node.telephones.of(self.own)
        await leg.ring(phone, ("to-seat", UNRECORDED), call.node.settings.ring_s, conversation.seat)
        bridge = uuid4().hex
        undo.push_async_callback(remove_bridge, call.ari, bridge)
        await call.ari.bridges.create_with_id(bridge, type="mixing")
        await call.ari.bridges.add_channel(bridge, [leg.channel])
        undo.callback(self.deaf.set)
        undo.push_async_callback(self._close_ears)
        leaving = asyncio.create_task(leg.ended())
        try:
            while not leaving.done():
                self._look.clear()
                try:
                    await self._make_it_so(leg, bridge)
                    await self._until_something(leaving)
                except (Gone, NotInStasis):  # one of them has left, or talks on another telephone
                    await self._told_of_it(leaving)
            return leaving.result()
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    @property
    def _conversation(self) -> Conversation:
        conversation = self._call.kept.conversation
        assert conversation, "whoever ends it says so first"
        return conversation

    async def _make_it_so(self, leg: Leg, bridge: str) -> None:
        """Ears on the leg on which the adviser talks now, and the mouth that is wanted. Raises AriError, TimeoutError."""
        while (now := (self._wanted, self._conversation.leg)) != self._as:
            how, on = now
            self._as = None
            await self._close_ears()
            await self._record(leg, bridge, on=how == "barge")
            self._ears = Ears(self._call.ari, self._call.node.router)
            self._call.stands_on(self._ears.channel)
            await self._ears.open(on, SPEAKS[how])
            await self._call.ari.bridges.add_channel(bridge, [self._ears.channel])
            self._as = now
            self._tell_joined(how)
        self._settled.set()

    async def _until_something(self, leaving: asyncio.Task[int]) -> None:
        """Until the lead leaves, or wants something else. Raises Gone when nothing is heard any more."""
        assert self._ears, "they are open"
        looking, deaf = asyncio.create_task(self._look.wait()), asyncio.create_task(self._ears.ended())
        try:
            await asyncio.wait({leaving, looking, deaf}, return_when=asyncio.FIRST_COMPLETED)
            if deaf.done() and not looking.done():
                self._as = None
                raise Gone("what the lead heard by has ended")
        finally:
            for task in (looking, deaf):
                task.cancel()
            await asyncio.gather(looking, deaf, return_exceptions=True)

    async def _told_of_it(self, leaving: asyncio.Task[int]) -> None:
        """Something has ended: what that means for the lead is told within a moment. Raises Gone when it is not."""
        looking = asyncio.create_task(self._look.wait())
        try:
            await asyncio.wait({leaving, looking}, timeout=GONE_S, return_when=asyncio.FIRST_COMPLETED)
            if not leaving.done() and not looking.done():
                raise Gone("the adviser's leg, or the lead's")
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _close_ears(self) -> None:
        ears, self._ears = self._ears, None
        if ears:
            await ears.close()

    async def _record(self, leg: Leg, bridge: str, *, on: bool) -> None:
        """What the lead says to both belongs into the recording, on the adviser's side; what is whispered does not."""
        call, recorder = self._call, self._call.node.recorder
        if on == self._recorded or recorder.find(call.visit).unrecorded:
            return
        if on:
            name = f"{call.visit}.beside.{len(recorder.find(call.visit).beside) + 1}"
            track = recorder.raw_file(name)
            recorder.add(call.visit, "beside", Part(track, call.now_ms()))  # before it begins, or it would be nobody's
            await leg.through_dialplan("start-recording", name)
            recorder.add(call.visit, "beside", Part(track, call.now_ms()))
        else:
            await leg.through_dialplan("stop-recording", "s")
        self._recorded = on
        await call.ari.bridges.add_channel(bridge, [leg.channel])

    def _tell_joined(self, how: LeadHow) -> None:
        call, talk = self._call, self._conversation
        if talk.lead and talk.lead.how == how:  # the adviser has only moved to another telephone
            return
        joined = LeadJoined(call_id=call.call_id, visit=call.visit, seat=talk.seat, adviser=talk.adviser, how=how)
        with call.node.journal.together():
            tell_left(call, "changed")
            call.turn(joined, conversation=msgspec.structs.replace(talk, lead=KeptLead(how, call.now_ms())))


def tell_left(call: Session, why: LeadLeftWhy) -> None:
    """If a lead was there, also one that another controller knew of."""
    conversation = call.kept.conversation
    if conversation and (left := lead_left(call.kept, why, call.now_ms())):
        call.turn(left, conversation=msgspec.structs.replace(conversation, lead=None))


def lead_left(kept: KeptCall, why: LeadLeftWhy, now_ms: int) -> LeadLeft | None:
    """That the lead who is at this call's conversation is there no more; None when none is. Monotonic milliseconds."""
    talk = kept.conversation
    if talk is None or talk.lead is None:
        return None
    return LeadLeft(
        call_id=kept.call_id,
        visit=f"{kept.call_id}.{kept.visits}",
        seat=talk.seat,
        adviser=talk.adviser,
        how=talk.lead.how,
        why=why,
        lasted_ms=max(0, now_ms - talk.lead.since_ms),
    )
