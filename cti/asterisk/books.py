"""The books: every call that came in has its one ending in the facts, also one that no controller saw.

A call's task tells its own end. The others are told from here: calls of an earlier controller that ended while none ran,
and calls that came and went meanwhile, which only Asterisk's call records know (`cti/callrecords.py`). Whoever ends a call
closes it here, in the same commit, so that its call record, whenever that is read, is not taken for another call.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from datetime import datetime, timedelta

import msgspec

from calls.clock import Clock, boot_id
from calls.facts import (
    CallArrived,
    CallEnded,
    CallRefused,
    ConversationEnded,
    EndedBy,
    QueueLeft,
    VisitOutcome,
)
from calls.numbers import normalise
from cti.asterisk.consulting import consultation_ended
from cti.asterisk.dictation import left_behind
from cti.asterisk.faxing import fax_sent
from cti.asterisk.kept import KeptCall, outcome
from cti.asterisk.lead import lead_left
from cti.asterisk.places import KeptPlace, keep_place
from cti.asterisk.promises import Promises
from cti.callrecords import CallRecord, CallRecords
from cti.faxes import Faxes
from cti.messages import Messages
from cti.recorder import Recorder
from cti.remembered import Remembered
from cti.settings import Settings
from cti.store import Journal
from cti.watch import Watch
from ivr.line import Line, line_for

RECORDED_WITHIN = timedelta(hours=3)
"""Asterisk writes a call's record as it ends; after this long, a jump of the clock included, none is awaited any more."""

TOO_MANY = "too many calls"
"""Why Asterisk itself turned a call away (`no-room` in the dialplan)."""

_STARTUP = "asterisk/startup"


class Books:
    """Tells the ends that no task of this controller can tell. Nothing here waits: it is all one commit each."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        watch: Watch,
        journal: Journal,
        recorder: Recorder,
        places: Remembered[KeptPlace],
        promises: Promises,
        messages: Messages,
        faxes: Faxes,
    ) -> None:
        self._region, self._clock, self._watch, self._journal = settings.region, clock, watch, journal
        self._recorder, self._places, self._promises, self._messages = recorder, places, promises, messages
        self._faxes = faxes
        self._records = CallRecords(settings.call_records, journal)
        self._boot_id = boot_id()
        self._swept_at = clock.now()
        self._refused: list[str] = []

    def closed(self, call_id: str) -> bool:
        """Whether the call's end is told."""
        return self._journal.get(f"ended/{call_id}", datetime) is not None

    def close(self, call_id: str) -> None:
        """The call's end is told, in this commit."""
        self._journal.forget(f"call/{call_id}")
        self._journal.put(f"ended/{call_id}", self._clock.utc())

    def refused(self, refused: CallRefused, *, lasted_ms: int, at: datetime | None = None) -> None:
        """A call that was turned away, from its arrival to its end."""
        with self._journal.together():
            self._watch.record(refused, at)
            ended = CallEnded(
                call_id=refused.call_id, outcome="refused", ended_by="system", lasted_ms=lasted_ms, step="refused"
            )
            self._watch.record(ended, at + timedelta(milliseconds=lasted_ms) if at else None)
            self.close(refused.call_id)

    def take_refused(self) -> list[str]:
        """The trunks of the calls that Asterisk itself refused since this was asked last, one for each call."""
        taken, self._refused = self._refused, []
        return taken

    def is_another_asterisk(self, startup: str) -> bool:
        """Whether the Asterisk that says it started at `startup` is not the one whose calls are in the books."""
        return self._journal.get(_STARTUP, str) not in (None, startup)

    def know_asterisk(self, startup: str) -> None:
        """The calls of every other Asterisk are told."""
        if self._journal.get(_STARTUP, str) != startup:
            self._journal.put(_STARTUP, startup)

    def catch_up(self, lines: Mapping[str, Line], up: Container[str]) -> None:
        """Read all call records that there are, and tell what nobody told. `up`: calls that tell their own end."""
        self._tell(self._records.read_all, lines, up)

    def look(self, lines: Mapping[str, Line], up: Container[str]) -> None:
        """As `catch_up`, but leaves the newest records for the next look: their calls may be about to be told."""
        self._tell(self._records.read_older, lines, up)
        self._sweep()

    def gone(self, kept: KeptCall, *, died: bool) -> None:
        """A call that no task has is no longer there: its caller hung up, or, if Asterisk `died`, went with it."""
        self.end(kept, "fault" if died else "caller", owes=died)

    def end(self, kept: KeptCall, ended_by: EndedBy, *, owes: bool = False) -> None:
        """A call that no task has ends now; `owes`: because Asterisk died."""
        with self._journal.together():
            if owes and kept.carried:
                self._promises.owe(kept, "asterisk_died")
                keep_place(self._places, kept)
            self._end(kept, ended_by, self._lasted_ms(kept, self._clock.utc()), None)

    def _tell(self, read: Callable[[], list[CallRecord]], lines: Mapping[str, Line], up: Container[str]) -> None:
        with self._journal.together():
            for record in read():
                if record.call_id in up or not record.trunk or self.closed(record.call_id):
                    continue
                if kept := self._journal.get(f"call/{record.call_id}", KeptCall):
                    self._end(kept, "caller", self._lasted_ms(kept, record.ended), record.ended)
                else:
                    self._came_and_went(record, lines)

    def _came_and_went(self, record: CallRecord, lines: Mapping[str, Line]) -> None:
        """No controller ever knew of this call."""
        number = normalise(record.calling, self._region).e164
        line = TOO_MANY if record.step == "refused" else line_for(lines, record.dialled, record.trunk)
        if isinstance(line, str):
            refused = CallRefused(
                call_id=record.call_id,
                trunk=record.trunk,
                dialled=record.dialled,
                calling_number=number,
                sip_call_id=record.sip_call_id,
                reason=line,
            )
            self.refused(refused, lasted_ms=record.lasted_ms, at=record.started)
            if line == TOO_MANY:
                self._refused.append(record.trunk)
            return
        arrived = CallArrived(
            call_id=record.call_id,
            line=line.number,
            line_version=line.version,
            trunk=record.trunk,
            dialled=record.dialled,
            calling_number=number,
            sip_call_id=record.sip_call_id,
        )
        ended = CallEnded(
            call_id=record.call_id,
            outcome="abandoned_hold",
            ended_by="system" if record.step == "apology" else "caller",
            lasted_ms=record.lasted_ms,
            step=record.step or "hold",
        )
        self._watch.record(arrived, record.started)
        self._watch.record(ended, record.ended)
        self.close(record.call_id)

    def _end(self, kept: KeptCall, ended_by: EndedBy, lasted_ms: int, at: datetime | None) -> None:
        """The terminal facts of a call at its last known step, as far as they can be known."""
        visit = f"{kept.call_id}.{kept.visits}"
        if kept.conversation:
            talked_ms = self._since(kept, kept.conversation.begun_ms, lasted_ms)
            over = ConversationEnded(
                call_id=kept.call_id,
                visit=visit,
                seat=kept.conversation.seat,
                adviser=kept.conversation.adviser,
                talked_ms=talked_ms,
                held_ms=kept.conversation.held_until(kept.conversation.begun_ms + talked_ms),
                ended_by=ended_by,
            )
            if lead := lead_left(kept, "conversation_ended", kept.conversation.begun_ms + talked_ms):
                self._watch.record(lead, at)
            self._watch.record(over, at)
            self._recorder.ended(visit, kept.conversation.begun_ms + talked_ms)
        if kept.consultation and kept.step != "outside":
            now_ms = kept.arrived_ms + max(0, lasted_ms)
            self._watch.record(consultation_ended(kept.call_id, kept.consultation, "interrupted", now_ms), at)
        if kept.dictation:
            length_ms = self._since(kept, kept.dictation.begun_ms, lasted_ms)
            self._messages.left(left_behind(kept, kept.dictation, length_ms, at or self._clock.utc()))
            self._recorder.ended(kept.dictation.message, kept.dictation.begun_ms + length_ms)
            kept = msgspec.structs.replace(kept, served=True)
        if kept.fax:
            self._watch.record(fax_sent(kept, kept.fax, {}, kept.arrived_ms + lasted_ms), at)
            self._faxes.remove(kept.call_id)
        if kept.visit_open:
            how: VisitOutcome = "abandoned_ringing" if kept.step == "ringing" else "abandoned_waiting"
            how = "fault" if ended_by == "fault" else how
            waited_ms = self._since(kept, kept.since_ms, lasted_ms)
            left = QueueLeft(call_id=kept.call_id, visit=visit, outcome=how, waited_ms=waited_ms)
            self._watch.record(left, at)
            keep_place(self._places, kept)
            if how != "fault":
                self._promises.gave_up(kept, waited_ms)
        ended = CallEnded(
            call_id=kept.call_id,
            outcome=outcome(kept, ended_by),
            ended_by=ended_by,
            lasted_ms=max(0, lasted_ms),
            step=kept.step,
        )
        self._watch.record(ended, at)
        self.close(kept.call_id)
        self._promises.released(kept.call_id)

    def _since(self, kept: KeptCall, moment_ms: int, lasted_ms: int) -> int:
        """From a moment of the call to its end, both by the clock of the call's own beginning."""
        return max(0, kept.arrived_ms + lasted_ms - moment_ms)

    def _lasted_ms(self, kept: KeptCall, ended: datetime) -> int:
        """From the arrival to `ended`, by the wall clock; never more than the monotonic clock allows, where it can say."""
        lasted_ms = max(0, round((ended - kept.arrived_at).total_seconds() * 1000))
        if kept.boot_id != self._boot_id:
            return lasted_ms
        most_ms = round(self._clock.now() * 1000) - kept.arrived_ms
        return lasted_ms if 0 < lasted_ms <= most_ms else most_ms

    def _sweep(self) -> None:
        """Forget the ends whose call records must have been read by now."""
        now = self._clock.now()
        if now - self._swept_at < RECORDED_WITHIN.total_seconds() / 60:
            return
        self._swept_at, oldest = now, self._clock.utc() - RECORDED_WITHIN
        for key, at in self._journal.find("ended/", datetime).items():
            if at < oldest:
                self._journal.forget(key)
