"""An adviser asks somebody else about the call, on the real Asterisk: tones prove who hears whom, at each moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest

from calls.facts import ConsultationEnded, ConversationEnded, RatingKeyed
from cti.control import AnyRequest, LeadTakeOver, SeatConference, SeatConsult, SeatHandOver, SeatTakeBack, ask
from cti.phone.baresip import AnswerAfter, Phone
from cti.phone.places import Identity
from cti.phone.sound import tone
from cti.status import Done
from recordings.listen import channels
from tests.asterisk.ears import tone_dbfs
from tests.asterisk.hotline import HOME, Caller, Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ
from tests.asterisk.test_lead import LEAD_HZ as ASKED_HZ
from tests.asterisk.test_lead import QUIET_DBFS, hear
from tests.eventually import eventually
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

FROM, TO = ("1004", "8004"), ("1006", "8007")
CITY = "市民热线"
KEPT = "SELECT asked_adviser, outside, outcome, asked_ms > 0, together_ms > 0 FROM consultations WHERE call_id = $1 ORDER BY at"


class They:
    """The adviser, whoever is asked, and the citizen: what each of them hears."""

    def __init__(self, hotline: Hotline, seat: Phone, asked: Phone, caller: Caller) -> None:
        self.hotline, self.seat, self.asked, self.caller = hotline, seat, asked, caller

    async def wish(self, request: AnyRequest) -> None:
        await ask(self.hotline.settings.control_socket, request, Done)

    async def hear(self, seat: Collection[float], caller: Collection[float], asked: Collection[float] = ()) -> None:
        """Each hears these tones, and no other of the three; music is none of them."""
        phones = [(self.seat, seat), (self.caller.phone, caller)]
        await hear(*phones, *([(self.asked, asked)] if asked else []))


@asynccontextmanager
async def they(hotline: Hotline, asked: Phone) -> AsyncIterator[They]:
    """Adviser and citizen talk; whoever can be asked says 700 Hz, and is idle."""
    async with hotline.adviser(*FROM) as seat, hotline.caller("2", rate="4") as caller:
        await caller.connected()
        yield They(hotline, seat, asked, caller)


@asynccontextmanager
async def colleague(hotline: Hotline) -> AsyncIterator[Phone]:
    """Another adviser, who takes other calls."""
    identity = Identity(user=f"seat{TO[0]}", password=hotline.secrets.seats[TO[0]], server=hotline.server)
    async with Phone(identity, answers=AnswerAfter(), microphone=tone(ASKED_HZ, 1)) as phone, hotline.sits(*TO, phone):
        yield phone


async def test_a_colleague_is_asked_speaks_with_both_and_takes_the_caller(hotline: Hotline) -> None:
    async with colleague(hotline) as asked, they(hotline, asked) as those:
        await those.wish(SeatConsult(FROM[0], TO[1]))
        await those.hear({ASKED_HZ}, (), {SEAT_HZ})
        await those.wish(SeatTakeBack(FROM[0]))
        await those.hear({CITIZEN_HZ}, {SEAT_HZ})
        await hotline.seat_is(TO[0], "ready")
        await those.wish(SeatConsult(FROM[0], TO[1]))
        await those.hear({ASKED_HZ}, (), {SEAT_HZ})
        await those.wish(SeatConference(FROM[0]))
        await those.hear({ASKED_HZ, CITIZEN_HZ}, {SEAT_HZ, ASKED_HZ}, {SEAT_HZ, CITIZEN_HZ})
        await those.wish(SeatHandOver(FROM[0]))
        answered = await those.caller.connected(2)
        assert answered.adviser == TO[1]
        await hear((asked, {CITIZEN_HZ}), (those.caller.phone, {ASKED_HZ}))
        await hotline.seat_is(FROM[0], "ready")
        await asked.hangup()
        await those.caller.over()
        assert [fact.visit for fact in those.caller.facts if isinstance(fact, RatingKeyed)] == [answered.visit]
        first, second = [fact for fact in those.caller.facts if isinstance(fact, ConversationEnded)]
        assert (first.adviser, second.adviser) == (FROM[1], TO[1])
        assert first.held_ms > 0
    call_id = those.caller.call_id
    assert await hotline.sql(KEPT, call_id) == [
        (TO[1], None, "taken_back", True, False),
        (TO[1], None, "handed_over", True, True),
    ]
    await eventually(lambda: hotline.kept("recording/") == [])
    voices = [await recorded(hotline, fact.visit) for fact in (first, second)]
    assert voices == [({CITIZEN_HZ}, {SEAT_HZ, ASKED_HZ}), ({CITIZEN_HZ}, {ASKED_HZ})]


async def recorded(hotline: Hotline, visit: str) -> tuple[set[float], set[float]]:
    """Whose voices are in the recording: the caller's side, and the adviser's."""
    [(path,)] = await hotline.sql("SELECT path FROM recordings WHERE visit = $1", visit)
    sides, _ = channels(hotline.recording(path))
    caller, seat = (
        {hz for hz in (CITIZEN_HZ, SEAT_HZ, ASKED_HZ) if tone_dbfs(side, hz) > QUIET_DBFS} for side in sides
    )
    return caller, seat


async def test_somebody_outside_is_asked_and_takes_the_caller_whatever_becomes_of_the_controller(
    hotline: Hotline,
) -> None:
    city = Identity(user="12345", server=hotline.server)
    port = hotline.settings.sip_port + HOME
    async with (
        Phone(city, answers=AnswerAfter(), microphone=tone(ASKED_HZ, 1), sip_port=port) as outside,
        they(hotline, outside) as those,
    ):
        await those.wish(SeatConsult(FROM[0], outside=CITY))
        await those.hear({ASKED_HZ}, (), {SEAT_HZ})
        await those.wish(SeatConference(FROM[0]))
        await those.hear({ASKED_HZ, CITIZEN_HZ}, {SEAT_HZ, ASKED_HZ}, {SEAT_HZ, CITIZEN_HZ})
        await restart(hotline)
        await those.hear({ASKED_HZ, CITIZEN_HZ}, {SEAT_HZ, ASKED_HZ}, {SEAT_HZ, CITIZEN_HZ})
        await those.seat.hangup()
        ended = await those.caller.saw(ConsultationEnded)
        assert (ended.outcome, ended.outside) == ("handed_over", CITY)
        await hear((outside, {CITIZEN_HZ}), (those.caller.phone, {ASKED_HZ}))
        await restart(hotline)
        await hear((outside, {CITIZEN_HZ}), (those.caller.phone, {ASKED_HZ}))
        await outside.hangup()
        await those.caller.hears("goodbye")
        await those.caller.over()


async def restart(hotline: Hotline) -> None:
    await hotline.all_kept()
    kill(hotline, "controller")
    await until_working(hotline)


@pytest.mark.long
async def test_a_lead_takes_a_call_over_and_nobody_hears_anything_but_voices(hotline: Hotline) -> None:
    async with colleague(hotline) as lead, they(hotline, lead) as those:
        await hotline.not_ready(TO[0])
        await those.wish(LeadTakeOver(FROM[0], TO[0]))
        assert (await those.caller.connected(2)).adviser == TO[1]
        await hear((lead, {CITIZEN_HZ}), (those.caller.phone, {ASKED_HZ}))
        await hotline.seat_is(FROM[0], "ready")
        await those.caller.leave()
        await hotline.seat_is(TO[0], "not_ready")
