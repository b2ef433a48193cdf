"""The real texting gateway for tests: a process of its own, with the switch for faults, and hands to read its telephones."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from calls.clock import SystemClock
from cti.settings import CHECKOUT
from cti.sms.signing import signed
from tests.opened import opened
from texting.faults import Kind

KEY = "the tests' own key"


class Texting:
    """A running gateway, wherever it was started."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    async def fault(self, kind: Kind, times: int = 1) -> None:
        """The next texts go wrong in this way."""
        assert await self._ask("POST", "/faults", {"kind": kind, "times": str(times)}) == (204, b"")

    async def well(self) -> None:
        """Nothing is wrong any more; whatever waits is let go."""
        assert await self._ask("DELETE", "/faults", None) == (204, b"")

    async def inbox(self, number: str) -> list[str]:
        """What that telephone received, in order."""
        status, body = await self._ask("POST", "/v1/inbox", {"number": number})
        assert status == 200
        texts: list[str] = json.loads(body)["texts"]
        return texts

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """As anybody might."""
        async with aiohttp.ClientSession() as session, session.post(self.url + path, data=body, headers=headers) as got:
            return got.status

    async def _ask(self, method: str, path: str, asked: object) -> tuple[int, bytes]:
        body = b"" if asked is None else json.dumps(asked).encode()
        headers = signed(self.key.encode(), body, SystemClock())
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.read()


@contextmanager
def running_texting(folder: Path, reports_to: str, port: int = 0) -> Iterator[Texting]:
    """The service as the stack starts it, with its file in that folder."""
    key, log = folder / "texting.key", folder / "texting.log"
    key.write_text(f"{KEY}\n")
    command = [sys.executable, "-m", "texting", f"--port={port}", f"--key-file={key}", "--faults"]
    command += [f"--file={folder / 'texting.db'}", f"--reports-to={reports_to}"]
    with log.open("wb") as out, subprocess.Popen(command, cwd=CHECKOUT, stdout=out, stderr=out) as process:
        try:
            yield Texting(opened(process, log), KEY)
        finally:
            process.terminate()


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
