"""Signing in by an OpenID Connect provider, over HTTP, as a browser does it and as somebody with other ideas would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec
import pytest
import structlog
from yarl import URL

from calls.facts import Audited
from calls.words import Role
from cti.breaker import FAILURES
from cti.desk.accounts import FIRST, SECOND_FACTOR, WRONG_ALLOWED, Handed
from cti.desk.entrance import COOKIE, SESSION, TOKEN_HEADER, TRIES
from cti.desk.flows import LASTS
from cti.desk.provider import BACK, GO, KEPT_S, WELL_KNOWN
from cti.desk.vouching import BOARD as BOARD_PAGE
from cti.desk.vouching import DESK, FLOW_COOKIE, REFUSED, SECOND_FACTOR_WANTED, WAYS
from cti.desk.watching import BOARD, STATUS
from tests.contract.served_desk import OWN, Desk
from tests.oidc import SECRET, SOMEBODY, Claims, Idp, Key, by_the_public_key, unsigned
from tests.texting import free_port

ADDRESS = "127.0.0.1"


class Site:
    """A desk and its provider."""

    def __init__(self, desk: Desk, idp: Idp) -> None:
        self.desk, self.idp = desk, idp

    @property
    def log(self) -> list[Audited]:
        """Of sign-ins."""
        did = ("signed_in", "sign_in_refused")
        return [fact for fact in self.desk.facts if isinstance(fact, Audited) and fact.did in did]

    @property
    def last(self) -> tuple[str, str | None, str]:
        """What the audit log says last."""
        return self.log[-1].did, self.log[-1].account, self.log[-1].about.removeprefix("by the provider: ")

    @property
    def guesses(self) -> int:
        """How many wrong sign-ins count against the browsers' address."""
        left = 0
        while not self.desk.doors.guessing(ADDRESS):
            self.desk.doors.wrong(ADDRESS)
            left += 1
        return TRIES - left

    async def goes(self, browser: aiohttp.ClientSession, go: str = GO) -> str:
        """The browser goes to the provider; the address by which it is sent back."""
        gone = await browser.get(go, allow_redirects=False)
        assert gone.status == 303
        shown = await browser.get(gone.headers["Location"], allow_redirects=False)
        assert shown.status == 302, await shown.text()
        return shown.headers["Location"]

    async def signs_in(self, browser: aiohttp.ClientSession) -> str:
        """All the way; where it ends."""
        return await back(browser, await self.goes(browser))

    async def tried(self) -> str:
        """All the way in a new browser; where it ends. Whoever is refused has no session."""
        async with self.desk.browser() as browser:
            ended = await self.signs_in(browser)
            assert (await browser.get(SESSION)).status == (200 if ended == DESK else 401)
            return ended


async def back(browser: aiohttp.ClientSession, address: str) -> str:
    answer = await browser.get(address, allow_redirects=False)
    assert answer.status == 303
    return answer.headers["Location"]


@asynccontextmanager
async def opened(folder: Path, whole_s: float = 10.0, secret: str = SECRET) -> AsyncIterator[Site]:
    idp = Idp(free_port())
    desk = Desk(folder, idp.issuer, whole_s, secret)
    idp.back = desk.url + BACK
    async with idp.served(), desk.served():
        yield Site(desk, idp)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with opened(tmp_path) as site:
        yield site


@pytest.fixture
async def adviser(site: Site) -> str:
    """Somebody whom the provider knows. The password is somebody else's making, and does not matter."""
    await site.desk.handed("wang.li", ["adviser"])
    return "wang.li"


# In


async def test_whom_the_provider_knows_comes_in_as_what_the_account_says(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser:
        assert await (await browser.get(WAYS)).json() == {"oidc": site.desk.url + GO}
        address = await site.goes(browser)
        answer = await browser.get(address, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, DESK)
        cookie = answer.cookies[COOKIE]
        assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/api")
        assert answer.cookies[FLOW_COOKIE].value == ""
        assert answer.headers["Cache-Control"] == "no-store"

        who = await (await browser.get(SESSION)).json()
        assert (who["account"], who["roles"], who["adviser"]) == (adviser, ["adviser"], "8001")
        assert who["must_change"] is False, "the provider has seen to that"
        assert site.last == ("signed_in", adviser, "adviser by the provider")
        assert site.log[-1].address == ADDRESS
        assert (await browser.post("/api/v1/seats/1001/ready", headers={TOKEN_HEADER: who["csrf"]})).status == 200
        assert (await browser.delete(SESSION, headers={TOKEN_HEADER: who["csrf"]})).status == 204
        assert (await browser.get(SESSION)).status == 401


async def test_who_sets_out_from_the_wallboard_comes_back_to_it_for_nothing_else(site: Site) -> None:
    await site.desk.handed("wang.li", ["manager"])
    async with site.desk.browser() as browser:
        assert await back(browser, await site.goes(browser, f"{GO}?board=true")) == BOARD_PAGE
        assert (await (await browser.get(SESSION)).json())["board"] is True
        assert [(await browser.get(path)).status for path in (BOARD, STATUS)] == [200, 403]
    site.idp.refuses = "access_denied"
    async with site.desk.browser() as browser:
        assert await back(browser, await site.goes(browser, f"{GO}?board=true")) == f"{BOARD_PAGE}-refused"


async def test_a_browser_carries_a_cookie_that_comes_back_by_a_link_and_goes_nowhere_else(site: Site) -> None:
    async with site.desk.browser() as browser:
        gone = await browser.get(GO, allow_redirects=False)
    cookie = gone.cookies[FLOW_COOKIE]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "lax", BACK)
    assert cookie["max-age"] == str(round(LASTS.total_seconds()))
    assert cookie.value not in gone.headers["Location"]
    assert parse_qs(urlsplit(gone.headers["Location"]).query)["tenant"] == ["city"], "the provider's own parameters"


async def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(site: Site, adviser: str) -> None:
    site.idp.told = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert await site.tried() == DESK


async def test_a_client_without_a_secret_is_known_by_its_name_and_the_verifier(tmp_path: Path) -> None:
    async with opened(tmp_path, secret="") as site:
        site.idp.secret = None
        await site.desk.handed("wang.li", ["adviser"])
        assert await site.tried() == DESK


async def test_the_provider_is_read_once_and_its_keys_again_when_they_turn(site: Site, adviser: str) -> None:
    assert [await site.tried() for _ in range(2)] == [DESK] * 2
    assert (site.idp.asked.count(WELL_KNOWN), site.idp.asked.count("/keys")) == (1, 1)
    site.idp.turn("second")
    assert [await site.tried() for _ in range(2)] == [DESK] * 2
    assert site.idp.asked.count("/keys") == 2


async def test_a_key_that_is_taken_back_is_good_for_an_hour_at_most(site: Site, adviser: str) -> None:
    old = site.idp.key
    assert await site.tried() == DESK
    site.idp.turn("second")
    site.idp.token = old.signed
    assert await site.tried() == DESK
    site.desk.clock.skipped_s = KEPT_S
    assert await site.tried() == REFUSED


# What proves nothing

EARLIER, LATER = time.time() - 1000, time.time() + 100_000
CHANGED: dict[str, Claims] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "several issuers": {"iss": ["https://elsewhere.example"]},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another client"},
    "other audiences": {"aud": ["another client", "a third"]},
    "no audience": {"aud": None},
    "several audiences, given to nobody": {"aud": ["the hotline", "another client"]},
    "given to another client": {"azp": "another client"},
    "another sign-in's": {"nonce": "of another sign-in"},
    "no sign-in's": {"nonce": None},
    "expired": {"exp": EARLIER},
    "without an end": {"exp": None},
    "an end that is no number": {"exp": "tomorrow"},
    "not yet good": {"nbf": LATER},
    "made in the future": {"iat": LATER},
    "nobody's": {"sub": None},
    "without a name": {"preferred_username": None},
    "a name that is none": {"preferred_username": ["wang.li"]},
    "factors that are no list": {"amr": "mfa"},
}


@pytest.mark.parametrize("wrong", CHANGED)
async def test_a_token_that_says_something_else_is_refused(site: Site, adviser: str, wrong: str) -> None:
    site.idp.changed = CHANGED[wrong]
    assert await site.tried() == REFUSED
    did, account, about = site.last
    assert (did, account) == ("sign_in_refused", None)
    assert "token" in about
    assert site.guesses == 1
    assert len(site.log) == 1


def _shortened(site: Site, claims: Claims) -> str:
    return site.idp.key.signed(claims)[:-8]


def _mended(site: Site, claims: Claims) -> str:
    header, _, signature = site.idp.key.signed(claims).split(".")
    return f"{header}.{unsigned(claims | {'sub': 'somebody else'}).split('.')[1]}.{signature}"


FORGED: dict[str, Callable[[Site, Claims], str]] = {
    "alg none": lambda site, claims: unsigned(claims),
    "by the public key": lambda site, claims: by_the_public_key(site.idp.key, claims),
    "by another key of that name": lambda site, claims: Key("another").signed(claims, kid=site.idp.key.kid),
    "by a key that nobody knows": lambda site, claims: Key("another").signed(claims),
    "by a key that it brings along": lambda site, claims: Key("another").signed(claims, jwk=Key("another").told()),
    "signed for something critical": lambda site, claims: site.idp.key.signed(claims, crit=["b64"], b64=False),
    "another signature": _shortened,
    "other claims": _mended,
    "no token": lambda site, claims: "no token",
    "nothing": lambda site, claims: "",
    "not text": lambda site, claims: "é.é.é",
}


@pytest.mark.parametrize("forged", FORGED)
async def test_a_token_that_the_provider_has_not_signed_is_refused(site: Site, adviser: str, forged: str) -> None:
    site.idp.token = lambda claims: FORGED[forged](site, claims)
    assert await site.tried() == REFUSED
    assert site.last[:2] == ("sign_in_refused", None)
    assert site.guesses == 1


async def test_several_audiences_are_good_when_it_was_given_to_us(site: Site, adviser: str) -> None:
    site.idp.changed = {"aud": ["the hotline", "another client"], "azp": "the hotline"}
    assert await site.tried() == DESK


async def test_whoever_is_not_signed_in_there_is_not_signed_in_here(site: Site, adviser: str) -> None:
    site.idp.refuses = "access_denied"
    assert await site.tried() == REFUSED
    assert site.last == ("sign_in_refused", None, "not signed in at the provider")
    assert site.guesses == 1
    assert "/token" not in site.idp.asked


@pytest.mark.parametrize("sent_by", ["https://elsewhere.example", "", None])
async def test_whom_another_provider_sent_back_is_refused(site: Site, adviser: str, sent_by: str | None) -> None:
    site.idp.told = {"authorization_response_iss_parameter_supported": True}
    async with site.desk.browser() as browser:
        address = URL(await site.goes(browser))
        query = {name: value for name, value in address.query.items() if name != "iss"}
        query |= {} if sent_by is None else {"iss": sent_by}
        assert await back(browser, str(address.with_query(query))) == REFUSED
    assert site.guesses == 1
    assert "/token" not in site.idp.asked, "the code is shown to nobody"


# Coming back without having gone


async def test_a_wrong_state_is_refused(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser:
        address = URL(await site.goes(browser))
        assert await back(browser, str(address.update_query(state="another"))) == REFUSED
        assert site.last[:2] == ("sign_in_refused", None)
        assert await back(browser, str(address)) == DESK, "it was no harm to who had gone"


async def test_another_browser_cannot_come_back_instead(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser, site.desk.browser() as other:
        address = await site.goes(browser)
        assert await back(other, address) == REFUSED, "with no cookie"
        await site.goes(other)
        assert await back(other, address) == REFUSED, "with one of its own"
        assert (await other.get(SESSION)).status == 401
        assert [entry.did for entry in site.log] == ["sign_in_refused"] * 2
        assert await back(browser, address) == DESK


async def test_nobody_comes_back_twice(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser:
        address = await site.goes(browser)
        cookies = {cookie.key: cookie.value for cookie in browser.cookie_jar}
        assert await back(browser, address) == DESK
    async with site.desk.browser() as browser:  # as somebody who has all that the browser had
        again = await browser.get(address, allow_redirects=False, cookies=cookies)
        assert again.headers["Location"] == REFUSED
        assert (await browser.get(SESSION)).status == 401
    assert site.idp.asked.count("/token") == 1
    assert site.last[:2] == ("sign_in_refused", None)


async def test_who_comes_back_after_ten_minutes_goes_again(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser:
        address = await site.goes(browser)
        site.desk.clock.skipped_s = LASTS.total_seconds()
        assert await back(browser, address) == REFUSED
        assert site.last[:2] == ("sign_in_refused", None)
        assert await site.signs_in(browser) == DESK


async def test_what_any_page_can_make_a_browser_ask_for_keeps_nobody_out_and_fills_no_log(
    site: Site, adviser: str
) -> None:
    async with site.desk.browser() as browser:
        for path in (BACK, f"{BACK}?state=x&code=y", f"{BACK}?state=%FF"):
            assert await back(browser, path) == REFUSED
        for _ in range(TRIES):
            assert await back(browser, BACK) == REFUSED
    assert len(site.log) == TRIES
    assert await site.tried() == DESK
    assert site.guesses == 0


# Codes


async def test_a_code_is_good_once(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser:
        first = URL(await site.goes(browser))
        assert await back(browser, str(first)) == DESK
        again = URL(await site.goes(browser)).update_query(code=first.query["code"])
        assert await back(browser, str(again)) == REFUSED
    assert site.last == ("sign_in_refused", None, "the provider does not take the code")
    assert site.guesses == 1


async def test_a_code_that_was_stolen_is_of_no_use_in_another_browser(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser, site.desk.browser() as thief:
        stolen = URL(await site.goes(browser)).query["code"]
        mine = URL(await site.goes(thief)).update_query(code=stolen)
        assert await back(thief, str(mine)) == REFUSED
        assert (await thief.get(SESSION)).status == 401
    assert site.last == ("sign_in_refused", None, "the provider does not take the code")


# Whose account


async def test_whoever_has_no_account_here_stays_out_and_the_log_does_not_name_them(site: Site) -> None:
    assert await site.tried() == REFUSED
    assert site.log[-1].about == "by the provider: no such account"
    assert site.log[-1].account is None
    assert site.guesses == 1


async def test_a_name_is_taken_as_it_is_written(site: Site, adviser: str) -> None:
    for name in ("Wang.Li", "wang.li ", "wang.li@city.example", ""):
        site.idp.person["preferred_username"] = name
        assert await site.tried() == REFUSED


async def test_nobody_is_the_first_admin_because_they_are_called_so_elsewhere(site: Site) -> None:
    await site.desk.doors.accounts.first()
    site.idp.person |= {"preferred_username": FIRST, "amr": ["mfa"]}
    assert await site.tried() == REFUSED
    assert site.last == ("sign_in_refused", FIRST, "the first admin has not chosen a password yet")
    handed = msgspec.json.decode((site.desk.folder / "first-admin.json").read_bytes(), type=Handed)
    assert await site.desk.doors.accounts.choose(FIRST, handed.password, OWN, ADDRESS)
    assert await site.tried() == DESK


async def test_those_of_the_demonstration_are_nobody_elsewhere(site: Site) -> None:
    await site.desk.doors.accounts.demonstrate("a password for all", ["8001"])
    site.idp.person["preferred_username"] = "demo1"
    assert await site.tried() == REFUSED
    assert site.last == ("sign_in_refused", "demo1", "of the demonstration")


async def test_a_disabled_account_stays_out(site: Site, adviser: str) -> None:
    await site.desk.doors.accounts.change(adviser, ["adviser"], "8001", disabled=True, by="admin")
    assert await site.tried() == REFUSED
    assert site.last == ("sign_in_refused", adviser, "disabled")
    assert site.guesses == 1


async def test_a_session_ends_when_the_account_is_disabled(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser:
        assert await site.signs_in(browser) == DESK
        await site.desk.doors.accounts.change(adviser, ["adviser"], "8001", disabled=True, by="admin")
        assert (await browser.get(SESSION)).status == 401


async def test_another_person_who_is_given_the_name_stays_out_until_the_account_is_helped(
    site: Site, adviser: str
) -> None:
    assert await site.tried() == DESK
    site.idp.person["sub"] = "another person"
    assert await site.tried() == REFUSED
    assert site.last == ("sign_in_refused", adviser, "another person of that name")
    await site.desk.doors.accounts.help(adviser, second_factor=False, by="admin")
    assert await site.tried() == DESK
    site.idp.person = dict(SOMEBODY)
    assert await site.tried() == REFUSED


async def test_a_person_who_takes_another_name_does_not_become_that_account(site: Site, adviser: str) -> None:
    await site.desk.handed("zhang", ["lead"])
    assert await site.tried() == DESK
    site.idp.person["preferred_username"] = "zhang"
    assert await site.tried() == REFUSED
    assert site.last == ("sign_in_refused", "zhang", "that person is wang.li here")


async def test_guessed_passwords_lock_nobody_out_whom_the_provider_knows(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser:
        for _ in range(WRONG_ALLOWED):
            assert (await browser.post(SESSION, json={"name": adviser, "password": "wrong"})).status == 401
        assert await site.signs_in(browser) == DESK
    assert [one.locked for one in site.desk.doors.accounts.all()] == [True], "for passwords it stays"


FACTORS: list[tuple[Claims, bool]] = [
    ({}, False),
    ({"amr": ["pwd"]}, False),
    ({"amr": ["otp"]}, False),
    ({"amr": ["otp", "otp"]}, False),
    ({"amr": []}, False),
    ({"acr": "1"}, False),
    ({"acr": "mfa-not"}, False),
    ({"amr": ["mfa"]}, True),
    ({"amr": ["pwd", "otp"]}, True),
    ({"acr": "gold"}, True),
]


@pytest.mark.parametrize(("said", "good"), FACTORS)
@pytest.mark.parametrize("role", ["admin", "lead"])
async def test_who_needs_a_second_factor_needs_one_at_the_provider(
    site: Site, said: Claims, good: bool, role: Role
) -> None:
    await site.desk.handed("wang.li", [role])
    if role not in SECOND_FACTOR:  # one of their own wish
        await site.desk.doors.accounts.help("wang.li", second_factor=True, by="admin")
    site.idp.changed = said
    assert await site.tried() == (DESK if good else SECOND_FACTOR_WANTED)
    if not good:
        assert site.last == ("sign_in_refused", "wang.li", "the provider tells of no second factor")
        assert site.guesses == 1


# Too many


async def test_an_address_that_guesses_is_turned_away_before_anybody_is_asked(site: Site, adviser: str) -> None:
    async with site.desk.browser() as browser:
        address = await site.goes(browser)
        for _ in range(TRIES):
            site.desk.doors.wrong(ADDRESS)
        asked = len(site.idp.asked)
        assert await back(browser, address) == REFUSED
        assert await back(browser, GO) == REFUSED
        assert (await browser.get(SESSION)).status == 401
        assert len(site.idp.asked) == asked


async def test_wrong_sign_ins_by_the_provider_and_by_password_are_counted_together(site: Site, adviser: str) -> None:
    site.idp.changed = {"aud": "another client"}
    for _ in range(TRIES - 1):
        site.desk.doors.wrong(ADDRESS)
    assert await site.tried() == REFUSED
    async with site.desk.browser() as browser:
        assert (await browser.post(SESSION, json={"name": adviser, "password": "wrong"})).status == 429


# A provider that is not there


AWAY: dict[str, dict[str, Any]] = {
    "it cannot now": {"broken": {WELL_KNOWN: 503}},
    "nothing is there": {"broken": {WELL_KNOWN: 404}},
    "no keys": {"broken": {"/keys": 404}},
    "no word of where to ask": {"told": {"token_endpoint": None}},
    "another issuer": {"told": {"issuer": "https://elsewhere.example"}},
    "secrets for everybody to read": {"told": {"token_endpoint": "http://login.city.example/token"}},
    "no keys that sign": {"keys": []},
}


@pytest.mark.parametrize("wrong", AWAY)
async def test_a_provider_of_no_use_signs_nobody_in_and_is_looked_at_again(
    site: Site, adviser: str, wrong: str
) -> None:
    before = {name: getattr(site.idp, name) for name in AWAY[wrong]}
    for name, value in AWAY[wrong].items():
        setattr(site.idp, name, value)
    async with site.desk.browser() as browser:
        assert await back(browser, GO) == REFUSED
    assert site.last[:2] == ("sign_in_refused", None)
    assert len(site.desk.doors.flows) == 0
    for name, value in before.items():
        setattr(site.idp, name, value)
    assert await site.tried() == DESK
    assert site.guesses == 0, "nobody guessed"


@pytest.mark.parametrize("status", [500, 404, 429])
async def test_a_provider_that_gives_no_token_signs_nobody_in(site: Site, adviser: str, status: int) -> None:
    site.idp.broken = {"/token": status}
    assert await site.tried() == REFUSED
    assert site.last[:2] == ("sign_in_refused", None)
    assert site.guesses == 0


async def test_a_provider_that_does_not_know_us_signs_nobody_in_and_the_log_says_where_to_look(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, secret="not the secret") as site:
        with structlog.testing.capture_logs() as logged:
            assert await site.tried() == REFUSED
    assert any("oidc_client_id" in each["event"] for each in logged)
    assert "not the secret" not in str(logged)


async def test_who_waits_for_a_provider_that_never_answers_holds_up_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path, whole_s=0.5) as site, site.desk.browser() as browser:
        password, _ = await site.desk.handed("wang.li", ["adviser"])
        address = await site.goes(browser)
        site.idp.broken = {"/token": 0}
        with structlog.testing.capture_logs() as logged:
            coming = asyncio.create_task(back(browser, address))
            await site.idp.arrived.wait()
            async with site.desk.browser() as other:
                assert (await other.get("/api/health")).status == 200
                assert (await other.post(SESSION, json={"name": "wang.li", "password": password})).status == 201
            assert await coming == REFUSED
    assert site.last[:2] == ("sign_in_refused", None)
    assert any("does not answer" in each["event"] for each in logged)
    assert URL(address).query["code"] not in str(logged)


async def test_a_provider_that_is_away_is_left_alone_for_a_while(site: Site, adviser: str) -> None:
    site.idp.broken = {WELL_KNOWN: 503}
    async with site.desk.browser() as browser:
        for _ in range(FAILURES + 3):
            assert await back(browser, GO) == REFUSED
    assert len(site.idp.asked) == FAILURES
    site.idp.broken = {}
    site.desk.clock.skipped_s = 60
    assert await site.tried() == DESK


async def test_a_machine_that_nobody_reaches_signs_nobody_in(tmp_path: Path) -> None:
    desk = Desk(tmp_path, f"http://127.0.0.1:{free_port()}")
    async with desk.served(), desk.browser() as browser:
        assert await back(browser, GO) == REFUSED
        assert (await browser.get("/api/health")).status == 200


async def test_those_who_come_together_have_the_provider_read_once(site: Site, adviser: str) -> None:
    ended = await asyncio.gather(*(site.tried() for _ in range(10)))
    assert ended == [DESK] * 10
    assert site.idp.asked.count(WELL_KNOWN) == 1


# No provider


async def test_without_a_provider_nobody_is_sent_anywhere(desk: Desk) -> None:
    async with desk.browser() as browser:
        assert await (await browser.get(WAYS)).json() == {"oidc": None}
        for path in (GO, BACK):
            answer = await browser.get(path, allow_redirects=False)
            assert answer.status == 409
            assert "oidc_issuer" in await answer.text()
    assert desk.facts == []
