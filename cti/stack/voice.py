"""Which Asterisk runs: the system's own when recent enough, else the tree that set-up unpacks out of Debian unstable.

The tree is run by its own loader and libraries, so it needs no root, no chroot and nothing of the system's.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from calls.errors import NotPossible
from cti.settings import Settings

OLDEST = (22, 10, 1)
"""The versions before lack about twenty security fixes. scripts/setup-asterisk holds the same two bounds."""
TOO_NEW = (23,)


class Asterisk(msgspec.Struct, frozen=True):
    """An Asterisk on this machine."""

    command: tuple[str, ...]
    """How to start it, without arguments."""
    modules: Path
    data: Path
    """Its sounds and its REST interface's description."""

    def version(self) -> tuple[int, ...] | None:
        """The version that it reports, None when it does not run at all."""
        done = subprocess.run([*self.command, "-V"], capture_output=True, text=True, check=False)
        found = re.match(r"Asterisk (\d+(?:\.\d+)*)", done.stdout)
        return tuple(map(int, found.group(1).split("."))) if found else None


def find_asterisk(settings: Settings) -> Asterisk:
    """The Asterisk to run. Raises NotPossible when there is none between the two bounds."""
    for candidate in (_of_the_system(), _of_the_tree(settings.asterisk_tree)):
        version = candidate.version() if candidate else None
        if candidate and version and OLDEST <= version < TOO_NEW:
            return candidate
    wanted = ".".join(map(str, OLDEST))
    raise NotPossible(
        f"no Asterisk of version {wanted} up to {TOO_NEW[0]} is in {settings.asterisk_tree} or on this system. "
        "Mend: make run unpacks one."
    )


def _of_the_system() -> Asterisk | None:
    path = shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    modules = next(Path("/usr/lib").glob("*-linux-gnu*/asterisk/modules"), None)
    if path is None or modules is None:
        return None
    return Asterisk((path,), modules, Path("/usr/share/asterisk"))


def _of_the_tree(tree: Path) -> Asterisk | None:
    loader = next(tree.glob("lib*/ld-linux-*.so.*"), None)
    modules = next(tree.glob("usr/lib/*-linux-gnu*/asterisk/modules"), None)
    if loader is None or modules is None:
        return None
    libraries = modules.parent.parent
    search = f"{libraries}:{libraries / 'asterisk'}:{libraries / 'pulseaudio'}"
    command = (str(loader), "--library-path", search, str(tree / "usr/sbin/asterisk"))
    return Asterisk(command, modules, tree / "usr/share/asterisk")
