"""Lending between sites: in the steps of the queue, while the lender's own callers are well served, and told in a ledger."""

from __future__ import annotations

import pytest

from calls.clock import Instant
from calls.words import Keeps, Needs, Relax
from queues import (
    Accepted,
    Adviser,
    Answered,
    ConversationOver,
    Engine,
    Input,
    Join,
    Leave,
    Output,
    PhoneSeen,
    Propose,
    QueueRules,
    SitDown,
    Tick,
)
from queues.lending import SEEN_AT_LEAST, Lending

CITY, COUNTY = Needs({}, "city", site="city"), Needs({}, "county", site="county")
RULES = {
    "city": QueueRules(99, (Relax(10, any_site=True),), "city"),
    "county": QueueRules(99, (), "county", Keeps(within_s=20, part=0.8)),
}
ADVISERS = {"8001": Adviser("8001", {}, site="county"), "8002": Adviser("8002", {}, site="county")}


class Province:
    """Two seats of the county, none of the city."""

    def __init__(self) -> None:
        self.engine = Engine(("1001", "1002"), ADVISERS, RULES, 0.0)
        self.now, self.calls = 100.0, 0
        for seat, adviser in (("1001", "8001"), ("1002", "8002")):
            self.take(PhoneSeen(seat, True))
            self.take(SitDown(seat, adviser))

    def take(self, event: Input, after: float = 0.0) -> list[Output]:
        self.now += after
        return self.engine.take(event, Instant(self.now))

    def proposed(self, outputs: list[Output]) -> list[Propose]:
        return [output for output in outputs if isinstance(output, Propose)]

    def serve(self, proposal: Propose) -> list[Output]:
        """The seat answers, and is free again at once."""
        self.take(Accepted(proposal.seat, proposal.generation))
        self.take(Answered(proposal.seat, proposal.generation))
        self.take(ConversationOver(proposal.seat, proposal.visit, hung_up=True))
        return self.take(Tick())

    def county_waits(self, seconds: float, times: int) -> None:
        """So many callers of the county are answered after so long a wait."""
        for _ in range(times):
            self.calls += 1
            [proposal] = self.proposed(
                self.take(Join(f"own{self.calls}", COUNTY, Instant(self.now - seconds), returned=True))
            )
            self.serve(proposal)


@pytest.fixture
def province() -> Province:
    return Province()


def test_a_site_lends_once_the_call_has_waited_for_its_own(province: Province) -> None:
    assert province.proposed(province.take(Join("v1", CITY, Instant(province.now)))) == []
    [lent] = province.proposed(province.take(Tick(), after=10))

    assert (lent.visit, lent.site, lent.lent_to) == ("v1", "county", "city")
    [own] = province.proposed(province.take(Join("v2", COUNTY, Instant(province.now))))
    assert (own.site, own.lent_to) == ("county", None)


def test_a_site_whose_own_callers_wait_too_long_lends_nobody_and_lends_again_when_they_do_not(
    province: Province,
) -> None:
    province.county_waits(60, times=SEEN_AT_LEAST)
    province.take(Join("v1", CITY, Instant(province.now)))
    assert province.proposed(province.take(Tick(), after=15)) == []  # both seats are idle, and stay the county's

    outputs: list[Output] = []
    for _ in range(200):  # its own are served at once, until eight in ten of the last were
        province.calls += 1
        [proposal] = province.proposed(province.take(Join(f"own{province.calls}", COUNTY, Instant(province.now))))[:1]
        province.take(Accepted(proposal.seat, proposal.generation))
        outputs = province.take(Answered(proposal.seat, proposal.generation))
        if lent := province.proposed(outputs):
            assert [(one.visit, one.lent_to) for one in lent] == [("v1", "city")]
            break
        province.take(ConversationOver(proposal.seat, proposal.visit, hung_up=True))
        province.take(Tick())
    assert province.proposed(outputs)


def test_who_may_be_served_when_the_site_lends_again_may_wait(province: Province) -> None:
    province.county_waits(60, times=SEEN_AT_LEAST)

    assert province.take(Join("v1", CITY, Instant(province.now))) == []
    assert province.engine.position("v1") == 1


def test_why_a_seat_was_passed_over_says_that_it_is_not_lent(province: Province) -> None:
    engine = Engine(("1001", "1002"), {**ADVISERS, "8003": Adviser("8003", {})}, RULES, 0.0)
    province.engine = engine
    for seat, adviser in (("1001", "8001"), ("1002", "8003")):
        province.take(PhoneSeen(seat, True))
        province.take(SitDown(seat, adviser))
    province.county_waits(60, times=SEEN_AT_LEAST)
    province.take(Join("v1", CITY, Instant(province.now)))
    [proposal] = province.proposed(province.take(Tick(), after=15))

    assert proposal.seat == "1002"  # of no site, so nobody's to lend
    assert [(passed.why, passed.detail) for passed in proposal.seats_passed] == [("lending", "county")]


def test_who_gives_up_in_good_time_says_nothing_and_who_waited_in_vain_does() -> None:
    lending = Lending(RULES)
    for _ in range(SEEN_AT_LEAST * 2):
        assert not lending.gave_up("county", 5)
    assert lending.closed == frozenset()
    changed = [lending.gave_up("county", 60) for _ in range(SEEN_AT_LEAST)]
    assert changed == [False] * (SEEN_AT_LEAST - 1) + [True]
    assert lending.closed == {"county"}


def test_new_files_may_ask_for_less(province: Province) -> None:
    lending = Lending(RULES)
    for _ in range(SEEN_AT_LEAST):
        lending.answered("county", 60)
    assert lending.closed == {"county"}
    lending.configure({"county": QueueRules(99, (), "county", Keeps(within_s=20, part=0.8)), "city": RULES["city"]})
    assert lending.closed == {"county"}
    lending.configure({"county": QueueRules(99, (), "county")})
    assert lending.closed == frozenset()


def test_whoever_leaves_the_queue_unserved_counts_against_its_site(province: Province) -> None:
    for seat in ("1001", "1002"):  # both are busy
        province.calls += 1
        [proposal] = province.proposed(province.take(Join(f"busy{seat}", COUNTY, Instant(province.now))))
        province.take(Accepted(proposal.seat, proposal.generation))
        province.take(Answered(proposal.seat, proposal.generation))
    for number in range(SEEN_AT_LEAST):
        province.take(Join(f"lost{number}", COUNTY, Instant(province.now)))
    province.take(Tick(), after=60)
    for number in range(SEEN_AT_LEAST):
        province.take(Leave(f"lost{number}"))
    province.take(Join("v1", CITY, Instant(province.now)))
    for seat in ("1001", "1002"):
        province.take(ConversationOver(seat, f"busy{seat}", hung_up=True))
    assert province.proposed(province.take(Tick(), after=15)) == []
