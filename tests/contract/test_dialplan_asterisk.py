"""The configuration as the hotline writes it, read by a real Asterisk: everything loads and nothing is complained of."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cti.asterisk.client import Ari
from cti.asterisk.config import write_config
from cti.secrets import Secrets
from cti.settings import Settings, Trunk
from cti.stack.voice import find_asterisk
from dialplan.render import APP, MODULES
from prompts import CATALOGUE, Catalogue, build
from tests.eventually import eventually
from tests.fakes.voice import Whistle

pytestmark = pytest.mark.asyncio(loop_scope="module")

PORT_OFFSET = 13500
STOP_S = 15
PASSWORD = "se;cret\\x;--y"
TRUNKS = (
    Trunk("city", match=("192.0.2.0/24",), keys="auto"),
    Trunk("carrier", register="057112333@127.0.0.1:9"),  # the port where nobody ever answers
)


class Running:
    """Asterisk on the hotline's own configuration."""

    def __init__(
        self, settings: Settings, secrets: Secrets, command: list[str], process: asyncio.subprocess.Process
    ) -> None:
        self.settings, self.secrets, self.process = settings, secrets, process
        self._command = command

    async def cli(self, words: str) -> str:
        """What its console answers; empty when it cannot be reached yet."""
        asking = await asyncio.create_subprocess_exec(
            *self._command,
            *("-rx", words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await asking.communicate()
        return output.decode()

    async def booted(self) -> bool:
        assert self.process.returncode is None, "Asterisk ended at once"
        return "fully booted" in await self.cli("core waitfullybooted")

    def log(self) -> str:
        return (self.settings.state_dir / "console").read_text()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk() -> AsyncIterator[Running]:
    state = Path(tempfile.mkdtemp(prefix="pbx-"))  # not tmp_path: a Unix socket's path must be short
    try:
        settings = Settings(state_dir=state, port_offset=PORT_OFFSET, trunks=TRUNKS)
        secrets = Secrets(seats={seat: f"pass-{seat}" for seat in settings.seats}, trunks={"carrier": PASSWORD})
        build(Catalogue.load(CATALOGUE), None, settings.prompts_dir, Whistle())
        command = [*find_asterisk(settings).command, "-C", str(write_config(settings, secrets))]
        with (state / "console").open("wb") as console:
            process = await asyncio.create_subprocess_exec(
                *command, "-f", stdin=asyncio.subprocess.DEVNULL, stdout=console, stderr=console
            )
        try:
            running = Running(settings, secrets, command, process)
            await eventually(running.booted)
            yield running
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    finally:
        shutil.rmtree(state)


async def test_every_module_runs(asterisk: Running) -> None:
    shown = await asterisk.cli("module show")
    running = set(re.findall(r"^(\w+)\.so .* Running ", shown, re.MULTILINE))

    assert running == set(MODULES)


async def test_trunks_and_seats_are_there_and_nobody_else(asterisk: Running) -> None:
    endpoints = set(re.findall(r"^ Endpoint:  ([\w-]+)", await asterisk.cli("pjsip show endpoints"), re.MULTILINE))

    assert endpoints == {"trunk-city", "trunk-carrier", "seat1001", "seat1002", "seat1003", "seat1004"}


async def test_passwords_are_read_as_they_were_written(asterisk: Running) -> None:
    for name, password in (("trunk-carrier", PASSWORD), ("seat1003", "pass-1003")):
        assert re.search(
            rf"^ password +: {re.escape(password)}$", await asterisk.cli(f"pjsip show auth {name}"), re.MULTILINE
        )


async def test_the_controllers_door_opens_with_its_password(asterisk: Running) -> None:
    url = f"http://127.0.0.1:{asterisk.settings.ari_port}/ari"
    async with Ari(url, APP, asterisk.secrets.ari, APP) as ari:
        found = {endpoint.resource for endpoint in await ari.endpoints.list_by_tech("PJSIP")}

    assert {"trunk-city", "seat1001"} <= found


async def test_the_dialplan_is_whole(asterisk: Running) -> None:
    for context in ("from-trunk", "to-controller", "please-hold", "start-recording", "stop-recording", "to-seat"):
        assert f"Context '{context}'" in await asterisk.cli(f"dialplan show {context}")


async def test_it_stops_when_told_having_complained_of_nothing(asterisk: Running) -> None:
    """The last test of the module: what follows it finds no Asterisk."""
    await asterisk.cli("core stop now")
    async with asyncio.timeout(STOP_S):
        await asterisk.process.wait()

    assert asterisk.process.returncode == 0
    levels = re.findall(r"^\[[^]]+\] ([A-Z]+)\[", asterisk.log(), re.MULTILINE)
    assert set(levels) == {"NOTICE"}, asterisk.log()
    assert not (asterisk.settings.run_dir / "asterisk/asterisk.ctl").exists()
