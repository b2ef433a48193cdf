"""A service that has begun, as soon as it answers."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from tests.eventually import PATIENCE_S


def opened(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that its first line tells, once it answers there; before, it refuses. Raises AssertionError with its log."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        url, line, _ = log.read_text().partition("\n")
        with socket.socket() as probe:
            if line and probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0:
                return url
        time.sleep(0.05)
    raise AssertionError(f"the service does not start: {log.read_text()}")
