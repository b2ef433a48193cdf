"""The desk's way in through the real door, and the audit log in the real database."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import aiohttp
import pytest

from cti.audited import verify
from cti.control import ChangeAccount, HelpAccount, ask
from cti.desk.accounts import Handed
from cti.desk.entrance import PASSWORD, SESSION, TOKEN_HEADER
from cti.desk.provider import BACK, GO
from cti.desk.vouching import DESK, WAYS
from cti.desk.watching import FEED
from cti.status import Done
from tests.asterisk.hotline import PROVIDER, Hotline
from tests.documentation import block, page
from tests.eventually import PATIENCE_S, eventually
from tests.oidc import Idp

pytestmark = pytest.mark.asterisk

PAGE = page("docs/desk.md")
OWN = "four words of mine"
SEAT, ADVISER = "1005", "8061"


async def done(hotline: Hotline, *words: str) -> str:
    code, out, err = await hotline.rexian("account", *words)
    assert code == 0, err
    return out


async def made(hotline: Hotline, name: str, *words: str) -> str:
    """A new account's password."""
    return (await done(hotline, "add", name, *words)).strip().rpartition(": ")[2]


async def test_an_account_from_its_making_to_the_audit(hotline: Hotline) -> None:
    password = await made(hotline, "zhang", "--role", "lead", "--role", "quality")
    listed = json.loads(await done(hotline, "list", "--json"))["accounts"]
    assert [one["roles"] for one in listed if one["name"] == "zhang"] == [["lead", "quality"]]
    assert [one["roles"] for one in listed if one["name"] == "admin"] == [["admin"]], "the first start made it"
    socket = hotline.settings.control_socket
    changed = await ask(socket, ChangeAccount("zhang", ["manager"], None, disabled=True), Done)
    assert changed.done == "zhang manager disabled"
    helped = await ask(socket, HelpAccount("zhang", second_factor=True), Handed)
    assert helped.password != password
    assert helped.code_secret

    whole = await done(hotline, "audit")
    assert re.fullmatch(r"\d+ entries, whole\n", whole)
    did = await hotline.sql("SELECT did FROM audit WHERE about LIKE 'zhang%' ORDER BY number")
    assert did == [("account_added",), ("account_changed",), ("account_helped",)]

    await hotline.sql_as_owner("UPDATE audit SET about = 'zhang admin' WHERE about = 'zhang lead quality'")
    code, _, err = await hotline.rexian("account", "audit")
    assert (code, "its seal does not fit" in err) == (1, True)
    await hotline.sql_as_owner("UPDATE audit SET about = 'zhang lead quality' WHERE about = 'zhang admin'")
    assert await verify(hotline.settings) == whole.strip()


async def test_signing_in_as_the_page_types_it(hotline: Hotline, tmp_path: Path) -> None:
    password = await made(hotline, "wang.li", "--role", "adviser", "--adviser", "8001")
    shown = await typed(hotline, tmp_path, block(PAGE, "sh", "cookie-jar jar --json"), PASSWORD=password)
    assert shown.keys() == json.loads(block(PAGE, "json", "must_change")).keys()
    assert (shown["account"], shown["adviser"], shown["must_change"]) == ("wang.li", "8001", True)

    choose, whoami = block(PAGE, "sh", "request PUT").strip().splitlines()
    chosen = await typed(hotline, tmp_path, choose, PASSWORD=password, SECRET=str(shown["csrf"]))
    assert (chosen["account"], chosen["must_change"]) == ("wang.li", False)
    assert await typed(hotline, tmp_path, whoami) == chosen

    told = await hotline.sql("SELECT did, address FROM audit WHERE account = 'wang.li' ORDER BY number")
    assert told == [("signed_in", "127.0.0.1"), ("password_chosen", "127.0.0.1")]
    assert OWN.encode() not in b"".join(path.read_bytes() for path in (hotline.settings.log_dir).glob("*.log"))


async def test_a_person_comes_in_by_the_provider_and_no_log_has_the_code(hotline: Hotline) -> None:
    await made(hotline, "sun", "--role", "lead")
    door = f"http://127.0.0.1:{hotline.settings.web_port}"
    idp = Idp(hotline.settings.web_port + PROVIDER)
    idp.back, idp.secret, idp.person["preferred_username"] = door + BACK, None, "sun"
    jar = aiohttp.CookieJar(unsafe=True)
    async with idp.served(), aiohttp.ClientSession(door, cookie_jar=jar) as browser:
        way = (await (await browser.get(WAYS)).json())["oidc"]
        back = await browser.get(way, max_redirects=5)
        assert [step.headers["Location"] for step in back.history][-1] == DESK
        assert (await (await browser.get(f"{SESSION}?after")).json())["account"] == "sun"
    assert await hotline.sql("SELECT did, about FROM audit WHERE account = 'sun'") == [
        ("signed_in", "lead by the provider")
    ]
    await eventually(lambda: f"{SESSION}?after" in logs(hotline))
    assert f"{GO} " in logs(hotline)
    assert BACK not in logs(hotline)


async def test_an_adviser_takes_a_seat_at_the_door_and_the_feed_tells(hotline: Hotline) -> None:
    password = await made(hotline, "zhou", "--role", "adviser", "--adviser", ADVISER)
    door = f"http://127.0.0.1:{hotline.settings.web_port}"
    async with (
        hotline.telephone(SEAT),
        aiohttp.ClientSession(door, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        csrf = await signed_in(browser, "zhou", password)
        async with browser.ws_connect(FEED, headers={"Origin": door}) as feed:
            assert await post(browser, f"/api/v1/seats/{SEAT}/ready", csrf) == {"done": f"{SEAT} ready {ADVISER}"}
            await told(feed, SEAT, ("ready", ADVISER))
            await post(browser, f"/api/v1/seats/{SEAT}/log-out", csrf)
            await told(feed, SEAT, ("logged_out", None))


def logs(hotline: Hotline) -> str:
    """All that the daemons have logged until now."""
    return "".join(path.read_text(errors="replace") for path in hotline.settings.log_dir.glob("*.log"))


async def signed_in(browser: aiohttp.ClientSession, name: str, password: str) -> str:
    """Signs in and chooses a password; the session's second secret."""
    first = await (await browser.post(SESSION, json={"name": name, "password": password})).json()
    words = {"old": password, "new": OWN}
    answer = await browser.put(PASSWORD, json=words, headers={TOKEN_HEADER: first["csrf"]})
    return str((await answer.json())["csrf"])


async def post(browser: aiohttp.ClientSession, path: str, csrf: str) -> dict[str, object]:
    answer: dict[str, object] = await (await browser.post(path, headers={TOKEN_HEADER: csrf})).json()
    return answer


async def told(feed: aiohttp.ClientWebSocketResponse, seat: str, now: tuple[str, str | None]) -> None:
    """Read until the feed tells that of the seat."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for message in await feed.receive_json():
                if message.get("seat") == seat and (message["now"]["state"], message["now"]["adviser"]) == now:
                    return


async def typed(hotline: Hotline, folder: Path, command: str, **words: str) -> dict[str, object]:
    """The answer to a command of the page, at this hotline's door."""
    command = command.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{hotline.settings.web_port}")
    for word, value in words.items():
        command = command.replace(word, value)
    shell = await asyncio.create_subprocess_shell(command, cwd=folder, stdout=asyncio.subprocess.PIPE)
    out, _ = await shell.communicate()
    answer: dict[str, object] = json.loads(out)
    return answer
