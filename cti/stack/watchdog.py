"""The watchdog: a controller that is there and does not answer is killed, which is how it gets well.

One that hangs keeps its event socket open, so Asterisk goes on giving it calls, and each new caller hears nothing. Killed,
it is started anew by supervisor and back within seconds, with every call (decision 0009). What only one process could
notice is noticed by another, which does nothing else and imports as little as it can.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cti.settings import Settings
from cti.stack.supervisor import Supervisor

EVERY_S = 1.0
SILENT_S = 5.0
"""A controller answers within milliseconds, on a machine that is overloaded tenfold within one second."""

ASK = b'{"command":"status"}\n'


class Watchdog:
    """Watches the controller that listens on `control`; `pid` tells its process, 0 when there is none."""

    def __init__(self, control: Path, pid: Callable[[], int], silent_s: float = SILENT_S) -> None:
        self._control, self._pid, self._silent_s = control, pid, silent_s
        self._well = 0
        """The process that has answered at least once: one that is still starting is left in peace."""

    def look(self) -> bool:
        """Ask once; True when a controller was killed."""
        pid = self._pid()
        if pid == 0:
            return False
        answered = self._answers()
        if answered:
            self._well = pid
        if answered is not False or pid != self._well or pid != self._pid():
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    def _answers(self) -> bool | None:
        """None when nobody listens."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(self._silent_s)
            try:
                asking.connect(str(self._control))
                asking.sendall(ASK)
                return asking.recv(1) != b""
            except TimeoutError:
                return False
            except OSError:
                return None


def watch(settings: Settings) -> None:
    """Watch for ever."""
    supervisor = Supervisor(settings)

    def pid() -> int:
        return next((program.pid for program in supervisor.programs() if program.name == "controller"), 0)

    watchdog = Watchdog(settings.control_socket, pid)
    while True:
        if watchdog.look():
            sys.stdout.write(f"{datetime.now(UTC):%FT%TZ} the controller was silent for {SILENT_S:g} s and is killed\n")
            sys.stdout.flush()
        time.sleep(EVERY_S)
