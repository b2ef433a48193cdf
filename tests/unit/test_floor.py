"""The floor on a real journal: calls woken, seats kept for the next controller, the engine given its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calls.clock import Instant
from calls.errors import NotPossible
from calls.facts import AnyFact, SeatStateChanged
from calls.words import Needs
from cti.floor import RESTARTED, Floor, Place
from cti.store import Journal
from queues import (
    Adviser,
    Answered,
    Calling,
    ConversationOver,
    LogOut,
    NotAnswered,
    Propose,
    QueueRules,
    SitDown,
    StandUp,
    Tick,
)
from queues.engine import RESERVATION_S
from queues.expected import SEEN_AT_LEAST
from queues.seating import LEG_ENDS_S
from tests.eventually import eventually

ADVISERS = {number: Adviser(number, {"cards": 1}) for number in ("8001", "8002")}
QUEUES = {"general": QueueRules(1)}
ANYONE, PENSION = Needs({}, "general"), Needs({"pension": 1}, "general")


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> Instant:
        return Instant(self.seconds)

    def utc(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC)


class Facts:
    """A FactSink that keeps them."""

    def __init__(self) -> None:
        self.seats: list[tuple[str, str, str]] = []

    def record(self, fact: AnyFact) -> None:
        assert isinstance(fact, SeatStateChanged)
        self.seats.append((fact.seat, fact.state, fact.reason))


class Site:
    """One controller's floor after the other, on the same journal file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.db"
        self.clock, self.facts = Clock(), Facts()
        self.changes = 0

    def changed(self) -> None:
        self.changes += 1

    @asynccontextmanager
    async def floor(
        self, *, seats: tuple[str, ...] = ("1001", "1002"), wrap_up_s: float = 30.0
    ) -> AsyncIterator[Floor]:
        journal = Journal(self.path, "node1", self.clock)
        floor = Floor(self.clock, self.facts, journal, seats, wrap_up_s, self.changed)
        floor.load(ADVISERS, QUEUES)
        try:
            yield floor
        finally:
            await journal.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def sit(floor: Floor, seat: str = "1001", adviser: str = "8001") -> None:
    floor.phone_seen(seat, reachable=True)
    floor.take(SitDown(seat, adviser))


def enter(floor: Floor, visit: str = "v1", needs: Needs = ANYONE) -> Place:
    return floor.enter(visit, needs, Instant(0.0), returned=False, kept=False)


async def proposed(place: Place) -> Propose:
    return (await asyncio.wait({place.next_offer}, timeout=10), place.taken_up())[1]


def state(floor: Floor, seat: str = "1001") -> str:
    return floor.engine.seat(seat).state


# Callers


async def test_a_waiting_call_is_woken(site: Site) -> None:
    async with site.floor() as floor:
        floor.phone_seen("1001", reachable=True)
        floor.take(SitDown("1001", "8001", "break"))
        place = enter(floor)
        assert (place.position, place.turned_away) == (1, None)
        waiting = asyncio.create_task(proposed(place))
        floor.take(SitDown("1001", "8001"))
        proposal = await waiting

        assert (proposal.visit, proposal.seat, proposal.adviser) == ("v1", "1001", "8001")
        assert floor.accept(proposal)
        assert state(floor) == "ringing"


async def test_how_long_the_last_in_turn_may_expect_to_wait_is_known_after_some_conversations(site: Site) -> None:
    async def talks(floor: Floor, visit: str) -> None:
        proposal = await proposed(enter(floor, visit))
        floor.accept(proposal)
        floor.take(Answered(proposal.seat, proposal.generation))

    async with site.floor(seats=("1001",), wrap_up_s=0.0) as floor:
        floor.load(ADVISERS, {"general": QueueRules(9)})
        sit(floor)
        for number in range(SEEN_AT_LEAST):
            await talks(floor, f"v{number}")
            enter(floor, "early")
            assert floor.expected_of_last("general") is None, "nobody knows yet"
            floor.leave("early")
            site.clock.seconds += 60.0
            floor.take(ConversationOver("1001", f"v{number}", hung_up=True))
            floor.take(Tick())
        await talks(floor, "now")
        assert floor.expected_of_last("general") is None, "nobody waits"
        enter(floor, "next")
        one = floor.expected_of_last("general")
        enter(floor, "after")
        floor.enter("at home", ANYONE, Instant(500.0), returned=False, away=True)
        two = floor.expected_of_last("general")
        assert one
        assert two
        assert 0 < one.p50_s < two.p50_s
        assert two == floor.expected("after"), "whoever is called back does not wait on the line"


async def test_one_who_cannot_wait_knows_at_once(site: Site) -> None:
    async with site.floor() as floor:
        assert enter(floor).turned_away == "no_seat"
        sit(floor)
        assert enter(floor, "v2", PENSION).turned_away == "no_seat"
        enter(floor, "v3")  # is offered the seat
        assert enter(floor, "v4").turned_away == "full"


async def test_the_next_proposal_comes_when_one_was_not_answered(site: Site) -> None:
    async with site.floor() as floor:
        sit(floor)
        sit(floor, "1002", "8002")
        place = enter(floor)
        first = await proposed(place)
        assert floor.accept(first)
        floor.take(NotAnswered(first.seat, first.generation, "busy"))
        second = await proposed(place)

        assert (first.seat, second.seat) == ("1001", "1002")
        assert state(floor) == "not_ready"


async def test_a_reservation_that_is_over_is_not_accepted_and_costs_no_seat_its_place(site: Site) -> None:
    """A call that took it up too late may not ring; a call that slept through it finds only what is present."""
    async with site.floor() as floor:
        sit(floor)
        sit(floor, "1002", "8002")
        place = enter(floor)
        stale = await proposed(place)
        for _ in range(2):
            site.clock.seconds += RESERVATION_S
            floor.take(Tick())

        assert not floor.accept(stale)
        present = await proposed(place)
        assert floor.accept(present)
        assert (stale.seat, present.seat, place.offered) == ("1001", "1001", False)
        assert (state(floor, "1001"), state(floor, "1002")) == ("ringing", "ready")


async def test_who_leaves_frees_the_seat_and_leaving_twice_is_leaving_once(site: Site) -> None:
    async with site.floor() as floor:
        sit(floor)
        place = enter(floor)
        floor.accept(await proposed(place))
        floor.leave("v1")
        changes = site.changes
        floor.leave("v1")

        assert state(floor) == "ready"
        assert place.position is None
        assert site.changes == changes


async def test_every_move_is_a_fact_and_is_told(site: Site) -> None:
    async with site.floor() as floor:
        sit(floor)
        proposal = await proposed(enter(floor))
        floor.accept(proposal)
        floor.take(Answered("1001", proposal.generation))
        floor.take(ConversationOver("1001", "v1"))
        site.clock.seconds += 30
        floor.take(Tick())

    moves = [move for _, move, _ in site.facts.seats]
    assert moves == ["ready", "reserved", "ringing", "talking", "wrap_up", "ready"]
    assert site.changes == 8  # the files, the telephone, the seat, the caller, and what became of them


@pytest.mark.parametrize("hung_up", [True, False])
async def test_a_seat_without_wrap_up_is_ready_as_soon_as_its_telephone_is_free(site: Site, hung_up: bool) -> None:
    async with site.floor(wrap_up_s=0) as floor:
        sit(floor)
        proposal = await proposed(enter(floor))
        floor.accept(proposal)
        floor.take(Answered("1001", proposal.generation))
        floor.take(ConversationOver("1001", "v1", hung_up=hung_up))

        assert state(floor) == ("ready" if hung_up else "wrap_up")
        site.clock.seconds += LEG_ENDS_S
        floor.take(Tick())
        assert state(floor) == "ready"


async def test_a_wish_that_is_refused_says_why(site: Site) -> None:
    async with site.floor() as floor:
        with pytest.raises(NotPossible, match="the telephone of seat 1001 is not registered"):
            floor.take(SitDown("1001", "8001"))
        with pytest.raises(NotPossible, match="there is no seat 7"):
            floor.take(LogOut("7"))


# Time


async def test_the_engine_is_given_the_time_when_it_wants_it(site: Site) -> None:
    async with site.floor(wrap_up_s=0.0) as floor:
        running = asyncio.create_task(floor.run())
        sit(floor)
        proposal = await proposed(enter(floor))
        floor.accept(proposal)
        floor.take(Answered("1001", proposal.generation))
        floor.take(ConversationOver("1001", "v1"))
        site.clock.seconds += LEG_ENDS_S
        await eventually(lambda: state(floor) == "ready")
        running.cancel()


async def test_time_that_is_not_due_moves_nothing(site: Site) -> None:
    async with site.floor() as floor:
        sit(floor)
        enter(floor)
        site.clock.seconds += RESERVATION_S - 0.001
        floor.take(Tick())
        assert floor.engine.seat("1001").generation == 1
        site.clock.seconds += 0.001
        floor.take(Tick())
        assert floor.engine.seat("1001").generation == 2


# The next controller


def bring_to(floor: Floor, state: str, proposal: Propose) -> None:
    """The seat of `proposal`, which is reserved, into another state."""
    if state in ("ringing", "calling", "talking", "wrap_up"):
        floor.accept(proposal)
    elif state != "reserved":
        floor.leave("v1")
    if state == "calling":
        floor.take(Calling("1001", proposal.generation))
    if state in ("talking", "wrap_up"):
        floor.take(Answered("1001", proposal.generation))
    if state == "wrap_up":
        floor.take(ConversationOver("1001", "v1"))
    if state == "not_ready":
        floor.take(StandUp("1001", "lunch"))
    if state == "logged_out":
        floor.take(LogOut("1001"))


BEFORE = [
    ("ready", ("ready", "")),
    ("reserved", ("ready", "")),
    ("ringing", ("ready", "")),
    ("not_ready", ("not_ready", "lunch")),
    ("calling", ("ready", "")),
    ("talking", ("not_ready", RESTARTED)),
    ("wrap_up", ("ready", "")),
    ("logged_out", ("logged_out", "")),
]


@pytest.mark.parametrize(("was", "becomes"), BEFORE, ids=[each[0] for each in BEFORE])
async def test_who_sat_there_sits_there_again(site: Site, was: str, becomes: tuple[str, str]) -> None:
    async with site.floor() as floor:
        sit(floor)
        bring_to(floor, was, await proposed(enter(floor)))
        assert state(floor) == was
    async with site.floor() as floor:
        assert state(floor) == "logged_out"  # until its telephone is seen
        floor.phone_seen("1001", reachable=False)
        assert state(floor) == "logged_out"
        floor.phone_seen("1001", reachable=True)
        seat = floor.engine.seat("1001")

        assert (seat.state, seat.reason) == becomes
        assert seat.adviser == (None if was == "logged_out" else "8001")
        floor.phone_seen("1001", reachable=False)
        floor.phone_seen("1001", reachable=True)
        assert state(floor) != "ready"  # only once


async def test_a_conversation_that_goes_on_is_found_whichever_is_seen_first(site: Site) -> None:
    for telephone_first in (True, False):
        async with site.floor() as floor:
            if telephone_first:
                floor.phone_seen("1001", reachable=True)
            floor.found_talking("1001", "8001", "v1")
            floor.phone_seen("1001", reachable=True)

            assert (state(floor), floor.engine.seat("1001").adviser) == ("talking", "8001")
            floor.take(ConversationOver("1001", "v1"))
            assert state(floor) == "wrap_up"


async def test_seats_and_advisers_that_are_no_more_are_left_alone(site: Site) -> None:
    async with site.floor() as floor:
        sit(floor)
        sit(floor, "1002", "8002")
    async with site.floor(seats=("1002", "1003")) as floor:
        floor.load({"8001": ADVISERS["8001"]}, QUEUES)
        for seat in ("1001", "1002", "1003"):
            floor.phone_seen(seat, reachable=True)
        floor.found_talking("1001", "8001", "v1")
        floor.take(ConversationOver("1001", "v1"))

        assert {seat.number: seat.state for seat in floor.engine.seats()} == {
            "1002": "logged_out",
            "1003": "logged_out",
        }


async def test_an_adviser_who_sits_elsewhere_by_now_is_not_doubled(site: Site) -> None:
    async with site.floor() as floor:
        sit(floor)
    async with site.floor() as floor:
        sit(floor, "1002", "8001")
        floor.phone_seen("1001", reachable=True)

        assert state(floor) == "logged_out"


async def test_new_files_are_taken_while_people_wait(site: Site) -> None:
    async with site.floor() as floor:
        sit(floor)
        floor.take(StandUp("1001", "break"))
        place = enter(floor)
        floor.load({**ADVISERS, "8003": Adviser("8003", {"pension": 1})}, {"general": QueueRules(5)})

        assert place.position == 1
        assert enter(floor, "v2").turned_away is None
        sit(floor, "1002", "8003")
        assert (await proposed(place)).adviser == "8003"
