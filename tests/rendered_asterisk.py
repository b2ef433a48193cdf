"""A real Asterisk on the configuration that the hotline renders, without the rest of the hotline."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from cti.asterisk.config import write_config
from cti.secrets import Secrets
from cti.settings import Settings, Trunk
from cti.stack.voice import find_asterisk
from prompts import CATALOGUE, Catalogue, build
from tests.eventually import eventually
from tests.fakes.voice import Whistle


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


@contextlib.asynccontextmanager
async def rendered(port_offset: int, trunks: tuple[Trunk, ...], passwords: dict[str, str]) -> AsyncIterator[Running]:
    """Started, with the default seats and these trunks (`passwords` by name, of those that register); gone afterwards."""
    state = Path(tempfile.mkdtemp(prefix="pbx-"))  # not tmp_path: a Unix socket's path must be short
    try:
        settings = Settings(state_dir=state, port_offset=port_offset, trunks=trunks)
        secrets = Secrets(seats={seat: f"pass-{seat}" for seat in settings.seats}, trunks=passwords)
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
