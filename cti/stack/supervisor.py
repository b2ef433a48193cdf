"""Talking to the supervisord of one state directory, over its Unix socket."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import xmlrpc.client
from collections.abc import Iterable
from datetime import timedelta

import msgspec

from calls.errors import NotPossible
from cti.settings import Settings

ANSWER = timedelta(seconds=10)
"""It answers within a second, its own tick; longer means that it hangs."""
STOPPING = timedelta(seconds=60)
"""Every daemon is killed by supervisord before that, the slowest (PostgreSQL) after 30 s."""


class ProgramState(msgspec.Struct, frozen=True):
    """What supervisord says of one daemon. `pid` is 0 while there is no process."""

    name: str
    statename: str
    pid: int
    spawnerr: str
    description: str


class Supervisor:
    """The supervisord of one state directory, running or not."""

    def __init__(self, settings: Settings) -> None:
        self.socket = settings.run_dir / "supervisor.sock"

    def pid(self) -> int | None:
        """The process of supervisord, None when it does not run. Raises NotPossible when it is another user's."""
        try:
            with self._asked() as answers:
                return msgspec.convert(answers.supervisor.getPID(), int)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except PermissionError as error:
            raise NotPossible(
                f"{self.socket} is another user's. Mend: repeat as root, or as whoever started the hotline."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise NotPossible(f"supervisord does not answer at {self.socket}: {error}. Mend: repeat.") from error

    def programs(self) -> list[ProgramState]:
        """Every daemon's state; none when supervisord does not answer yet or any more."""
        try:
            with self._asked() as answers:
                return msgspec.convert(answers.supervisor.getAllProcessInfo(), list[ProgramState])
        except (OSError, http.client.HTTPException, xmlrpc.client.Fault):
            return []

    def _asked(self) -> xmlrpc.client.ServerProxy:
        """A connection for one question."""
        return xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(str(self.socket)))

    def stop(self, pid: int) -> None:
        """End supervisord (`pid`) and with it every daemon, and return when the last process is gone.

        Raises NotPossible when something could not be ended.
        """
        pids = [pid, *(program.pid for program in self.programs() if program.pid)]
        handles = _handles(pids)
        try:
            os.kill(pid, signal.SIGTERM)
            _await_end(handles.values(), STOPPING)
            left = [pid for pid, handle in handles.items() if not _ended(handle)]
        except ProcessLookupError:
            left = []
        finally:
            for handle in handles.values():
                os.close(handle)
        if left:
            raise NotPossible(f"processes {left} did not end. Mend: kill -KILL {' '.join(map(str, left))}")


def _handles(pids: Iterable[int]) -> dict[int, int]:
    """A descriptor for each process that still lives: it stays true when the number is given to another process."""
    handles = {}
    for pid in pids:
        try:
            handles[pid] = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
    return handles


def _ended(handle: int) -> bool:
    return bool(select.select([handle], [], [], 0)[0])


def _await_end(handles: Iterable[int], limit: timedelta) -> None:
    """Wait for each in turn; the limit is for each, and all of them wait at the same time."""
    for handle in handles:
        select.select([handle], [], [], limit.total_seconds())


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
        connection = _UnixConnection(self._path)
        self._connection = (host, connection)  # what the base class closes
        return connection


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER.total_seconds())
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER.total_seconds())
        self.sock.connect(self._path)
