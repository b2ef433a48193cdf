"""A private Mosquitto for tests: real, with a password and an access list, on a free port of the loopback.

Import the fixture into a conftest.py: `from tests.mosquitto import broker`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

WRITER, READER, PASSWORD = "controller", "reader", "a password"

CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/rights
persistence false
user {user}
"""

RIGHTS = f"""\
user {WRITER}
topic readwrite rexian/#

user {READER}
topic read rexian/#
"""


class TestBroker:
    """One Mosquitto; it keeps nothing over a restart, so what is retained afterwards was published again."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.host, self.port = "127.0.0.1", _free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        passwords = folder / "passwords"
        for name in (WRITER, READER):
            create = [] if passwords.exists() else ["-c"]
            subprocess.run(["mosquitto_passwd", *create, "-b", passwords, name, PASSWORD], check=True)
        passwords.chmod(0o600)
        (folder / "rights").write_text(RIGHTS)
        (folder / "rights").chmod(0o600)
        user = "root" if os.geteuid() == 0 else "unused"
        (folder / "conf").write_text(CONFIGURATION.format(port=self.port, folder=folder, user=user))

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") or "mosquitto"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([program, "-c", self._folder / "conf"], stderr=log, stdout=log)
        while self._process.poll() is None:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
            except ConnectionRefusedError:
                time.sleep(0.01)
            else:
                return
        raise RuntimeError((self._folder / "log").read_text())

    def stop(self) -> None:
        """Kill it, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[TestBroker]:
    """A running broker of this test's own."""
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    running = TestBroker(folder)
    running.start()
    yield running
    running.stop()
