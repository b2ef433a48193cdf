"""What an adviser sees of a call: at once, to nobody else, and what is looked up comes after."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from calls.clock import Instant
from calls.errors import NotPossible
from calls.words import Needs
from cti.asterisk.kept import Conversation, KeptCall, KeptConsultation, Rung
from cti.desk.feed import CallNow, Feed, Onlooker
from cti.identification import Shown
from cti.screens import Screens
from cti.store import Before
from tests.eventually import eventually

BEFORE = Before(calls=2, messages=1, callbacks=0, newest=())
ARRIVED = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
NEEDS = Needs({"cards": 1}, "cards")


class Clock:
    def now(self) -> Instant:
        return Instant(100.0)

    def utc(self) -> datetime:
        return ARRIVED


class Known:
    """History and places that answer when they are told to."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.away = False
        self.asked: list[str] = []

    async def before(self, number: str, call_id: str) -> Before:
        self.asked.append(number)
        await self.answers.wait()
        if self.away:
            raise NotPossible("it is away")
        return BEFORE

    async def of(self, number: str) -> str:
        await self.answers.wait()
        return "" if self.away else "浙江省杭州市"


class Desk:
    """Two advisers' pages and the controller's end of the feed."""

    def __init__(self) -> None:
        self.known, self.feed = Known(), Feed()
        self.begun: list[str] = []
        self.looked: list[tuple[str, str]] = []
        self.screens = Screens(
            Clock(),
            self.feed,
            self,  # type: ignore[arg-type]  # as Forms
            self.known,
            self.known,
            lambda adviser, call_id: self.looked.append((adviser, call_id)),
        )
        self.pages: dict[str | None, Onlooker] = {}
        for adviser in ("8001", "8002", None):
            onlooker = Onlooker(adviser, ())
            self.feed._onlookers.add(onlooker)
            self.pages[adviser] = onlooker

    def begin(self, call: CallNow) -> None:
        self.begun.append(call.visit)

    def told(self, adviser: str | None = "8001") -> list[dict[str, Any]]:
        """What this page was told since the last look."""
        return [msgspec.json.decode(message) for message in self.pages[adviser].take()]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


def call(**changes: Any) -> KeptCall:
    kept = KeptCall(
        call_id="c1",
        sip_call_id="s1",
        calling_number="+8613800001111",
        line="12333",
        boot_id="b",
        arrived_ms=0,
        arrived_at=ARRIVED,
        since_ms=60_000,
        visits=1,
        needs=NEEDS,
        chosen=("cards",),
    )
    return msgspec.structs.replace(kept, **changes)


RINGING = call(step="ringing", rung=Rung("1001", "8001"))
TALK = Conversation("1001", "8001", "leg", "bridge", 0, 0, "page1001")
ELSEWHERE = msgspec.structs.replace(TALK, seat="1003", adviser="8003")
TALKING = call(step="talking", conversation=TALK)


async def test_a_ringing_seat_shows_who_calls_and_what_is_found_out_comes_after(desk: Desk) -> None:
    desk.screens.see(RINGING, None)
    (first,) = desk.told()
    assert first["kind"] == "call"
    assert first["seat"] == "1001"
    assert {name: first["now"][name] for name in ("state", "number", "queue", "waited_ms", "chosen")} == {
        "state": "ringing",
        "number": "+8613800001111",
        "queue": "cards",
        "waited_ms": 40_000,
        "chosen": ["cards"],
    }
    assert (first["now"]["history"], first["now"]["before"], first["now"]["place"]) == ("looking", None, "")
    desk.known.answers.set()
    await eventually(lambda: len(desk.pages["8001"]._messages) == 2)
    last = desk.told()[-1]["now"]
    assert (last["history"], last["before"]["calls"], last["place"]) == ("known", 2, "浙江省杭州市")
    assert desk.told("8002") == []
    assert desk.told(None) == []


async def test_from_ring_to_talk_what_is_known_stays_and_the_number_is_looked_up_once(desk: Desk) -> None:
    desk.known.answers.set()
    desk.screens.see(RINGING, None)
    await eventually(lambda: len(desk.pages["8001"]._messages) == 3)
    desk.told()
    desk.screens.see(TALKING, Shown("card", "0027"))
    (told,) = desk.told()
    assert (told["now"]["state"], told["now"]["history"], told["now"]["place"]) == ("talking", "known", "浙江省杭州市")
    assert told["now"]["verified"] == {"kind": "card", "ends_in": "0027"}
    assert desk.begun == ["c1.1"]
    desk.screens.see(msgspec.structs.replace(TALKING, conversation=TALK.hold(True, 5)), None)
    assert desk.told()[0]["now"]["state"] == "holding"
    assert desk.known.asked == ["+8613800001111"]


async def test_whoever_is_asked_and_whoever_is_found_talking_see_how_long_the_caller_waited(desk: Desk) -> None:
    talk = msgspec.structs.replace(TALK, begun_ms=80_000)
    asked = KeptConsultation(
        visit="c1.1",
        leg="other",
        endpoint="page1002",
        seat="1002",
        adviser="8002",
        outside="",
        take_over=False,
        asked_by="8001",
        since_ms=90_000,
        begun_ms=90_000,
    )
    desk.screens.see(call(step="talking", conversation=talk, consultation=asked), None)
    assert [told["now"]["waited_ms"] for told in (*desk.told(), *desk.told("8002"))] == [20_000, 20_000]


async def test_a_turn_that_changes_nothing_is_not_told_again(desk: Desk) -> None:
    desk.screens.see(TALKING, None)
    desk.screens.see(msgspec.structs.replace(TALKING, served=True), None)
    assert len(desk.told()) == 1


async def test_when_it_rings_elsewhere_the_first_page_loses_it(desk: Desk) -> None:
    desk.screens.see(RINGING, None)
    desk.screens.see(msgspec.structs.replace(RINGING, rung=Rung("1002", "8002")), None)
    assert [each["kind"] for each in desk.told()] == ["call", "call_gone"]
    assert [each["kind"] for each in desk.told("8002")] == ["call"]


async def test_a_call_that_is_over_is_gone_once(desk: Desk) -> None:
    desk.screens.see(TALKING, None)
    desk.screens.see(call(step="rating"), None)
    desk.screens.gone("c1")
    assert [each["kind"] for each in desk.told()] == ["call", "call_gone"]


async def test_without_the_database_the_page_says_so(desk: Desk) -> None:
    desk.known.away = True
    desk.known.answers.set()
    desk.screens.see(RINGING, None)
    await eventually(lambda: len(desk.pages["8001"]._messages) == 2)
    assert desk.told()[-1]["now"]["history"] == "unknown"
    assert desk.looked == [("8001", "c1")], "the number and what goes with it were seen all the same"
    desk.screens.see(TALKING, Shown("card", "0027"))
    assert desk.looked == [("8001", "c1")]


async def test_of_a_withheld_number_nothing_is_looked_up(desk: Desk) -> None:
    desk.screens.see(msgspec.structs.replace(RINGING, calling_number=None), None)
    assert desk.told()[0]["now"]["history"] == "unknown"
    assert desk.known.asked == []
    assert desk.looked == [], "that is nobody yet"
    desk.screens.see(msgspec.structs.replace(TALKING, calling_number=None), Shown("card", "0027"))
    assert desk.looked == [("8001", "c1")]


async def test_an_answer_that_comes_after_the_call_is_for_nobody(desk: Desk) -> None:
    desk.screens.see(RINGING, None)
    looking = set(desk.screens._looking)
    desk.screens.gone("c1")
    desk.known.answers.set()
    await asyncio.gather(*looking)
    assert [each["kind"] for each in desk.told()] == ["call", "call_gone"]


async def test_whoever_opens_a_page_in_mid_call_has_it_at_once(desk: Desk) -> None:
    desk.screens.see(TALKING, None)
    with desk.feed.opened("8001") as page, desk.feed.opened("8002") as other, desk.feed.opened(None) as leads:
        (told,) = msgspec.json.decode(await page.next())
        now = msgspec.convert(told["now"], CallNow)
        assert (now.state, now.visit) == ("talking", "c1.1")
        assert [await each.next() for each in (other, leads)] == [b"[]"] * 2


async def test_a_crisis_is_told_to_the_leads_and_to_nobody_else_until_the_call_is_at_the_seat_no_more(
    desk: Desk,
) -> None:
    lead = Onlooker(None, (), lead=True)
    desk.feed._onlookers.add(lead)
    desk.screens.see(TALKING, None)
    assert lead.take() == []
    marked = msgspec.structs.replace(TALKING, crisis_at=ARRIVED)
    desk.screens.see(marked, None)
    told = {"call_id": "c1", "adviser": "8001", "since": "2026-01-05T01:00:00Z", "marked": True}
    assert [msgspec.json.decode(each) for each in lead.take()] == [{"kind": "crisis", "seat": "1001", "now": told}]
    assert desk.told()[-1]["now"]["crisis_at"] == "2026-01-05T01:00:00Z"
    desk.screens.see(msgspec.structs.replace(marked, conversation=TALK.hold(True, 5)), None)
    assert lead.take() == [], "it is told already"
    with desk.feed.opened(None, lead=True) as late:
        assert len(msgspec.json.decode(await late.next())) == 1
    desk.screens.gone("c1")
    assert [msgspec.json.decode(each) for each in lead.take()] == [{"kind": "crisis_gone", "seat": "1001"}]
    assert desk.told(None) == []


async def test_whoever_chose_help_in_danger_is_a_crisis_from_the_first_ring(desk: Desk) -> None:
    lead = Onlooker(None, (), lead=True)
    desk.feed._onlookers.add(lead)
    desk.screens.see(msgspec.structs.replace(RINGING, needs=Needs({}, "crisis", urgency="crisis")), None)
    (told,) = [msgspec.json.decode(each) for each in lead.take()]
    assert (told["seat"], told["now"]["marked"]) == ("1001", False)


async def test_what_an_adviser_was_shown_of_a_caller_is_told_once_a_visit_and_only_if_there_is_a_page(
    desk: Desk,
) -> None:
    desk.known.answers.set()
    desk.screens.see(RINGING, None)
    assert desk.looked == [], "nothing is known yet"
    await eventually(lambda: desk.looked == [("8001", "c1")])
    desk.screens.see(TALKING, None)
    assert desk.looked == [("8001", "c1")]
    desk.screens.see(msgspec.structs.replace(TALKING, call_id="c2", conversation=ELSEWHERE), None)
    await eventually(lambda: not desk.screens._looking)
    assert (desk.looked, desk.begun) == ([("8001", "c1")], ["c1.1"]), "8003 has no page, and nothing to write on"
    with desk.feed.opened("8003"):
        assert desk.looked[1:] == [("8003", "c2")]
