"""What a person is told when the hotline is ready, and when it does not get there."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from calls.errors import NotPossible
from cti.settings import Settings
from cti.stack import ready
from cti.stack.ready import Status, await_ready, ready_block
from cti.stack.supervisor import ProgramState
from cti.status import Status as WholeStatus

STATUS = Status(ready=True, web="http://127.0.0.1:8180", mqtt="mqtt://127.0.0.1:1983", postgres="postgresql:///rexian")


def test_the_block_says_how_to_call_in_two_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REXIAN_PORT_OFFSET", "100")
    monkeypatch.delenv("REXIAN_STATE_DIR", raising=False)
    monkeypatch.delenv("REXIAN_SETTINGS", raising=False)
    settings = Settings(port_offset=100, seats=("1001", "1002"))
    block = ready_block(settings, STATUS, 6.14, "Ctrl-C", "a1b2c3")
    assert "热线已就绪 · Rexian is ready (6.1 s)" in block
    for part in (
        "sip:12333@127.0.0.1:5160",
        "1001 1002",
        str(settings.state_dir / "demo.json"),
        STATUS.web + "/desk/",
        "a1b2c3",
        "Ctrl-C",
    ):
        assert part in block
    assert " REXIAN_PORT_OFFSET=100 " in block


def test_without_demo_data_no_demo_call_is_offered() -> None:
    block = ready_block(Settings(demo=False), STATUS, 6.0, "Ctrl-C", "a1b2c3")
    assert "demo.json" not in block
    assert "a1b2c3" not in block
    assert "rexian call" not in block


def test_who_takes_calls_with_a_problem_says_both() -> None:
    status = msgspec.structs.replace(STATUS, ready=False, answering=True, problems=["only 3 MB free"])
    block = ready_block(Settings(), status, 90.0, "Ctrl-C", "a1b2c3")
    assert "Rexian takes calls, with problems (90.0 s)" in block
    assert "only 3 MB free" in block


def test_calls_that_are_taken_are_enough_to_have_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(state_dir=tmp_path)
    settings.run_dir.mkdir()
    settings.control_socket.touch()
    status = msgspec.structs.replace(STATUS, ready=False, answering=True, problems=["only 3 MB free"])
    monkeypatch.setattr(ready, "LIMIT", timedelta())
    monkeypatch.setattr(ready, "_status", lambda: status)
    monkeypatch.setattr(ready, "Supervisor", NoPrograms)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        assert await_ready(settings, running) == status


class NoPrograms:
    """A supervisord that has nothing to say."""

    def __init__(self, _settings: Settings) -> None: ...

    def programs(self) -> list[object]:
        return []


def test_the_hotline_starts_though_the_business_system_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(state_dir=tmp_path)
    settings.run_dir.mkdir()
    settings.control_socket.touch()
    monkeypatch.setattr(ready, "SETTLED", timedelta())
    monkeypatch.setattr(ready, "_status", lambda: STATUS)
    monkeypatch.setattr(ready, "Supervisor", BureauGivenUp)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        assert await_ready(settings, running) == STATUS


class BureauGivenUp(NoPrograms):
    """Everything runs, but the bureau falls over again and again."""

    def programs(self) -> list[object]:
        states = {"controller": "RUNNING", "bureau": "FATAL"}
        return [ProgramState(name, state, 0, "", "") for name, state in states.items()]


def test_a_supervisord_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    settings.log_dir.mkdir()
    (settings.log_dir / "supervisord.log").write_text("\x1b[0mtried\n" + "no room on the disk\n" * 9)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        with pytest.raises(NotPossible) as told:
            await_ready(settings, ended)
    assert str(told.value).startswith("supervisord does not start")
    assert str(told.value).endswith("are:\n    tried\n    no room on the disk")


def test_the_start_reads_a_part_of_the_public_status() -> None:
    assert set(Status.__struct_fields__) <= set(WholeStatus.__struct_fields__)
    assert msgspec.json.decode(b'{"ready": true, "sip": {"port": 5060}}', type=Status).ready
