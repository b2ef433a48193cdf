"""run, up and down: the whole stack in the foreground, in the background, and its end."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType

import msgspec

from calls.errors import NotPossible
from cti import secrets
from cti.asterisk.config import seat_endpoint, write_config
from cti.hotline import load_hotline
from cti.secrets import Secrets
from cti.settings import Settings
from cti.stack import files, postgres
from cti.stack.owner import become_daemon_user
from cti.stack.ports import refuse_busy_ports
from cti.stack.programs import VENV
from cti.stack.ready import Status, await_ready, ready_block
from cti.stack.supervisor import Supervisor
from prompts import CATALOGUE, Catalogue, EspeakVoice, build

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def prepare(settings: Settings, secrets: Secrets) -> None:
    """Write every daemon's configuration; make the PostgreSQL cluster and the voices where they are not made yet.

    Raises RexianError, also for a hotline file that the controller would refuse. Nothing is started.
    """
    load_hotline(settings)
    files.render(settings, secrets)
    with ThreadPoolExecutor() as both:  # each takes seconds on a first start, most of it in programs of their own
        cluster = both.submit(postgres.make_cluster, settings)
        voices = both.submit(_build_voices, settings)
        cluster.result()
        voices.result()
    write_config(settings, secrets)  # names the sound files of the hold loop, so it comes after the voices
    if settings.demo:
        _write_demo(settings, secrets)


def prepare_only(settings: Settings) -> None:
    """Prepare and start nothing, for containers, where the engine starts each daemon."""
    refuse_second(settings)
    with _owned(settings):
        prepare(settings, secrets.load_or_create(settings.secrets_path, settings.seats))


def _build_voices(settings: Settings) -> None:
    """What is missing or changed. A recording that cannot be read is told; the built voice speaks instead."""
    report = build(Catalogue.load(CATALOGUE), settings.voices_dir, settings.prompts_dir, EspeakVoice())
    for problem in report.problems:
        _say(f"rexian: {problem}")


def _write_demo(settings: Settings, secrets: Secrets) -> None:
    """So that a telephone, or a script, can register at a demo seat. Demo data only."""
    seats = [{"number": n, "user": seat_endpoint(n), "password": secrets.seats[n]} for n in settings.seats]
    demo = {
        "line": "12333",
        "seats": seats,
        "desk": {"accounts": "demo1 demo2 demo3 demo4 demolead", "password": secrets.demo},
    }
    files.write(settings.state_dir / "demo.json", msgspec.json.format(msgspec.json.encode(demo)).decode())


def run(settings: Settings) -> None:
    """The stack in the foreground, until Ctrl-C, SIGTERM or the terminal's end; then nothing of it is left.

    Raises RexianError when it cannot start, or when supervisord dies. It ends in order (exit code 0) only when somebody
    asked it to: `make down` in another terminal.
    """
    begun = time.monotonic()
    refuse_second(settings)
    refuse_busy_ports(settings)  # before root is left, who alone may know who holds a port
    with _interrupts(), _owned(settings):
        process = _start(settings, dies_with_us=True)
        try:
            status = await_ready(settings, process)
            _say_ready(settings, status, begun, "Ctrl-C")
            code = process.wait()
        except KeyboardInterrupt:
            _say("\n正在停止 · stopping ...")
        else:
            if code:
                raise NotPossible(
                    f"supervisord died (exit code {code}). Mend: see {settings.log_dir}, then start again."
                )
        finally:
            _stop(settings, process)
        _say("已停止 · stopped")


def up(settings: Settings) -> None:
    """The stack in the background; returns when it takes calls. Raises RexianError, with nothing left behind."""
    begun = time.monotonic()
    refuse_second(settings)
    refuse_busy_ports(settings)  # before root is left, who alone may know who holds a port
    with _interrupts(), _owned(settings):
        process = _start(settings, dies_with_us=False)
        try:
            status = await_ready(settings, process)
        except BaseException:  # Ctrl-C too: what was begun is ended, and the error goes on
            _stop(settings, process)
            raise
        _say_ready(settings, status, begun, "make down")


def _say_ready(settings: Settings, status: Status, begun: float, how_to_stop: str) -> None:
    demo_password = secrets.load_or_create(settings.secrets_path, settings.seats).demo
    _say(ready_block(settings, status, time.monotonic() - begun, how_to_stop, demo_password))


def down(settings: Settings) -> None:
    """End the stack of this state directory, however it was started, and return when its last process is gone."""
    supervisor = Supervisor(settings)
    pid = supervisor.pid()
    if pid is None:
        _say(f"nothing runs in {settings.state_dir} · 没有运行中的热线")
        return
    supervisor.stop(pid)
    _say("已停止 · stopped")


def _start(settings: Settings, *, dies_with_us: bool) -> subprocess.Popen[bytes]:
    prepare(settings, secrets.load_or_create(settings.secrets_path, settings.seats))
    supervisord = [str(VENV / "bin" / "supervisord"), "-c", str(settings.etc_dir / "supervisord.conf")]
    if dies_with_us:
        supervisord = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", *supervisord]
    with (settings.log_dir / "supervisord.start.log").open("wb") as log:
        return subprocess.Popen(
            supervisord,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # the terminal's Ctrl-C comes to us alone, and we stop it in order
            env=_environment(),
        )


def _environment() -> dict[str, str]:
    """What the daemons may know of whoever starts them: our settings and the user, nothing else."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("REXIAN_")}
    kept |= {name: os.environ[name] for name in ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR") if name in os.environ}
    return kept | {"PATH": PATH, "LANG": "C.UTF-8"}


def _stop(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    for number in STOP_SIGNALS:  # an impatient second Ctrl-C would leave daemons behind
        signal.signal(number, signal.SIG_IGN)
    if process.poll() is None:
        Supervisor(settings).stop(process.pid)
        process.wait()


@contextmanager
def _owned(settings: Settings) -> Iterator[None]:
    """As the daemons' user, with the state directory to ourselves. The kernel frees the lock when we die."""
    for line in become_daemon_user(settings):
        _say(f"rexian: {line}")
    settings.run_dir.mkdir(mode=0o750, exist_ok=True)
    with (settings.run_dir / "stack.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotPossible(f"a start is already at work in {settings.state_dir}. Mend: wait for it.") from error
        yield


def refuse_second(settings: Settings) -> None:
    """Raises NotPossible when the stack of this state directory runs already."""
    pid = Supervisor(settings).pid()
    if pid is not None:
        raise NotPossible(
            f"the hotline of {settings.state_dir} already runs (process {pid}). Mend: make down stops it; "
            "for a second one beside it set REXIAN_STATE_DIR and REXIAN_PORT_OFFSET."
        )


@contextmanager
def _interrupts() -> Iterator[None]:
    """Let every signal that means stop arrive as KeyboardInterrupt, also where a script had Ctrl-C ignored."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
