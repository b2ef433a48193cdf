"""The configuration files of the daemons, rendered anew at every start: they are output, nobody edits them.

Templates lie in templates/, a file each; what a template may say is in `words`. Asterisk's own files come from
dialplan/.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import jinja2

from calls.errors import NotPossible
from cti.secrets import Secrets
from cti.settings import CHECKOUT, Settings
from cti.stack.owner import user_name
from cti.stack.postgres import cluster_dir
from cti.stack.programs import installed, programs

RENDERED = (
    "supervisord.conf",
    "postgresql.conf",
    "pg_hba.conf",
    "pg_ident.conf",
    "mosquitto.conf",
    "mosquitto.acl",
    "nginx.conf",
)
FOLDERS = (
    "etc",
    "run",
    "log",
    "mosquitto",
    "recordings",
    "run/nginx",
)
AWKWARD = re.compile(r"[\s;#%\"'\\${}]")
"""Letters that mean something else to at least one daemon's configuration language."""


def render(settings: Settings, secrets: Secrets) -> None:
    """Write every configuration file below `etc_dir`. Raises NotPossible when a path cannot be written in them."""
    for path in (CHECKOUT, settings.state_dir, settings.asterisk_tree):
        if found := AWKWARD.search(str(path)):
            raise NotPossible(
                f"the path {path} holds {found.group()!r}, which not every daemon can be told. "
                "Mend: move it, or set REXIAN_STATE_DIR, to a path without blanks and special letters."
            )
    for folder in FOLDERS:
        (settings.state_dir / folder).mkdir(mode=0o750, parents=True, exist_ok=True)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cti.stack"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # configuration, not HTML
    )
    words = _words(settings)
    for name in RENDERED:
        write(settings.etc_dir / name, environment.get_template(f"{name}.j2").render(words))
    if settings.has_bureau:
        write(settings.bureau_token, f"{secrets.business_token}\n")
    if settings.has_texting:
        write(settings.texts_key_file, f"{secrets.texts_key}\n")
    _write_mqtt_passwords(settings.etc_dir / "mosquitto.passwd", secrets)


def write(path: Path, text: str) -> None:
    """Write a file that only the daemons' user reads."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _words(settings: Settings) -> dict[str, object]:
    readers = {user_name(0), user_name(CHECKOUT.stat().st_uid), user_name(os.geteuid())}
    return {
        "settings": settings,
        "programs": programs(settings),
        "command_line": shlex.join,
        "web_dir": CHECKOUT / "build/web",
        "cluster": cluster_dir(settings),
        "daemon_user": user_name(os.geteuid()),
        "readers": sorted(readers),
    }


def _write_mqtt_passwords(path: Path, secrets: Secrets) -> None:
    """Mosquitto keeps salted hashes; its own tool turns the plain file into them."""
    new = path.with_suffix(".new")
    write(new, f"controller:{secrets.mqtt_controller}\nreader:{secrets.mqtt_reader}\n")
    subprocess.run([installed("mosquitto_passwd"), "-U", str(new)], check=True, capture_output=True)
    new.rename(path)
