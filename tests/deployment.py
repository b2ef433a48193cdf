"""A hotline of a test's own, as a person has it: default settings, a folder, ports; its parts may be stopped and started.

Its folder looks like a checkout in which somebody works, so a command of the documentation runs there as it is written:
`.venv`, `var`, `lines` and `rexian.yaml` are where it says, and `make` knows `up` and `down`. Its sentences are short
tones, unless they are to be spoken: a call takes seconds, not minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from calls.words import Language
from cti.settings import CHECKOUT, load_settings
from tests.asterisk.ears import write_voices

MAKE = f'make() {{ "{CHECKOUT}/.venv/bin/python" -m cti.stack "$1"; }}'
"""Set-up is done already when a test runs; the rest of `make` is this."""


class CommandFailed(AssertionError):
    """A command of a script ended with another exit code than 0; the text has all that it said."""


class Deployment:
    """One running copy of the hotline."""

    def __init__(self, folder: Path, port_offset: int, **changes: object) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("REXIAN_")}
        self.environment |= {
            "REXIAN_STATE_DIR": str(folder / "var"),
            "REXIAN_PORT_OFFSET": str(port_offset),
            "REXIAN_VOICES_DIR": str(folder / "voices"),
            **{f"REXIAN_{name.upper()}": str(value) for name, value in changes.items()},
        }
        self.settings = load_settings(self.environment)
        self.web = self.settings.web_url

    def sh(self, script: str, timeout_s: float = 120) -> str:
        """What a shell script of the documentation prints, from its first failing command on nothing more.

        Raises CommandFailed."""
        done = subprocess.run(
            ["/bin/bash", "-e", "-o", "pipefail", "-c", f"{MAKE}\n{script}"],
            cwd=self.folder,
            env=self.environment | {"PYTHONPATH": str(CHECKOUT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        if done.returncode:
            raise CommandFailed(f"{script}\n--- exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def supervisorctl(self, *words: str) -> None:
        """`start controller`, `stop asterisk`, ... Returns when it is done."""
        conf = self.settings.etc_dir / "supervisord.conf"
        subprocess.run([CHECKOUT / ".venv/bin/supervisorctl", "-c", conf, *words], check=True, capture_output=True)


@contextmanager
def deployed(port_offset: int, spoken: Collection[Language] = (), *, tls: bool = False) -> Iterator[Deployment]:
    """Started as `make up` does it; at the end nothing of it is left. In the languages `spoken` its sentences are words.
    `tls`: the web door has a certificate that nobody knows.

    Raises CommandFailed when it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="rexian-", dir="/tmp"))  # a Unix socket's path must be short
    folder.chmod(0o755)  # the daemons are another user when root runs the tests
    try:
        for name in (".venv", "lines", "rexian.yaml"):
            (folder / name).symlink_to(CHECKOUT / name)
        write_voices(folder / "voices", spoken)
        deployment = Deployment(folder, port_offset, **certified(folder) if tls else {})
        deployment.sh("make up")
        try:
            yield deployment
        finally:
            deployment.sh("make down")
    finally:
        shutil.rmtree(folder)


def certified(folder: Path) -> dict[str, Path]:
    """A certificate and its key in the folder, as the settings name them."""
    files = {"web_certificate": folder / "door.pem", "web_key": folder / "door.key"}
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=desk.city.example"
    command = [*make.split(), "-out", str(files["web_certificate"]), "-keyout", str(files["web_key"])]
    subprocess.run(command, check=True, capture_output=True)
    files["web_key"].chmod(0o644)  # the daemons are another user when root runs the tests
    return files
