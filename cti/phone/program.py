"""The program behind a phone: one baresip process, started until its ports are its own, and ended whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cti.phone.places import Identity, Ports, free_ports, write_files
from cti.phone.wire import Control, PhoneFailed

START_S = 10.0
START_TRIES = 5
"""Another program may take a port between our look and baresip's start."""

END_S = 2.0
"""Time to say goodbye (BYE, un-REGISTER); a server that is gone cannot hold a phone any longer than this."""

NICE = -10
"""As Asterisk: where the machine is busy, a key or a packet must not be late for that."""

READY = "baresip is ready."


class Program:
    """A baresip that runs in `folder`; its events go to `on_event`, its end to `on_end`."""

    ports: Ports
    control: Control

    def __init__(self, folder: Path, on_event: Callable[[dict[str, Any]], None], on_end: Callable[[], None]) -> None:
        self.folder = folder
        self._on_event, self._on_end = on_event, on_end
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self, identity: Identity, host: str, sip_port: int, rtp_ports: range, microphone: Path) -> None:
        """Start it on free ports and connect. Raises PhoneFailed when it is not installed or does not come up."""
        for _ in range(START_TRIES):
            self.ports = free_ports(host, sip_port)
            write_files(self.folder, identity, self.ports, rtp_ports, microphone)
            self._process = await self._run()
            if await self._is_ready(self._process):
                break
            await self.kill()
        else:
            raise PhoneFailed(f"baresip did not start in {START_TRIES} tries. It wrote:\n{self.log()}")
        streams = await asyncio.open_connection(host, self.ports.control)
        self.control = Control(*streams, self._on_event)
        self._listening = asyncio.create_task(self._listen())

    async def end(self) -> None:
        """Let it say goodbye, then make sure. Safe to call twice, and when it never started."""
        try:
            if self._process and self._process.returncode is None:
                self._signal(signal.SIGTERM)
                async with asyncio.timeout(END_S):
                    await self._process.wait()
        except TimeoutError:
            pass  # it did not leave by itself: see below
        finally:
            # Reached on cancellation too; a killed process is waited for by nobody but the kernel.
            self._signal(signal.SIGKILL)
            if self._process:
                await self._process.wait()
            if self._listening:
                self._listening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._listening

    async def kill(self) -> None:
        """End it on the spot, without a goodbye to anybody."""
        self._signal(signal.SIGKILL)
        if self._process:
            await self._process.wait()

    def freeze(self) -> None:
        """Stop it with every socket open. Only `kill` and `end` help from here on."""
        self._signal(signal.SIGSTOP)

    def log(self) -> str:
        """The last lines it wrote, without the keys that were pressed."""
        path = self.folder / "log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return "\n".join(line for line in lines if "DTMF" not in line)[-2000:]

    async def _run(self) -> asyncio.subprocess.Process:
        with (self.folder / "log").open("wb") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    *("baresip", "-f", str(self.folder)),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # the kernel divides the processor by sessions; and Ctrl-C is for us alone
                )
            except FileNotFoundError as error:
                raise PhoneFailed("the SIP phone baresip is not installed. Mend: apt install baresip-core") from error
        with contextlib.suppress(
            PermissionError, ProcessLookupError
        ):  # a real telephone shares its processor with nobody
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        return process

    async def _is_ready(self, process: asyncio.subprocess.Process) -> bool:
        """True when all its modules run; False when one of its ports was taken after all. Raises PhoneFailed."""
        try:
            async with asyncio.timeout(START_S):
                while READY not in (text := self.log()):
                    if process.returncode is not None:
                        return False
                    # Its log is the only place where it says so: the control port may belong to another phone.
                    await asyncio.sleep(0.02)
        except TimeoutError as error:
            raise PhoneFailed(f"baresip was not ready after {START_S:.0f} s. It wrote:\n{self.log()}") from error
        return "failed to listen" not in text

    async def _listen(self) -> None:
        try:
            await self.control.run()
        finally:
            self.control.close()
            self._on_end()

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
