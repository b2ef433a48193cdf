"""The desk's API over HTTP, as a browser and as somebody with other ideas would use it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from calls.words import ROLES
from cti.desk import contract, sessions
from cti.desk.accounts import REFUSED, WRONG_ALLOWED
from cti.desk.entrance import COOKIE, PASSWORD, SESSION, TOKEN_HEADER, TRIES
from cti.desk.floor import LIMITS, NOTICES, SKILLS, WAITING
from cti.desk.mine import DIRECTORY, FIGURES, FOLLOW_UPS
from cti.desk.people import ACCOUNTS
from cti.desk.provider import BACK, GO
from cti.desk.vouching import WAYS
from cti.desk.watching import BOARD, STATUS
from cti.desk.web import application
from cti.settings import CHECKOUT
from tests.contract.served_desk import OWN, SCREEN, STARTING, STRANGER, Desk
from tests.desk import code

EVERYBODY = frozenset(ROLES)
ANYBODY = EVERYBODY | {STARTING, STRANGER, SCREEN}

# Whoever may use each route. A route that is missing here fails a test.
ROUTES: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/api/health"): ANYBODY,
    ("POST", "/api/texts/reports"): ANYBODY,
    ("POST", SESSION): ANYBODY,
    ("GET", SESSION): EVERYBODY | {STARTING, SCREEN},
    ("DELETE", SESSION): EVERYBODY | {STARTING, SCREEN},
    ("PUT", PASSWORD): EVERYBODY | {STARTING},
    ("GET", WAYS): ANYBODY,
    ("GET", GO): ANYBODY,
    ("GET", BACK): ANYBODY,
    ("GET", ACCOUNTS): frozenset({"admin"}),
    ("POST", ACCOUNTS): frozenset({"admin"}),
    ("PUT", ACCOUNTS + "/{name}"): frozenset({"admin"}),
    ("POST", ACCOUNTS + "/{name}/help"): frozenset({"admin"}),
    ("POST", "/api/v1/seats/{name}/ready"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/not-ready"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/more-time"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/log-out"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/redial"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/dial"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/verify"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/move"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/transfer"): frozenset({"adviser"}),
    ("GET", "/api/v1/outside"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/consult"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/conference"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/take-back"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/hand-over"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/crisis"): frozenset({"adviser"}),
    ("POST", "/api/v1/seats/{name}/pull"): frozenset({"lead"}),
    ("GET", WAITING): frozenset({"lead"}),
    ("GET", LIMITS): frozenset({"lead", "manager", "operator"}),
    ("POST", NOTICES): frozenset({"lead"}),
    ("POST", NOTICES + "/{name}/read"): frozenset({"adviser"}),
    ("GET", SKILLS): frozenset({"lead"}),
    ("PUT", SKILLS + "/{name}"): frozenset({"lead"}),
    ("GET", "/api/v1/categories"): frozenset({"adviser", "lead", "quality", "manager"}),
    ("PUT", "/api/v1/forms/{name}"): frozenset({"adviser"}),
    ("POST", "/api/v1/forms/{name}"): frozenset({"adviser"}),
    ("GET", BOARD): frozenset({"lead", "manager", "operator", "admin", SCREEN}),
    ("GET", FIGURES): frozenset({"adviser"}),
    ("GET", FOLLOW_UPS): frozenset({"adviser"}),
    ("POST", FOLLOW_UPS + "/{name}/done"): frozenset({"adviser"}),
    ("GET", DIRECTORY): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/page"): frozenset({"adviser", "lead"}),
    ("POST", "/api/v1/seats/{name}/listen"): frozenset({"lead"}),
    ("POST", "/api/v1/seats/{name}/whisper"): frozenset({"lead"}),
    ("POST", "/api/v1/seats/{name}/barge"): frozenset({"lead"}),
    ("POST", "/api/v1/seats/{name}/take-over"): frozenset({"lead"}),
    ("POST", "/api/v1/seats/{name}/leave"): frozenset({"lead"}),
    ("GET", STATUS): frozenset({"operator", "admin", "manager"}),
    ("GET", "/api/openapi.json"): EVERYBODY,
}


# Who may do what


async def test_every_role_may_use_its_routes_and_no_other(desk: Desk) -> None:
    for role in ROLES:
        await desk.account(role, role)
    await desk.doors.accounts.add(STARTING, ["lead"], None, by="admin")
    handed = await desk.doors.accounts.add(SCREEN, list(ROLES), "8009", by="admin")
    assert await desk.doors.accounts.choose(SCREEN, handed.password, OWN, "10.0.0.7")
    for who in (*ROLES, STARTING, STRANGER, SCREEN):
        for (method, path), allowed in ROUTES.items():
            cookies, csrf = ({}, "") if who == STRANGER else desk.signed_in(who)
            async with desk.browser(cookies) as browser:
                answer = await browser.request(
                    method, path.format(name="nobody"), json={}, headers={TOKEN_HEADER: csrf}
                )
            told = f"{method} {path} as {who}: {answer.status}"
            if who in allowed:
                expected = {401} if path == "/api/texts/reports" else {200, 204, 400, 409}
            else:
                expected = {401} if who == STRANGER else {403}
            assert answer.status in expected, told


def test_no_route_is_missing_from_the_table(desk: Desk) -> None:
    served = {
        (method, "/".join("{name}" if part.startswith("{") else part for part in route.path_format.split("/")))
        for route in application(desk.house, desk.doors).routes
        for method in route.methods
    }
    assert {each for each in served if each[0] != "OPTIONS"} == set(ROUTES)


async def test_a_route_that_is_nowhere_tells_a_stranger_nothing(desk: Desk) -> None:
    async with desk.browser() as browser:
        for path in ("/api", "/api/v1", "/api/v1/seats", "/api/schema"):
            assert (await browser.get(path)).status in {401, 404}, path


def test_the_description_in_the_docs_is_what_the_application_says() -> None:
    assert (CHECKOUT / "docs/desk.openapi.yaml").read_text(encoding="utf-8") == contract.text(), (
        "stale: .venv/bin/python -m cti.desk.contract > docs/desk.openapi.yaml"
    )
    described = contract.document()["paths"]
    named = {"seats": "{seat}", "forms": "{visit}", "notices": "{notice}", "skills": "{adviser}", "mine": "{follow_up}"}
    assert {(method.upper(), path) for path, methods in described.items() for method in methods} == {
        (method, path.replace("{name}", named.get(path.split("/")[3], "{name}")) if "{" in path else path)
        for method, path in ROUTES
    }


# In and out


async def test_a_screen_is_signed_in_for_the_wallboard_alone(desk: Desk) -> None:
    await desk.account("wall", "operator")
    await desk.account("wang.li", "adviser")
    async with desk.browser() as browser:
        answer = await browser.post(SESSION, json={"name": "wall", "password": OWN, "board": True})
        assert (answer.status, (await answer.json())["board"]) == (201, True)
        assert [(await browser.get(path)).status for path in (BOARD, STATUS)] == [200, 403]
    async with desk.browser() as browser:
        answer = await browser.post(SESSION, json={"name": "wang.li", "password": OWN, "board": True})
        assert (answer.status, (await answer.json())["board"]) == (201, False), "it is not for them, so it is as ever"
        assert (await browser.get(BOARD)).status == 403


async def test_whoever_is_still_signed_in_signs_in_anew_without_the_secret_of_before(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    cookies, _ = desk.signed_in("wang.li")
    async with desk.browser(cookies) as browser:
        typed, headers = {"name": "wang.li", "password": OWN}, {"Origin": desk.url}
        assert (await browser.post(SESSION, json=typed, headers=headers)).status == 201


async def test_what_a_page_asks_again_by_itself_is_nobodys_doing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SEEN_WRITTEN_EVERY", timedelta())
    await desk.doors.accounts.add("li.na", ["adviser", "lead"], "8001", by="admin")
    account = desk.doors.accounts.get("li.na")
    assert account is not None
    token, _ = desk.doors.sessions.begin(account, vouched=True)
    kept = desk.journal.find("session/", sessions.Session)
    async with desk.browser({COOKIE: token}) as browser:
        for path in (WAITING, FIGURES, FOLLOW_UPS, DIRECTORY, BOARD):
            assert (await browser.get(path)).status == 200
            assert desk.journal.find("session/", sessions.Session) == kept, path
        assert (await browser.get(SESSION)).status == 200
        assert desk.journal.find("session/", sessions.Session) != kept


async def test_a_screen_whose_password_is_to_be_chosen_stays_one(desk: Desk) -> None:
    password, _ = await desk.handed("wall", ["operator"])
    async with desk.browser() as browser:
        answer = await browser.post(SESSION, json={"name": "wall", "password": password, "board": True})
        headers = {TOKEN_HEADER: (await answer.json())["csrf"]}
        answer = await browser.put(PASSWORD, json={"old": password, "new": OWN}, headers=headers)
        assert (answer.status, (await answer.json())["board"]) == (200, True)


async def test_signing_in_choosing_a_password_and_signing_out(desk: Desk) -> None:
    password, secret = await desk.handed("zhao", ["admin"])
    assert secret is not None
    async with desk.browser() as browser:
        typed = {"name": "zhao", "password": password, "code": code(secret, desk.clock.utc())}
        answer = await browser.post(SESSION, json=typed)
        assert answer.status == 201
        cookie = answer.cookies[COOKIE]
        assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/api")
        who = await answer.json()
        assert (who["account"], who["roles"], who["must_change"]) == ("zhao", ["admin"], True)
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await browser.get(ACCOUNTS)).status == 403

        header = {TOKEN_HEADER: who["csrf"]}
        answer = await browser.put(PASSWORD, json={"old": password, "new": OWN}, headers=header)
        assert answer.status == 200
        assert answer.cookies[COOKIE].value != cookie.value
        header = {TOKEN_HEADER: (await answer.json())["csrf"]}
        assert [one["name"] for one in await (await browser.get(ACCOUNTS)).json()] == ["zhao"]

        assert (await browser.delete(SESSION, headers=header)).status == 204
        assert (await browser.get(SESSION)).status == 401
    async with desk.browser({COOKIE: cookie.value}) as browser:
        assert (await browser.get(SESSION)).status == 401, "the session before the new password"


async def test_an_admin_makes_changes_and_helps_an_account(desk: Desk) -> None:
    await desk.account("zhao", "admin")
    cookies, csrf = desk.signed_in("zhao")
    async with desk.browser(cookies) as browser:
        header = {TOKEN_HEADER: csrf}
        new = {"name": "wang.li", "roles": ["adviser"], "adviser": "8001"}
        made = await browser.post(ACCOUNTS, json=new, headers=header)
        assert made.status == 201
        assert (await made.json()).keys() == {"name", "password", "code_secret"}
        again = await browser.post(ACCOUNTS, json=new, headers=header)
        assert again.status == 409
        assert "Mend" in (await again.json())["detail"]
        lead = {"roles": ["lead"], "disabled": True}
        shown = await (await browser.put(f"{ACCOUNTS}/wang.li", json=lead, headers=header)).json()
        assert (shown["roles"], shown["adviser"], shown["disabled"]) == (["lead"], None, True)
        helped = await browser.post(f"{ACCOUNTS}/wang.li/help", json={"second_factor": True}, headers=header)
        assert (await helped.json())["code_secret"]
        assert (await browser.put(f"{ACCOUNTS}/nobody", json=lead, headers=header)).status == 409


async def test_all_that_can_be_wrong_with_a_sign_in_is_told_in_one_sentence(desk: Desk) -> None:
    password, _ = await desk.handed("wang.li", ["adviser"])
    _, secret = await desk.handed("zhao", ["admin"])
    assert secret is not None
    wrong = [
        {"name": "wang.li", "password": "wrong"},
        {"name": "li.wang", "password": password},
        {"name": "zhao", "password": "wrong", "code": code(secret, desk.clock.utc())},
    ]
    wrong += [{"name": "wang.li", "password": "wrong"}] * WRONG_ALLOWED + [{"name": "wang.li", "password": password}]
    async with desk.browser() as browser:
        answers = [await browser.post(SESSION, json=typed) for typed in wrong]
        told = {(answer.status, await answer.text()) for answer in answers}
    (status, text) = told.pop()
    assert not told
    assert status == 401
    assert REFUSED in text


async def test_an_address_that_guesses_is_turned_away_before_a_hash_is_made(desk: Desk) -> None:
    password, _ = await desk.handed("wang.li", ["adviser"])
    for _ in range(TRIES):
        desk.doors.wrong("127.0.0.1")
    async with desk.browser() as browser:
        answer = await browser.post(SESSION, json={"name": "wang.li", "password": password})
        assert answer.status == 429
        beside = {"X-Forwarded-For": "10.0.0.8"}
        answer = await browser.post(SESSION, json={"name": "wang.li", "password": password}, headers=beside)
        assert answer.status == 201, "another address, as nginx tells it"


# What is not from our page


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example"])
async def test_another_site_changes_nothing(desk: Desk, origin: str) -> None:
    password, _ = await desk.handed("wang.li", ["adviser"])
    cookies, csrf = desk.signed_in("wang.li")
    async with desk.browser(cookies) as browser:
        headers = {"Origin": origin, TOKEN_HEADER: csrf}
        assert (await browser.delete(SESSION, headers=headers)).status == 403
        typed = {"name": "wang.li", "password": password}
        assert (await browser.post(SESSION, json=typed, headers=headers)).status == 403
        assert (await browser.get(SESSION)).status == 200
        assert (await browser.delete(SESSION, headers={"Origin": desk.url, TOKEN_HEADER: csrf})).status == 204


@pytest.mark.parametrize("shown", ["", "wrong", "é"])
async def test_what_changes_something_shows_the_second_secret(desk: Desk, shown: str) -> None:
    await desk.handed("wang.li", ["adviser"])
    cookies, _ = desk.signed_in("wang.li")
    async with desk.browser(cookies) as browser:
        assert (await browser.delete(SESSION, headers={TOKEN_HEADER: shown} if shown else {})).status == 403
        assert (await browser.get(SESSION)).status == 200


WRONG_BODIES: dict[str, Any] = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]",
    "no password": b'{"name": "wang.li"}',
    "a number": b'{"name": 1, "password": "x"}',
    "a field too many": b'{"name": "wang.li", "password": "x", "role": "admin"}',
    "too long a name": b'{"name": "' + b"x" * 300 + b'", "password": "x"}',
    "not UTF-8": b'{"name": "\xff", "password": "x"}',
}


@pytest.mark.parametrize("wrong", WRONG_BODIES)
async def test_a_wrong_body_is_told_of_and_quotes_no_password(desk: Desk, wrong: str) -> None:
    async with desk.browser() as browser:
        answer = await browser.post(SESSION, data=WRONG_BODIES[wrong], headers={"Content-Type": "application/json"})
        assert answer.status == 400
        assert "traceback" not in (await answer.text()).lower()
    assert desk.facts == []


@pytest.mark.parametrize("disabled", ["true", 1, None])
async def test_what_is_nearly_right_is_wrong(desk: Desk, disabled: object) -> None:
    await desk.account("zhao", "admin")
    cookies, csrf = desk.signed_in("zhao")
    async with desk.browser(cookies) as browser:
        body = {"roles": ["lead"], "disabled": disabled}
        answer = await browser.put(f"{ACCOUNTS}/zhao", json=body, headers={TOKEN_HEADER: csrf})
        assert answer.status == 400
        assert "$.disabled" in (await answer.json())["detail"]


async def test_too_large_a_body_is_not_read(desk: Desk) -> None:
    async with desk.browser() as browser:
        answer = await browser.post(SESSION, json={"name": "x" * 20_000, "password": "x"})
        assert answer.status == 413
