"""What an adviser sees of the call at their seat (弹屏), from the first ring to the end of the conversation.

The controller tells each turn of each call; what is of a seat goes to the pages of its adviser by the feed, and to nobody
else. Where the number is from and when it called before is found out meanwhile and sent after: the telephone waits for
neither. All is made anew from what is kept of the call, so that a page has it again under the next controller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from calls.clock import Clock
from calls.errors import NotPossible
from cti.asterisk.kept import KeptCall
from cti.desk.feed import CallNow, CallState, Feed
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
        self._looked_at: set[str] = set()
        feed.seen = self._seen
        self._clock, self._feed, self._forms, self._history, self._places = clock, feed, forms, history, places
        self._shown: dict[str, CallNow] = {}
        """By call."""
        self._looking: set[asyncio.Task[None]] = set()

    def see(self, kept: KeptCall, verified: Shown | None) -> None:
        """A call takes a turn, or its caller has shown who they are. Costs those that are at no seat nothing."""
        before = self._shown.get(kept.call_id)
        now = self._now(kept, verified, before)
        if now is None:
            self.gone(kept.call_id)
        elif now != before:
            if before and before.seat != now.seat:
                self.gone(kept.call_id)
            self._show(now)
            if now.history == "looking" and (before is None or before.visit != now.visit):
                self._look(now)

    def gone(self, call_id: str) -> None:
        """The call is at no seat any more."""
        if shown := self._shown.pop(call_id, None):
            self._looked_at.discard(shown.visit)
            self._feed.call(shown.seat, shown.adviser, None)

    def _seen(self, call: CallNow) -> None:
        """Somebody's page is told of it. Whoever has no page has nothing to write on."""
        if call.state == "talking":
            self._forms.begin(call)
        if call.before is not None and call.visit not in self._looked_at:
            self._looked_at.add(call.visit)
            self._looked(call.adviser, call.call_id)

    def _show(self, now: CallNow) -> None:
        self._shown[now.call_id] = now
        self._feed.call(now.seat, now.adviser, now)

    def _now(self, kept: KeptCall, verified: Shown | None, before: CallNow | None) -> CallNow | None:
        """What is to be seen; None: nothing, at no seat."""
        found = _seat_of(kept)
        if found is None:
            return None
        seat, adviser, state = found
        visit, needs = f"{kept.call_id}.{kept.visits}", kept.needs
        known = before if before and before.visit == visit else None
        again = known if known and known.state == state else None
        return CallNow(
            call_id=kept.call_id,
            visit=visit,
            seat=seat,
            adviser=adviser,
            state=state,
            since=again.since if again else self._clock.utc(),
            arrived_at=kept.arrived_at,
            waited_ms=known.waited_ms if known else max(0, round(self._clock.now() * 1000) - kept.since_ms),
            line=kept.line,
            queue=needs.queue if needs else None,
            urgency=needs.urgency if needs else "normal",
            language=kept.language,
            number=kept.calling_number,
            place=known.place if known else "",
            chosen=kept.chosen,
            verified=verified,
            callback=kept.callback is not None,
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
        """To what is shown of that call, if it is still."""
        if (shown := self._shown.get(call.call_id)) and shown.visit == call.visit:
            self._show(msgspec.structs.replace(shown, **found))


def _seat_of(kept: KeptCall) -> tuple[str, str, CallState] | None:
    """Where it is, with whom, and what is going on there."""
    if talk := kept.conversation:
        state: CallState = "apart" if talk.apart_since_ms else "holding" if talk.held_since_ms else "talking"
        return talk.seat, talk.adviser, state
    if kept.rung:
        return kept.rung.seat, kept.rung.adviser, "calling" if kept.step == "calling" else "ringing"
    return None
