"""A call from its arrival to its one terminal fact: one task, cancelled once when the caller hangs up.

Read `_from_the_start` downwards: it is the call. Whatever it makes in Asterisk (a seat's leg, a bridge) is pushed on an undo
stack first, so nothing is left behind however it ends. Each turn is kept (`kept.py`); `resume` goes on from there under
another controller. Who hears what is the line's business (`ivr/`), who speaks to whom the engine's (`queues/`).
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import msgspec
import structlog

from calls.clock import Instant, ms_between
from calls.facts import (
    AdviserNumberSaid,
    AnyFact,
    CallEnded,
    CallOutcome,
    ConversationEnded,
    EndedBy,
    NoticeHeard,
    PositionSaid,
    QueueEntered,
    QueueLeft,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
    VisitOutcome,
)
from calls.words import Needs
from cti.asterisk.caller import TelephoneCaller
from cti.asterisk.errors import AriError, Gone, NotInStasis
from cti.asterisk.generated.messages import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelUserevent,
    PlaybackFinished,
    StasisStart,
)
from cti.asterisk.kept import Conversation, KeptCall
from cti.asterisk.router import Mailbox, Vanished
from cti.asterisk.seatleg import NORMAL, SeatDidNotAnswerError, SeatLeg, packets_received
from cti.floor import Place
from cti.recorder import Pending
from ivr.flow import run_line
from ivr.line import Line
from ivr.next import JoinQueue
from ivr.rating import ask_rating, wait_for_hang_up
from queues import Accepted, Answered, ConversationOver, NotAnswered, Propose

if TYPE_CHECKING:
    from cti.asterisk.node import Node

log = structlog.get_logger(__name__)

WAITING_ROOM = "rexian-waiting"
"""The one holding bridge with music; callers in it do not hear each other."""

DIALPLAN_S = 3.0
"""A channel sent through the dialplan is back within 10 ms; after this long it is given up."""

LAST_EVENT_S = 3.0
"""How long the end of a channel that we hung up may take to be told."""


class Session:
    """One caller's call. `kept` is always the present step."""

    def __init__(self, node: Node, line: Line, kept: KeptCall, calling_number: str) -> None:
        self._node, self._line, self.kept = node, line, kept
        self._calling_number = calling_number
        self._facts, self._clock, self._ari = node.watch, node.clock, node.ari
        self.caller = TelephoneCaller(
            kept.call_id, node.ari, node.router, node.sounds, node.clock, node.watch, self._record
        )
        self._back = asyncio.Event()
        self._ended_by: EndedBy = "system"
        self._fault = False
        self._packets = 0
        self._legs: list[str] = []
        self._recordings: list[tuple[Pending, SeatLeg]] = []

    @property
    def call_id(self) -> str:
        return self.kept.call_id

    @property
    def visit(self) -> str:
        """The present queue visit: the call's id and a number."""
        return f"{self.call_id}.{self.kept.visits}"

    @property
    def channels(self) -> list[str]:
        """Every channel of Asterisk that this call stands on."""
        return [self.call_id, *self._legs]

    def _record(self, fact: AnyFact) -> None:
        if isinstance(fact, NoticeHeard) and fact.whole:
            self._keep(step="menu")
        self._facts.record(fact)

    def _keep(self, **changes: object) -> None:
        self.kept = msgspec.structs.replace(self.kept, **changes)
        self._node.journal.put(f"call/{self.call_id}", self.kept)

    # --- the task

    async def run(self, *, resumed: bool = False) -> None:
        """The whole call; returns when it is over and everything of it is told."""
        structlog.contextvars.bind_contextvars(call_id=self.call_id)
        self._keep()
        with self._node.router.mailbox(self.call_id) as box:
            pump = asyncio.create_task(self._pump(box))
            flow = asyncio.create_task(self._flow(resumed))
            await asyncio.wait({flow, pump}, return_when=asyncio.FIRST_COMPLETED)
            if pump.done() and not flow.done():
                self._ended_by = "caller"
                flow.cancel()
            await asyncio.gather(flow, return_exceptions=True)
            self._note_fault(flow)
            await self._let_go(pump)
        self._tell_end()

    async def _pump(self, box: Mailbox) -> None:
        """The caller's events; returns when the caller is gone."""
        while True:
            match await box.get():
                case ChannelDtmfReceived(digit=digit):
                    self.caller.press(digit)
                case StasisStart():
                    self._back.set()
                case ChannelUserevent(userevent=counts):
                    self._packets = packets_received(counts)
                case ChannelDestroyed() | Vanished():
                    return

    def _note_fault(self, flow: asyncio.Task[None]) -> None:
        if flow.cancelled() or flow.exception() is None:
            return
        error = flow.exception()
        if isinstance(error, Gone | NotInStasis):  # the hang-up overtook its event
            self._ended_by = "caller"
            return
        self._fault, self._ended_by = True, "fault"
        log.error("a call failed", error=repr(error), step=self.kept.step, exc_info=error)

    async def _let_go(self, pump: asyncio.Task[None]) -> None:
        """End the caller's leg if it is still up, and wait until Asterisk says so."""
        if pump.done():
            return
        try:
            if self._fault:
                await self.caller.say("fault", skippable=False)
            await self._ari.channels.hangup(self.call_id)
        except Gone:
            pass
        except AriError as error:
            log.warning("a call could not be hung up", error=str(error))
        await asyncio.wait({pump}, timeout=LAST_EVENT_S)
        pump.cancel()

    def _tell_end(self) -> None:
        if self.kept.visit_open:
            self._leave_queue("fault")
        for pending, leg in self._recordings:
            counted = {"caller_packets": self._packets, "seat_packets": leg.packets}
            self._node.recorder.seal_soon(msgspec.structs.replace(pending, **counted))
        self._facts.record(
            CallEnded(
                call_id=self.call_id,
                outcome=self._outcome(),
                ended_by=self._ended_by,
                lasted_ms=self._since(self.kept.arrived_ms),
                step=self.kept.step,
            )
        )
        self._node.journal.forget(f"call/{self.call_id}")

    def _outcome(self) -> CallOutcome:
        if self.kept.queued:
            return "queued"
        if self._fault:
            return "fault"
        by_step: dict[str, CallOutcome] = {"notice": "abandoned_notice", "menu": "abandoned_menu"}
        return by_step.get(self.kept.step, "machine")

    def _since(self, start_ms: int) -> int:
        return max(0, round(self._clock.now() * 1000) - start_ms)

    # --- the call

    async def _flow(self, resumed: bool) -> None:
        async with AsyncExitStack() as undo:
            if not resumed:
                await self._from_the_start(undo)
            elif self.kept.step == "talking" and self.kept.conversation:
                await self._go_on_talking(undo, self.kept.conversation)
            elif self.kept.step in ("queue", "ringing") and self.kept.needs:
                await self._wait_and_talk(undo, self.kept.needs, Instant(self.kept.since_ms / 1000), returned=True)
            elif self.kept.step in ("rating", "closing"):
                await self._say_goodbye()
            else:
                await self._from_the_start(undo)

    async def _from_the_start(self, undo: AsyncExitStack) -> None:
        await self._ari.channels.answer(self.call_id)
        self._keep(step="notice")
        match await run_line(self._line, self.caller, self._clock.utc()):
            case JoinQueue(needs=needs):
                await self._wait_and_talk(undo, needs, self._clock.now(), returned=False)
            case _:
                self._keep(step="closing")
                await wait_for_hang_up(self.caller, self._node.settings.silence_before_close_s)

    async def _say_goodbye(self) -> None:
        self._keep(step="closing")
        await self.caller.say("goodbye")
        await wait_for_hang_up(self.caller, self._node.settings.silence_before_close_s)

    # --- waiting

    async def _wait_and_talk(self, undo: AsyncExitStack, needs: Needs, since: Instant, *, returned: bool) -> None:
        """From joining the queue to the end of the call. A conversation whose seat is lost comes back in here."""
        while True:
            conversation = await self._wait_for_seat(undo, needs, since, returned=returned)
            if conversation is None:
                return await self._say_goodbye()
            if not await self._talk(undo, conversation):
                return await self._after(conversation)
            await self._ask_pardon()
            returned = True

    async def _ask_pardon(self) -> None:
        await self.caller.say("seat.lost", skippable=False)

    async def _wait_for_seat(
        self, undo: AsyncExitStack, needs: Needs, since: Instant, *, returned: bool
    ) -> tuple[Propose, SeatLeg, int, int] | None:
        """Join, wait, ring; (proposal, leg, instant of answer, rang ms), or None when turned away."""
        if not (returned and self.kept.visit_open):
            self._keep(visits=self.kept.visits + 1)
        visit = self.visit
        self._keep(step="queue", queued=True, visit_open=True, needs=needs, since_ms=round(since * 1000))
        self._facts.record(
            QueueEntered(
                call_id=self.call_id,
                visit=visit,
                queue=needs.queue,
                skills=needs.skills,
                since_ms=round(since * 1000),
                returned=returned,
            )
        )
        place = self._node.floor.enter(visit, needs, since, returned=returned)
        undo.callback(self._leave_place, visit)
        if place.turned_away:
            await self._turn_away(place.turned_away)
            return None
        announcing = asyncio.create_task(self._announce(place))
        try:
            while True:
                if answered := await self._ring(undo, place, await place.proposal()):
                    return answered
        finally:
            announcing.cancel()
            await asyncio.gather(announcing, return_exceptions=True)

    async def _turn_away(self, reason: Literal["full", "no_seat"]) -> None:
        """Nobody can take the call: say so, and why."""
        self._leave_queue(reason)
        await self.caller.say(f"queue.{reason}", skippable=False)

    def _leave_place(self, visit: str) -> None:
        """Undo: whoever still waits when the call ends has abandoned, waiting or ringing."""
        self._node.floor.leave(visit)
        if self.kept.visit_open and self.visit == visit:
            self._leave_queue("abandoned_ringing" if self.kept.step == "ringing" else "abandoned_waiting")

    def _leave_queue(self, outcome: VisitOutcome) -> None:
        waited_ms = self._since(self.kept.since_ms)
        self._facts.record(QueueLeft(call_id=self.call_id, visit=self.visit, outcome=outcome, waited_ms=waited_ms))
        self._keep(visit_open=False)

    async def _announce(self, place: Place) -> None:
        """What a waiting caller hears: a word at the start, the place in the queue whenever it is better, and music."""
        await self.caller.say("queue.enter", skippable=False)
        await self._ari.bridges.add_channel(WAITING_ROOM, self.call_id)
        said: int | None = None
        while True:
            position = place.position
            if position is not None and (said is None or position < said):
                said = position
                self._facts.record(PositionSaid(call_id=self.call_id, visit=self.visit, position=position))
                await self.caller.say("queue.position", skippable=False, number=position)
            await asyncio.sleep(self._node.settings.position_every_s)

    async def _ring(
        self, undo: AsyncExitStack, place: Place, proposal: Propose
    ) -> tuple[Propose, SeatLeg, int, int] | None:
        """Ring the proposed seat; None when it did not answer and the caller waits again."""
        leg = self._leg(undo)
        self._facts.record(
            SeatOffered(
                call_id=self.call_id,
                visit=proposal.visit,
                seat=proposal.seat,
                adviser=proposal.adviser,
                generation=proposal.generation,
                why=proposal.why,
            )
        )
        self._keep(step="ringing")
        began = self._clock.now()
        self._node.floor.take(Accepted(proposal.seat, proposal.generation))
        try:
            await leg.ring(proposal.seat, f"{proposal.visit}.seat", self._node.settings.ring_s, self._calling_number)
        except SeatDidNotAnswerError as error:
            place.again()
            self._facts.record(
                SeatDidNotAnswer(
                    call_id=self.call_id,
                    visit=proposal.visit,
                    seat=proposal.seat,
                    adviser=proposal.adviser,
                    reason=error.reason,
                    rang_ms=ms_between(began, self._clock.now()),
                )
            )
            self._keep(step="queue")
            self._node.floor.take(NotAnswered(proposal.seat, proposal.generation, error.reason))
            return None
        return proposal, leg, round(self._clock.now() * 1000), ms_between(began, self._clock.now())

    def _leg(self, undo: AsyncExitStack, channel: str | None = None) -> SeatLeg:
        leg = SeatLeg(self._ari, self._node.router, channel)
        undo.push_async_callback(leg.close)
        self._legs.append(leg.channel)
        return leg

    # --- talking

    async def _talk(self, undo: AsyncExitStack, answered: tuple[Propose, SeatLeg, int, int]) -> bool:
        """Connect them, say the adviser's number, wait for the end. True when the seat was lost, not ended."""
        proposal, leg, seat_started_ms, rang_ms = answered
        await self._through_dialplan("start-recording", f"{proposal.visit}.caller")
        caller_started_ms = round(self._clock.now() * 1000)
        bridge = uuid4().hex
        undo.push_async_callback(self._remove_bridge, bridge)
        await self._ari.bridges.create_with_id(bridge, type="mixing")
        await self._ari.bridges.add_channel(bridge, [self.call_id, leg.channel])
        self._node.floor.take(Answered(proposal.seat, proposal.generation))
        waited_ms = self._since(self.kept.since_ms)
        conversation = Conversation(
            proposal.seat, proposal.adviser, leg.channel, bridge, round(self._clock.now() * 1000)
        )
        self._facts.record(
            SeatAnswered(
                call_id=self.call_id,
                visit=proposal.visit,
                seat=proposal.seat,
                adviser=proposal.adviser,
                waited_ms=waited_ms,
                rang_ms=rang_ms,
            )
        )
        self._leave_queue("answered")
        self._keep(step="talking", conversation=conversation)
        pending = Pending(
            call_id=self.call_id,
            visit=proposal.visit,
            day=self._clock.utc(),
            caller_file=self._node.recorder.raw_file(f"{proposal.visit}.caller"),
            caller_started_ms=caller_started_ms,
            seat_file=self._node.recorder.raw_file(f"{proposal.visit}.seat"),
            seat_started_ms=seat_started_ms,
            begin_ms=conversation.begun_ms,
        )
        self._node.recorder.keep(pending)
        return await self._until_over(leg, conversation, pending, say_number=True)

    async def _go_on_talking(self, undo: AsyncExitStack, conversation: Conversation) -> None:
        """A conversation that went on while no controller was there."""
        leg = self._leg(undo, conversation.leg)
        undo.push_async_callback(self._remove_bridge, conversation.bridge)
        self._node.floor.found_talking(conversation.seat, conversation.adviser, self.visit)
        pending = next(p for p in self._node.recorder.unsealed() if p.visit == self.visit)
        proposal = Propose(self.visit, conversation.seat, conversation.adviser, 0, "")
        if await self._until_over(leg, conversation, pending, say_number=False):
            needs = self.kept.needs or self._line.needs(self._line.person)
            await self._ask_pardon()
            await self._wait_and_talk(undo, needs, Instant(self.kept.since_ms / 1000), returned=True)
        else:
            await self._after((proposal, leg, 0, 0))

    async def _until_over(
        self, leg: SeatLeg, conversation: Conversation, pending: Pending, *, say_number: bool
    ) -> bool:
        """Wait until one of them leaves. True when the seat's telephone vanished rather than hung up."""
        ended_by: EndedBy = "caller"
        saying = asyncio.create_task(self._say_number(conversation)) if say_number else None
        lost = False
        try:
            lost = await leg.ended() != NORMAL
            ended_by = "fault" if lost else "seat"
        finally:
            if saying:
                saying.cancel()
                await asyncio.gather(saying, return_exceptions=True)
            self._facts.record(
                ConversationEnded(
                    call_id=self.call_id,
                    visit=self.visit,
                    seat=conversation.seat,
                    adviser=conversation.adviser,
                    talked_ms=self._since(conversation.begun_ms),
                    ended_by=ended_by,
                )
            )
            self._node.floor.take(ConversationOver(conversation.seat, self.visit, lost))
            pending = msgspec.structs.replace(pending, end_ms=round(self._clock.now() * 1000))
            self._node.recorder.keep(pending)
            self._recordings.append((pending, leg))
        await self._through_dialplan("stop-recording", "s")
        return lost

    async def _say_number(self, conversation: Conversation) -> None:
        """Both hear it: the caller learns who speaks, the adviser when it was said."""
        playback = uuid4().hex
        media = self._node.sounds.media("seat.number", self.caller.language, number=conversation.adviser)
        with self._node.router.mailbox(playback) as box:
            await self._ari.bridges.play_with_id(conversation.bridge, playback, media=media)
            event = await box.get()
        if isinstance(event, PlaybackFinished) and event.playback.state == "done":
            self._facts.record(AdviserNumberSaid(call_id=self.call_id, visit=self.visit, adviser=conversation.adviser))

    async def _through_dialplan(self, context: str, extension: str) -> None:
        """Send the caller through a dialplan context that comes back: what ARI cannot do itself is done there."""
        self._back.clear()
        await self._ari.channels.continue_in_dialplan(self.call_id, context=context, extension=extension, priority=1)
        async with asyncio.timeout(DIALPLAN_S):
            await self._back.wait()

    async def _remove_bridge(self, bridge: str) -> None:
        try:
            await self._ari.bridges.destroy(bridge)
        except Gone:
            return

    async def _after(self, answered: tuple[Propose, SeatLeg, int, int]) -> None:
        """The adviser's side has ended: the satisfaction question, then the caller hangs up first."""
        self._keep(step="rating", conversation=None)
        await ask_rating(self.caller, self.visit, answered[0].adviser)
        self._keep(step="closing")
        await wait_for_hang_up(self.caller, self._node.settings.silence_before_close_s)
