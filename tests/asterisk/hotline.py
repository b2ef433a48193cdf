"""The whole hotline, for tests: started once a session as `make up` starts it, with its own settings, ports and folder.

    async def test_something(hotline: Hotline):
        async with hotline.adviser("1001", "8001") as seat, hotline.caller(keys="1") as caller:
            await caller.saw(SeatAnswered)
            await seat.hangup()
            await caller.over()
        assert await hotline.sql("SELECT outcome FROM calls WHERE call_id = $1", caller.call_id) == [("queued",)]

What a caller was told is heard (`ears.py`), what happened is read from the facts, what is kept from Postgres. After
each test the fixture asserts `nothing_left`.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import asyncpg

from calls.clock import SystemClock
from calls.errors import NotPossible
from calls.facts import AdviserNumberSaid, AnyFact, CallEnded, Fact, QueueEntered, SeatAnswered, Stamped
from calls.moments import RATING_MENU, AwaitingKey, MenuStarted, Observation, decode_observation
from cti.asterisk.client import Ari
from cti.breaker import Breaker
from cti.business import HttpBusiness
from cti.business.http import Asking
from cti.control import AskStatus, SeatLogOut, SeatNotReady, SeatReady, ask, follow
from cti.phone.baresip import AnswerAfter, AnswerPolicy, Phone, RingOn
from cti.phone.events import Closed
from cti.phone.places import Identity
from cti.phone.sound import Samples, tone
from cti.secrets import Secrets, load_or_create
from cti.settings import CHECKOUT, Settings, load_settings
from cti.status import Done, Status
from dialplan.render import APP
from tests.asterisk.ears import Ear, in_order, write_voices
from tests.asterisk.phones import CITIZEN_HZ, Seat
from tests.eventually import eventually
from tests.texting import Texting

DATA = Path(__file__).parent / "data"
PATIENCE_S = 30.0
"""Only a failing test ever waits this long."""

PORT_OFFSET = int(os.environ.get("HOTLINE_PORT_OFFSET", "17000"))
"""Of the session's hotline; another one lets two people test on one machine."""

HOME = 20
"""Added to the SIP port of a hotline: where the one citizen is at home whom it can call back."""

PROVIDER = 50
"""Added to its web port: where a test may open the provider by which people sign in, too."""

NEXT_OPENING = timedelta(days=5)

SHIPPED = "12398"
"""The shipped line, under this number; but it promises nobody to call back, since nobody there is at home."""

F = TypeVar("F", bound=Fact)


class Caller:
    """A citizen at a phone, who keys by plan and whose facts are watched; made by `Hotline.caller`."""

    def __init__(self, phone: Phone, keys: str, rate: str | None, barge: bool) -> None:
        self.phone = phone
        self.facts: list[AnyFact] = []
        self.sip_call_id = ""
        self._keys, self._rate, self._barge = list(keys), rate, barge
        self._news = asyncio.Event()
        self._ear = Ear()

    @property
    def call_id(self) -> str:
        """Asterisk's id; the first fact tells it."""
        found: str = next(fact.call_id for fact in self.facts if hasattr(fact, "call_id"))
        return found

    @property
    def said(self) -> list[str]:
        """What the caller was told until now, as pieces of the catalogue."""
        return self._ear.said(self.phone.heard())

    async def connected(self, times: int = 1) -> SeatAnswered:
        """An adviser has answered, for the nth time, and the number is said: only voices are heard from now on."""
        answered = await self.saw(SeatAnswered, times)
        said_before = sum(isinstance(fact, AdviserNumberSaid) for fact in self.facts[: self.facts.index(answered)])
        await self.saw(AdviserNumberSaid, said_before + 1)
        return answered

    async def saw(self, kind: type[F], times: int = 1) -> F:
        """Wait for the fact of this kind, or the nth one. Raises TimeoutError naming what came instead."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(found := [fact for fact in self.facts if isinstance(fact, kind)]) < times:
                    await self._news.wait()
        except TimeoutError as error:
            raise TimeoutError(f"no {kind.__name__} (number {times}) among {self.facts}") from error
        return found[times - 1]

    async def hears(self, *pieces: str) -> None:
        """Wait until these were said, in this order. Raises TimeoutError naming what was said instead."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not in_order(pieces, self.said):  # noqa: ASYNC110 - a growing file has no event
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise TimeoutError(f"{pieces} was not said, but {self.said}") from error

    async def leave(self) -> CallEnded:
        """Hang up; the call's end."""
        await self.phone.hangup()
        return await self.saw(CallEnded)

    async def over(self) -> CallEnded:
        """Wait until the hotline ended the call."""
        await self.phone.wait_for(Closed, timeout_s=PATIENCE_S)
        return await self.saw(CallEnded)

    async def watch(self, observations: AsyncIterator[Observation]) -> None:
        """Collect facts and press the keys that are due."""
        async for seen in observations:
            match seen:
                case Stamped(fact=fact):
                    self.facts.append(fact)
                    news, self._news = self._news, asyncio.Event()
                    news.set()
                case MenuStarted(menu=menu) if self._barge:
                    await self._press(menu)
                case AwaitingKey(menu=menu) if not self._barge:
                    await self._press(menu)

    async def _press(self, menu: str) -> None:
        if menu == RATING_MENU:
            if self._rate:
                await self.phone.key(self._rate)
        elif self._keys and (key := self._keys.pop(0)) != "-":
            await self.phone.key(key)


class Hotline:
    """The running stack, and hands to use it."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self.settings, self.environment = settings, environment
        self.secrets: Secrets = load_or_create(settings.secrets_path, settings.seats)
        self.server = f"{settings.host}:{settings.sip_port}"
        self._numbers = count(13800000001)
        self._log_read = 0

    # --- the command line and the control socket

    def command(self, *words: str) -> list[str]:
        """The argv of `rexian`; run it with `environment`."""
        return [str(CHECKOUT / ".venv/bin/rexian"), *words]

    async def rexian(self, *words: str) -> tuple[int, str, str]:
        """Run the command; its exit code, standard output and standard error."""
        process = await asyncio.create_subprocess_exec(
            *self.command(*words),
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def status(self) -> Status:
        """As `rexian status --json` has it."""
        return await ask(self.settings.control_socket, AskStatus(), Status)

    async def ready(self, seat: str, adviser: str | None = None) -> None:
        """`rexian seat ready`."""
        await ask(self.settings.control_socket, SeatReady(seat, adviser), Done)

    async def not_ready(self, seat: str, reason: str = "break") -> None:
        """`rexian seat not-ready`."""
        await ask(self.settings.control_socket, SeatNotReady(seat, reason), Done)

    async def seat_is(self, seat: str, *states: str) -> None:
        """Wait until the seat is in one of these states."""
        await eventually(lambda: self._seat_is(seat, states))

    async def _seat_is(self, seat: str, states: tuple[str, ...]) -> bool:
        return (await self.status()).seats[seat] in states

    # --- people

    @contextlib.asynccontextmanager
    async def telephone(self, seat: str, answers: AnswerPolicy = AnswerAfter()) -> AsyncIterator[Phone]:  # noqa: B008 - frozen
        """A seat's telephone, registered, with nobody at it."""
        async with Seat(f"seat{seat}", self.secrets.seats[seat], self.server, answers) as phone:
            yield phone

    @contextlib.asynccontextmanager
    async def adviser(
        self,
        seat: str,
        number: str,
        answers: AnswerPolicy = AnswerAfter(),  # noqa: B008 - frozen
    ) -> AsyncIterator[Phone]:
        """An adviser ready at a seat, who says 1,000 Hz; afterwards logged out."""
        async with self.telephone(seat, answers) as phone, self.sits(seat, number, phone):
            yield phone

    @contextlib.asynccontextmanager
    async def sits(self, seat: str, number: str, phone: Phone) -> AsyncIterator[None]:
        """An adviser is ready at this telephone of the seat; afterwards logged out."""
        await eventually(lambda: self._sits_down(seat, number))
        try:
            yield
        finally:
            if (await self.status()).seats[seat] == "talking":
                await phone.hangup()
            await self.log_out(seat)

    async def _sits_down(self, seat: str, number: str) -> bool:
        """False while the controller has not heard from Asterisk that the telephone is there."""
        try:
            await self.ready(seat, number)
        except NotPossible as error:
            if "not registered" in str(error):
                return False
            raise
        return True

    async def log_out(self, seat: str) -> None:
        """As soon as the seat's last call allows."""
        await self.seat_is(seat, "ready", "not_ready", "wrap_up", "logged_out")
        await ask(self.settings.control_socket, SeatLogOut(seat), Done)

    @contextlib.asynccontextmanager
    async def caller(
        self,
        keys: str = "",
        *,
        line: str = "12333",
        rate: str | None = None,
        barge: bool = True,
        host: str = "127.0.0.1",
        says: Samples | None = None,
        number: str | None = None,
        at_home: AnswerPolicy | None = None,
    ) -> AsyncIterator[Caller]:
        """A citizen who has just dialled, from a number of his own unless told. `keys`: one for each menu, `-` for none;
        pressed as the menu begins when `barge`, else at its end. Says 440 Hz unless told otherwise. `at_home`: at the
        telephone that is rung when the hotline calls back, and what its owner does then."""
        identity = Identity(user=number or str(next(self._numbers)), server=self.server)
        says = tone(CITIZEN_HZ, 1) if says is None else says
        port = self.settings.sip_port + HOME if at_home else 0
        async with Phone(identity, answers=at_home or RingOn(), microphone=says, host=host, sip_port=port) as phone:
            caller = Caller(phone, keys, rate, barge)
            caller.sip_call_id = await phone.dial(f"sip:{line}@{self.server}")
            watching = asyncio.create_task(caller.watch(self.follow(caller.sip_call_id)))
            try:
                yield caller
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    async def follow(self, sip_call_id: str) -> AsyncIterator[Observation]:
        """What this controller tells, and the next one, should it die."""
        while True:
            with contextlib.suppress(NotPossible):
                async with follow(self.settings.control_socket, sip_call_id) as lines:
                    async for line in lines:
                        yield decode_observation(line)
            await asyncio.sleep(0.05)

    # --- what is kept

    async def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows for whoever may only read, once everything told until now has arrived there."""
        await self.all_kept()
        connection = await asyncpg.connect((await self.status()).postgres)
        try:
            return [tuple(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    async def sql_as_owner(self, statement: str) -> None:
        """Change what only the hotline itself may change."""
        owner = ("runuser", "-u", self.settings.state_dir.owner(), "--") if os.geteuid() == 0 else ()
        words = ("psql", self.settings.postgres_dsn("rexian"), "--quiet", "--command", statement)
        process = await asyncio.create_subprocess_exec(*owner, *words)
        assert await process.wait() == 0

    async def happened_to(self, id_number: str) -> list[list[str]]:
        """What the reference business system has changed of a citizen: what and its reference, in order."""
        query = """
            SELECT what, reference FROM bureau.events JOIN bureau.citizens c ON c.id = citizen
            WHERE id_number = :'number' ORDER BY reference"""
        process = await self._psql(id_number)
        out, _ = await process.communicate(query.encode())
        assert process.returncode == 0
        return list(csv.reader(out.decode().splitlines()))

    @contextlib.asynccontextmanager
    async def business(self) -> AsyncIterator[HttpBusiness]:
        """The reference business system, as the controller asks it."""
        asking = Asking(self.settings.business_address or "", self.secrets.business_token, PATIENCE_S)
        async with HttpBusiness(asking, Breaker(SystemClock())) as business:
            yield business

    @contextlib.asynccontextmanager
    async def bureau_holds(self, id_number: str) -> AsyncIterator[None]:
        """Inside, whatever the reference business system wants to change of a citizen's card has to wait."""
        process = await self._psql(id_number)
        assert process.stdin
        assert process.stdout
        process.stdin.write(
            b"BEGIN; SELECT state FROM bureau.cards JOIN bureau.citizens c ON c.id = citizen "
            b"WHERE id_number = :'number' FOR UPDATE OF cards;\n"
        )
        async with asyncio.timeout(PATIENCE_S):
            while (line := await process.stdout.readline()) and line.strip() == b"BEGIN":
                pass
        try:
            yield
        finally:
            await process.communicate(b"ROLLBACK;")

    @contextlib.asynccontextmanager
    async def bureau_thinks(self, table: str) -> AsyncIterator[None]:
        """Inside, whatever the reference business system looks up in this table of its own has to wait."""
        process = await self._psql("")
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"BEGIN; LOCK TABLE bureau.{table}; SELECT 'locked';\n".encode())
        async with asyncio.timeout(PATIENCE_S):
            while (await process.stdout.readline()).strip() not in (b"locked", b""):
                pass
        try:
            yield
        finally:
            await process.communicate(b"ROLLBACK;")

    async def _psql(self, id_number: str) -> asyncio.subprocess.Process:
        """At the business system's own database, which only the daemons' user may ask; `:'number'` is this citizen."""
        return await asyncio.create_subprocess_exec(
            *(("runuser", "-u", self.settings.state_dir.owner(), "--") if os.geteuid() == 0 else ()),
            *("stdbuf", "-oL", "psql", self.settings.postgres_dsn("bureau", "bureau"), "--csv", "--tuples-only"),
            *("-v", f"number={id_number}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )

    @property
    def texting(self) -> Texting:
        """The reference gateway, whose telephones can be read."""
        return Texting(f"http://127.0.0.1:{self.settings.texting_port}", self.secrets.texts_key)

    async def all_kept(self) -> None:
        """Wait until everything told until now is on the disk: a kill in the next instant loses none of it."""
        await eventually(self._shipped)

    async def _shipped(self) -> bool:
        facts = (await self.status()).facts
        return facts["to_postgres"] == 0

    def call_records(self) -> set[str]:
        """The calls in Asterisk's own call records; as in the books, what came by no trunk is none."""
        if not self.settings.call_records.exists():
            return set()
        with self.settings.call_records.open(newline="") as file:
            return {call_id for call_id, _, trunk, *_ in csv.reader(file) if trunk}

    def kept(self, prefix: str) -> list[str]:
        """Keys of the state that the journal keeps for the next controller."""
        journal = sqlite3.connect(f"file:{self.settings.journal_path}?mode=ro", uri=True)
        try:
            found = journal.execute("SELECT key FROM state WHERE key LIKE ?", (f"{prefix}%",))
            return [key for (key,) in found]
        finally:
            journal.close()

    @contextlib.asynccontextmanager
    async def ari(self) -> AsyncIterator[Ari]:
        """Asterisk's own view of things."""
        async with Ari((await self.status()).ari, APP, self.secrets.ari, APP) as ari:
            yield ari

    async def nothing_left(self) -> None:
        """No call has left anything behind, and every one is in the books. Raises AssertionError naming what is left."""
        try:
            await eventually(self._clean)
        except TimeoutError:
            raise AssertionError(f"left behind: {await self.left()}") from None
        assert await self.sql("SELECT * FROM conservation_violations") == []
        errors = self.errors_logged()
        assert errors == [], "\n".join(errors)

    def errors_logged(self) -> list[str]:
        """Errors in the controller's log since the last look."""
        with (self.settings.log_dir / "controller.log").open(errors="replace") as log:
            log.seek(self._log_read)
            lines = log.readlines()
            self._log_read = log.tell()
        return [line for line in lines if '"level": "error"' in line or line.startswith(("ERROR", "Traceback"))]

    async def _clean(self) -> bool:
        return not await self.left()

    async def left(self) -> dict[str, object]:
        """What calls have left behind, by its name; nothing when all is well."""
        status = await self.status()
        async with self.ari() as ari:
            channels = [channel.name for channel in await ari.channels.list_all()]
            bridges = [bridge.id for bridge in await ari.bridges.list_all()]
        rows = {call_id for (call_id,) in await self.sql("SELECT call_id FROM calls WHERE callback_of IS NULL")}
        unrecorded = await self.sql(
            "SELECT visit FROM queue_visits v LEFT JOIN recordings r USING (visit) "
            "WHERE v.outcome = 'answered' AND r.visit IS NULL"
        )
        found: dict[str, object] = {
            "calls": status.calls["up"],
            "mailboxes": status.mailboxes,
            "channels": channels,
            "bridges": bridges,
            "raw tracks": [path.name for path in self.settings.raw_dir.iterdir()],
            "kept state": self.kept("call/") + self.kept("recording/"),
            "conversations without a recording": unrecorded,
            "calls in one book only": rows ^ self.call_records(),
        }
        return {name: what for name, what in found.items() if what}

    def recording(self, path: str) -> Path:
        """The file of a row in `recordings`."""
        return self.settings.recordings_dir / path


async def in_turn(*callers: Caller) -> list[Caller]:
    """Callers who wait, by who came first."""
    since = [((await caller.saw(QueueEntered)).since_ms, place) for place, caller in enumerate(callers)]
    return [callers[place] for _, place in sorted(since)]


@contextlib.contextmanager
def running_hotline(port_offset: int = PORT_OFFSET, **changes: object) -> Iterator[Hotline]:
    """A whole hotline, as `make up` starts it, gone at the end; `changes` are settings unlike those of data/hotline.yaml.

    A test that breaks what others share (a daemon, a disk) starts one of its own, at ports of its own. Raises
    CalledProcessError when it does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="hotline-", dir="/tmp"))  # a Unix socket's path must be short
    folder.chmod(0o755)  # the daemons are another user when root runs the tests
    try:
        settings_file = _write_files(folder, port_offset)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REXIAN_")}
        environment["REXIAN_SETTINGS"] = str(settings_file)
        environment |= {f"REXIAN_{name.upper()}": str(value) for name, value in changes.items()}
        _stack("up", environment)
        try:
            yield Hotline(load_settings(environment), environment)
        finally:
            _stack("down", environment)
    finally:
        shutil.rmtree(folder)


def _write_files(folder: Path, port_offset: int) -> Path:
    shutil.copytree(DATA / "lines", folder / "lines")
    shutil.copytree(CHECKOUT / "lines" / "faxes", folder / "lines" / "faxes", dirs_exist_ok=True)
    opens = datetime.now(ZoneInfo("Asia/Shanghai")).date() + NEXT_OPENING
    for line in (folder / "lines").glob("*.line.yaml"):
        line.write_text(line.read_text().replace("@OPENS@", opens.isoformat()))
    shutil.copytree(CHECKOUT / "lines" / "faxes", folder / "lines" / "faxes", dirs_exist_ok=True)
    shipped = (CHECKOUT / "lines" / "12333.line.yaml").read_text().replace("callback: {}", "")
    (folder / "lines" / f"{SHIPPED}.line.yaml").write_text(shipped.replace('number: "12333"', f'number: "{SHIPPED}"'))
    shutil.copytree(CHECKOUT / "lines" / "faxes", folder / "lines" / "faxes", dirs_exist_ok=True)
    write_voices(folder / "voices")
    settings = folder / "hotline.yaml"
    text = (DATA / "hotline.yaml").read_text()
    ports = Settings(port_offset=port_offset)
    text = text.replace("@HOME@", f"127.0.0.1:{ports.sip_port + HOME}")
    text = text.replace("@PROVIDER@", str(ports.web_port + PROVIDER)).replace("@WEB@", str(ports.web_port))
    settings.write_text(text.replace("@FOLDER@", str(folder)).replace("@PORT_OFFSET@", str(port_offset)))
    return settings


def _stack(command: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "cti.stack", command], env=environment, cwd=CHECKOUT, check=True)
