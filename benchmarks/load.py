"""The load: seats that answer and citizens who call, both played by sipp, the same for whatever is measured."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import soundfile  # type: ignore[import-untyped]  # it ships no types

from benchmarks.hotlines import Exchange
from calls.errors import NotPossible
from cti.asterisk.config import seat_endpoint
from cti.phone.places import RATE_HZ
from cti.phone.sound import tone

SCENARIOS = Path(__file__).parent / "sipp"
CITIZENS_HOST, SEATS_HOST = "127.0.0.2", "127.0.0.1"
CITIZENS_PORT, SEATS_PORT = 7060, 7560
"""Plus the exchange's port offset."""

CITIZENS_MEDIA, SEATS_MEDIA = 24000, 28000
HZ = {CITIZENS_HOST: 440.0, SEATS_HOST: 1000.0}
REGISTER_S = 30
DRAIN_S = 60
LOOK_S = 0.5


class Moment(msgspec.Struct, frozen=True):
    """What a seat saw, and when (UTC epoch seconds)."""

    word: str
    at: float
    seat: str


class Result(msgspec.Struct, frozen=True):
    """What came of some calls, as the citizens saw it."""

    created: int
    succeeded: int
    failed: int
    answer_ms: tuple[float, ...]
    errors: str


class Seats:
    """The seats' telephones, all in one sipp."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def moments(self) -> list[Moment]:
        """All that they saw until now, in order."""
        log = self._folder / "seats.log"
        found = []
        for line in log.read_text().splitlines() if log.exists() else ():
            word, seconds, micros, seat = line.split()
            found.append(Moment(word, float(seconds) + float(micros) / 1e6, seat))
        return found


@contextlib.asynccontextmanager
async def seats(
    exchange: Exchange, numbers: tuple[str, ...], scenario: str = "seat_waits", **fill: object
) -> AsyncIterator[Seats]:
    """These seats' telephones, registered, answering by `scenario`; the exchange offers calls to just these."""
    with _folder(scenario, SEATS_HOST, fill) as folder:
        await _register(exchange, numbers, folder)
        options = ("-trace_logs", "-log_file", "seats.log", "-mp", str(SEATS_MEDIA))
        process = await _sipp(exchange, f"{scenario}.xml", SEATS_HOST, SEATS_PORT, folder, *options)
        try:
            await exchange.staff(numbers)
            yield Seats(folder)
        finally:
            await _end(process)


async def call(
    exchange: Exchange,
    scenario: str,
    *,
    rate: float,
    calls: int,
    stop_at_failure: bool = False,
    place: int = 0,
    **fill: object,
) -> Result:
    """`calls` calls at `rate` a second, until all are over. `place` keeps apart those that run at the same time.

    With `stop_at_failure` no new calls are made after the first one that failed.
    """
    with _folder(scenario, CITIZENS_HOST, fill) as folder:
        options = (
            *("-s", exchange.line, "-r", str(rate), "-m", str(calls), "-mp", str(CITIZENS_MEDIA + 1000 * place)),
            *("-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_rtt", "-rtt_freq", "1"),
            *("-trace_err", "-error_file", "errors"),
        )
        process = await _sipp(exchange, f"{scenario}.xml", CITIZENS_HOST, CITIZENS_PORT + place, folder, *options)
        try:
            async with asyncio.timeout(calls / rate + DRAIN_S):
                await _watch(process, folder, stop_at_failure)
        except TimeoutError as error:
            raise NotPossible(f"{scenario}: the calls were not over after {calls / rate + DRAIN_S:.0f} s") from error
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
    """sipp's last line of figures."""
    path = folder / "stat.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    wanted = ("TotalCallCreated", "SuccessfulCall(C)", "FailedCall(C)")
    return {name: int(rows[-1][name] or 0) for name in wanted} if rows and rows[-1].get(wanted[-1]) else {}


def _result(folder: Path) -> Result:
    counted = _counted(folder)
    errors = (folder / "errors").read_text(errors="replace") if (folder / "errors").exists() else ""
    if not counted:
        raise NotPossible(f"sipp counted nothing: {errors[-1000:]}")
    answer_ms: list[float] = []
    for path in folder.glob("*rtt.csv"):
        with path.open(newline="") as file:
            answer_ms += [float(row["response_time_ms"]) for row in csv.DictReader(file, delimiter=";")]
    return Result(
        created=counted["TotalCallCreated"],
        succeeded=counted["SuccessfulCall(C)"],
        failed=counted["FailedCall(C)"],
        answer_ms=tuple(answer_ms),
        errors=errors[-4000:],
    )


async def _register(exchange: Exchange, numbers: tuple[str, ...], folder: Path) -> None:
    """From the port on which they will be rung: Asterisk takes where the request came from for the address."""
    rows = [
        f"{user};[authentication username={user} password={exchange.secrets.seats[number]}]"
        for number in numbers
        if (user := seat_endpoint(number))
    ]
    (folder / "seats.csv").write_text("\n".join(("SEQUENTIAL", *rows, "")))
    shutil.copy(SCENARIOS / "register.xml", folder)
    options = (
        "-inf",
        "seats.csv",
        "-m",
        str(len(numbers)),
        "-r",
        "200",
        "-trace_err",
        "-error_file",
        "register.errors",
    )
    process = await _sipp(exchange, "register.xml", SEATS_HOST, SEATS_PORT, folder, *options)
    try:
        async with asyncio.timeout(REGISTER_S):
            if await process.wait():
                errors = folder / "register.errors"
                raise NotPossible(
                    f"the seats could not register: {errors.read_text()[:2000] if errors.exists() else ''}"
                )
    finally:
        await _end(process)


@contextlib.contextmanager
def _folder(scenario: str, host: str, fill: dict[str, object]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-sipp-") as name:
        folder = Path(name)
        text = (SCENARIOS / f"{scenario}.xml").read_text()
        for key, value in fill.items():
            text = text.replace(f"@{key.upper()}@", str(value))
        (folder / f"{scenario}.xml").write_text(text)
        soundfile.write(folder / "tone.al", tone(HZ[host], 1), RATE_HZ, format="RAW", subtype="ALAW")
        yield folder


async def _sipp(
    exchange: Exchange, scenario: str, host: str, port: int, folder: Path, *options: str
) -> asyncio.subprocess.Process:
    settings = exchange.settings
    command = (
        *("/usr/bin/setpriv", "--pdeathsig", "KILL", "--"),
        *("sipp", f"{settings.host}:{settings.sip_port}", "-sf", scenario, "-i", host, "-mi", host),
        *("-p", str(port + settings.port_offset), "-l", "5000", "-nostdin", *options),
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
