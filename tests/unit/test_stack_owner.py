"""Whose the state directory is, and the way that root opens to it. The tests of root's part run as root only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from calls.errors import RexianError
from cti.settings import CHECKOUT, Settings
from cti.stack.owner import VOICE_NICE, become_daemon_user, user_name

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
as_oneself = pytest.mark.skipif(os.geteuid() == 0, reason="root becomes another user")

START = """
import os, sys
from pathlib import Path
from cti.settings import Settings
from cti.stack.owner import become_daemon_user, user_name
said = become_daemon_user(Settings(state_dir=Path(sys.argv[1])))
Path(sys.argv[1], "made").touch()
print(user_name(os.geteuid()), os.getgroups() == [os.getegid()], os.access("/root", os.R_OK), said)
print(os.getpriority(os.PRIO_PROCESS, 0))
"""


def start_in(folder: Path) -> subprocess.CompletedProcess[str]:
    """Become the daemons' user in a process of its own, since there is no way back."""
    command = [sys.executable, "-c", START, str(folder)]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


@as_root
def test_root_is_left_for_good_and_the_way_is_opened(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    done = start_in(closed / "state")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rexian True False ")
    assert str(closed) in done.stdout
    assert user_name((closed / "state" / "made").stat().st_uid) == "rexian"
    assert (closed.stat().st_mode & 0o007) == 0
    assert str(closed) not in start_in(closed / "state").stdout  # what is open is left alone


@as_root
def test_root_puts_the_voice_first(tmp_path: Path) -> None:
    assert start_in(tmp_path / "state").stdout.splitlines()[-1] == str(VOICE_NICE)


@as_root
def test_what_root_left_there_is_handed_over(tmp_path: Path) -> None:
    (tmp_path / "state" / "prompts").mkdir(parents=True)
    (tmp_path / "state" / "prompts" / "manifest").touch()
    assert start_in(tmp_path / "state").returncode == 0
    assert user_name((tmp_path / "state" / "prompts" / "manifest").stat().st_uid) == "rexian"


@as_root
def test_somebody_elses_state_directory_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    done = start_in(tmp_path)
    assert done.returncode != 0
    assert "belongs to nobody and not to rexian. Mend: start as nobody" in done.stderr


@as_oneself
def test_who_is_not_root_stays_oneself(tmp_path: Path) -> None:
    assert become_daemon_user(Settings(state_dir=tmp_path / "state")) == []
    assert (tmp_path / "state").stat().st_uid == os.geteuid()


@as_oneself
def test_roots_folder_is_refused() -> None:
    with pytest.raises(RexianError, match="belongs to root"):
        become_daemon_user(Settings(state_dir=Path("/")))


def test_a_user_without_a_name_is_told_by_number() -> None:
    assert user_name(4_000_000_000) == "4000000000"
