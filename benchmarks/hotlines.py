"""The two exchanges that are measured: Rexian as `make up` starts it, and Asterisk's own app_queue.

Both run on ports and in folders of their own, with the same Asterisk, the same pjsip.conf, the same seats, the same sound
files, the same kind of PostgreSQL cluster. Only one runs at a time, and nothing of it is left afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import soundfile  # type: ignore[import-untyped]  # it ships no types

from benchmarks.processes import Processes
from calls.errors import NotPossible
from cti.control import AskStatus, SeatLogOut, SeatReady, ask
from cti.phone.places import RATE_HZ
from cti.phone.sound import tone
from cti.secrets import Secrets, load_or_create
from cti.settings import CHECKOUT, Settings, load_settings
from cti.stack.supervisor import Supervisor
from cti.stack.voice import find_asterisk
from cti.status import Done, Status
from prompts import CATALOGUE, Catalogue

LINE = "12333"
SEATS = tuple(str(number) for number in range(1001, 1201))
FEW = SEATS[:5]
"""The seats that are staffed where callers are to wait."""

SHORT = {"REXIAN_WRAP_UP_S": "0", "REXIAN_SILENCE_BEFORE_CLOSE_S": "0.1"}
"""No pause after a call, as the rival has none."""

SOURCE = Path(__file__).parent / "hotline"
WORD_S = 0.02
ANNOUNCEMENT_S = 40.0
PATIENCE_S = 60.0


class Exchange(Protocol):
    """What a measurement needs of whatever takes the calls."""

    name: str
    settings: Settings
    secrets: Secrets
    line: str
    """The number to dial for the seats that are staffed now."""

    def processes(self) -> Processes:
        """Its processes by name."""

    async def cli(self, words: str) -> str:
        """What Asterisk's console answers; empty when it cannot be reached yet."""

    async def recordings(self) -> int:
        """How many recordings of conversations there are that nothing is wrong with, once all are finished."""

    async def staff(self, seats: tuple[str, ...]) -> None:
        """Only these seats take calls from now on; their telephones are registered."""

    async def idle(self) -> None:
        """Wait until no call is up any more."""


@contextlib.contextmanager
def prepared(port_offset: int) -> Iterator[tuple[Settings, dict[str, str]]]:
    """Settings and environment of a hotline in a folder of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))  # a Unix socket's path must be short
    folder.chmod(0o755)  # the daemons are another user when root measures
    try:
        shutil.copytree(SOURCE / "lines", folder / "lines")
        numbers = [f'  - {{number: "{7000 + int(seat)}", skills: {{}}}}' for seat in SEATS]
        (folder / "lines" / "advisers.yaml").write_text("\n".join(('version: "1"', "advisers:", *numbers, "")))
        _write_voices(folder / "voices")
        values = {"PORT_OFFSET": str(port_offset), "FOLDER": str(folder), "SEATS": json.dumps(SEATS)}
        text = (SOURCE / "bench.yaml").read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        (folder / "bench.yaml").write_text(text)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REXIAN_")}
        environment |= {"REXIAN_SETTINGS": str(folder / "bench.yaml"), **SHORT}
        yield load_settings(environment), environment
    finally:
        shutil.rmtree(folder)


async def stack(command: str, environment: Mapping[str, str]) -> None:
    """`python -m cti.stack`; silent unless it fails. Raises NotPossible with its last words.

    The terminal's Ctrl-C does not reach it: when we are cancelled, it is interrupted and ends what it began.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cti.stack", command),
        env=environment,
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        words, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.wait()
    if process.returncode:
        raise NotPossible(f"the hotline to be measured did not {command}: {words.decode().strip()}")


async def console(settings: Settings, words: str) -> str:
    """What Asterisk's console answers; empty when it cannot be reached yet."""
    command = (*find_asterisk(settings).command, "-C", str(settings.etc_dir / "asterisk" / "asterisk.conf"))
    asking = await asyncio.create_subprocess_exec(
        *command, "-rx", words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await asking.communicate()
    return output.decode()


def as_owner(settings: Settings) -> dict[str, Any]:
    """How a daemon is started when root measures: as whoever owns the folder. PostgreSQL refuses to be root."""
    if os.geteuid():
        return {}
    user = pwd.getpwuid(settings.state_dir.stat().st_uid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _write_voices(folder: Path) -> None:
    """Every sentence as short as a sentence can be; only the announcement is long."""
    catalogue = Catalogue.load(CATALOGUE)
    for language in catalogue.tongues:
        (folder / language).mkdir(parents=True)
        for piece in catalogue.pieces(language):
            seconds = ANNOUNCEMENT_S if piece.startswith("info.documents") else WORD_S
            soundfile.write(folder / language / f"{piece}.wav", tone(1500, seconds), RATE_HZ, subtype="PCM_16")


class Rexian:
    """The whole hotline: journal, PostgreSQL, MQTT, recordings."""

    name = "rexian"
    line = LINE

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self.settings, self.environment = settings, environment
        self.secrets = load_or_create(settings.secrets_path, settings.seats)
        self._staffed: set[str] = set()

    def processes(self) -> Processes:
        return Processes({program.name: program.pid for program in Supervisor(self.settings).programs() if program.pid})

    async def cli(self, words: str) -> str:
        return await console(self.settings, words)

    async def recordings(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            while (facts := (await self.status()).facts)["to_postgres"] or facts["recordings_to_seal"]:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        connection = await asyncpg.connect((await self.status()).postgres)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM recordings WHERE alarms = '{}'"))
        finally:
            await connection.close()

    async def status(self) -> Status:
        """As `rexian status --json` has it."""
        return await ask(self.settings.control_socket, AskStatus(), Status)

    async def staff(self, seats: tuple[str, ...]) -> None:
        await self.idle()
        for seat in self._staffed - set(seats):
            await ask(self.settings.control_socket, SeatLogOut(seat), Done)
        self._staffed = set(seats)
        async with asyncio.timeout(PATIENCE_S):
            while missing := await self._missing():
                for seat in missing:
                    with contextlib.suppress(NotPossible):  # its telephone has not been heard of yet
                        await ask(self.settings.control_socket, SeatReady(seat, str(7000 + int(seat))), Done)
                await asyncio.sleep(0.2)

    async def _missing(self) -> list[str]:
        """Seats that should be staffed and are not."""
        states = (await self.status()).seats
        return [seat for seat in sorted(self._staffed) if states[seat] != "ready"]

    async def idle(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (await self.status()).calls["up"]:  # noqa: ASYNC110 - another process has no event for us
                await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def rexian(port_offset: int) -> AsyncIterator[Rexian]:
    """Running and ready; gone afterwards."""
    with prepared(port_offset) as (settings, environment):
        try:
            await stack("up", environment)
            yield Rexian(settings, environment)
        finally:
            await stack("down", environment)
