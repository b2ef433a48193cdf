"""The load: seats that answer and citizens who call, both played by sipp, the same for whatever is measured."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import msgspec
import soundfile  # type: ignore[import-untyped]  # it ships no types

from benchmarks.hotlines import Exchange
from benchmarks.scenarios import registration
from calls.errors import NotPossible
from cti.asterisk.config import seat_endpoint
from cti.phone.places import RATE_HZ
from cti.phone.sound import tone

CITIZENS_HOST, SEATS_HOST = "127.0.0.2", "127.0.0.1"
CITIZENS_PORT = 7060
"""Plus the exchange's port offset."""

_seats_ports = count(7560)
"""Others each time: Asterisk would believe of a known address what it last heard of it."""

CITIZENS_MEDIA, SEATS_MEDIA = 24000, 28000
HZ = {CITIZENS_HOST: 440.0, SEATS_HOST: 1000.0}
REGISTER_S = 30
REGISTER_TRIES = 3
"""On a busy machine an answer may come twice, which sipp calls a failure."""

DRAIN_S = 60
LOOK_S = 0.5
SIPP_FIGURES = ("TotalCallCreated", "SuccessfulCall(C)", "FailedCall(C)")


class Moment(msgspec.Struct, frozen=True):
    """What somebody did or saw, and when (UTC epoch seconds); `number` is the citizen's."""

    word: str
    at: float
    number: str
    seat: str = ""


class Result(msgspec.Struct, frozen=True):
    """What came of some calls, as the citizens saw it."""

    created: int
    failed: int
    moments: tuple[Moment, ...]

    def answer_ms(self) -> list[float]:
        """INVITE to 200, of each call that was answered."""
        return between(self.moments, "INVITE", self.moments, "ANSWER")


class Seats:
    """The seats' telephones, all in one sipp."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = 0

    def moments(self) -> tuple[Moment, ...]:
        """What they saw since the last look, in order."""
        seen = _moments(self._folder)[self._seen :]
        self._seen += len(seen)
        return seen


def between(first: tuple[Moment, ...], word: str, second: tuple[Moment, ...], other: str) -> list[float]:
    """Milliseconds from one moment of a citizen's call to another, for each citizen who had both."""
    began = {moment.number: moment.at for moment in first if moment.word == word}
    return [1000 * (m.at - began[m.number]) for m in second if m.word == other and m.number in began]


@contextlib.asynccontextmanager
async def seats(exchange: Exchange, numbers: tuple[str, ...], scenario: str) -> AsyncIterator[Seats]:
    """These seats' telephones, registered, answering by `scenario`; the exchange offers calls to just these."""
    port = next(_seats_ports)
    with _folder(scenario, SEATS_HOST) as folder:
        await _register(exchange, numbers, folder, port)
        process = await _sipp(exchange, "scenario.xml", SEATS_HOST, port, folder, "-mp", str(SEATS_MEDIA))
        try:
            await exchange.staff(numbers)
            yield Seats(folder)
        finally:
            await _end(process)


async def call(
    exchange: Exchange, scenario: str, *, rate: float, calls: int, place: int = 0, stop_at_failure: bool = False
) -> Result:
    """`calls` calls at `rate` a second, until all are over. `place` keeps apart those that run at the same time.

    With `stop_at_failure` no new calls are made after the first one that failed. Raises NotPossible when sipp hangs.
    """
    with _folder(scenario, CITIZENS_HOST) as folder:
        numbers = [f"13{place}{number:08d};" for number in range(calls)]
        (folder / "citizens.csv").write_text("\n".join(("SEQUENTIAL", *numbers, "")))
        options = (
            *("-s", exchange.line, "-inf", "citizens.csv", "-r", f"{rate:g}", "-m", str(calls)),
            *("-mp", str(CITIZENS_MEDIA + 1000 * place), "-trace_stat", "-stf", "stat.csv", "-fd", "1"),
        )
        process = await _sipp(exchange, "scenario.xml", CITIZENS_HOST, CITIZENS_PORT + place, folder, *options)
        try:
            async with asyncio.timeout(calls / rate + DRAIN_S):
                await _watch(process, folder, stop_at_failure)
        except TimeoutError as error:
            raise NotPossible(f"the calls were not over after {calls / rate + DRAIN_S:.0f} s") from error
        finally:
            await _end(process)
        return _result(folder)


async def _watch(process: asyncio.subprocess.Process, folder: Path, stop_at_failure: bool) -> None:
    """Until sipp has ended."""
    ended = asyncio.create_task(process.wait())
    try:
        while not ended.done():
            await asyncio.wait({ended}, timeout=LOOK_S)
            if stop_at_failure and not ended.done() and _counted(folder).get("FailedCall(C)", 0):
                process.send_signal(signal.SIGUSR1)  # no new calls; those that are up go on to their end
                stop_at_failure = False
    finally:
        ended.cancel()


def _counted(folder: Path) -> dict[str, int]:
    """sipp's last line of figures; nothing while there is none."""
    path = folder / "stat.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    if not rows or not rows[-1].get(SIPP_FIGURES[-1]):
        return {}
    return {name: int(rows[-1][name]) for name in SIPP_FIGURES}


def _result(folder: Path) -> Result:
    counted = _counted(folder)
    if not counted:
        raise NotPossible(f"sipp counted nothing: {_said_wrong(folder)}")
    created, _, failed = (counted[name] for name in SIPP_FIGURES)
    return Result(created, failed, _moments(folder))


def _moments(folder: Path) -> tuple[Moment, ...]:
    log = folder / "moments"
    found = []
    for line in log.read_text().splitlines() if log.exists() else ():
        word, seconds, micros, *who = line.split(" ")  # sipp writes nothing for a zero
        at = float(seconds) + float(micros or 0) / 1e6
        found.append(Moment(word, at, who[-1], who[0] if len(who) > 1 else ""))
    return tuple(found)


async def _register(exchange: Exchange, numbers: tuple[str, ...], folder: Path, port: int) -> None:
    """From the port on which they will be rung: Asterisk takes where the request came from for the address."""
    users = {seat_endpoint(number): exchange.secrets.seats[number] for number in numbers}
    rows = [f"{user};[authentication username={user} password={password}]" for user, password in users.items()]
    (folder / "seats.csv").write_text("\n".join(("SEQUENTIAL", *rows, "")))
    (folder / "register.xml").write_text(registration())
    options = ("-inf", "seats.csv", "-m", str(len(numbers)), "-r", "100")
    for _ in range(REGISTER_TRIES):
        process = await _sipp(exchange, "register.xml", SEATS_HOST, port, folder, *options)
        try:
            async with asyncio.timeout(REGISTER_S):
                if await process.wait() == 0:
                    return
        finally:
            await _end(process)
    raise NotPossible(f"the seats could not register: {_said_wrong(folder)}")


def _said_wrong(folder: Path) -> str:
    """What sipp did not expect, the beginning of it; from the call that it gave up, if there is one."""
    path = folder / "errors"
    words = path.read_text(errors="replace") if path.exists() else "sipp says nothing"
    return words[max(0, words.find("Aborting call")) :][:4000]


@contextlib.contextmanager
def _folder(scenario: str, host: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-sipp-") as name:
        folder = Path(name)
        (folder / "scenario.xml").write_text(scenario)
        soundfile.write(folder / "tone.al", tone(HZ[host], 1), RATE_HZ, format="RAW", subtype="ALAW")
        yield folder


async def _sipp(
    exchange: Exchange, scenario: str, host: str, port: int, folder: Path, *options: str
) -> asyncio.subprocess.Process:
    """It dies with us, however we die."""
    settings = exchange.settings
    command = (
        *("/usr/bin/setpriv", "--pdeathsig", "KILL", "--"),
        *("sipp", f"{settings.host}:{settings.sip_port}", "-sf", scenario, "-i", host, "-mi", host),
        *("-p", str(port + settings.port_offset), "-l", "5000", "-nostdin"),
        *("-trace_logs", "-log_file", "moments", "-trace_err", "-error_file", "errors", *options),
    )
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "TERM": "dumb"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
