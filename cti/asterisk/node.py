"""One Asterisk node: its client, its event socket, and the calls that are up on it.

The seats' telephones are in `telephones.py`; what a controller does that starts, or whose event socket was away, in
`reconcile.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
import structlog

from calls.clock import Clock, boot_id, ms_between
from calls.errors import NotPossible
from calls.facts import AnyFact, CallArrived, CallRefused, LeadHow, SeatState
from calls.numbers import normalise
from cti.admission import Admission
from cti.asterisk.books import Books
from cti.asterisk.callback import begin_attempt
from cti.asterisk.client import Ari
from cti.asterisk.config import trunk_endpoint
from cti.asterisk.consulting import Consultation
from cti.asterisk.errors import Gone, Unavailable
from cti.asterisk.gate import Gate
from cti.asterisk.generated.messages import StasisStart
from cti.asterisk.generated.models import Channel
from cti.asterisk.kept import KeptCall
from cti.asterisk.lead import Lead
from cti.asterisk.leg import Phone
from cti.asterisk.places import KeptPlace
from cti.asterisk.promises import Promise, Promises
from cti.asterisk.reconcile import Reconciler
from cti.asterisk.router import Router
from cti.asterisk.session import Session
from cti.asterisk.socket import EventSocket
from cti.asterisk.telephones import Telephones
from cti.blocklist import BlockList
from cti.deadair import Talk
from cti.faxes import Faxes
from cti.floor import Floor
from cti.followups import FollowUp
from cti.identification import Tries
from cti.messages import Messages
from cti.recorder import Recorder
from cti.redials import Redials
from cti.remembered import Remembered
from cti.screens import Screens
from cti.settings import Settings
from cti.store import Journal
from cti.watch import Watch
from ivr.business import Business, Office
from ivr.line import Line, line_for
from ivr.refused import Refusal
from ivr.texts import Texts
from prompts import Sounds
from queues import Pull

log = structlog.get_logger(__name__)

UNALLOCATED = "1"
"""Q.850: no such number."""

BUSY = "17"
"""Q.850: busy."""

LEADS_SIT: frozenset[SeatState] = frozenset({"logged_out", "not_ready"})
"""A seat whose telephone a team lead may use: nobody in the turn is proposed to it."""

UP = "Up"
"""What Asterisk says of a channel that was answered: one that comes to us so was held by the dialplan."""

CALL_RECORDS_EVERY_S = 0.5

CRISIS_KEPT_S = 24 * 3600.0
"""So long whoever called in a crisis, and calls again, is known to."""

REDIAL_WITHIN_S = 3600.0
"""So long an adviser can call back whom they spoke to last."""

WHY_REFUSED: Mapping[Refusal, str] = {"blocked": "this number is blocked", "redials": "too many calls from this number"}
"""As `calls.refused_why` says it."""

MOST_REFUSED_AT_ONCE = 2
"""Of one number that is refused: in so many calls it is told how help is reached. A machine that dials a hundred gets busy."""


class Node:
    """Everything that concerns one Asterisk. `run` does the work; the rest may be looked at."""

    def __init__(
        self,
        settings: Settings,
        ari: Ari,
        clock: Clock,
        watch: Watch,
        journal: Journal,
        floor: Floor,
        recorder: Recorder,
        sounds: Sounds,
        lines: Mapping[str, Line],
        business: Business,
        tries: Tries,
        texts: Texts,
        offices: Callable[[str], Sequence[Office] | None],
        screens: Screens,
    ) -> None:
        self.settings, self.ari, self.clock, self.watch, self.journal = settings, ari, clock, watch, journal
        self.floor, self.recorder, self.sounds, self.lines = floor, recorder, sounds, lines
        self.business, self.tries, self.texts, self.offices = business, tries, texts, offices
        self.screens = screens
        self.boot_id = boot_id()
        self.places = Remembered("place/", KeptPlace, journal, clock, self.boot_id, settings.place_kept_s)
        self.advisers = Remembered("adviser/", str, journal, clock, self.boot_id, settings.same_adviser_s)
        """Whom a number spoke to last, by the adviser's number."""
        self.callers = Remembered("caller/", KeptCall, journal, clock, self.boot_id, REDIAL_WITHIN_S)
        """Whom an adviser spoke to last."""
        self.crises = Remembered("crisis/", datetime, journal, clock, self.boot_id, CRISIS_KEPT_S)
        """When a call of a number was marked as a crisis."""
        self.promises = Promises(settings, clock, watch, journal, self.boot_id)
        self.promises.lines = lines
        self.messages = Messages(watch, journal, clock)
        self.redials = Redials(
            journal,
            clock,
            self.boot_id,
            most=settings.most_redials,
            within_s=settings.redial_within_s,
            exempt=settings.redial_exempt,
            region=settings.region,
        )
        self.blocklist = BlockList(watch, journal, clock, settings.region, self.redials.exempts)
        self.faxes = Faxes(settings.faxes_dir, settings.max_faxes)
        self.books = Books(
            settings, clock, watch, journal, recorder, self.places, self.promises, self.messages, self.faxes
        )
        self.telephones = Telephones(self)
        self.router = Router(self._new_channel, self.telephones.changed)
        self.socket = EventSocket(ari, self.router.dispatch, Reconciler(self).reconcile)
        self.sessions: dict[str, Session] = {}
        most_of = {trunk.name: trunk.max_calls for trunk in settings.trunks if trunk.max_calls is not None}
        self.admission = Admission(settings.max_calls, most_of, settings.max_calls_per_s)
        self.gate = Gate(settings, clock, watch, journal, self.admission, self.books.take_refused)
        self.connected = asyncio.Event()
        """Set once this controller has taken over."""
        self.asterisk_version = ""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def problem(self) -> str | None:
        """Why no calls are taken at this moment; None when they are."""
        if not self.connected.is_set():
            return "not connected to Asterisk yet"
        return None if self.socket.connected else "the connection to Asterisk is lost; trying again"

    @property
    def must_refuse(self) -> bool:
        """Whether no conversation may begin, because none could be recorded."""
        return self.settings.unrecorded == "refuse" and self.recorder.cannot_record is not None

    def check_may_begin(self) -> None:
        """Raises NotPossible when no conversation may begin at this moment."""
        if self.problem or self.must_refuse:
            raise NotPossible(self.problem or "no conversation can be recorded at this moment")

    def take(self, lines: Mapping[str, Line], sounds: Sounds) -> None:
        """New calls run on these; those that are up finish on theirs."""
        self.lines, self.sounds = lines, sounds
        self.promises.lines = lines

    async def run(self) -> None:
        """Take calls for ever. Raises Replaced when another controller took over, Refused for a wrong password."""
        await self.socket.run()

    async def read_call_records(self) -> None:
        """Keep the books complete, for ever: a call that ended without us is told within a second."""
        await self.connected.wait()
        while True:
            self.books.look(self.lines, up=self.sessions)
            await asyncio.sleep(CALL_RECORDS_EVERY_S)

    async def call_back(self) -> None:
        """Call back whoever is owed it, for ever."""
        await self.connected.wait()
        await self.promises.run(self._call_back)

    # --- calls

    def _new_channel(self, event: StasisStart) -> None:
        if event.channel.id in self.sessions:  # found already, before its event was read
            return
        match event.args:
            case ["in", dialled, trunk, sip_call_id] if not self.books.closed(event.channel.id):
                self.arrive(event.channel, dialled, trunk, sip_call_id)
            case ["back"] if kept := self.journal.get(f"call/{event.channel.id}", KeptCall):
                self.resume(kept)
            case _:
                self.spawn(self.clear_away(event.channel.id))

    def arrive(self, channel: Channel, dialled: str, trunk: str, sip_call_id: str) -> None:
        """A trunk has brought a call: it is carried, or turned away."""
        number = normalise(channel.caller.number, self.settings.region)
        line = line_for(self.lines, dialled, trunk)
        refused = CallRefused(
            call_id=channel.id,
            trunk=trunk,
            dialled=dialled,
            calling_number=number.e164,
            sip_call_id=sip_call_id,
            reason=line if isinstance(line, str) else "",
        )
        if isinstance(line, str):
            self.spawn(self._refuse(refused))
            return
        kept = KeptCall(
            call_id=channel.id,
            sip_call_id=sip_call_id,
            calling_number=number.e164,
            line=line.number,
            trunk=trunk,
            boot_id=self.boot_id,
            arrived_ms=round(self.clock.now() * 1000),
            arrived_at=self.clock.utc(),
        )
        if why := self._refusal(number.e164):
            self._refuse_number(line, kept, refused, why)
            return
        if too_many := self.admission.take(trunk, self.clock.now(), held=channel.state == UP):
            self.gate.turned_away(trunk)
            kept = msgspec.structs.replace(kept, step="turned_away")
            refused = msgspec.structs.replace(refused, reason=too_many)
            with self.journal.together():
                self.watch.record(refused)
                self.promises.owe(kept, "too_many_calls", promised=number.e164 is not None)
                self._enter(line, kept)
            return
        arrived = CallArrived(
            call_id=channel.id,
            line=line.number,
            line_version=line.version,
            trunk=trunk,
            dialled=dialled,
            calling_number=number.e164,
            sip_call_id=sip_call_id,
        )
        with self.journal.together():
            self.redials.count(number.e164)
            self._enter(line, kept, arrived)

    def _refusal(self, number: str | None) -> Refusal | None:
        """Why this number is refused for a while; None when it is not."""
        if self.blocklist.refuses(number):
            return "blocked"
        return "redials" if self.redials.too_many(number) else None

    def _refuse_number(self, line: Line, kept: KeptCall, refused: CallRefused, why: Refusal) -> None:
        """Tell the caller so, and how help is reached."""
        number, refused = kept.calling_number, msgspec.structs.replace(refused, reason=WHY_REFUSED[why])
        refusals = (one.kept for one in self.sessions.values() if one.kept.refused and not one.kept.queued)
        if sum(one.calling_number == number for one in refusals) >= MOST_REFUSED_AT_ONCE:
            self.spawn(self._refuse(refused, BUSY))
        else:
            self._enter(line, msgspec.structs.replace(kept, step="turned_away", refused=why), refused)

    def redial(self, seat: str) -> None:
        """The adviser at this seat calls back the caller whom they lost, at once. Raises NotPossible with the mend."""
        adviser = self.floor.engine.may_be_rung(seat).adviser
        self._leads_elsewhere(seat)
        last = self.callers.get(adviser)
        if last is None:
            raise NotPossible(f"adviser {adviser} has spoken to nobody for the last {REDIAL_WITHIN_S / 60:.0f} minutes")
        if last.call_id in self.sessions:
            raise NotPossible("that caller is still on the line")
        self.check_may_begin()
        promise = self.promises.redial(last)
        self._call_back(promise, self.lines[promise.line], seat)

    def dial(self, seat: str, owed: FollowUp) -> None:
        """The adviser at this seat calls whom they owe it, at once. Raises NotPossible with the mend."""
        self.floor.engine.may_be_rung(seat)
        self._leads_elsewhere(seat)
        promise = self.promises.follow_up(owed)
        theirs = (one.kept for one in self.sessions.values() if one.kept.calling_number == owed.number)
        if any(not kept.waits_away or (kept.callback and kept.callback.follow_up) for kept in theirs):
            raise NotPossible("that citizen is on the line, or is being rung. Mend: try again when that call is over")
        self.check_may_begin()
        line = self.lines[promise.line]
        kept, begun, entered = begin_attempt(promise, line, self.clock, self.boot_id, owed.adviser, seat, owed.id)
        with self.journal.together():
            self.promises.follows_up(promise, kept.call_id)
            self._enter(line, kept, begun, entered)

    def verify(self, seat: str) -> None:
        """The adviser at this seat has the machine ask the caller who they are. Raises NotPossible with the mend."""
        self._talking(seat).wishes.send_to_machine()

    def move(self, seat: str) -> None:
        """Whoever talks there, or is asked about a call, goes on on what is the seat's telephone now. Raises NotPossible."""
        for call in self.sessions.values():
            if call.consultation and call.kept.consultation and call.kept.consultation.seat == seat:
                call.consultation.move()
                return
        self._talking(seat).wishes.move()

    def mark_crisis(self, seat: str) -> None:
        """The adviser says that the call is a crisis. Raises NotPossible when nobody talks there."""
        self._talking(seat).mark_crisis()

    def transfer(self, seat: str, queue: str, adviser: str | None) -> None:
        """The adviser passes the caller on. Raises NotPossible with the mend."""
        self._talking(seat).wishes.transfer(queue, adviser)

    def consult(self, seat: str, adviser: str | None, outside: str | None) -> None:
        """The adviser asks a colleague, by number, or somebody outside, by name. Raises NotPossible with the mend."""
        call = self._talking(seat)
        if adviser is None:
            call.wishes.ask(Phone(self._way_outside(outside)), None, outside or "")
            return
        asked = next((one.number for one in self.floor.engine.seats() if one.adviser == adviser), None)
        if asked is None:
            raise NotPossible(f"adviser {adviser} sits nowhere. Mend: ask somebody else")
        self._leads_elsewhere(asked, call)
        call.wishes.ask(self.telephones.of(asked), asked)

    def _way_outside(self, name: str | None) -> str:
        """The endpoint that rings somebody outside. Raises NotPossible."""
        known = {one.name: one.number for one in self.settings.outside}
        if name not in known:
            allowed = ", ".join(known) or "nobody, by the setting `outside`"
            raise NotPossible(f"{name} may not be called. Mend: choose one of: {allowed}")
        trunk = next((trunk.name for trunk in self.settings.trunks if trunk.dial), None)
        if trunk is None:
            raise NotPossible("no trunk has `dial`: nobody outside can be rung")
        return f"{known[name]}@{trunk_endpoint(trunk)}"

    def asking(self, seat: str) -> Consultation:
        """Whom the adviser at this seat is asking about their call. Raises NotPossible."""
        consultation = self._talking(seat).consultation
        if consultation is None:
            raise NotPossible(f"nobody is being asked about the call at seat {seat}")
        return consultation

    def hand_over(self, seat: str) -> None:
        """The caller is for whoever is asked. Raises NotPossible with the mend."""
        self._talking(seat).wishes.hand_over()

    def take_over(self, seat: str, own: str) -> None:
        """A team lead, by the telephone at the seat `own`, takes the call from the adviser here. Raises NotPossible."""
        call = self._talking(seat)
        self._may_use(seat, own)
        if self.floor.engine.seat(own).adviser is None:
            raise NotPossible(f"nobody sits at seat {own}. Mend: take your place there first; not ready is enough")
        self._leads_elsewhere(own, call)
        call.wishes.ask(self.telephones.of(own), own, take_over=True)

    def pull(self, seat: str, visit: str) -> None:
        """A team lead gives this seat a caller who waits. Raises NotPossible with the mend."""
        self._leads_elsewhere(seat)
        self.floor.take(Pull(seat, visit))

    async def join(self, seat: str, own: str, how: LeadHow) -> None:
        """A team lead, by the telephone at the seat `own`, is at this one's conversation. Raises NotPossible with the mend."""
        call = self._talking(seat)
        self._may_use(seat, own)
        for leaving in self._leads_elsewhere(own, call):
            await leaving.gone.wait()
        await call.join(own, how)

    def _leads_elsewhere(self, own: str, call: Session | None = None) -> list[Lead]:
        """Those at another conversation, by the telephone at seat `own`, who are not cleared away yet. Raises NotPossible when
        one is there still: that telephone is busy."""
        others = (other.lead for other in self.sessions.values() if other is not call)
        leads = [lead for lead in others if lead and lead.own == own]
        if not all(lead.over for lead in leads):
            raise NotPossible(f"the telephone at seat {own} is at another conversation. Mend: leave that one first")
        return leads

    def _may_use(self, seat: str, own: str) -> None:
        """Whether a team lead may go to the conversation at `seat` by the telephone at `own`. Raises NotPossible."""
        theirs = self.floor.engine.seat(own)
        if own == seat:
            raise NotPossible(f"seat {seat} is the one that talks. Mend: say at which seat your own telephone is")
        if theirs.state not in LEADS_SIT:
            raise NotPossible(f"seat {own} takes calls. Mend: make it not ready first, or use another seat's telephone")
        if not theirs.reachable:
            raise NotPossible(f"no telephone is registered at seat {own}")

    def leave(self, seat: str) -> None:
        """The team lead who is at the conversation at this seat leaves it. Raises NotPossible with the mend."""
        call = self._talking(seat)
        if call.lead is None or call.lead.over:
            raise NotPossible(f"no lead is at the conversation at seat {seat}")
        call.lead.end("left")

    def talks(self) -> Iterator[Talk]:
        """Everybody who should be heard: not whoever hears music, or is with the machine."""
        for session in self.sessions.values():
            talk = session.kept.conversation
            if talk and talk.held_since_ms is None and talk.apart_since_ms is None:
                yield Talk(session.visit, talk.seat, talk.adviser)

    def _talking(self, seat: str) -> Session:
        self.floor.engine.seat(seat)
        talking = (
            one for one in self.sessions.values() if one.kept.conversation and one.kept.conversation.seat == seat
        )
        session = next(talking, None)
        if session is None:
            raise NotPossible(f"nobody is talking at seat {seat}. Mend: ask while the adviser is talking to the caller")
        return session

    def _call_back(self, promise: Promise, line: Line, seat: str | None = None) -> None:
        if self.problem is None and not self.must_refuse:
            preferred = self.advisers.get(promise.calling_number)
            self._enter(line, *begin_attempt(promise, line, self.clock, self.boot_id, preferred, seat))

    def _enter(self, line: Line, kept: KeptCall, *facts: AnyFact) -> None:
        """A call's first facts and its first step, in one commit; then its task."""
        kept = msgspec.structs.replace(kept, crisis_before=self.crises.get(kept.calling_number))
        with self.journal.together():
            for fact in facts:
                self.watch.record(fact)
            self.journal.put(f"call/{kept.call_id}", kept)
        self._begin(Session(self, line, kept), resumed=False)

    def resume(self, kept: KeptCall) -> None:
        """Go on with a call of the last controller."""
        if kept.call_id in self.sessions:  # a take-over that was broken off came so far
            return
        line = self.lines.get(kept.line)
        if line is None:
            self.books.end(kept, "fault")
            self.spawn(self.clear_away(kept.call_id))
            return
        self.watch.resume(kept.call_id, kept.sip_call_id)
        self._begin(Session(self, line, kept), resumed=True)

    def _begin(self, session: Session, *, resumed: bool) -> None:
        if session.kept.callback:
            self.promises.begun(session.kept, session.withdrawn)
        if session.kept.carried and not session.kept.unreached:
            session.counted = True
            if resumed:
                self.admission.keep(session.kept.trunk)
        self.sessions[session.call_id] = session
        self.screens.see(session.kept, None)
        self.spawn(self._run(session, resumed))

    async def _run(self, session: Session, resumed: bool) -> None:
        try:
            await session.run(resumed=resumed)
        finally:
            del self.sessions[session.call_id]
            self.screens.gone(session.call_id)
            if session.counted:
                self.admission.left(session.kept.trunk)
            self.promises.left(session.kept)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Have it done beside everything else; what goes wrong is in the log."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, Unavailable):  # what was left undone is found when Asterisk is back
            log.warning("a channel was left to itself", error=str(error))
        else:
            log.error("a call's task failed", exc_info=error)

    async def _refuse(self, refused: CallRefused, reason_code: str = UNALLOCATED) -> None:
        """A number that nobody answers: the trunk is told so, and the caller hears its network's words.

        Told when it is done: a controller that dies before leaves the call to the next one, or to the call records.
        """
        began = self.clock.now()
        await self.clear_away(refused.call_id, reason_code)
        self.books.refused(refused, lasted_ms=ms_between(began, self.clock.now()))

    async def clear_away(self, channel: str, reason_code: str | None = None) -> None:
        """Hang it up; Q.850 `reason_code`. It may be gone already. Raises AriError when Asterisk does not do it."""
        try:
            await self.ari.channels.hangup(channel, reason_code=reason_code)
        except Gone:
            return
