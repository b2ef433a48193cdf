"""The rival: Asterisk's app_queue, given the same work.

The same pjsip.conf, the same words and key before the queue, the same seats as static members, who rest the longest first
(`leastrecent`), conversations recorded by its own MixMonitor, call records and queue log in PostgreSQL. What it does not do
is in docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from benchmarks.hotlines import FEW, LINE, PATIENCE_S, SEATS, as_owner, console, prepared, stack
from benchmarks.processes import Processes
from calls.words import FIRST_LANGUAGE
from cti.asterisk.config import seat_endpoint
from cti.secrets import load_or_create
from cti.settings import Settings
from cti.stack.programs import postgres_tool, programs
from dialplan.render import MODULES
from prompts import Sounds

EMPTY_WAV = 44
"""Bytes of a recording's header."""

FEW_LINE = "12334"
"""Its number for the queue of the few seats."""

TABLES = """
CREATE TABLE cdr (calldate timestamptz NOT NULL, clid text, src text, dst text, dcontext text, channel text,
    dstchannel text, lastapp text, lastdata text, duration integer, billsec integer, disposition text,
    amaflags integer, accountcode text, uniqueid text, userfield text);
CREATE INDEX ON cdr (calldate);
CREATE TABLE queue_log (id bigserial PRIMARY KEY, time timestamptz NOT NULL, callid text, queuename text, agent text,
    event text, data text, data1 text, data2 text, data3 text, data4 text, data5 text);
CREATE INDEX ON queue_log (time);
"""

EXTENSIONS = """[from-trunk]
exten => {line},1,Set(QUEUE=all)
 same => n,Goto(call,1)
exten => {few_line},1,Set(QUEUE=few)
 same => n,Goto(call,1)
exten => call,1,Answer(,i)
 same => n,Playback({welcome})
 same => n,Playback({notice})
 same => n(menu),Read(KEY,{menu},1,,3,8)
 same => n,GotoIf($["${{KEY}}" = "2"]?announcement)
 same => n,Queue(${{QUEUE}},,,,60)
 same => n,Hangup()
 same => n(announcement),Playback({announcement})
 same => n,Goto(menu)
"""

QUEUES = """[general]
persistentmembers = no
autofill = yes
monitor-type = MixMonitor
shared_lastcall = yes

[common](!)
strategy = leastrecent
timeout = 15
retry = 1
ringinuse = no
wrapuptime = 0
autopause = no
joinempty = yes
leavewhenempty = no
musicclass = default
{recording}
"""

PGSQL = """[{section}]
hostname = {socket}
port = 5432
dbname = rexian
user = rexian
password =
table = cdr
requirements = warn
"""

OTHERS = ("app_queue", "app_read", "res_config_pgsql", "cdr_pgsql", "func_callerid")
NOT_USED = ("res_stasis", "res_ari", "app_stasis", "cdr_custom", "res_cdrel", "res_websocket", "app_userevent")


class AppQueue:
    """Asterisk alone, with its own queue."""

    name = "app_queue"
    line = LINE

    def __init__(self, settings: Settings, pids: dict[str, int]) -> None:
        self.settings, self._pids = settings, pids
        self.secrets = load_or_create(settings.secrets_path, settings.seats)

    def processes(self) -> Processes:
        return Processes(self._pids)

    async def staff(self, seats: tuple[str, ...]) -> None:
        self.line = FEW_LINE if seats == FEW else LINE
        async with asyncio.timeout(PATIENCE_S):
            while (await self.cli("pjsip show contacts")).count(" Avail ") < len(seats):  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.2)

    async def idle(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not (await self.cli("core show channels count")).startswith("0 active channels"):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.2)

    async def cli(self, words: str) -> str:
        return await console(self.settings, words)

    async def recordings(self) -> int:
        monitor = self.settings.state_dir / "asterisk" / "spool" / "monitor"
        return sum(1 for path in monitor.glob("*.wav") if path.stat().st_size > EMPTY_WAV)


@contextlib.asynccontextmanager
async def app_queue(port_offset: int, *, recorded: bool = True) -> AsyncIterator[AppQueue]:
    """Running and ready; gone afterwards."""
    with prepared(port_offset) as (settings, environment):
        await stack("prepare", environment)
        _configure(settings, recorded=recorded)
        with _running(settings, "postgres") as postgres:
            await _make_tables(settings)
            with _running(settings, "asterisk") as asterisk:
                exchange = AppQueue(settings, {"asterisk": asterisk.pid, "postgres": postgres.pid})
                await _booted(exchange)
                yield exchange


def _etc(settings: Settings) -> Path:
    return settings.etc_dir / "asterisk"


def _configure(settings: Settings, *, recorded: bool) -> None:
    """Turn the hotline's configuration into the rival's."""
    sounds = Sounds(settings.prompts_dir)

    def said(key: str) -> str:
        return "&".join(media.removeprefix("sound:") for media in sounds.media(key, FIRST_LANGUAGE))

    modules = [name for name in MODULES if not name.startswith(NOT_USED)]
    load = [f"{'preload' if name.startswith('res_sorcery') else 'load'} = {name}.so" for name in (*modules, *OTHERS)]
    extensions = EXTENSIONS.format(
        line=LINE,
        few_line=FEW_LINE,
        welcome=said("welcome"),
        notice=said("notice"),
        menu=said("menu.main"),
        announcement=said("info.documents"),
    )
    queues = QUEUES.format(recording="monitor-format = wav" if recorded else "")
    for name, seats in (("all", SEATS), ("few", FEW)):
        queues += "\n".join((f"\n[{name}](common)", *(f"member => PJSIP/{seat_endpoint(seat)}" for seat in seats), ""))
    files = {
        "modules.conf": "\n".join(("[modules]", "autoload = no", *load, "")),
        "extensions.conf": extensions,
        "queues.conf": queues,
        "cdr_pgsql.conf": PGSQL.format(section="global", socket=settings.postgres_socket_dir),
        "res_pgsql.conf": PGSQL.format(section="general", socket=settings.postgres_socket_dir),
        "extconfig.conf": "[settings]\nqueue_log => pgsql,general\n",
        "logger.conf": "[general]\nqueue_log = yes\nqueue_log_to_file = no\n[logfiles]\nconsole => notice,warning,error\n",
    }
    for name, text in files.items():
        path = _etc(settings) / name
        path.write_text(text)
        path.chmod(0o644)


async def _make_tables(settings: Settings) -> None:
    """As soon as the server answers."""
    psql = (str(postgres_tool("psql")), "-q", "-v", "ON_ERROR_STOP=1", "-c", TABLES, settings.postgres_dsn("rexian"))
    async with asyncio.timeout(PATIENCE_S):
        while True:
            asked = await asyncio.create_subprocess_exec(
                *psql, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, **as_owner(settings)
            )
            if await asked.wait() == 0:
                return
            await asyncio.sleep(0.2)


async def _booted(exchange: AppQueue) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while "fully booted" not in await exchange.cli("core waitfullybooted"):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.2)


@contextlib.contextmanager
def _running(settings: Settings, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of the stack's daemons, as supervisor would run it; it dies with us, however we die."""
    program = next(one for one in programs(settings) if one.name == name)
    with (settings.log_dir / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            program.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=settings.state_dir,
            start_new_session=True,  # the terminal's Ctrl-C comes to us alone, and we stop it in order
            **as_owner(settings),
        )
    try:
        yield process
    finally:
        process.send_signal(signal.Signals[f"SIG{program.stop_signal}"])
        try:
            process.wait(program.stop_wait_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
