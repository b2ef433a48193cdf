"""The watchdog kills a controller that has answered before and is silent now, and no other."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from cti.stack.watchdog import Watchdog


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Something that can be killed."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@contextmanager
def controller(path: Path, answers: int) -> Iterator[None]:
    """Answers so often, then listens and is silent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            for _ in range(answers):
                with listening.accept()[0] as asked:
                    asked.recv(100)
                    asked.sendall(b"{}\n")

        thread = Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            thread.join()


def test_one_that_falls_silent_is_killed(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    watchdog = Watchdog(tmp_path / "s", lambda: process.pid, silent_s=0.05)
    with controller(tmp_path / "s", answers=2):
        assert [watchdog.look(), watchdog.look()] == [False, False]
        assert process.poll() is None
        assert watchdog.look()
    assert process.wait(10) == -9


def test_one_that_has_not_answered_yet_is_left_in_peace(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    watchdog = Watchdog(tmp_path / "s", lambda: process.pid, silent_s=0.05)
    with controller(tmp_path / "s", answers=0):
        assert not watchdog.look()
    assert process.poll() is None


def test_the_next_one_is_another_one(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    pids = iter([1, 1, process.pid, process.pid])
    watchdog = Watchdog(tmp_path / "s", lambda: next(pids), silent_s=0.05)
    with controller(tmp_path / "s", answers=1):
        assert not watchdog.look()
        assert not watchdog.look()  # 1 is silent, and gone by then
    assert process.poll() is None


@pytest.mark.parametrize("pid", [0, 1])
def test_where_nobody_listens_nobody_is_killed(tmp_path: Path, pid: int) -> None:
    assert not Watchdog(tmp_path / "s", lambda: pid, silent_s=0.05).look()
