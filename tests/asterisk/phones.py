"""Scripted people at real phones: seats that answer with a 1,000 Hz tone, citizens who speak 440 Hz, and sipp for crowds.

A different tone from each side, found again where it should arrive, proves that sound flowed and which way.

    async with Seat("1001", password, server) as seat, Citizen(server) as citizen:
        await citizen.call("12333")
        await seat.wait_for(Established)

sipp plays the scenarios in `sipp/`, or one that it has built in; to add one, add a file there: `@NAME@` in it is filled from
the keyword `name` of `sipp()`.
"""

from __future__ import annotations

import asyncio
import csv
import os
import random
import socket
import tempfile
from pathlib import Path

import msgspec
import soundfile  # type: ignore[import-untyped]  # it ships no types

from cti.phone.baresip import AnswerAfter, AnswerPolicy, Phone
from cti.phone.places import RATE_HZ, Identity
from cti.phone.sound import Samples, tone
from recordings.listen import dominant_hz, level_dbfs

SEAT_HZ = 1000.0
CITIZEN_HZ = 440.0
SCENARIOS = Path(__file__).parent / "sipp"

SIPP_MEDIA = range(19000, 21900, 10)
"""Apart from the ports of phones and from those where the hotline of the tests has its voice."""


class Seat(Phone):
    """An adviser's phone: registered, answers at once unless told otherwise, speaks 1,000 Hz."""

    def __init__(self, user: str, password: str, server: str, answers: AnswerPolicy = AnswerAfter()) -> None:  # noqa: B008 - frozen
        identity = Identity(user=user, password=password, server=server)
        super().__init__(identity, answers=answers, microphone=tone(SEAT_HZ, 1))


class Citizen(Phone):
    """A caller on the trunk: not registered, any calling number, speaks 440 Hz."""

    def __init__(self, server: str, number: str = "13800001111") -> None:
        self.server = server
        super().__init__(Identity(user=number, server=server), microphone=tone(CITIZEN_HZ, 1))

    async def call(self, line: str = "12333") -> str:
        """Dial a line; the SIP Call-ID."""
        return await self.dial(f"sip:{line}@{self.server}")


def hears(samples: Samples, hz: float) -> bool:
    """True when the last second of what a phone heard is mostly a tone of `hz`."""
    last = samples[-RATE_HZ:] / 32768
    return level_dbfs(last) > -30 and abs(dominant_hz(last, RATE_HZ) - hz) < 5


async def listen(phone: Phone, seconds: float = 1.5, timeout_s: float = 10) -> Samples:
    """What a phone hears in the next `seconds` of sound. Raises TimeoutError when the packets do not come."""
    first = len(phone.heard())
    async with asyncio.timeout(timeout_s):
        while len(phone.heard(first)) < seconds * RATE_HZ:  # noqa: ASYNC110 - a growing file has no event
            await asyncio.sleep(0.05)
    return phone.heard(first)


class SippResult(msgspec.Struct, frozen=True, kw_only=True):
    """What sipp counted when its last call was over. `succeeded`: went through the whole scenario as written."""

    created: int
    succeeded: int
    failed: int
    retransmitted: int
    """Messages that it sent again, since no answer had come in time."""
    answer_ms: tuple[float, ...]
    """INVITE to 200, of each call that was answered."""
    errors: str
    """The messages it did not expect, for the text of a failed test."""


async def sipp(
    scenario: str,
    server: str,
    *,
    service: str = "12333",
    calls: int = 1,
    rate: float = 10,
    host: str = "127.0.0.1",
    limit_s: float = 60,
    talk_ms: int = 1000,
    values: str = "",
    **fill: str,
) -> SippResult:
    """Run a scenario of ours (`waits`, `leaves`, ...) or a built-in one (`-uac`) `calls` times, at `rate` calls a second.

    `talk_ms` is the built-in scenarios' pause before BYE, and `@MS@` of ours; `values` is a file to inject, a line for each
    call. Raises RuntimeError when sipp itself fails,
    TimeoutError when the calls are not over after `limit_s`.
    """
    with tempfile.TemporaryDirectory(prefix="sipp-") as name:
        folder = Path(name)
        names = {"CALLER": "13900000001", "MS": str(talk_ms), **{key.upper(): value for key, value in fill.items()}}
        what = _scenario(scenario, folder, names)
        if values:
            (folder / "values.csv").write_text(values)
            what += ("-inf", "values.csv")
        command = [
            *("sipp", server, *what, "-s", service, "-m", str(calls), "-r", str(rate), "-d", str(talk_ms)),
            *("-i", host, "-mi", host, "-nostdin", *_ports(host)),
            *("-trace_stat", "-stf", "stat.csv", "-trace_rtt", "-rtt_freq", "1", "-trace_err", "-error_file", "errors"),
        ]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={**os.environ, "TERM": "dumb"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(limit_s):
                _, complaint = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        # 1 is: at least one call failed (which is for the test to judge), but also: wrong use.
        if process.returncode not in (0, 1) or not (folder / "stat.csv").exists():
            raise RuntimeError(f"sipp ended with {process.returncode}: {complaint.decode()[-1000:]}")
        return _result(folder)


def _scenario(name: str, folder: Path, values: dict[str, str]) -> tuple[str, ...]:
    if name.startswith("-"):
        return ("-sn", name[1:])
    text = (SCENARIOS / f"{name}.xml").read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    (folder / f"{name}.xml").write_text(text)
    soundfile.write(folder / "tone.al", tone(CITIZEN_HZ, 1), RATE_HZ, format="RAW", subtype="ALAW")
    return ("-sf", f"{name}.xml")


def _ports(host: str) -> tuple[str, ...]:
    """sipp takes the next free SIP port by itself, but gives up when it does not get its media ports."""
    for first in random.sample(SIPP_MEDIA, len(SIPP_MEDIA)):
        if all(_is_free(host, first + more) for more in range(SIPP_MEDIA.step)):
            return ("-mp", str(first))
    raise RuntimeError(f"no free media ports on {host} in {SIPP_MEDIA}")


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _result(folder: Path) -> SippResult:
    with (folder / "stat.csv").open(newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    answer_ms: list[float] = []
    for path in folder.glob("*rtt.csv"):
        with path.open(newline="") as file:
            answer_ms += [float(row["response_time_ms"]) for row in csv.DictReader(file, delimiter=";")]
    errors = folder / "errors"
    return SippResult(
        created=int(last["TotalCallCreated"]),
        succeeded=int(last["SuccessfulCall(C)"]),
        failed=int(last["FailedCall(C)"]),
        retransmitted=int(last["Retransmissions(C)"]),
        answer_ms=tuple(answer_ms),
        errors=errors.read_text(errors="replace")[-4000:] if errors.exists() else "",
    )
