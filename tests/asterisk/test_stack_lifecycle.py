"""The stack as a person has it: up and down, killed parts come back, and however it ends nothing of it is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cti.settings import CHECKOUT, Settings, load_settings
from cti.stack.supervisor import ProgramState, Supervisor
from tests.eventually import eventually

PORT_OFFSET = 17_300
PROGRAMS = ["postgres", "mosquitto", "asterisk", "nginx", "bureau", "texting", "controller", "watchdog"]


class Stack:
    """One copy of the hotline with a folder and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("REXIAN_")}
        self.environment |= {"REXIAN_STATE_DIR": str(folder / "var"), "REXIAN_PORT_OFFSET": str(PORT_OFFSET)}
        self.settings: Settings = load_settings(self.environment)
        self.supervisor = Supervisor(self.settings)

    def command(self, word: str) -> list[str]:
        return [sys.executable, "-m", "cti.stack", word]

    def do(self, word: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(word), env=self.environment, cwd=CHECKOUT, capture_output=True, text=True, check=False
        )

    @contextmanager
    def in_the_foreground(self) -> Iterator[subprocess.Popen[str]]:
        """`run`, ready."""
        with subprocess.Popen(
            self.command("run"), env=self.environment, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                said = ""
                while "Ctrl-C" not in said:
                    line = process.stdout.readline()
                    assert line, f"it ended, having said: {said}"
                    said += line
                yield process
            finally:
                process.kill()

    def ready(self) -> bool:
        command = [str(CHECKOUT / ".venv/bin/rexian"), "status"]
        return subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode == 0

    def program(self, name: str) -> ProgramState:
        return next(program for program in self.supervisor.programs() if program.name == name)

    def processes(self) -> set[int]:
        """Every process whose command line names the state directory, and every child of one."""
        parents, ours = {}, set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if str(self.settings.state_dir).encode() in (folder / "cmdline").read_bytes():
                    ours.add(int(folder.name))
            except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                continue
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        return ours


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One folder for all, as on a real machine: only the first start makes the cluster and the voices."""
    folder = Path(tempfile.mkdtemp(prefix="stack-", dir="/tmp"))  # a Unix socket's path must be short
    folder.chmod(0o755)  # the daemons are another user when root runs the tests
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def stack(folder: Path) -> Iterator[Stack]:
    stack = Stack(folder)
    try:
        yield stack
    finally:
        stack.do("down")


def alive(pids: set[int]) -> set[int]:
    """Those that are still there; an ended one may wait as a zombie for whoever adopted it."""
    states = {}
    for pid in pids:
        try:
            states[pid] = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return {pid for pid, state in states.items() if state != "Z"}


async def test_up_every_killed_part_comes_back_and_down(stack: Stack) -> None:
    up = stack.do("up")
    assert up.returncode == 0, up.stderr
    assert "Rexian is ready" in up.stdout
    assert stack.ready()

    for name in PROGRAMS:
        before = stack.program(name).pid
        os.kill(before, signal.SIGKILL)
        await eventually(
            lambda name=name, before=before: (
                (now := stack.program(name)).statename == "RUNNING" and now.pid not in (0, before)
            )
        )
    await eventually(stack.ready)

    second = stack.do("run")
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert "make down" in second.stderr

    processes = stack.processes()
    assert len(processes) > len(PROGRAMS)
    assert stack.do("down").returncode == 0
    assert alive(processes) == set()
    assert stack.do("down").returncode == 0  # nothing to do is no error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_foreground_ends_in_order(stack: Stack, number: signal.Signals) -> None:
    with stack.in_the_foreground() as process:
        processes = stack.processes()
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
    assert alive(processes) == set()


def test_the_foreground_says_that_it_was_stopped_from_elsewhere(stack: Stack) -> None:
    with stack.in_the_foreground() as process:
        assert stack.do("down").returncode == 0
        assert process.wait(timeout=60) == 0


async def test_no_daemon_outlives_a_killed_parent(stack: Stack) -> None:
    with stack.in_the_foreground() as process:
        processes = stack.processes()
        process.kill()
    await eventually(lambda: alive(processes) == set())

    assert stack.do("up").returncode == 0
    processes = stack.processes()
    supervisord = stack.supervisor.pid()
    assert supervisord is not None
    os.kill(supervisord, signal.SIGKILL)
    await eventually(lambda: alive(processes) == set())


def test_a_wrong_hotline_file_is_one_sentence_before_anything_starts(stack: Stack, folder: Path) -> None:
    shutil.copytree(CHECKOUT / "lines", folder / "lines")
    line = folder / "lines" / "12333.line.yaml"
    line.write_text(line.read_text().replace("queue: cards", "queue: crads"))
    stack.environment["REXIAN_LINES_DIR"] = str(folder / "lines")
    up = stack.do("up")
    assert up.returncode == 1
    [sentence] = up.stderr.splitlines()
    assert sentence.startswith(f"rexian: {line}:")
    assert "there is no queue crads. Mend: use one of" in sentence
    assert alive(stack.processes()) == set()


def test_a_daemon_that_does_not_start_is_named_with_its_last_words(stack: Stack) -> None:
    assert stack.do("prepare").returncode == 0
    version = stack.settings.state_dir / "postgres" / "PG_VERSION"
    right = version.read_text()
    version.write_text("9.6\n")
    up = stack.do("up")
    version.write_text(right)
    assert up.returncode == 1
    assert "postgres does not start" in up.stderr
    assert "initialized by PostgreSQL version 9.6" in up.stderr
    assert alive(stack.processes()) == set()
