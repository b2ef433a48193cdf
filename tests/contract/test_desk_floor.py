"""A lead's floor over HTTP: who waits and who takes them, messages, skills of the day; and a crisis that an adviser marks."""

from __future__ import annotations

from typing import Any

import pytest

from calls.facts import Audited
from calls.words import Role
from cti.control import AnyRequest, LeadPull, SeatCrisis
from cti.desk import watching
from cti.desk.entrance import TOKEN_HEADER
from cti.desk.floor import NOTICES, SKILLS, WAITING
from cti.skills import Wish
from cti.status import Done
from tests.contract.served_desk import Desk


def audited(desk: Desk, did: str) -> list[tuple[str | None, str]]:
    return [(fact.account, fact.about) for fact in desk.facts if isinstance(fact, Audited) and fact.did == did]


async def test_a_lead_sees_who_waits_and_gives_one_to_a_seat_and_the_log_tells(desk: Desk) -> None:
    await desk.account("li.na", "lead")
    desk.house.sitting["1002"] = "8002"
    async with desk.browser(desk.signed_in("li.na")[0]) as browser:
        told = await (await browser.get(WAITING)).json()
    assert told == {
        "waiting": [
            {
                "visit": "c1.1",
                "queue": "cards",
                "position": 1,
                "since": "2026-01-05T01:00:00Z",
                "urgency": "normal",
                "language": None,
                "ends_in": "1111",
                "away": False,
                "seat": None,
            }
        ],
        "more": 0,
    }
    async with desk.posting("li.na") as post:
        assert await post("1002/pull", {"visit": "c1.1"}) == 200
        for body in ({}, {"visit": ""}, {"visit": 1}, {"visit": "c1.1", "seat": "1001"}):
            assert await post("1002/pull", body) == 400
    assert desk.house.asked == [LeadPull("1002", "c1.1")]
    assert audited(desk, "caller_pulled") == [("li.na", "1002 8002 c1.1")]


async def test_a_message_is_read_by_those_to_whom_it_is_and_its_words_are_in_no_fact(desk: Desk) -> None:
    await desk.account("li.na", "lead")
    await desk.account("wang.li", "adviser")
    desk.house.sitting |= {"1001": "8001", "1002": "8002"}
    cookies, csrf = desk.signed_in("li.na")
    async with (
        desk.browser(cookies) as lead,
        desk.feeding("li.na") as to_lead,
        desk.feeding("wang.li") as to_adviser,
    ):
        assert await to_lead.receive_json() == await to_adviser.receive_json() == []
        header = {TOKEN_HEADER: csrf}
        answer = await lead.post(NOTICES, json={"text": "三点开会"}, headers=header)
        assert answer.status == 201
        sent = await answer.json()
        assert sent["to"] == ["8001", "8002"]
        (told,) = await to_adviser.receive_json()
        assert (told["kind"], told["text"], told["by"]) == ("notice", "三点开会", "li.na")
        assert (await to_lead.receive_json())[0]["sent"]["read"] == {}

        own, secret = desk.signed_in("wang.li")
        async with desk.browser(own) as adviser:
            read = await adviser.post(f"{NOTICES}/{sent['notice']}/read", headers={TOKEN_HEADER: secret})
            assert read.status == 204
        assert await to_adviser.receive_json() == [{"kind": "notice_gone", "notice": sent["notice"]}]
        assert [*(await to_lead.receive_json())[0]["sent"]["read"]] == ["8001"]

        assert (await lead.post(NOTICES, json={"text": "x", "adviser": "8009"}, headers=header)).status == 409
        desk.house.sitting |= {"1001": None, "1002": None}
        assert (await lead.post(NOTICES, json={"text": "x"}, headers=header)).status == 409
        assert (await lead.post(NOTICES, json={"text": "x", "adviser": "8001"}, headers=header)).status == 201
        for body in ({}, {"text": ""}, {"text": "x" * 501}, {"text": 1}):
            assert (await lead.post(NOTICES, json=body, headers=header)).status == 400
    first, second = audited(desk, "message_sent")
    assert first == ("li.na", f"{sent['notice']} 8001 8002")
    assert second[1].endswith(" 8001")
    assert "三点开会" not in str(desk.facts)


@pytest.mark.parametrize(
    ("level", "told"), [(5, "8001 cards 5"), (0, "8001 cards 0"), (None, "8001 cards as in the files")]
)
async def test_a_skill_is_moved_and_the_log_tells(desk: Desk, level: int | None, told: str) -> None:
    await desk.account("li.na", "lead")
    cookies, csrf = desk.signed_in("li.na")
    async with desk.browser(cookies) as browser:
        header = {TOKEN_HEADER: csrf}
        wish = {"skill": "cards", "level": level}
        assert (await browser.put(f"{SKILLS}/8001", json=wish, headers=header)).status == 204
        assert (await browser.put(f"{SKILLS}/8009", json=wish, headers=header)).status == 409
        wrong: list[Any] = [{}, {"skill": "cards"}, {"skill": "cards", "level": 6}, {"skill": "cards", "level": "5"}]
        for body in wrong:
            assert (await browser.put(f"{SKILLS}/8001", json=body, headers=header)).status == 400
        shown = await (await browser.get(SKILLS)).json()
    skills: dict[int | None, dict[str, int]] = {5: {"cards": 5}, 0: {}, None: {"cards": 2}}
    assert shown["advisers"][0]["skills"] == skills[level]
    assert audited(desk, "skill_moved") == [("li.na", told)]
    assert desk.house.changes == 1


async def test_an_adviser_marks_a_crisis_at_their_own_seat(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    desk.house.sitting |= {"1001": "8001", "1002": "8002"}
    async with desk.posting("wang.li") as post:
        assert await post("1001/crisis") == 200
        assert await post("1002/crisis") == 403
    assert desk.house.asked == [SeatCrisis("1001")]
    assert audited(desk, "crisis_marked") == [("wang.li", "1001 8001")]


@pytest.mark.parametrize(
    ("who", "role", "asked", "event"),
    [("wang.li", "adviser", "1001/crisis", "crisis_marked"), ("li.na", "lead", "1001/pull", "caller_pulled")],
)
async def test_the_log_tells_who_sat_there_though_they_leave_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, who: str, role: Role, asked: str, event: str
) -> None:
    await desk.account(who, role)
    desk.house.sitting["1001"] = "8001"

    async def answer(wish: AnyRequest) -> Done:
        desk.house.sitting.clear()
        return Done("")

    monkeypatch.setattr(desk.house, "answer", answer)
    async with desk.posting(who) as post:
        assert await post(asked, {"visit": "c1.1"} if role == "lead" else None) == 200
    ((_, told),) = audited(desk, event)
    assert told.startswith("1001 8001")


async def test_whoever_is_a_lead_no_more_is_told_nothing_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOKED_AGAIN_S", 0.01)
    await desk.account("li.na", "lead")
    desk.house.skills.move("8001", Wish("cards", 5))
    async with desk.feeding("li.na") as feed:
        assert [told["kind"] for told in await feed.receive_json()] == ["skills"]
        await desk.doors.accounts.change("li.na", ["quality"], None, disabled=False, by="admin")
        assert (await feed.receive()).data == watching.SESSION_OVER
    async with desk.feeding("li.na") as feed:
        assert await feed.receive_json() == []
