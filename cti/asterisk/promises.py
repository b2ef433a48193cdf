"""Calls back that are owed (回拨), from the promise to its end, whatever becomes of controllers meanwhile.

promises.owe(kept, "asked", promised=True)     # in the commit in which the call ends its wait
await promises.run(begin)                      # `begin` is called for each whose attempt is due, for ever

One promise a number: whoever is turned away five times is called once, at the place of the first. A promise is kept with
the journal until it is over: kept, tried in vain as often as the line says, overtaken by the citizen who rang again and was
answered, or too late. Whoever rings again while it is open has the place, and is not called as long as that call is up.

A promise waits by the monotonic clock; only whether it is too late, and whether it is a time to call people, is a matter
of the wall clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, time, timedelta

import msgspec

from calls.clock import Clock
from calls.errors import NotPossible
from calls.facts import CallbackEnded, CallbackOwed, OwedWhy, PromiseOutcome
from calls.numbers import dialled
from calls.words import Needs, Urgency
from cti.asterisk.config import trunk_endpoint
from cti.asterisk.kept import KeptCall
from cti.followups import FollowUp
from cti.settings import Settings
from cti.store import Journal
from cti.watch import Watch
from ivr.line import Line

LOOK_EVERY_S = 1.0
"""How long a promise whose time has come waits at most to be looked at; what moves one is looked at at once."""

OWED_URGENCY: Mapping[OwedWhy, Urgency] = {
    "asterisk_died": "promised",
    "too_many_calls": "promised",
    "gave_up": "spare",
    "redial": "crisis",
}
"""Of a call that had none of its own. Whoever asked to be called back keeps the place and passes nobody."""

FRESH = timedelta(hours=1)
BY_DAY = (time(8), time(21))
"""Where the line says no hours for it, nobody is rung at night, except within so long after they asked or were let down."""

_PREFIX, _FOLLOWING_UP = "promise/", "following_up/"


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """One call back that is owed. Instants are monotonic milliseconds of the boot `boot_id`."""

    call_id: str
    """The call whose caller is owed it."""
    calling_number: str
    line: str
    trunk: str
    needs: Needs | None
    """None: the caller had come to no queue."""
    visit: str | None
    why: OwedWhy
    since_ms: int
    """From when the wait counts."""
    owed_at: datetime
    boot_id: str
    attempts: int = 0
    not_before_ms: int
    held_by: str | None = None
    """The citizen's own call, as long as it is up: the one that is owed this, or a new one."""

    def is_for(self, queue: str) -> bool:
        """Whether a caller of this queue wants the same."""
        return self.needs is None or self.needs.queue == queue


class Promises:
    """All that are open."""

    def __init__(self, settings: Settings, clock: Clock, watch: Watch, journal: Journal, boot_id: str) -> None:
        self.lines: Mapping[str, Line] = {}
        self._settings, self._clock, self._watch, self._journal = settings, clock, watch, journal
        self._boot_id = boot_id
        self._moved = asyncio.Event()
        self._under_way: dict[str, asyncio.Event] = {}
        """Of each promise whose attempt waits, rings or talks: what tells it that it need not wait any more."""
        self._held: dict[str, str] = {}
        """The citizen's own call -> the number."""
        self._following_up = {
            key.removeprefix(_FOLLOWING_UP): owed for key, owed in journal.find(_FOLLOWING_UP, str).items()
        }
        """Our call, made by the adviser who owes it -> the call in which it came to be owed."""
        self._open: dict[str, Promise] = {}
        """By number."""
        for promise in journal.find(_PREFIX, Promise).values():
            self._open[promise.calling_number] = self._of_this_boot(promise)
            if promise.held_by:
                self._held[promise.held_by] = promise.calling_number

    def __len__(self) -> int:
        return len(self._open)

    def way(self, number: str | None, trunk: str) -> str | None:
        """The endpoint that rings the number, by `trunk` if calls go out by it, else by another one; None: there is no way."""
        ways = [each.name for each in self._settings.trunks if each.dial]
        national = dialled(number, self._settings.region) if number and ways else None
        if national is None:
            return None
        return f"{national}@{trunk_endpoint(trunk if trunk in ways else ways[0])}"

    # --- what is owed

    def gave_up(self, kept: KeptCall, waited_ms: int) -> None:
        """A caller hung up while waiting: whoever has waited as long as the line says is owed a call, in the gaps."""
        line = self.lines.get(kept.line)
        after_s = line.callback.missed_after_s if line and line.callback else None
        theirs = kept.callback or kept.call_id in self._held
        if after_s is not None and waited_ms >= after_s * 1000 and not theirs:
            self.owe(kept, "gave_up")

    def redial(self, kept: KeptCall) -> Promise:
        """The adviser of this call, which is over, calls its caller back. Raises NotPossible with the reason and the mend."""
        self._calls(kept.line, kept.calling_number)
        before = self._open.get(kept.calling_number or "")
        if before is None or before.call_id != kept.call_id:
            self.owe(kept, "redial")
            self.released(kept.call_id)
        elif before.call_id in self._under_way:
            raise NotPossible("that caller is being called back already")
        return self._open[kept.calling_number or ""]

    def follow_up(self, owed: FollowUp) -> Promise:
        """What an adviser begins with who calls whom they owe it. It is not among the promises that are open: nobody else goes
        on with it. Raises NotPossible with the reason and the mend."""
        line, number = self._calls(owed.line, owed.number)
        queue = owed.queue if owed.queue in line.queues else line.person
        promise = Promise(
            call_id=owed.call_id,
            calling_number=number,
            line=line.number,
            trunk=next(each.name for each in self._settings.trunks if each.dial),
            needs=msgspec.structs.replace(line.needs(queue), urgency="promised"),
            visit=None,
            why="follow_up",
            since_ms=self._now_ms(),
            owed_at=owed.since,
            boot_id=self._boot_id,
            not_before_ms=0,
        )
        if not self._may_ring(promise, line, self._clock.utc()):
            raise NotPossible(
                f"it is no time to ring people: line {line.number} calls by its hours, else from {BY_DAY[0]:%H:%M} to "
                f"{BY_DAY[1]:%H:%M}. Mend: call then"
            )
        return promise

    def follows_up(self, promise: Promise, call_id: str) -> None:
        """The call `call_id` is made for it. Whom a queue is to call back for the same is not called as long as it is up."""
        with self._journal.together():
            needs = promise.needs
            self._watch.record(
                CallbackOwed(
                    call_id=promise.call_id,
                    calling_number=promise.calling_number,
                    line=promise.line,
                    why="follow_up",
                    queue=needs.queue if needs else None,
                    skills=needs.skills if needs else {},
                )
            )
            self._following_up[call_id] = promise.call_id
            self._journal.put(_FOLLOWING_UP + call_id, promise.call_id)
            self.rang_again(call_id, promise.calling_number, needs.queue if needs else "")

    def _calls(self, number: str, citizen: str | None) -> tuple[Line, str]:
        """The line of that number, which calls back, and whom. Raises NotPossible when it does not, or cannot ring them."""
        line = self.lines.get(number)
        if line is None or line.callback is None:
            raise NotPossible(
                f"line {number} calls nobody back. Mend: write callback: {{}} into its file, then reload."
            )
        if citizen is None or self.way(citizen, "") is None:
            raise NotPossible("the number is withheld, not of this country, or no trunk has `dial`: nobody can be rung")
        return line, citizen

    def owe(self, kept: KeptCall, why: OwedWhy, *, promised: bool = False) -> bool:
        """This caller is owed a call: a fact for people; a promise, too, if the line calls back and the number can be rung.

        Whether there is a promise. Nobody is rung who is still on the line: it is due once this call is `released`.
        """
        before = self._open.get(kept.calling_number or "")
        if before and before.call_id == kept.call_id:  # Asterisk died as it was promised: one call is enough
            return True
        needs, queued = kept.needs, kept.needs is not None and kept.visits > 0
        visit = f"{kept.call_id}.{kept.visits}" if queued else None
        since_ms = kept.since_ms if queued else kept.arrived_ms
        with self._journal.together():
            self._watch.record(
                CallbackOwed(
                    call_id=kept.call_id,
                    calling_number=kept.calling_number,
                    line=kept.line,
                    why=why,
                    queue=needs.queue if needs else None,
                    skills=needs.skills if needs else {},
                    promised=promised,
                    visit=visit,
                    since_ms=since_ms if queued else None,
                )
            )
            line = self.lines.get(kept.line)
            if line is None or line.callback is None or self.way(kept.calling_number, kept.trunk) is None:
                return False
            if before:
                since_ms = since_ms if before.why == "gave_up" else min(since_ms, before.since_ms)
                self._over(before, "rang_again")
            if needs and (urgency := OWED_URGENCY.get(why)) and needs.urgency == "normal":
                needs = msgspec.structs.replace(needs, urgency=urgency)
            self._put(
                Promise(
                    call_id=kept.call_id,
                    calling_number=kept.calling_number or "",
                    line=kept.line,
                    trunk=kept.trunk,
                    needs=needs,
                    visit=visit,
                    why=why,
                    since_ms=since_ms,
                    owed_at=self._clock.utc(),
                    boot_id=self._boot_id,
                    not_before_ms=0,
                    held_by=kept.call_id,
                )
            )
            self._held[kept.call_id] = kept.calling_number or ""
            return True

    # --- the citizen rings again

    def rang_again(self, call_id: str, number: str | None, queue: str) -> Promise | None:
        """The citizen waits again, in the same queue: has the place, and is not called back while this call is up.

        None for whoever has no place here: nothing is owed, or for something else, or they gave it up themselves.
        """
        promise = self._open.get(number or "")
        if promise is None or promise.held_by or not promise.is_for(queue):
            return None
        self._held[call_id] = promise.calling_number
        self._put(msgspec.structs.replace(promise, held_by=call_id))
        self._withdraw(promise)
        return None if promise.why == "gave_up" else promise

    def answered(self, call_id: str) -> None:
        """An adviser has answered this call: if somebody was to be called back who made it, that is over."""
        if promise := self._open.get(self._held.pop(call_id, "")):
            self._over(promise, "rang_again")

    def released(self, call_id: str) -> None:
        """This call is over: whoever made it without an answer is called back all the same."""
        self._followed_up(call_id, "not_reached", 0)
        if promise := self._open.get(self._held.pop(call_id, "")):
            self._put(msgspec.structs.replace(promise, held_by=None))

    # --- attempts

    def begun(self, kept: KeptCall, withdrawn: asyncio.Event) -> None:
        """An attempt goes on; `withdrawn` is set when it need not wait any more."""
        if kept.callback:
            self._under_way[kept.callback.callback_of] = withdrawn

    def left(self, kept: KeptCall) -> None:
        """An attempt is over, and everything of it is told."""
        if kept.callback and self._under_way.pop(kept.callback.callback_of, None):
            self._moved.set()

    def tried(self, kept: KeptCall, *, reached: bool, counts: bool) -> None:
        """The citizen was rung. `counts`: it was not for our own sake that they were not reached."""
        if kept.call_id in self._following_up:
            self._followed_up(kept.call_id, "kept" if reached else "not_reached", 1)
            return
        promise = self._open.get(kept.calling_number or "")
        if promise is None or kept.callback is None or promise.call_id != kept.callback.callback_of:
            return  # owed anew meanwhile
        callback = line.callback if (line := self.lines.get(promise.line)) else None
        promise = msgspec.structs.replace(promise, attempts=promise.attempts + counts)
        if reached:
            self._over(promise, "kept")
        elif callback and promise.attempts >= callback.attempts:
            self._over(promise, "not_reached")
        else:
            again_after_s = callback.again_after_s if callback and counts else 0.0
            self._put(msgspec.structs.replace(promise, not_before_ms=self._now_ms() + round(again_after_s * 1000)))

    async def run(self, begin: Callable[[Promise, Line], None]) -> None:
        """Begin what is due, the longest wait first, for ever."""
        while True:
            self._moved.clear()
            for promise, line in self._due():
                begin(promise, line)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._moved.wait()

    def _due(self) -> list[tuple[Promise, Line]]:
        due: list[tuple[Promise, Line]] = []
        now_ms, utc = self._now_ms(), self._clock.utc()
        for promise in sorted(self._open.values(), key=lambda one: one.since_ms):
            line = self.lines.get(promise.line)
            if line is None or line.callback is None:
                continue  # no longer in the files: it waits for people to see it, or for the file to come back
            if promise.call_id in self._under_way:
                if not self._may_ring(promise, line, utc):
                    self._withdraw(promise)
            elif promise.held_by is None:
                if utc - promise.owed_at > timedelta(hours=line.callback.keep_h):
                    self._over(promise, "too_late")
                elif now_ms >= promise.not_before_ms and self._may_ring(promise, line, utc):
                    due.append((promise, line))
        return due

    def _may_ring(self, promise: Promise, line: Line, utc: datetime) -> bool:
        """Whether it is a time to ring people."""
        if not line.calls_back(utc) or line.callback is None:
            return False
        morning, evening = BY_DAY
        by_day = morning <= utc.astimezone(self._settings.zone).time() < evening
        return by_day or line.callback.hours is not None or utc - promise.owed_at < FRESH

    # --- how

    def _withdraw(self, promise: Promise) -> None:
        if withdrawn := self._under_way.get(promise.call_id):
            withdrawn.set()

    def _put(self, promise: Promise) -> None:
        self._open[promise.calling_number] = promise
        self._journal.put(_PREFIX + promise.calling_number, promise)
        self._moved.set()

    def _over(self, promise: Promise, outcome: PromiseOutcome) -> None:
        with self._journal.together():
            self._watch.record(CallbackEnded(call_id=promise.call_id, outcome=outcome, attempts=promise.attempts))
            self._open.pop(promise.calling_number, None)
            self._held.pop(promise.held_by or "", None)
            self._journal.forget(_PREFIX + promise.calling_number)
        self._withdraw(promise)

    def _followed_up(self, call_id: str, outcome: PromiseOutcome, attempts: int) -> None:
        """What came of a call that an adviser owed, unless that is told, or it is none."""
        if callback_of := self._following_up.pop(call_id, None):
            with self._journal.together():
                self._watch.record(CallbackEnded(call_id=callback_of, outcome=outcome, attempts=attempts))
                self._journal.forget(_FOLLOWING_UP + call_id)

    def _of_this_boot(self, promise: Promise) -> Promise:
        """The monotonic clock began anew: the wait counts from the promise on, which is known by the wall clock."""
        if promise.boot_id == self._boot_id:
            return promise
        waited = self._clock.utc() - promise.owed_at
        since_ms = self._now_ms() - max(0, round(waited.total_seconds() * 1000))
        return msgspec.structs.replace(promise, since_ms=since_ms, not_before_ms=0, boot_id=self._boot_id)

    def _now_ms(self) -> int:
        return round(self._clock.now() * 1000)
