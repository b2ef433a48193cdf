"""Waiting until the hotline takes calls, and telling the person at the keyboard so, or what stands in the way."""

from __future__ import annotations

import os
import re
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import msgspec

from calls.errors import NotPossible
from cti.settings import Settings
from cti.stack.programs import VENV, programs
from cti.stack.supervisor import Supervisor

LIMIT = timedelta(seconds=90)
"""The first start builds the voices; it takes a quarter of this on a slow machine."""
SETTLED = timedelta(seconds=10)
"""A daemon that still falls over after this is not only waiting for another one."""
PAUSE = timedelta(seconds=0.2)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Status(msgspec.Struct, frozen=True):
    """The part of `rexian status --json` that the start needs."""

    ready: bool
    answering: bool = False
    web: str = ""
    mqtt: str = ""
    postgres: str = ""
    problems: list[str] = []


def await_ready(settings: Settings, supervisord: subprocess.Popen[bytes]) -> Status:
    """Return when every daemon stays up and `rexian status` says ready, or calls are taken and the rest takes too long.

    Raises NotPossible naming the daemon that fails and its last words.
    """
    supervisor = Supervisor(settings)
    needed = {program.name for program in programs(settings) if program.needed}
    begun = time.monotonic()
    status = None
    while True:
        elapsed = time.monotonic() - begun
        if supervisord.poll() is not None:
            raise _failed("supervisord", settings.log_dir / "supervisord.log", "it ended")
        running = [program for program in supervisor.programs() if program.name in needed]
        for program in running:
            late = elapsed > SETTLED.total_seconds() and program.statename in ("BACKOFF", "EXITED")
            if late or program.statename == "FATAL":
                reason = program.spawnerr or program.description
                raise _failed(program.name, settings.log_dir / f"{program.name}.log", reason)
        if settings.control_socket.exists():
            status = _status() or status
        if status is not None and status.ready and all(program.statename == "RUNNING" for program in running):
            return status
        if elapsed > LIMIT.total_seconds():
            if status is not None and status.answering:  # a full disk, a database away: no reason to answer nobody
                return status
            problems = "; ".join(status.problems) if status else "the controller does not answer"
            raise _failed("the hotline", settings.log_dir / "controller.log", f"not ready in time: {problems}")
        time.sleep(PAUSE.total_seconds())


def _status() -> Status | None:
    done = subprocess.run([VENV / "bin" / "rexian", "status", "--json"], capture_output=True, check=False)
    try:
        return msgspec.json.decode(done.stdout, type=Status)
    except msgspec.DecodeError:
        return None


def _failed(name: str, log: Path, reason: str) -> NotPossible:
    return NotPossible(f"{name} does not start: {reason}. Mend: see {log}, whose last words are:\n{_tail(log)}")


def _tail(log: Path, lines: int = 8) -> str:
    try:
        text = COLOURS.sub("", log.read_text(errors="replace")).splitlines()
    except FileNotFoundError:
        return "    (nothing)"
    once = [line for line, before in zip(text, ["", *text], strict=False) if line != before]  # it was tried repeatedly
    return "\n".join(f"    {line}" for line in once[-lines:]) or "    (nothing)"


def ready_block(settings: Settings, status: Status, took_s: float, how_to_stop: str, demo_password: str) -> str:
    """What a person needs for a first call, in both languages. The password is shown of a demonstration alone."""
    where = "".join(
        f"{variable}={os.environ[variable]} "
        for variable in ("REXIAN_SETTINGS", "REXIAN_STATE_DIR", "REXIAN_PORT_OFFSET")
        if variable in os.environ
    )
    rows = [
        (
            "拨打 Call",
            f"sip:12333@{settings.host}:{settings.sip_port} (UDP) · 本机任意 SIP 话机，无需账号 / any SIP phone here",
        ),
        ("坐席 Desk", f"{status.web}/desk/ · demo1 … demo4, demolead · 密码 / password: {demo_password}"),
        ("话机 Phones", f"{' '.join(settings.seats)} · 密码 / passwords: {settings.state_dir / 'demo.json'}"),
        ("试拨 Try", f"{where}{VENV / 'bin' / 'rexian'} call --keys 1"),
        ("状态 Status", f"{where}{VENV / 'bin' / 'rexian'} status"),
        ("网页 Web", status.web),
        ("消息 MQTT", f"{status.mqtt} · 密码 / password: {settings.secrets_path} (mqtt_reader)"),
        ("数据库 SQL", f"psql '{status.postgres}'"),
        ("日志 Logs", str(settings.log_dir)),
        ("停止 Stop", how_to_stop),
    ]
    if not settings.demo:
        rows = [row for row in rows if row[0] not in ("拨打 Call", "坐席 Desk", "话机 Phones", "试拨 Try")]
    rows = [("问题 Problem", problem) for problem in status.problems] + rows
    headline = (
        "热线已就绪 · Rexian is ready" if status.ready else "热线在接听，但有问题 · Rexian takes calls, with problems"
    )
    line = "─" * 78
    told = "\n".join(f"  {_padded(name, 13)}{text}" for name, text in rows)
    return f"{line}\n  {headline} ({took_s:.1f} s)\n\n{told}\n{line}"


def _padded(text: str, width: int) -> str:
    """A Chinese character takes two columns of a terminal."""
    columns = sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)
    return text + " " * (width - columns)
