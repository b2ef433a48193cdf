"""The daemons of the stack, a row each: how each one is run, stopped and ordered. Supervisor's file is made from this.

Each is started through `setpriv --pdeathsig`, by which the kernel ends it when supervisord dies, however it dies: a
daemon that nobody watches would hold its port against the next start.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from calls.errors import NotPossible
from cti.settings import CHECKOUT, REPORTS_PATH, Settings
from cti.stack.voice import find_asterisk

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
VENV = CHECKOUT / ".venv"


class Program(msgspec.Struct, frozen=True):
    """One daemon under supervisor. They start in the order of the list and stop in the reverse of it."""

    name: str
    command: tuple[str, ...]
    stop_signal: str = "TERM"
    stop_wait_s: int = 10
    """After so long it is killed. Supervisor stops one after the other."""
    needed: bool = True
    """No call could be taken without it, or it is ours to mend: a start that does not bring it up has failed."""
    first: bool = False
    """It runs before the others, where we may."""

    @property
    def argv(self) -> tuple[str, ...]:
        ahead = -os.getpriority(os.PRIO_PROCESS, 0)
        nice = ("/usr/bin/nice", "-n", str(ahead), "--") if ahead > 0 and not self.first else ()
        return ("/usr/bin/setpriv", "--pdeathsig", self.stop_signal, "--", *nice, *self.command)


def programs(settings: Settings) -> tuple[Program, ...]:
    """The daemons, in the order in which they start. Raises NotPossible when one is not installed."""
    etc = settings.etc_dir
    return (
        Program(
            "postgres",
            (str(postgres_tool("postgres")), "-c", f"config_file={etc / 'postgresql.conf'}"),
            stop_signal="INT",  # fast: sessions are rolled back; TERM would wait for every client to leave
            stop_wait_s=30,
        ),
        Program("mosquitto", (installed("mosquitto"), "-c", str(etc / "mosquitto.conf"))),
        Program(
            "asterisk",
            (*find_asterisk(settings).command, "-f", "-C", str(etc / "asterisk" / "asterisk.conf")),
            first=True,
        ),
        Program("nginx", _nginx(settings)),
        *([_bureau(settings)] if settings.has_bureau else []),
        *([_texting(settings)] if settings.has_texting else []),
        Program("controller", (str(VENV / "bin" / "rexian"), "serve")),
        Program("watchdog", (str(VENV / "bin" / "python"), "-m", "cti.stack", "watchdog")),
    )


def _bureau(settings: Settings) -> Program:
    """The reference business system. It makes its role and database itself, once PostgreSQL is there."""
    command = (
        *(str(VENV / "bin" / "python"), "-m", "bureau"),
        *("--port", str(settings.bureau_port)),
        *("--database", settings.postgres_dsn("bureau", "bureau")),
        *("--maker", settings.postgres_dsn("postgres", "postgres")),
        *("--token-file", str(settings.bureau_token)),
    )
    return Program("bureau", command, needed=False)


def _texting(settings: Settings) -> Program:
    """The reference SMS gateway. It reports to the public door, as a carrier's would."""
    command = (
        *(str(VENV / "bin" / "python"), "-m", "texting"),
        *("--port", str(settings.texting_port)),
        *("--key-file", str(settings.texts_key_file)),
        *("--file", str(settings.state_dir / "texting.db")),
        *("--reports-to", f"http://127.0.0.1:{settings.api_port}{REPORTS_PATH}"),
    )
    return Program("texting", command, needed=False)


def _nginx(settings: Settings) -> tuple[str, ...]:
    """When the master is killed outright its workers live on and hold the port: the next start ends them first."""
    pid_file = settings.run_dir / "nginx.pid"
    script = 'test -e "$1" && kill -s KILL -- "-$(cat "$1")"; rm -f "$1"; shift; exec "$@"'
    conf = settings.etc_dir / "nginx.conf"
    nginx = (installed("nginx"), "-e", "stderr", "-p", str(settings.state_dir), "-c", str(conf))
    return ("/bin/sh", "-c", script, "nginx", str(pid_file), *nginx)


def installed(name: str) -> str:
    """Where a daemon is; Debian keeps some where only root's PATH looks. Raises NotPossible when it is nowhere."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if found is None:
        raise NotPossible(f"{name} is not installed. Mend: make run installs it (or: apt-get install {name}).")
    return found


def postgres_tool(name: str) -> Path:
    """A program of the newest PostgreSQL on this machine, 15 or later. Raises NotPossible when there is none."""
    versions = sorted((int(p.name) for p in DEBIAN_POSTGRES.glob("[0-9]*") if p.name.isdecimal()), reverse=True)
    for version in versions:
        path = DEBIAN_POSTGRES / str(version) / "bin" / name
        if version >= 15 and path.exists():
            return path
    raise NotPossible(
        f"PostgreSQL 15 or newer is not in {DEBIAN_POSTGRES}. "
        "Mend: make run installs it (or: apt-get install postgresql)."
    )
