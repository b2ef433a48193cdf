"""A call from its arrival to its one terminal fact: one task, cancelled once when the caller hangs up.

Which way it goes is in `course.py`; here is what all of it uses: the books of the call, its channels, the caller's events, and
its end. Whatever a call makes in Asterisk (a seat's leg, a bridge) is pushed on an undo stack first, so nothing is left behind
however it ends.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import msgspec
import structlog

from calls.errors import NotPossible
from calls.facts import (
    AnyFact,
    CallEnded,
    CrisisMarked,
    EndedBy,
    FaxSent,
    LeadHow,
    LeadLeftWhy,
    MenuStepTaken,
    NoticeHeard,
    QueueLeft,
    ServiceUsed,
    SlowSpeechBegun,
    VisitOutcome,
    VoiceMessageLeft,
)
from calls.words import Needs
from cti.asterisk.caller import TelephoneCaller
from cti.asterisk.consulting import Consultation
from cti.asterisk.course import go
from cti.asterisk.dictation import TelephoneDictation
from cti.asterisk.ending import ASK_AGAIN_S, LAST_EVENT_S, asked_to_go
from cti.asterisk.errors import AriError, Gone, NotInStasis, Unavailable
from cti.asterisk.faxing import TelephoneFax
from cti.asterisk.generated.messages import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelTalkingFinished,
    ChannelTalkingStarted,
    ChannelUserevent,
    StasisStart,
)
from cti.asterisk.kept import KeptCall, outcome
from cti.asterisk.keys import Keys
from cti.asterisk.lead import Lead, tell_left
from cti.asterisk.leg import DIALPLAN_S, Leg, packets_received
from cti.asterisk.places import KEEPS_PLACE, keep_place
from cti.asterisk.returning import Return
from cti.asterisk.router import Came, Mailbox, Vanished
from cti.asterisk.wishes import Wishes
from cti.identification import CallersIdentity
from cti.recorder import Pending
from ivr.line import Line
from ivr.window import Matter, Window

if TYPE_CHECKING:
    from cti.asterisk.node import Node

log = structlog.get_logger(__name__)

PROMISE_S = 2.0
"""A call back that is not on the disk after this long is not promised: nobody is kept waiting for a full disk."""

MOST_CHOSEN = 8
"""The last of what a caller chose; somebody who plays with the keys chooses for ever."""


class Session:
    """One caller's call. `kept` is always the present step."""

    def __init__(self, node: Node, line: Line, kept: KeptCall) -> None:
        self.node, self.kept = node, kept
        self.clock, self.ari = node.clock, node.ari
        self.caller = self.person(kept.call_id)
        self.caller.language, self.caller.slow = kept.language or line.language, kept.slow
        self.recordings: list[tuple[Pending, Leg | None]] = []
        """Conversations that are over; sealed when the call is."""
        self.ended_by: EndedBy = "system"
        self.parting = asyncio.Event()
        """Set when the call is over, and only its ends are still to be told."""
        self.told = asyncio.Event()
        """Set when they are."""
        self.withdrawn = asyncio.Event()
        """Set when an attempt to call somebody back need not wait any more."""
        self.fax_told: dict[str, str] = {}
        """What the dialplan told of the fax during which the call ended."""
        self.wishes = Wishes(self)
        """What the adviser wants of the conversation."""
        self.consultation: Consultation | None = None
        """Somebody whom the adviser asks about the call, until all of theirs is cleared away."""
        self.lead: Lead | None = None
        """The team lead who is at the conversation, until all of theirs is cleared away."""
        self.counted = False
        """One of the calls that are carried at once."""
        self.line = line
        self._back = Return()
        self._fault = self._dropped = False
        self._packets = 0
        self._legs: list[str] = []
        self._identity = CallersIdentity(
            node.business, node.tries, node.texts, node.clock, kept.call_id, kept.calling_number
        )
        self._dictations: dict[str, TelephoneDictation] = {}

    @property
    def call_id(self) -> str:
        return self.kept.call_id

    @property
    def visit(self) -> str:
        """The present queue visit: the call's id and a number."""
        return f"{self.call_id}.{self.kept.visits}"

    @property
    def next_visit(self) -> str:
        """The one that begins with whoever is asked about the call, should they take the caller."""
        return f"{self.call_id}.{self.kept.visits + 1}"

    @property
    def needs(self) -> Needs:
        """What the caller needs of an adviser."""
        return self.kept.needs or self.line.needs(self.line.person)

    @property
    def channels(self) -> list[str]:
        """Every channel of Asterisk that this call has stood on."""
        return [self.call_id, *self._legs] if self.has_channel else self._legs

    @property
    def has_channel(self) -> bool:
        """Whether Asterisk has a channel for whoever this is with; not while a call back waits for its turn."""
        return not self.kept.unreached or self.kept.step == "calling"

    # --- what its parts use

    def record(self, fact: AnyFact) -> None:
        """Keep a fact; some of them are also a turn of the call."""
        match fact:
            case NoticeHeard(whole=True, language=language):
                self.turn(fact, step="menu", language=language)
            case MenuStepTaken(outcome="chosen", choice=str(choice)):
                self.turn(fact, chosen=(*self.kept.chosen, choice)[-MOST_CHOSEN:])
            case SlowSpeechBegun():
                self.turn(fact, slow=True)
            case ServiceUsed(outcome="done") | FaxSent(result="done"):
                self.turn(fact, served=True)
            case VoiceMessageLeft(message=message) as left:
                with self.node.journal.together():
                    self._dictations[message].left(left)
                    self.keep(served=True)
                    if left.adviser:  # the next call is for somebody else
                        self.node.advisers.forget(self.kept.calling_number or "")
            case _:
                self.node.watch.record(fact)

    def keep(self, **changes: object) -> None:
        """Note something where the next controller finds it."""
        self.kept = msgspec.structs.replace(self.kept, **changes)
        self.node.journal.put(f"call/{self.call_id}", self.kept)
        self.node.screens.see(self.kept, self._identity.shown)

    def turn(self, *facts: AnyFact, **changes: object) -> None:
        """Take a turn: the facts and the step come to the disk together, so no controller tells them twice or never."""
        with self.node.journal.together():
            for fact in facts:
                self.node.watch.record(fact)
            self.keep(**changes)

    def now_ms(self) -> int:
        """Monotonic milliseconds."""
        return round(self.clock.now() * 1000)

    def leave_queue(self, how: VisitOutcome, *facts: AnyFact, **changes: object) -> None:
        """The present visit is over; with the facts and changes that belong to it."""
        waited_ms = max(0, self.now_ms() - self.kept.since_ms)
        left = QueueLeft(call_id=self.call_id, visit=self.visit, outcome=how, waited_ms=waited_ms)
        with self.node.journal.together():
            if how in KEEPS_PLACE:
                keep_place(self.node.places, self.kept)
            self.turn(*facts, left, visit_open=False, rung=None, **changes)

    def person(self, channel: str) -> TelephoneCaller:
        """Somebody on that channel, to be spoken to."""
        node = self.node
        return TelephoneCaller(
            channel, node.ari, node.router, node.sounds, node.clock, node.watch, self.record, self.on_disk
        )

    def window(self, about: str = "") -> Window:
        """Where the machine serves the caller."""
        return Window(
            caller=self.caller,
            line=self.line,
            calling_number=self.kept.calling_number,
            about=about,
            now=self.clock.utc,
            identification=self._identity,
            business=self.node.business,
            texts=self.node.texts,
            dictate=self._dictate,
            offices=self.node.offices,
            reach=lambda reached: self.keep(reached=reached),
            fax=self._fax,
        )

    def _fax(self) -> TelephoneFax | None:
        return TelephoneFax(self) if self.node.faxes.has_room else None

    def _dictate(self, matter: Matter) -> TelephoneDictation | None:
        if self.node.recorder.cannot_record:
            return None
        message = f"{self.call_id}.m{self.kept.dictations + 1}"
        dictation = self._dictations[message] = TelephoneDictation(self, message, matter)
        return dictation

    def leg(self, undo: AsyncExitStack, channel: str | None = None) -> Leg:
        """A leg to a seat, to be rung or there already, that ends with the call at the latest."""
        leg = Leg(self.ari, self.node.router, channel, there=channel is not None)
        undo.push_async_callback(leg.close)
        self._legs.append(leg.channel)
        return leg

    def stands_on(self, channel: str) -> None:
        """One more channel of this call, which ends by itself."""
        self._legs.append(channel)

    def citizen(self, undo: AsyncExitStack) -> Leg:
        """The leg to the citizen who is called back; once answered it is this call's own."""
        leg = Leg(self.ari, self.node.router, self.call_id)
        undo.push_async_callback(leg.close)
        return leg

    def counts(self) -> None:
        """From now on it is one of the calls that are carried at once."""
        if not self.counted:
            self.counted = True
            self.node.admission.keep(self.kept.trunk)

    async def through_dialplan(self, context: str, extension: str, within_s: float = DIALPLAN_S) -> None:
        """Send the caller through a dialplan context that comes back: what ARI cannot do itself is done there."""
        await self._back.again()
        await self.ari.channels.continue_in_dialplan(self.call_id, context=context, extension=extension, priority=1)
        async with asyncio.timeout(within_s):
            await self._back.wait()

    def mark_crisis(self) -> None:
        """The adviser says that it is about life and death: that is told once, and kept for the number's next call."""
        conversation = self.kept.conversation
        if conversation is None or self.kept.crisis_at is not None:
            return
        seat, adviser, now = conversation.seat, conversation.adviser, self.clock.utc()
        marked = CrisisMarked(call_id=self.call_id, visit=self.visit, seat=seat, adviser=adviser)
        with self.node.journal.together():
            self.turn(marked, crisis_at=now)
            self.node.crises.put(self.kept.calling_number, now)

    async def join(self, own: str, how: LeadHow) -> None:
        """A team lead, by the telephone at the seat `own`, is at the conversation from now on, or in another way than before.

        Returns when it is so. Raises NotPossible, with the reason, when it cannot be.
        """
        while self.lead and self.lead.over:
            await self.lead.gone.wait()
        conversation = self.kept.conversation
        if conversation is None:
            raise NotPossible("the conversation is over")
        if conversation.apart_since_ms is not None or self.wishes.apart:
            raise NotPossible("the machine is asking this caller who they are, which nobody hears")
        if self.lead is None:
            self.lead = Lead(self, own)
            self.node.spawn(self.lead.run())
        elif self.lead.own != own:
            raise NotPossible(f"another lead is there already, by the telephone at seat {self.lead.own}")
        await self.lead.be(how)

    def lead_ends(self, why: LeadLeftWhy) -> None:
        """No lead is at the conversation any more; that is told, also of one who came under another controller."""
        if self.lead:
            self.lead.end(why)
        tell_left(self, why)

    # --- the task

    async def run(self, *, resumed: bool = False) -> None:
        """The whole call; returns when it is over and everything of it is told."""
        structlog.contextvars.bind_contextvars(call_id=self.call_id)
        with self.node.router.mailbox(self.call_id) as box:
            pump = asyncio.create_task(self._pump(box))
            flow = asyncio.create_task(self._flow(resumed))
            await asyncio.wait({flow, pump}, return_when=asyncio.FIRST_COMPLETED)
            if self.kept.unreached:  # nobody has hung up on us: what came of the attempt, it tells itself
                await asyncio.wait({flow})
            elif not flow.done():
                self.ended_by = pump.result()
                flow.cancel()
            self.parting.set()
            await asyncio.gather(flow, return_exceptions=True)
            self._note_fault(flow)
            self._leave_open_visit()
            await self._let_go(pump)
        await self._lead_gone()
        self._tell_end()
        self.told.set()

    async def _pump(self, box: Mailbox) -> EndedBy:
        """The caller's events, until the caller is gone; who ended the call, should it have been going on."""
        keys = Keys()
        while True:
            match await box.get():
                case ChannelDtmfReceived(digit=digit) as told:
                    if keys.is_new(told):
                        self.caller.press(digit)
                case StasisStart() | Came():
                    self._back.came()
                case ChannelTalkingStarted() | ChannelTalkingFinished() as heard:
                    for dictation in self._dictations.values():
                        dictation.speaks(isinstance(heard, ChannelTalkingStarted))
                case ChannelUserevent(eventname="fax", userevent=told):
                    self.fax_told = {word: str(value) for word, value in told.items()}
                case ChannelUserevent(userevent=counts):
                    self._packets = packets_received(counts)
                case ChannelDestroyed() | Vanished(died=False):
                    return "caller"
                case Vanished():
                    self._dropped = True
                    return "fault"

    def _note_fault(self, flow: asyncio.Task[None]) -> None:
        if flow.cancelled() or (error := flow.exception()) is None:
            return
        if isinstance(error, Gone | NotInStasis):  # the hang-up overtook its event
            self.ended_by = "caller"
            return
        self._fault, self.ended_by = True, "fault"
        if isinstance(error, Unavailable):  # Asterisk's trouble, which has a log line of its own
            log.warning("a call cannot go on", step=self.kept.step, error=str(error))
        else:
            log.error("a call failed", step=self.kept.step, exc_info=error)

    def _leave_open_visit(self) -> None:
        """Whoever still waits when the call ends has abandoned, or was let down by us."""
        if not self.kept.visit_open:
            return
        if self.ended_by == "fault":
            self.leave_queue("fault")
        else:
            with self.node.journal.together():
                self.leave_queue("abandoned_ringing" if self.kept.step == "ringing" else "abandoned_waiting")
                self.node.promises.gave_up(self.kept, self.now_ms() - self.kept.since_ms)

    async def _let_go(self, pump: asyncio.Task[EndedBy]) -> None:
        """End the caller's leg if it is still up, and wait until Asterisk says so, or is gone with all its calls."""
        if not self.has_channel:
            pump.cancel()
            return
        if self._fault and not pump.done():
            with suppress(AriError):
                await self.caller.say("fault", skippable=False)
        while not (pump.done() or await asked_to_go(self.ari.channels.hangup(self.call_id), self.call_id)):
            await asyncio.wait({pump}, timeout=ASK_AGAIN_S)
        await asyncio.wait({pump}, timeout=LAST_EVENT_S)
        pump.cancel()

    async def _lead_gone(self) -> None:
        """What a lead said to both is whole only once their telephone's leg has ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_EVENT_S):
                if self.lead:
                    await self.lead.gone.wait()

    def _tell_end(self) -> None:
        ended = CallEnded(
            call_id=self.call_id,
            outcome=outcome(self.kept, self.ended_by),
            ended_by=self.ended_by,
            lasted_ms=max(0, self.now_ms() - self.kept.arrived_ms),
            step=self.kept.step,
        )
        with self.node.journal.together():
            for pending, leg in self.recordings:
                counted = {"caller_packets": self._packets, "seat_packets": leg.packets if leg else 0}
                self.node.recorder.seal_soon(msgspec.structs.replace(pending, **counted))
            if self._dropped and self.kept.carried and self.ended_by == "fault":
                self.node.promises.owe(self.kept, "asterisk_died")
                keep_place(self.node.places, self.kept)
            self.record(ended)
            self.node.books.close(self.call_id)
            self.node.promises.released(self.call_id)

    async def on_disk(self) -> bool:
        """Wait until all that was told is safe; False when the disk does not take it in time."""
        try:
            async with asyncio.timeout(PROMISE_S):
                await self.node.journal.flush()
        except TimeoutError:
            return False
        return True

    async def _flow(self, resumed: bool) -> None:
        undo = AsyncExitStack()
        try:
            await go(self, undo, resumed=resumed)
        finally:
            _be_patient()
            await undo.aclose()


def _be_patient() -> None:
    """What is undone after a hang-up has time limits of its own, none of which Python 3.11 tells in a cancelled task."""
    task = asyncio.current_task()
    while task and task.uncancel():
        pass
