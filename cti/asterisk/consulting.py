"""An adviser asks somebody else about the call (咨询): a colleague or a team lead at a seat, or a number outside.

call.wishes.ask(phone, "1003")                 # the caller hears music, whoever is asked is rung
call.consultation.be("conference")             # all three hear each other (三方通话)
call.consultation.be("back")                   # whoever was asked is let go of, and the two go on
call.wishes.hand_over()                        # the adviser leaves, and the caller is with whoever was asked (咨询转接)

Whoever is asked stands in the conversation's own bridge. An adviser who hangs up meanwhile has handed the caller over: no
caller is lost by a key too many. A team lead who takes a call over (接管) is asked in silence, and has the caller once they
answer. A caller who is handed over to a seat begins a visit of their own there, with its recording, form and question;
outside nothing is recorded any more, and the caller is theirs until one of them hangs up (decision 0036).
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import msgspec
import structlog

from calls.errors import NotPossible
from calls.facts import Chosen, ConsultationBegun, ConsultationEnded, ConsultationOutcome, NotAnswered
from cti.asterisk.ending import GONE_S, insist, remove_bridge
from cti.asterisk.errors import AriError, Gone, NotInStasis
from cti.asterisk.kept import Conversation, KeptConsultation, Rung, visit_begins
from cti.asterisk.leg import DidNotAnswerError, Leg, Phone
from cti.asterisk.moving import RING_S
from cti.asterisk.playing import RINGING_TONE
from cti.asterisk.seated import UNRECORDED, Seated
from cti.asterisk.staying import until_answered
from queues import Answered, ConversationOver, Held, Leave, Propose
from queues import NotAnswered as SeatNotAnswered
from recordings import Part

if TYPE_CHECKING:
    from cti.asterisk.session import Session

log = structlog.get_logger(__name__)


class Asked(msgspec.Struct, frozen=True):
    """Who is asked: at a seat that is reserved for it, or outside."""

    phone: Phone
    proposal: Propose | None = None
    """Of the engine, for the visit that begins should they take the caller; None: somebody outside."""
    outside: str = ""
    """The name of whoever is outside."""
    take_over: bool = False
    """A team lead who takes the call over."""


class Consultation:
    """One, from the wish until all of it is over, or until whoever was asked has the caller."""

    def __init__(self, call: Session, undo: AsyncExitStack, asked: Asked | None = None) -> None:
        """`asked` None: another controller began it, and they had answered."""
        self._call, self._undo = call, undo
        self._leg = call.leg(undo) if asked else call.leg(undo, self._kept.leg)
        self._look = asyncio.Event()
        self._moved = False
        self._over = False
        self._ringing: asyncio.Task[None] | None = None
        self._generation = asked.proposal.generation if asked and asked.proposal else 0
        """Of the reservation of the seat that is asked: by now it may be rung for somebody else."""
        if asked:
            self._begin(asked)
            self._ringing = asyncio.create_task(self._ring(asked))
        elif self._kept.seat:
            call.node.floor.found_talking(self._kept.seat, self._kept.adviser, call.next_visit)
        self._wanted: Literal["consulting", "conference", "back"] = "consulting"
        if self._kept.state == "conference":
            self._wanted = "conference"
        self._running = asyncio.create_task(self._run())
        undo.push_async_callback(self._stop)

    @property
    def over(self) -> bool:
        """Whether it has ended, but for clearing away."""
        return self._over

    # --- while the adviser is there

    def be(self, wanted: Literal["conference", "back"]) -> None:
        """All three hear each other, or whoever was asked is let go of. Raises NotPossible."""
        if self._over:
            raise NotPossible("nobody is being asked about this call any more")
        if self._kept.take_over:
            raise NotPossible("a team lead is taking this call over")
        if wanted == "conference" and self._kept.state == "ringing":
            raise NotPossible("they have not answered yet. Mend: wait until they do, or take the caller back")
        self._wanted = wanted
        self._look.set()

    def move(self) -> None:
        """Whoever is asked goes on on what is their seat's telephone now. Raises NotPossible when they do not speak yet."""
        if self._over or self._kept.state == "ringing":
            raise NotPossible("nobody is talking there")
        self._moved = True
        self._look.set()

    async def _run(self) -> None:
        """Until it is over; cancelled when the conversation is, or when whoever was asked is to have the caller."""
        outcome: ConsultationOutcome = "interrupted"
        reason: NotAnswered | None = None
        try:
            if self._ringing:
                await self._until_answered(self._ringing)
            outcome = await self._with_them()
        except DidNotAnswerError as error:
            outcome, reason = "not_answered", error.reason
        except (Gone, NotInStasis):  # adviser or caller has left: within a moment the conversation's end cancels this
            await asyncio.sleep(GONE_S)
        except (AriError, TimeoutError) as error:
            log.warning("somebody cannot be asked about a call", call_id=self._call.call_id, error=str(error))
        self.end(outcome, reason)
        await self._ring_no_more()
        await self._leg.close()
        await insist(self._caller_back, self._call.call_id)
        self._call.consultation = None

    async def _caller_back(self) -> None:
        with suppress(Gone, NotInStasis):  # one of the two has left, of which it is told elsewhere
            await caller_back(self._call)

    async def _until_answered(self, ringing: asyncio.Task[None]) -> None:
        """Or let go of. The adviser hears it ring, unless it is a take-over. Raises DidNotAnswerError, AriError."""
        if not self._kept.take_over:
            await self._put_aside()
        hearing = asyncio.create_task(self._hear_it_ring())
        try:
            await self._until_told_or(ringing)
            if ringing.done():
                ringing.result()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _ring_no_more(self) -> None:
        """It reads what is told of the leg, and so would keep its end from whoever closes it."""
        if self._ringing:
            self._ringing.cancel()
            await asyncio.gather(self._ringing, return_exceptions=True)

    async def _until_told_or(self, task: asyncio.Task[object]) -> None:
        """Until the adviser wants something else, or this is done."""
        looking = asyncio.create_task(self._look.wait())
        try:
            await asyncio.wait({task, looking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _hear_it_ring(self) -> None:
        if not self._kept.take_over:
            with suppress(AriError):
                await self._call.person(self._conversation.leg).hear(RINGING_TONE)

    async def _with_them(self) -> ConsultationOutcome:
        """Until whoever was asked is let go of, or leaves. Raises AriError, TimeoutError."""
        leaving = asyncio.create_task(self._leg.ended())
        try:
            if self._wanted != "back" and self._kept.take_over:
                self._call.wishes.hand_over()
                await leaving
            elif self._wanted != "back" and self._kept.state == "ringing":
                await self._record()
            while self._wanted != "back" and not leaving.done():
                self._look.clear()
                if self._moved:
                    leaving = await self._go_on_elsewhere(leaving)
                await self._make_it_so(leaving)
                await self._until_told_or(leaving)
            return "left" if leaving.done() else "taken_back"
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    async def _go_on_elsewhere(self, leaving: asyncio.Task[int]) -> asyncio.Task[int]:
        """On the other telephone of the asked seat, if it answers: its end, in place of the old one's. Raises AriError."""
        self._moved = False
        call, phone, fresh = self._call, self._call.node.telephones.of(self._kept.seat), self._call.leg(self._undo)
        try:
            await fresh.ring(phone, ("to-seat", UNRECORDED), RING_S, call.kept.calling_number)
        except DidNotAnswerError:
            return leaving
        if leaving.done() or self._wanted == "back":
            await fresh.close()
            return leaving
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        old, self._leg = self._leg, fresh
        self._keep(leg=fresh.channel, endpoint=phone.endpoint)
        leaving = asyncio.create_task(fresh.ended())
        try:
            await old.close()
            fresh.packets += old.packets
            await self._record()
        except BaseException:
            leaving.cancel()
            raise
        return leaving

    async def _make_it_so(self, leaving: asyncio.Task[int]) -> None:
        """Those who are to hear each other are in the bridge. Raises AriError, but not when whoever was asked is gone."""
        call, bridge, wanted = self._call, self._conversation.bridge, self._wanted
        together = [self._conversation.leg, self._leg.channel]
        if wanted == "conference":
            await self._music(on=False)
            together.append(call.call_id)
        try:
            for channel in together:
                await call.ari.bridges.add_channel(bridge, [channel])
        except (Gone, NotInStasis):
            await asyncio.wait({leaving}, timeout=GONE_S)
            if leaving.done():
                return
            raise
        if wanted in ("back", self._kept.state):
            return
        now_ms = call.now_ms()
        with call.node.journal.together():
            if wanted == "conference":
                _keep_aside(self._call, aside=False)
            self._keep(state=wanted, since_ms=now_ms, **{f"{wanted}_ms": now_ms})

    # --- caller and adviser

    @property
    def _conversation(self) -> Conversation:
        conversation = self._call.kept.conversation
        assert conversation, "whoever ends it has ended this first"
        return conversation

    async def _put_aside(self) -> None:
        """The caller hears music; the adviser is out of the bridge, too, to hear it ring. Raises AriError."""
        call, conversation = self._call, self._conversation
        _keep_aside(self._call, aside=True)
        there = (await call.ari.bridges.get(conversation.bridge)).channels
        if both := [channel for channel in (call.call_id, conversation.leg) if channel in there]:
            await call.ari.bridges.remove_channel(conversation.bridge, both)
        await self._music(on=True)

    async def _music(self, *, on: bool) -> None:
        await _music(self._call, on=on)

    # --- whoever is asked

    @property
    def _kept(self) -> KeptConsultation:
        kept = self._call.kept.consultation
        assert kept, "it is kept until its end is told"
        return kept

    def _keep(self, **changes: object) -> None:
        self._call.keep(consultation=msgspec.structs.replace(self._kept, **changes))

    def _begin(self, asked: Asked) -> None:
        call, proposal, now_ms = self._call, asked.proposal, self._call.now_ms()
        kept = KeptConsultation(
            visit=call.visit,
            leg=self._leg.channel,
            endpoint=asked.phone.endpoint,
            seat=proposal.seat if proposal else "",
            adviser=proposal.adviser if proposal else "",
            outside=asked.outside,
            take_over=asked.take_over,
            asked_by=self._conversation.adviser,
            begun_ms=now_ms,
            since_ms=now_ms,
        )
        begun = ConsultationBegun(
            call_id=call.call_id,
            visit=call.visit,
            seat=self._conversation.seat,
            adviser=self._conversation.adviser,
            asked_seat=kept.seat or None,
            asked_adviser=kept.adviser or None,
            outside=kept.outside or None,
            take_over=kept.take_over,
        )
        call.turn(begun, consultation=kept)

    async def _ring(self, asked: Asked) -> None:
        """Until they answer. Raises DidNotAnswerError."""
        call, proposal = self._call, asked.proposal
        if proposal and not call.node.floor.accept(proposal):
            raise DidNotAnswerError("unreachable")
        if proposal and call.lead and call.lead.own == proposal.seat:
            call.lead_ends("left")
            await call.lead.gone.wait()
        shown = call.kept.calling_number if proposal else call.line.number
        to = ("to-seat", UNRECORDED) if proposal else ("to-citizen", "s")
        await self._leg.ring(asked.phone, to, call.node.settings.ring_s, shown)
        if proposal:
            call.node.floor.take(Answered(proposal.seat, proposal.generation))
        self._keep(rang_ms=call.now_ms() - self._kept.begun_ms)

    async def _record(self) -> None:
        """What they say is on the adviser's side of the recording. `ended` is waited for meanwhile. Raises AriError."""
        call, recorder, visit = self._call, self._call.node.recorder, self._kept.visit
        pending = recorder.find(visit)
        if pending.unrecorded:
            return
        name = f"{visit}.beside.{len(pending.beside) + 1}"
        recorder.add(visit, "beside", Part(recorder.raw_file(name), call.now_ms()))  # before it begins
        await until_answered(self._leg.through_dialplan("start-recording", name))
        recorder.add(visit, "beside", Part(recorder.raw_file(name), call.now_ms()))

    # --- the end of it

    def end(self, outcome: ConsultationOutcome, reason: NotAnswered | None = None) -> None:
        """It is over, and that is told; the second time does nothing. Never blocks."""
        if self._over:
            return
        self._over = True
        call, kept = self._call, self._kept
        with call.node.journal.together():
            if outcome != "handed_over":
                self._free_seat(kept, reason, hung_up=outcome == "left")
            goes_on = {"consultation": kept, "step": "outside"} if outcome == "handed_over" and kept.outside else {}
            ended = consultation_ended(call.call_id, kept, outcome, call.now_ms(), reason)
            call.turn(ended, **{"consultation": None, **goes_on})

    def _free_seat(self, kept: KeptConsultation, reason: NotAnswered | None, *, hung_up: bool) -> None:
        if not kept.seat:
            return
        floor, visit = self._call.node.floor, self._call.next_visit
        if reason:
            floor.take(SeatNotAnswered(kept.seat, self._generation, reason))
        elif kept.rang_ms is None:
            floor.take(Leave(visit))
        else:
            floor.take(ConversationOver(kept.seat, visit, hung_up=hung_up))

    async def _stop(self) -> None:
        """Undo of it, before its leg is closed."""
        self.end("caller_left" if self._call.ended_by == "caller" else "conversation_ended")
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._ring_no_more()

    # --- the adviser has left, and whoever was asked has the caller

    async def be_alone(self) -> None:
        """Nothing is done any more for the adviser, who has left; and the caller hears no music."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._music(on=False)

    async def takes_caller(self) -> Seated | Leg:
        """The caller is theirs, once they have answered; who is outside is told by their leg alone: see `until_parted`.

        Raises DidNotAnswerError when they do not answer, or are gone again, AriError or TimeoutError when it cannot be done.
        """
        if self._ringing:
            try:
                await self._wait_with_music(self._ringing)
            except DidNotAnswerError as error:
                self._end_untaken("not_answered", error.reason)
                raise
        leaving = asyncio.create_task(self._leg.ended())
        try:
            seated = await self._takes_caller()
        except (Gone, NotInStasis) as error:
            self._end_untaken("left")
            raise DidNotAnswerError("unreachable") from error
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        self._call.consultation = None
        return seated

    def _end_untaken(self, outcome: ConsultationOutcome, reason: NotAnswered | None = None) -> None:
        """Whoever was asked does not have the caller, who is for another adviser, of whom all may be asked again."""
        self.end(outcome, reason)
        self._call.consultation = None

    async def _wait_with_music(self, ringing: asyncio.Task[None]) -> None:
        if not ringing.done():
            await self._music(on=True)
            await asyncio.wait({ringing})
            await self._music(on=False)
        ringing.result()

    async def _takes_caller(self) -> Seated | Leg:
        """`ended` is waited for meanwhile."""
        call, kept = self._call, self._kept
        await self._leg.through_dialplan("stop-recording", "s")
        if kept.outside:
            self._keep(bridge=uuid4().hex, state="conference")
            self.end("handed_over")
            return self._leg
        unrecorded, visit = call.node.recorder.cannot_record, call.next_visit
        if not unrecorded:
            await self._leg.through_dialplan("start-recording", f"{visit}.seat")
        seated = Seated(
            Propose(
                visit,
                kept.seat,
                kept.adviser,
                call.node.floor.engine.seat(kept.seat).generation,
                "consult",
                Chosen(waited_ms=0, rested_ms=0, surplus=0, preferred=True),
            ),
            self._leg,
            Phone(kept.endpoint),
            call.now_ms(),
            kept.rang_ms or 0,
            unrecorded,
        )
        self._begin_visit(kept)
        return seated

    def _begin_visit(self, kept: KeptConsultation) -> None:
        """The visit of whoever has the caller now, which waits for nobody."""
        call, now_ms = self._call, self._call.now_ms()
        needs = msgspec.structs.replace(call.needs, preferred=kept.adviser)
        visits = call.kept.visits + 1
        entered = visit_begins(call.call_id, visits, needs, now_ms)
        with call.node.journal.together():
            self.end("handed_over")
            began = {"visits": visits, "visit_open": True, "needs": needs, "since_ms": now_ms}
            call.turn(entered, step="ringing", rung=Rung(kept.seat, kept.adviser), **began)


def find_consultation(call: Session, undo: AsyncExitStack, kept: KeptConsultation) -> Consultation | None:
    """That of another controller goes on, unless they had not answered: then it is over, and they are rung no more."""
    if kept.state != "ringing":
        return Consultation(call, undo)
    call.node.spawn(call.node.clear_away(kept.leg))
    call.turn(consultation_ended(call.call_id, kept, "interrupted", call.now_ms()), consultation=None)
    return None


async def caller_back(call: Session) -> None:
    """The two hear each other again, if the caller was aside. Raises AriError."""
    conversation = call.kept.conversation
    if conversation and conversation.aside:
        await _music(call, on=False)
        await call.ari.bridges.add_channel(conversation.bridge, [conversation.leg, call.call_id])
        _keep_aside(call, aside=False)


def _keep_aside(call: Session, *, aside: bool) -> None:
    """The caller is on hold meanwhile, by the seat's state and in the figures."""
    conversation = call.kept.conversation
    if conversation and conversation.aside != aside:
        with call.node.journal.together():
            call.node.floor.take(Held(conversation.seat, call.visit, aside))
            held = conversation.hold(aside, call.now_ms())
            call.keep(conversation=msgspec.structs.replace(held, aside=aside))


async def _music(call: Session, *, on: bool) -> None:
    """For the caller, who may be gone."""
    channels = call.ari.channels
    with suppress(Gone, NotInStasis):
        await (channels.start_moh if on else channels.stop_moh)(call.call_id)


async def until_parted(call: Session, undo: AsyncExitStack, leg: Leg, *, resumed: bool) -> None:
    """The caller and whoever is outside hear each other until the latter leaves; then the caller is alone. Raises AriError.

    `resumed`: another controller had brought them together, or was about to."""
    kept = call.kept.consultation
    assert kept, "somebody is outside"
    undo.push_async_callback(remove_bridge, call.ari, kept.bridge)
    with suppress(Gone, NotInStasis):  # one of them has left, of which it is told elsewhere
        if not (resumed and await _is_there(call, kept.bridge)):
            await call.ari.bridges.create_with_id(kept.bridge, type="mixing")
        await call.ari.bridges.add_channel(kept.bridge, [call.call_id, kept.leg])
    if resumed:
        await look_for(call, kept.leg)
    await leg.ended()
    with suppress(Gone, NotInStasis):  # whoever is played to in a bridge, and hangs up, stays there (decision 0015)
        await call.ari.bridges.remove_channel(kept.bridge, [call.call_id])


async def _is_there(call: Session, bridge: str) -> bool:
    try:
        await call.ari.bridges.get(bridge)
    except Gone:
        return False
    return True


async def look_for(call: Session, leg: str) -> None:
    """Whoever has left while no controller looked is told to be gone."""
    try:
        await call.ari.channels.get(leg)
    except Gone:
        call.node.router.vanish(leg)


def consultation_ended(
    call_id: str,
    kept: KeptConsultation,
    outcome: ConsultationOutcome,
    now_ms: int,
    reason: NotAnswered | None = None,
) -> ConsultationEnded:
    """What came of it, which ends now. Monotonic milliseconds."""
    together_ms = 0 if kept.conference_ms is None else now_ms - kept.conference_ms
    asked_ms = 0 if kept.consulting_ms is None else now_ms - kept.consulting_ms - together_ms
    return ConsultationEnded(
        call_id=call_id,
        visit=kept.visit,
        asked_seat=kept.seat or None,
        asked_adviser=kept.adviser or None,
        outside=kept.outside or None,
        outcome=outcome,
        reason=reason,
        rang_ms=max(0, now_ms - kept.begun_ms) if kept.rang_ms is None else kept.rang_ms,
        asked_ms=max(0, asked_ms),
        together_ms=max(0, together_ms),
    )
