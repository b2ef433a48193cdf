"""The configuration as the hotline writes it, read by a real Asterisk: everything loads and nothing is complained of."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cti.asterisk.client import Ari
from cti.asterisk.config import trunk_endpoint
from cti.asterisk.console import console
from cti.settings import Trunk
from dialplan.render import APP, MODULES
from tests.asterisk.malformed import invite
from tests.rendered_asterisk import Running, rendered

pytestmark = pytest.mark.asyncio(loop_scope="module")

PORT_OFFSET = 13500
STOP_S = 15
PASSWORD = "se;cret\\x;--y"
TRUNKS = (
    Trunk("city", match=("192.0.2.0/24",), keys="auto"),
    Trunk("carrier", register="057112333@127.0.0.1:9"),  # the port where nobody ever answers
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk() -> AsyncIterator[Running]:
    async with rendered(PORT_OFFSET, TRUNKS, {"carrier": PASSWORD}) as running:
        yield running


async def test_every_module_runs(asterisk: Running) -> None:
    shown = await asterisk.cli("module show")
    running = set(re.findall(r"^(\w+)\.so .* Running ", shown, re.MULTILINE))

    assert running == set(MODULES)


async def test_trunks_and_seats_are_there_and_nobody_else(asterisk: Running) -> None:
    endpoints = set(re.findall(r"^ Endpoint:  ([\w-]+)", await asterisk.cli("pjsip show endpoints"), re.MULTILINE))

    seats = {f"{kind}{number}" for kind in ("seat", "page") for number in range(1001, 1005)}
    assert endpoints == {"trunk-city", "trunk-carrier", *seats}


async def test_passwords_are_read_as_they_were_written(asterisk: Running) -> None:
    for name, password in (("trunk-carrier", PASSWORD), ("seat1003", "pass-1003")):
        assert re.search(
            rf"^ password +: {re.escape(password)}$", await asterisk.cli(f"pjsip show auth {name}"), re.MULTILINE
        )


async def test_a_page_gets_a_password_and_then_another(asterisk: Running) -> None:
    url = f"http://127.0.0.1:{asterisk.settings.ari_port}/ari"
    assert "Unable to find" in await asterisk.cli("pjsip show auth page1002")
    async with Ari(url, APP, asterisk.secrets.ari, APP) as ari:
        for password in ("one", "another"):
            fields = {"auth_type": "digest", "username": "page1002", "password": password}
            told = [{"attribute": name, "value": value} for name, value in fields.items()]
            await ari.asterisk.update_object("res_pjsip", "auth", "page1002", fields=told)
            assert re.search(
                rf"^ password +: {password}$", await asterisk.cli("pjsip show auth page1002"), re.MULTILINE
            )


async def test_the_controllers_door_opens_with_its_password(asterisk: Running) -> None:
    url = f"http://127.0.0.1:{asterisk.settings.ari_port}/ari"
    async with Ari(url, APP, asterisk.secrets.ari, APP) as ari:
        found = {endpoint.resource for endpoint in await ari.endpoints.list_by_tech("PJSIP")}

    assert {"trunk-city", "seat1001"} <= found


async def test_the_dialplan_is_whole(asterisk: Running) -> None:
    for context in ("from-trunk", "to-controller", "please-hold", "start-recording", "stop-recording", "to-seat"):
        assert f"Context '{context}'" in await asterisk.cli(f"dialplan show {context}")


async def answer_to_an_invite(asterisk: Running) -> str:
    """The final answer to a call from this machine."""

    def call() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.settimeout(STOP_S)
            phone.connect((asterisk.settings.host, asterisk.settings.sip_port))
            phone.send(invite(f"127.0.0.1:{asterisk.settings.sip_port}"))
            while (answer := phone.recv(65536).decode()).startswith("SIP/2.0 1"):
                pass
            return answer

    return await asyncio.to_thread(call)


async def test_a_trunk_that_is_shut_is_told_when_to_come_again(asterisk: Running) -> None:
    door = asterisk.settings.run_dir / "asterisk" / "asterisk.ctl"
    await console(door, f"pjsip set maintenance on {trunk_endpoint('carrier')}")
    answer = await answer_to_an_invite(asterisk)
    await console(door, "pjsip set maintenance off all")

    assert answer.startswith("SIP/2.0 503 ")
    assert "\r\nRetry-After: 300\r\n" in answer
    assert await console(door, "core show channels count") == "0 active channels\n0 active calls\n0 calls processed"
    assert "rejecting new INVITE" in asterisk.log()


async def test_it_stops_when_told_having_complained_of_nothing(asterisk: Running) -> None:
    """The last test of the module: what follows it finds no Asterisk."""
    await asterisk.cli("core stop now")
    async with asyncio.timeout(STOP_S):
        await asterisk.process.wait()

    assert asterisk.process.returncode == 0
    levels = re.findall(r"^\[[^]]+\] ([A-Z]+)\[", asterisk.log(), re.MULTILINE)
    assert set(levels) == {"NOTICE"}, asterisk.log()
    assert not (asterisk.settings.run_dir / "asterisk/asterisk.ctl").exists()
