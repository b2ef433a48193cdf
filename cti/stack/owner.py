"""Who the daemons are: the user `rexian` when started by root, else whoever started them.

Root does nothing here but give that user a state directory and a way to it, and then stops being root for good. The
checkout stays root's: the daemons only read it. A folder on the way that lets nobody through (a checkout under /root), or a
file that nobody may read (a clone made under umask 077), is opened for this one user by an access control list. And we take
the priority that Asterisk has; the other daemons step back again (`Program.argv`).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from calls.errors import NotPossible
from cti.settings import CHECKOUT, Settings

DAEMON_USER = "rexian"
VOICE_NICE = -10
"""Of Asterisk (nice(1)): a voice that is 20 ms late is broken, while whatever else runs here can wait so long."""
NOT_READ = {"var", "build", "node_modules"}
"""Folders of the checkout that set-up makes readable itself, or that the daemons never read; so are all whose names begin with
a dot, in which tools keep files of their own, some of them for an instant and for themselves alone."""


def become_daemon_user(settings: Settings) -> list[str]:
    """Make the state directory ours and, when root, stop being root. Answers with what was opened, for the person.

    Raises NotPossible when the state directory is somebody else's or when root cannot open the way to it.
    """
    said: list[str] = []
    _put_voice_first()
    if os.geteuid() == 0:
        user = _daemon_user()
        settings.state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        if settings.state_dir.stat().st_uid == 0:
            _give(settings.state_dir, user)
        said = _open_the_way(user, [CHECKOUT, settings.asterisk_tree, settings.state_dir])
        _leave_root(user, settings)
    settings.state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    owner = settings.state_dir.stat().st_uid
    if owner != os.geteuid():
        raise NotPossible(
            f"{settings.state_dir} belongs to {user_name(owner)} and not to {user_name(os.geteuid())}. "
            f"Mend: start as {'root' if user_name(owner) == DAEMON_USER else user_name(owner)}, "
            "or choose another folder by REXIAN_STATE_DIR."
        )
    os.umask(0o027)
    return said


def user_name(uid: int) -> str:
    """The name of a user, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _put_voice_first() -> None:
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, min(VOICE_NICE, os.getpriority(os.PRIO_PROCESS, 0)))


def _daemon_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(DAEMON_USER)
    except KeyError as error:
        raise NotPossible(f"there is no user {DAEMON_USER}. Mend: make run, as root, makes it.") from error


def _give(folder: Path, user: pwd.struct_passwd) -> None:
    """Hand over what root made there before, such as by a command of its own."""
    os.chown(folder, user.pw_uid, user.pw_gid)
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            os.chown(Path(parent, name), user.pw_uid, user.pw_gid, follow_symlinks=False)


def _open_the_way(user: pwd.struct_passwd, ends: Sequence[Path]) -> list[str]:
    """Let the user search every folder on the way to `ends` and read the checkout, where it cannot yet."""
    opened = []
    for folder in sorted({folder for end in ends for folder in (end, *end.parents)}):  # the outer ones first
        rights = os.R_OK | os.X_OK if folder in ends else os.X_OK
        if not _may(user, folder, rights):
            _grant(user, "r-x" if folder in ends else "--x", [folder])
            opened.append(str(folder))
    unread = [path for path in _sources(CHECKOUT) if _is_closed(path)]
    unread = [path for path in unread if not _may(user, path, os.R_OK)]
    if unread:
        _grant(user, "rX", unread)
    said = []
    if opened:
        said.append(f"the user {user.pw_name} may now pass through {', '.join(opened)} (by setfacl)")
    if unread:
        said.append(f"the user {user.pw_name} may now read {len(unread)} files of {CHECKOUT} (by setfacl)")
    return said


def _is_closed(path: Path) -> bool:
    """Whether others may not read it; what is gone by now, such as a file that Python writes and renames, needs no opening."""
    try:
        return not path.stat().st_mode & stat.S_IROTH
    except FileNotFoundError:
        return False


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in NOT_READ or path.name.startswith(".") or path.is_symlink():
            continue
        yield path
        if path.is_dir():
            yield from _sources(path)


def _grant(user: pwd.struct_passwd, rights: str, paths: Iterable[Path]) -> None:
    there = [*map(str, paths)]
    command = ["setfacl", "-m", f"u:{user.pw_name}:{rights}", "--"]
    done = subprocess.run([*command, *there], capture_output=True, text=True, check=False)
    left = [path for path in there if os.path.lexists(path)]  # the others were temporary
    if done.returncode and left and left != there:
        done = subprocess.run([*command, *left], capture_output=True, text=True, check=False)
    if done.returncode and left:
        raise NotPossible(
            f"the user {user.pw_name} cannot reach the checkout: {done.stderr.strip().splitlines()[-1]}. "
            "Mend: move the checkout to a folder that everybody may pass through, such as /opt."
        )


def _may(user: pwd.struct_passwd, path: Path, rights: int) -> bool:
    """Whether the user has these rights: asked as that user, and then root again."""
    groups = os.getgroups()
    os.initgroups(user.pw_name, user.pw_gid)
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        return os.access(path, rights, effective_ids=True)
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def _leave_root(user: pwd.struct_passwd, settings: Settings) -> None:
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.environ.update(HOME=str(settings.state_dir), USER=user.pw_name, LOGNAME=user.pw_name)
    os.environ["XDG_RUNTIME_DIR"] = str(settings.run_dir)  # else espeak-ng's sound library leaves folders in /tmp
