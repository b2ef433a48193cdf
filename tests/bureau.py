"""The real bureau for tests: a process of its own on the tests' PostgreSQL, with the switch for faults.

    def test_something(bureau: Bureau): ...     # one for the session

Each test takes citizens that no other has taken, so that nothing has to be put back: `bureau.someone(card="active")`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from bureau.faults import Kind
from bureau.people import Person, generate
from cti.settings import CHECKOUT
from tests.opened import opened
from tests.postgres import Cluster

TODAY = date(2026, 11, 20)
CITIZENS = 400
TOKEN = "the tests' own token"


class Crowd:
    """Citizens, each of whom is given away once."""

    def __init__(self, people: list[Person]) -> None:
        self._people = people

    def someone(self, card: str | None = "active", *, bound: bool | None = None, retired: bool | None = None) -> Person:
        """Somebody whom no test has had, with such a card (None: none)."""
        for one in self._people:
            if (
                (one.card.state if one.card else None) == card
                and bound in (None, one.bound_number is not None)
                and retired in (None, one.pension_fen is not None)
            ):
                self._people.remove(one)
                return one
        raise LookupError(f"nobody is left with a card that is {card}")


class Bureau:
    """The running service."""

    def __init__(self, url: str, dsn: str, log: Path) -> None:
        self.url, self.token, self.log, self._dsn = url, TOKEN, log, dsn
        self.port = int(url.rpartition(":")[2])
        self.crowd = Crowd(list(generate(CITIZENS, TODAY)))

    async def fault(self, kind: Kind, times: int = 1, operation: str | None = None) -> None:
        """The next questions go wrong in this way."""
        await self._switch("POST", {"kind": kind, "times": times, "operation": operation})

    async def well(self) -> None:
        """Nothing is wrong any more; whatever was held is let go."""
        await self._switch("DELETE", None)

    async def _switch(self, method: str, body: object) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.url}/faults", json=body, headers=headers) as answer,
        ):
            assert answer.status == 204

    async def sql(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Rows of its own database."""
        connection = await asyncpg.connect(self._dsn)
        try:
            return [tuple(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    @asynccontextmanager
    async def busy_with(self, one: Person) -> AsyncIterator[None]:
        """Somebody else changes this citizen inside the block: every change of theirs waits."""
        connection = await asyncpg.connect(self._dsn)
        try:
            async with connection.transaction():
                await connection.execute("SELECT FROM bureau.citizens WHERE id_number = $1 FOR UPDATE", one.id_number)
                yield
        finally:
            await connection.close()

    async def events(self, one: Person) -> list[str]:
        """What has happened to a citizen, in order."""
        found = await self.sql(
            "SELECT what FROM bureau.events JOIN bureau.citizens ON id = citizen WHERE id_number = $1 ORDER BY reference",
            one.id_number,
        )
        return [str(what) for (what,) in found]


@contextmanager
def running_bureau(cluster: Cluster, *options: str) -> Iterator[Bureau]:
    """The service as the stack starts it: it makes its role, its database and its citizens itself."""
    with tempfile.TemporaryDirectory() as folder:
        token, log = Path(folder, "token"), Path(folder, "log")
        token.write_text(f"{TOKEN}\n")
        dsn = cluster.dsn("bureau", "bureau")
        command = [sys.executable, "-m", "bureau", "--port=0", f"--database={dsn}", f"--maker={cluster.dsn()}"]
        command += [f"--token-file={token}", f"--citizens={CITIZENS}", f"--today={TODAY}", *options]
        with log.open("wb") as out, subprocess.Popen(command, cwd=CHECKOUT, stdout=out, stderr=out) as process:
            try:
                yield Bureau(opened(process, log), dsn, log)
            finally:
                process.terminate()


@pytest.fixture(scope="session")
def bureau(cluster: Cluster) -> Iterator[Bureau]:
    """The session's bureau."""
    with running_bureau(cluster, "--faults") as running:
        yield running
