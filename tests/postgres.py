"""A private PostgreSQL for tests: real, on a Unix socket only, gone with the session.

    def test_something(database: str): ...        # DSN of a fresh, migrated database
    def test_an_outage(cluster: Cluster): ...     # and cluster.stop(), start(), freeze(), thaw()

Import the fixtures into a conftest.py: `from tests.postgres import cluster, database, empty_database`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from cti.store.schema import migrate
from tests.processes import family

BIN = Path("/usr/lib/postgresql/15/bin")
NOBODY = 65534
OWNER, READER = "rexian", "rexian_read"
PEOPLE = f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE {READER} LOGIN;"


class Cluster:
    """One PostgreSQL cluster in `folder`; run as nobody when the tests run as root, which PostgreSQL refuses.

    `options` are settings as `name=value`. Nothing is waited for on the disk unless they say `fsync=on`.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        settings = ("listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", *options)
        self._options = " ".join(f"-c {setting}" for setting in settings)
        self._as = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if self._as:
            os.chown(folder, NOBODY, NOBODY)
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")

    def dsn(self, database: str = "postgres", role: str = "postgres") -> str:
        return f"postgresql://{role}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self.folder}/log", f"--options={self._options}")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is as good as a crash."""
        self._run("pg_ctl", "stop", "--wait", "--silent", f"--mode={mode}")

    def freeze(self) -> None:
        """Stop every process of it where it stands: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def create(self, database: str, template: str = "template1") -> None:
        self.execute(f'CREATE DATABASE "{database}" OWNER {OWNER} TEMPLATE "{template}"')

    def execute(self, sql: str, database: str = "postgres") -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self.dsn(database), timeout=10)
            try:
                await connection.execute(sql)
            finally:
                await connection.close(timeout=10)

        asyncio.run(run())

    def _run(self, program: str, *arguments: str) -> None:
        environment = {**os.environ, "PGDATA": str(self.folder / "data")}
        subprocess.run(
            [BIN / program, *arguments],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **self._as,  # type: ignore[call-overload]  # three keyword arguments, or none
        )

    def _signal(self, number: int) -> None:
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        for pid in family(postmaster):
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, number)


@contextmanager
def running_cluster(*options: str) -> Iterator[Cluster]:
    """A cluster, running, with the roles of a real one and the migrated database `template`; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="rexian-pg-", dir="/tmp"))  # a socket's path must be short
    try:
        server = Cluster(folder, *options)
        server.start()
        try:
            server.execute(PEOPLE)
            server.create("template")
            server.execute(f"ALTER SCHEMA public OWNER TO {OWNER}", "template")
            asyncio.run(migrate(server.dsn("template", OWNER)))
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The session's cluster."""
    with running_cluster() as server:
        yield server


_numbers = count(1)


@pytest.fixture
def database(cluster: Cluster) -> str:
    """DSN of a fresh, migrated database, as its owner."""
    name = f"test{next(_numbers)}"
    cluster.create(name, "template")
    return cluster.dsn(name, OWNER)


@pytest.fixture
def empty_database(cluster: Cluster) -> str:
    """DSN of a fresh database with nothing in it, as its owner."""
    name = f"test{next(_numbers)}"
    cluster.create(name)
    return cluster.dsn(name, OWNER)
