"""The floor: the engine's decisions carried out. Calls wait here for a seat, and people move seats from here.

The engine (`queues/`) decides and owns every seat's state; this room feeds it, wakes the calls that it chose, records
what moved, keeps each seat's last state for the next controller, and gives it the time when it asks for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal

import msgspec

from calls.clock import Clock, Instant
from calls.errors import NotPossible
from calls.facts import SeatState, SeatStateChanged
from calls.ports import FactSink
from calls.words import Needs
from cti.store import Journal
from queues import (
    Accepted,
    Adviser,
    Configure,
    Consult,
    Engine,
    ExpectedWait,
    Input,
    Join,
    Leave,
    Output,
    PhoneSeen,
    Propose,
    QueueRules,
    Redial,
    SeatMoved,
    SitDown,
    Talking,
    Tick,
    TurnedAway,
)

RESUMED = ("ready", "reserved", "ringing", "calling", "wrap_up")
"""A seat last seen like this is ready again under the next controller, as soon as its telephone is seen."""

RESTARTED = "controller_restarted"
"""Why a seat is not ready whose conversation ended while no controller looked."""


class KeptSeat(msgspec.Struct, frozen=True):
    """What the next controller must know of a seat."""

    adviser: str
    state: SeatState
    reason: str = ""


class Place:
    """One caller's place in the waiting room."""

    def __init__(self, floor: Floor, visit: str) -> None:
        self._floor, self._visit = floor, visit
        self._offer: asyncio.Future[Propose] = asyncio.get_running_loop().create_future()
        self.turned_away: Literal["full", "no_seat"] | None = None
        """Known at once: why the caller cannot wait here."""

    @property
    def next_offer(self) -> asyncio.Future[Propose]:
        """To be waited for with `asyncio.wait`, and never cancelled; then the seat is to be `taken_up`."""
        return self._offer

    @property
    def offered(self) -> bool:
        """A seat is proposed, and the call has not taken it up yet."""
        return self._offer.done()

    def taken_up(self) -> Propose:
        """The seat that is offered; `Floor.accept` it before ringing. The next offer comes when it was not answered."""
        offer, self._offer = self._offer, asyncio.get_running_loop().create_future()
        return offer.result()

    def offer(self, proposal: Propose) -> None:
        """Wake the call; while it is still busy with another proposal, it finds this one afterwards.

        One that it has not taken up yet is over: the engine proposes one seat at a time.
        """
        if self._offer.done():
            self._offer = asyncio.get_running_loop().create_future()
        self._offer.set_result(proposal)

    @property
    def position(self) -> int | None:
        """1 is the next in turn."""
        return self._floor.engine.position(self._visit)

    @property
    def expected(self) -> ExpectedWait | None:
        """How long it may take still; None when nobody knows."""
        return self._floor.expected(self._visit)


class Floor:
    """All seats and all waiting callers of this controller."""

    def __init__(
        self,
        clock: Clock,
        facts: FactSink,
        journal: Journal,
        seats: tuple[str, ...],
        wrap_up_s: float,
        on_change: Callable[[], None],
    ) -> None:
        self.engine = Engine(seats, {}, {}, wrap_up_s)
        self._clock, self._facts, self._journal, self._on_change = clock, facts, journal, on_change
        self._places: dict[str, Place] = {}
        self._wanted = asyncio.Event()
        self._resuming = {
            key.removeprefix("seat/"): kept for key, kept in journal.find("seat/", KeptSeat).items() if kept.adviser
        }

    def load(self, advisers: Mapping[str, Adviser], queues: Mapping[str, QueueRules]) -> None:
        """Take new advisers and queues; who waits and who sits stays."""
        self.take(Configure(advisers, queues))

    # --- callers

    def enter(
        self, visit: str, needs: Needs, since: Instant, *, returned: bool, kept: bool = False, away: bool = False
    ) -> Place:
        """Begin to wait, anew, `returned` from a seat, to a `kept` place, or `away`, to be called back.

        Call `leave` in the end, whatever happens.
        """
        place = self._places[visit] = Place(self, visit)
        self.take(Join(visit, needs, since, returned, kept, away))
        return place

    def redial(self, seat: str, visit: str, needs: Needs, since: Instant) -> Place:
        """As `enter`, for this seat alone and at once. Raises NotPossible when the seat cannot."""
        place = self._places[visit] = Place(self, visit)
        try:
            self.take(Redial(seat, visit, needs, since))
        except NotPossible:
            del self._places[visit]
            raise
        return place

    def consult(self, seat: str, visit: str) -> Propose:
        """This seat, reserved for a colleague who asks there. Raises NotPossible when the seat cannot."""
        place = self._places[visit] = Place(self, visit)
        try:
            self.take(Consult(seat, visit))
        finally:
            del self._places[visit]
        return place.taken_up()

    def leave(self, visit: str) -> None:
        """Wait no more; what was reserved for the visit is free again."""
        if self._places.pop(visit, None):
            self.take(Leave(visit))

    def expected(self, visit: str) -> ExpectedWait | None:
        """How long the caller may expect to wait still."""
        return self.engine.expected(visit, self._clock.now())

    def expected_of_last(self, queue: str) -> ExpectedWait | None:
        """How long the last in turn on the line may expect to wait still; None when nobody waits there, or nobody knows."""
        on_the_line = [one for one in self.engine.waiting(queue) if not one.away]
        return self.expected(on_the_line[-1].visit) if on_the_line else None

    def accept(self, proposal: Propose) -> bool:
        """The call rings this seat now. False when the reservation is over meanwhile: then it must not."""
        self.take(Accepted(proposal.seat, proposal.generation))
        return self.engine.rings(proposal.seat, proposal.generation)

    # --- seats

    def phone_seen(self, seat: str, *, reachable: bool) -> None:
        """A seat's telephone came or went; whoever sat there under the last controller sits there again."""
        self.take(PhoneSeen(seat, reachable))
        kept = self._resuming.pop(seat, None) if reachable else None
        if kept is None:
            return
        not_ready = None if kept.state in RESUMED else kept.reason or RESTARTED
        with suppress(NotPossible):  # no longer an adviser, or no longer a seat, or sitting elsewhere by now
            if self.engine.seat(seat).state == "logged_out":
                self.take(SitDown(seat, kept.adviser, not_ready))

    def found_talking(self, seat: str, adviser: str, visit: str) -> None:
        """A conversation that goes on since the last controller."""
        self._resuming.pop(seat, None)
        self.take(Talking(seat, adviser, visit))

    # --- the engine

    def take(self, event: Input) -> None:
        """Feed the engine and carry out what it decides. Raises NotPossible for a wish that it does not grant."""
        for output in self.engine.take(event, self._clock.now()):
            self._carry_out(output)
        self._wanted.set()
        self._on_change()

    def _carry_out(self, output: Output) -> None:
        match output:
            case Propose():
                self._places[output.visit].offer(output)
            case TurnedAway():
                if place := self._places.get(output.visit):
                    place.turned_away = output.reason
            case SeatMoved():
                self._facts.record(
                    SeatStateChanged(seat=output.seat, adviser=output.adviser, state=output.state, reason=output.reason)
                )
                self._journal.put(f"seat/{output.seat}", KeptSeat(output.adviser or "", output.state, output.reason))

    async def run(self) -> None:
        """Give the engine the time when it wants it, for ever."""
        while True:
            self._wanted.clear()
            deadline = self.engine.next_deadline()
            wait = None if deadline is None else max(0.0, deadline - self._clock.now())
            try:
                async with asyncio.timeout(wait):
                    await self._wanted.wait()
            except TimeoutError:
                self.take(Tick())
