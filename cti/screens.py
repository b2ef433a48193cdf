"""What an adviser sees of the call at their seat (弹屏), from the first ring to the end of the conversation.

The controller tells each turn of each call; what is of a seat goes to the pages of its adviser by the feed, and to nobody
else. Where the number is from and when it called before is found out meanwhile and sent after: the telephone waits for
neither. All is made anew from what is kept of the call, so that a page has it again under the next controller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from calls.clock import Clock
from calls.errors import NotPossible
from cti.asterisk.kept import KeptCall
from cti.desk.feed import Asking, CallNow, CallState, Crisis, Feed
from cti.forms import Forms
from cti.identification import Shown
from cti.store import Before


class History(Protocol):
    """Who called before: `cti.store.Callers`."""

    async def before(self, number: str, call_id: str) -> Before:
        """Raises NotPossible when nobody can tell now."""
        ...


class Places(Protocol):
    """Where numbers are from: `cti.whereabouts.Whereabouts`."""

    async def of(self, number: str) -> str:
        """Empty: unknown."""
        ...


class Screens:
    """One controller's."""

    def __init__(
        self,
        clock: Clock,
        feed: Feed,
        forms: Forms,
        history: History,
        places: Places,
        looked: Callable[[str, str], None],
    ) -> None:
        """`looked` is told, once a visit, that an adviser (by number) was shown what is known of the caller of a call."""
        self._looked = looked
        self._looked_at: set[tuple[str, str]] = set()
        """Visits, and the advisers who saw who had called."""
        feed.seen = self._seen
        self._clock, self._feed, self._forms, self._history, self._places = clock, feed, forms, history, places
        self._shown: dict[str, dict[str, CallNow]] = {}
        """By call, and by seat: beside that of the conversation, that of whoever is asked about it."""
        self._looking: set[asyncio.Task[None]] = set()

    def see(self, kept: KeptCall, verified: Shown | None) -> None:
        """A call takes a turn, or its caller has shown who they are. Costs those that are at no seat nothing."""
        before = self._shown.get(kept.call_id, {})
        now = {at.seat: self._now(kept, at, verified, before.get(at.seat)) for at in _seats_of(kept)}
        for seat in before.keys() - now.keys():
            self._leave(before[seat])
        for seat, shown in now.items():
            was = before.get(seat)
            if shown != was:
                self._show(shown)
                if shown.history == "looking" and (was is None or was.visit != shown.visit):
                    self._look(shown)

    def gone(self, call_id: str) -> None:
        """The call is at no seat any more."""
        for shown in list(self._shown.get(call_id, {}).values()):
            self._leave(shown)

    def _leave(self, shown: CallNow) -> None:
        self._looked_at.discard((shown.visit, shown.adviser))
        seats = self._shown[shown.call_id]
        del seats[shown.seat]
        if not seats:
            del self._shown[shown.call_id]
        self._feed.call(shown.seat, shown.adviser, None)
        self._feed.crisis(shown.seat, None)

    def _seen(self, call: CallNow) -> None:
        """Somebody's page is told of it. Whoever has no page has nothing to write on."""
        if call.state == "talking":
            self._forms.begin(call)
        if _tells_of_caller(call) and (call.visit, call.adviser) not in self._looked_at:
            self._looked_at.add((call.visit, call.adviser))
            self._looked(call.adviser, call.call_id)

    def _show(self, now: CallNow) -> None:
        self._shown.setdefault(now.call_id, {})[now.seat] = now
        self._feed.call(now.seat, now.adviser, now)
        if now.crisis_at or now.urgency == "crisis":
            since = now.crisis_at or now.arrived_at
            self._feed.crisis(now.seat, Crisis(now.call_id, now.adviser, since, now.crisis_at is not None))

    def _now(self, kept: KeptCall, at: _At, verified: Shown | None, before: CallNow | None) -> CallNow:
        """What is to be seen there."""
        visit, needs = f"{kept.call_id}.{kept.visits}", kept.needs
        known = before if before and before.visit == visit else None
        again = known if known and known.state == at.state else None
        until_ms = kept.conversation.begun_ms if kept.conversation else round(self._clock.now() * 1000)
        return CallNow(
            call_id=kept.call_id,
            visit=visit,
            seat=at.seat,
            adviser=at.adviser,
            state=at.state,
            since=again.since if again else self._clock.utc(),
            arrived_at=kept.arrived_at,
            waited_ms=known.waited_ms if known else max(0, until_ms - kept.since_ms),
            line=kept.line,
            queue=needs.queue if needs else None,
            urgency=needs.urgency if needs else "normal",
            language=kept.language,
            number=kept.calling_number,
            place=known.place if known else "",
            chosen=kept.chosen,
            verified=verified,
            callback=kept.callback is not None,
            asking=_asking(kept),
            crisis_at=kept.crisis_at,
            crisis_before=kept.crisis_before,
            follow_up=kept.callback.follow_up if kept.callback else None,
            history=known.history if known else "looking" if kept.calling_number else "unknown",
            before=known.before if known else None,
        )

    def _look(self, call: CallNow) -> None:
        for looking in (self._find_before(call), self._find_place(call)):
            task = asyncio.get_running_loop().create_task(looking)
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    async def _find_before(self, call: CallNow) -> None:
        try:
            before = await self._history.before(call.number or "", call.call_id)
        except NotPossible:
            self._add(call, history="unknown")
        else:
            self._add(call, history="known", before=before)

    async def _find_place(self, call: CallNow) -> None:
        if place := await self._places.of(call.number or ""):
            self._add(call, place=place)

    def _add(self, call: CallNow, **found: object) -> None:
        """To what is shown of that call there, if it is still."""
        shown = self._shown.get(call.call_id, {}).get(call.seat)
        if shown and shown.visit == call.visit:
            self._show(msgspec.structs.replace(shown, **found))


class _At(NamedTuple):
    """A call is at a seat, and what is going on there."""

    seat: str
    adviser: str
    state: CallState


def _seats_of(kept: KeptCall) -> list[_At]:
    """That of the conversation, or the one that rings; and that of whoever is asked about the call."""
    seats, asked = [], kept.consultation
    if talk := kept.conversation:
        state: CallState = "apart" if talk.apart_since_ms else "holding" if talk.held_since_ms else "talking"
        if asked and not asked.take_over:
            state = "conference" if asked.state == "conference" else "consulting"
        seats.append(_At(talk.seat, talk.adviser, state))
    elif kept.rung:
        seats.append(_At(kept.rung.seat, kept.rung.adviser, "calling" if kept.step == "calling" else "ringing"))
    if asked and asked.seat:
        seats.append(_At(asked.seat, asked.adviser, asked.state))
    return seats


def _tells_of_caller(call: CallNow) -> bool:
    """Whether the caller is somebody for whoever sees this: all that is known of the number, though the database may be away
    and it is little, or what they have shown, or that they were in danger."""
    found_out = call.number is not None and call.history != "looking"
    return found_out or call.crisis_before is not None or call.verified is not None


def _asking(kept: KeptCall) -> Asking | None:
    asked = kept.consultation
    if asked is None:
        return None
    return Asking(
        by=asked.asked_by,
        seat=asked.seat or None,
        adviser=asked.adviser or None,
        outside=asked.outside or None,
        state=asked.state,
        take_over=asked.take_over,
    )
