"""A team lead at a conversation, on the real Asterisk: three tones prove who hears whom, and nobody else notices anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.errors import NotPossible
from calls.facts import AssistedIdentification, CallEnded, ConversationEnded, LeadHow, LeadJoined, LeadLeft
from cti.control import LeadJoin, SeatMove, SeatVerify, ask
from cti.desk.entrance import TOKEN_HEADER
from cti.phone.baresip import AnswerAfter, AnswerPolicy, Phone, RingOn
from cti.phone.events import Closed, Established
from cti.phone.places import RATE_HZ, Identity
from cti.phone.sound import Samples, tone
from cti.status import Done
from recordings.listen import Samples as Sound
from tests.asterisk.ears import said, tone_dbfs
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, listen
from tests.asterisk.test_desk import made, signed_in
from tests.eventually import eventually
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

LEAD_HZ = 700.0
LOUD_DBFS, QUIET_DBFS = -30.0, -50.0
"""A voice is at -20; what A-law leaves of the other tones' overtones is lower than `QUIET_DBFS`."""

SEAT, ADVISER, OWN = "1005", "8005", "1009"
WAYS: tuple[LeadHow, ...] = ("listen", "whisper", "barge", "listen", "barge", "whisper")
"""From each to each of the others but one, which goes through both."""

TOLD = """
SELECT kind, body->>'how', mono_ms FROM facts WHERE call_id = $1 AND kind IN ('seat_answered', 'lead_joined', 'lead_left')
ORDER BY seq
"""


class Three:
    """An adviser, a citizen and a team lead, and what each of them hears."""

    def __init__(self, hotline: Hotline, seat: Phone, lead: Phone, caller: Caller) -> None:
        self.hotline, self.seat, self.lead, self.caller = hotline, seat, lead, caller

    async def join(self, how: LeadHow) -> None:
        """By the control socket."""
        await join(self.hotline, how)

    async def hear(self, how: LeadHow | None) -> None:
        """All three hear what they should with a lead who is there so, or without one, and nothing else."""
        phones = [(self.seat, {CITIZEN_HZ}), (self.caller.phone, {SEAT_HZ})]
        if how:
            phones.append((self.lead, {CITIZEN_HZ, SEAT_HZ}))
        if how in {"whisper", "barge"}:
            phones[0][1].add(LEAD_HZ)
        if how == "barge":
            phones[1][1].add(LEAD_HZ)
        await hear(*phones)


async def hear(*phones: tuple[Phone, Collection[float]]) -> None:
    """Each hears these tones, and no other of the three; within a few seconds, which telephones take to open their ways."""
    sounds: list[Samples] = []

    async def so() -> bool:
        sounds[:] = await asyncio.gather(*(listen(phone) for phone, _ in phones))
        return all(_hears_only(sound, wanted) for sound, (_, wanted) in zip(sounds, phones, strict=True))

    try:
        await eventually(so)
    except TimeoutError:
        levels = [
            {hz: round(tone_dbfs(sound / 32768, hz)) for hz in (CITIZEN_HZ, SEAT_HZ, LEAD_HZ)} for sound in sounds
        ]
        raise AssertionError(
            f"heard in the end, in dBFS: {levels}; wanted {[wanted for _, wanted in phones]}"
        ) from None


def _hears_only(samples: Samples, wanted: Collection[float]) -> bool:
    levels = {hz: tone_dbfs(samples / 32768, hz) for hz in (CITIZEN_HZ, SEAT_HZ, LEAD_HZ)}
    return all(level > LOUD_DBFS if hz in wanted else level < QUIET_DBFS for hz, level in levels.items())


@asynccontextmanager
async def lead_at(hotline: Hotline, answers: AnswerPolicy = AnswerAfter()) -> AsyncIterator[Phone]:  # noqa: B008 - frozen
    """A lead's telephone, registered at a seat where nobody sits; says 700 Hz."""
    identity = Identity(user=f"seat{OWN}", password=hotline.secrets.seats[OWN], server=hotline.server)
    async with Phone(identity, answers=answers, microphone=tone(LEAD_HZ, 1)) as phone:
        yield phone


async def join(hotline: Hotline, how: LeadHow, seat: str = SEAT) -> None:
    """By the control socket, as soon as the controller has heard from Asterisk that the telephone is there."""
    await eventually(lambda: _joined(hotline, how, seat))


async def _joined(hotline: Hotline, how: LeadHow, seat: str) -> bool:
    try:
        await ask(hotline.settings.control_socket, LeadJoin(seat, OWN, how), Done)
    except NotPossible as error:
        if "no telephone is registered" in str(error):
            return False
        raise
    return True


@asynccontextmanager
async def three(hotline: Hotline) -> AsyncIterator[Three]:
    """They: adviser and citizen talk, the lead's telephone is idle."""
    async with lead_at(hotline) as lead, hotline.adviser(SEAT, ADVISER) as seat, hotline.caller("2") as caller:
        await caller.connected()
        yield Three(hotline, seat, lead, caller)


# Who hears whom


async def test_who_hears_whom_by_the_desk_and_what_is_recorded_of_it(hotline: Hotline) -> None:
    password = await made(hotline, "li.na", "--role", "lead")
    door = f"http://127.0.0.1:{hotline.settings.web_port}"
    async with (
        three(hotline) as they,
        aiohttp.ClientSession(door, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        csrf = await signed_in(browser, "li.na", password)

        async def post(what: str, body: object = None) -> tuple[int, object]:
            path = f"/api/v1/seats/{SEAT}/{what}"
            async with browser.post(path, json=body, headers={TOKEN_HEADER: csrf}) as answer:
                return answer.status, await answer.json()

        for how in WAYS:
            assert await post(how, {"from": OWN}) == (200, {"done": f"{SEAT} {how} {OWN}"})
            await they.hear(how)
        assert await post("leave") == (200, {"done": SEAT})
        await they.lead.wait_for(Closed)
        await they.hear(None)
        assert (await post("leave"))[0] == 409
        await they.caller.leave()
        answered = await they.caller.connected()
    told = [fact for fact in they.caller.facts if isinstance(fact, LeadJoined | LeadLeft)]
    assert [fact.how for fact in told] == [how for how in WAYS for _ in ("joined", "left")]
    assert [fact.why for fact in told if isinstance(fact, LeadLeft)] == ["changed"] * 5 + ["left"]
    audited = await hotline.sql(
        "SELECT about FROM audit WHERE account = 'li.na' AND did = 'conversation_joined' ORDER BY number"
    )
    ways = [f"{SEAT} {ADVISER} {how} from {OWN}" for how in WAYS]
    assert audited == [(about,) for about in (*ways, f"{SEAT} {ADVISER} leave", f"{SEAT} {ADVISER} leave")]
    assert await hotline.sql("SELECT 1 FROM facts WHERE kind LIKE 'lead%' AND body::text LIKE '%li.na%'") == []
    [(path, alarms)] = await hotline.sql("SELECT path, alarms FROM recordings WHERE visit = $1", answered.visit)
    assert alarms == []
    sound: Sound = soundfile.read(hotline.recording(path))[0]
    assert tone_dbfs(sound[:, 0], LEAD_HZ) < QUIET_DBFS, "the lead in the caller's channel"
    (_, _, began_ms), *stays = await hotline.sql(TOLD, they.caller.call_id)
    for (_, how, joined_ms), (_, _, left_ms) in zip(stays[::2], stays[1::2], strict=True):
        begin, end = ((ms - began_ms) * RATE_HZ // 1000 for ms in (joined_ms, left_ms))
        said_by_adviser = sound[begin + RATE_HZ // 4 : end - RATE_HZ // 4, 1]
        assert len(said_by_adviser) > RATE_HZ // 2, "too short to know a tone"
        assert tone_dbfs(said_by_adviser, SEAT_HZ) > LOUD_DBFS
        level = tone_dbfs(said_by_adviser, LEAD_HZ)
        assert level > LOUD_DBFS if how == "barge" else level < QUIET_DBFS, (how, level)


# Whoever leaves


@pytest.mark.parametrize("who", ["the lead", "the lead's telephone", "the caller", "the adviser"])
@pytest.mark.parametrize("how", ["whisper", "barge"])
async def test_whoever_leaves_leaves_the_others_as_without_a_lead(hotline: Hotline, who: str, how: LeadHow) -> None:
    async with three(hotline) as they:
        await they.join(how)
        await they.hear(how)
        if who == "the lead":
            await they.lead.hangup()
        elif who == "the lead's telephone":
            await they.lead.kill()
        elif who == "the caller":
            await they.caller.leave()
        else:
            await they.seat.hangup()
        left = await they.caller.saw(LeadLeft)
        if who in {"the caller", "the adviser"}:
            over = await they.caller.saw(ConversationEnded)
            assert over.ended_by == ("caller" if who == "the caller" else "seat")
            await they.lead.wait_for(Closed)
        else:
            await they.hear(None)
        if who == "the adviser":
            await they.caller.hears("rating.ask")
        if who != "the caller":
            await they.caller.leave()
        why = {"the lead": "left", "the lead's telephone": "interrupted"}.get(who, "conversation_ended")
        assert (left.how, left.why, left.seat, left.adviser) == (how, why, SEAT, ADVISER)


async def test_whoever_leaves_in_the_instant_in_which_a_lead_comes(hotline: Hotline) -> None:
    """A lead is there some 60 ms after asking, and speaks with both 30 ms later: each leaves in the midst of it."""
    async with lead_at(hotline) as lead, hotline.adviser(SEAT, ADVISER) as seat:
        for after_ms in (10, 40, 70):
            for who in ("the caller", "the adviser", "the lead"):
                async with hotline.caller("2") as caller:
                    await caller.connected()
                    coming = asyncio.create_task(_comes(hotline))
                    await asyncio.sleep(after_ms / 1000)  # the instant is what is tried
                    leaves = {"the caller": caller.phone, "the adviser": seat, "the lead": lead}[who]
                    await leaves.hangup()
                    await coming
                    await caller.leave() if who != "the caller" else await caller.saw(CallEnded)
                stays = [fact for fact in caller.facts if isinstance(fact, LeadJoined | LeadLeft)]
                assert [type(fact) for fact in stays] == [LeadJoined, LeadLeft] * (len(stays) // 2), (who, after_ms)
                assert [fact.how for fact in stays[::2]] == [fact.how for fact in stays[1::2]]
                await hotline.seat_is(SEAT, "ready")


async def _comes(hotline: Hotline) -> None:
    with suppress(NotPossible):  # somebody has left
        for how in WAYS[:3]:
            await join(hotline, how)


async def test_a_controller_killed_while_a_lead_speaks_with_both(hotline: Hotline) -> None:
    async with three(hotline) as they:
        await they.join("barge")
        await they.hear("barge")
        await hotline.all_kept()
        kill(hotline, "controller")
        await until_working(hotline)
        await they.lead.wait_for(Closed)
        await they.hear(None)
        assert (await they.caller.saw(LeadLeft)).why == "interrupted"
        await they.join("whisper")
        await they.hear("whisper")
        assert (await they.caller.leave()).outcome == "queued"
        assert (await they.caller.saw(LeadLeft, times=2)).why == "conversation_ended"


# Whatever the adviser does meanwhile


async def test_the_adviser_takes_the_call_on_another_telephone(hotline: Hotline) -> None:
    async with three(hotline) as they:
        await they.join("barge")
        await they.hear("barge")
        async with hotline.telephone(SEAT) as other:
            await ask(hotline.settings.control_socket, SeatMove(SEAT), Done)
            await other.wait_for(Established)
            they.seat = other
            await they.hear("barge")
            await they.join("listen")
            await they.hear("listen")
            await they.caller.leave()
    assert [fact.how for fact in they.caller.facts if isinstance(fact, LeadJoined)] == ["barge", "listen"]


async def test_a_caller_on_hold_hears_music_and_no_lead(hotline: Hotline) -> None:
    async with three(hotline) as they:
        await they.join("barge")
        await they.hear("barge")
        await they.seat.hold()
        await hotline.seat_is(SEAT, "holding")
        await hear((they.caller.phone, set()))
        assert abs(await listen(they.caller.phone) / 32768).max() > 0.01, "no music"
        for how in ("listen", "barge"):
            await they.join(how)
            await hear((they.caller.phone, set()), (they.lead, {CITIZEN_HZ}))
        await they.seat.resume()
        await hotline.seat_is(SEAT, "talking")
        await hear((they.caller.phone, {SEAT_HZ, LEAD_HZ}), (they.lead, {CITIZEN_HZ, SEAT_HZ}))
        await they.caller.leave()


async def test_nobody_hears_a_caller_who_is_asked_who_they_are(hotline: Hotline) -> None:
    async with three(hotline) as they:
        await they.join("whisper")
        await they.hear("whisper")
        await ask(hotline.settings.control_socket, SeatVerify(SEAT), Done)
        with pytest.raises(NotPossible, match="which nobody hears"):
            await they.join("listen")
        await they.caller.hears("assist.begin", "id.ask")
        await they.lead.wait_for(Closed)
        assert (await they.caller.saw(LeadLeft)).why == "apart"
        with pytest.raises(NotPossible, match="which nobody hears"):
            await they.join("listen")
        assert not {"assist.begin", "id.ask"} & set(said(they.lead.heard()))
        await they.caller.phone.key("*")
        await they.caller.saw(AssistedIdentification)
        await they.hear(None)
        await they.join("listen")
        await they.hear("listen")
        await they.caller.leave()


# Who may not


async def test_a_lead_who_cannot_be_there_learns_why(hotline: Hotline) -> None:
    async def refused(why: str, seat: str = SEAT, own: str = OWN) -> None:
        with pytest.raises(NotPossible, match=why):
            await ask(hotline.settings.control_socket, LeadJoin(seat, own, "listen"), Done)

    await refused("nobody is talking at seat")
    async with hotline.adviser(SEAT, ADVISER), hotline.caller("2") as caller:
        await caller.connected()
        await refused("no telephone is registered at seat 1009")
        await refused("is the one that talks", own=SEAT)
        await refused("there is no seat", own="4711")
        async with lead_at(hotline, RingOn()):
            with pytest.raises(NotPossible, match=r"did not answer \(no_answer\)"):
                await join(hotline, "listen")
        async with hotline.adviser("1006", "8006"):
            await refused("takes calls", own="1006")
        async with lead_at(hotline), hotline.adviser("1010", "8010"):
            await hotline.not_ready("1010")
            await join(hotline, "listen")
            await refused("another lead is there already", own="1010")
            async with hotline.adviser("1006", "8006"), hotline.caller("3") as another:
                await another.connected()
                await refused("at another conversation", seat="1006")
                await another.leave()
        await caller.leave()
    assert [fact.how for fact in caller.facts if isinstance(fact, LeadJoined)] == ["listen"]
