"""The first call: a citizen dials 12333, hears the notice, keys the menu, reaches an adviser, is recorded, rates."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from cti.phone.events import Established
from cti.phone.places import RATE_HZ
from cti.phone.report import CallReport
from cti.phone.sound import tone
from recordings.listen import channels, dominant_hz
from tests.asterisk.ears import TONES, in_order, said, tone_dbfs
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.eventually import eventually

pytestmark = pytest.mark.asterisk


class Reader:
    """What another system sees on the bus."""

    def __init__(self) -> None:
        self.facts: list[dict[str, Any]] = []
        self.states: dict[str, list[dict[str, Any]]] = {}
        self.retained: set[str] = set()

    async def read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            _, _, group, name = str(message.topic).split("/")
            body = msgspec.json.decode(message.payload)
            if group == "facts":
                self.facts.append(body["fact"])
            else:
                self.states.setdefault(f"{group}/{name}", []).append(body)
                if message.retain:
                    self.retained.add(f"{group}/{name}")


@asynccontextmanager
async def reading(hotline: Hotline) -> AsyncIterator[Reader]:
    reader, settings = Reader(), hotline.settings
    password = hotline.secrets.mqtt_reader
    async with aiomqtt.Client(settings.host, settings.mqtt_port, username="reader", password=password) as client:
        await client.subscribe([("rexian/+/facts/+", 1), ("rexian/+/seat/+", 1), ("rexian/+/queue/+", 1)])
        task = asyncio.create_task(reader.read(client))
        try:
            yield reader
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def the_call(hotline: Hotline, tmp_path: Path) -> CallReport:
    """As the README has it: `rexian call` against a seat that answers, listens, speaks, and hangs up first."""
    wav = tmp_path / "citizen.wav"
    soundfile.write(wav, tone(CITIZEN_HZ, 1), RATE_HZ)
    async with hotline.telephone("1001") as seat:
        assert (await hotline.rexian("seat", "ready", "1001", "--adviser", "8001"))[0] == 0
        words = ("call", "--keys", "1", "--rate", "5", "--say", str(wav), "--from", "013812345678", "--json")
        calling = asyncio.create_task(hotline.rexian(*words))
        await seat.wait_for(Established, timeout_s=30)
        assert hears(await listen(seat, 6), CITIZEN_HZ)  # the number first
        assert in_order(("digit.8", "digit.0", "digit.1", "seat.number.1"), said(seat.heard()))
        await seat.hangup()
        code, out, err = await calling
        assert (code, err) == (0, "")
        await hotline.log_out("1001")
    return msgspec.json.decode(out, type=CallReport)


async def test_the_first_call(hotline: Hotline, tmp_path: Path) -> None:
    async with reading(hotline) as reader:
        report = await the_call(hotline, tmp_path)
        call_id = report.call_id
        await hotline.nothing_left()
        await eventually(lambda: any(f["kind"] == "recording_sealed" and f["call_id"] == call_id for f in reader.facts))

    assert list((hotline.settings.prompts_dir / "joined").glob("*.wav"))  # what the number was said by
    told_in_the_report(report)
    await rows_are_complete(hotline, call_id or "")
    await recorded_in_two_channels(hotline, call_id or "")
    told_on_the_bus(reader, call_id or "")


def told_in_the_report(report: CallReport) -> None:
    assert (report.completed, report.seat, report.adviser, report.score) == (True, "1001", "8001", 5)
    assert report.ended_by == "caller"
    assert report.packets_sent > 100
    assert (
        report.packets_received > 200
    )  # in more than one stream: Asterisk changes the source when a conversation begins
    first = [sound.hz for sound in report.heard[:3]]
    expected = [TONES[piece] for piece in ("welcome", "notice", "menu.main")]
    assert all(abs(hz - wanted) < 5 for hz, wanted in zip(first, expected, strict=True)), first
    assert any(abs(sound.hz - SEAT_HZ) < 5 for sound in report.heard)
    kinds = [step.kind for step in report.steps]
    wanted = ("connected", "notice_heard", "key_sent", "menu_step_taken", "queue_entered", "seat_offered")
    assert in_order((*wanted, "seat_answered", "adviser_number_said", "conversation_ended", "rating_keyed"), kinds)


async def rows_are_complete(hotline: Hotline, call_id: str) -> None:
    assert await hotline.sql(
        "SELECT line, trunk, dialled, calling_number, notice, notice_version, notice_whole, outcome, ended_by "
        "FROM calls WHERE call_id = $1",
        call_id,
    ) == [("12333", "demo", "12333", "+8613812345678", "notice", "7", True, "queued", "caller")]
    assert await hotline.sql("SELECT menu, attempt, outcome, choice FROM menu_steps WHERE call_id = $1", call_id) == [
        ("main", 1, "chosen", "cards")
    ]
    assert await hotline.sql(
        "SELECT queue, returned, offers, not_answered, seat, adviser, outcome, talk_ended_by, number_said_at IS NOT NULL "
        "FROM queue_visits WHERE call_id = $1",
        call_id,
    ) == [("cards", False, 1, 0, "1001", "8001", "answered", "seat", True)]
    assert await hotline.sql("SELECT adviser, score FROM ratings WHERE call_id = $1", call_id) == [("8001", 5)]
    moves = await hotline.sql("SELECT state FROM seat_states WHERE seat = '1001' ORDER BY seq DESC LIMIT 6")
    assert {"reserved", "ringing", "talking", "wrap_up"} < {state for (state,) in moves}


async def recorded_in_two_channels(hotline: Hotline, call_id: str) -> None:
    row = "SELECT path, sha256, length_ms, left_packets, right_packets, alarms FROM recordings WHERE call_id = $1"
    [(path, sha256, length_ms, left_packets, right_packets, alarms)] = await hotline.sql(row, call_id)
    file = hotline.recording(path)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256
    (left, right), rate = channels(file)
    assert (len(left), len(right), rate) == (length_ms * 8, length_ms * 8, 8000)
    assert abs(dominant_hz(left, rate) - CITIZEN_HZ) < 2
    assert abs(dominant_hz(right, rate) - SEAT_HZ) < 2
    assert tone_dbfs(left, CITIZEN_HZ) - tone_dbfs(left, SEAT_HZ) > 40
    assert tone_dbfs(right, SEAT_HZ) - tone_dbfs(right, CITIZEN_HZ) > 40
    assert min(left_packets, right_packets) > 100
    assert alarms == []


def told_on_the_bus(reader: Reader, call_id: str) -> None:
    mine = [fact for fact in reader.facts if fact.get("call_id") == call_id]
    kinds = [fact["kind"] for fact in mine]
    wanted = ("call_arrived", "notice_heard", "menu_step_taken", "queue_entered", "seat_offered", "seat_answered")
    assert in_order(
        (*wanted, "queue_left", "conversation_ended", "rating_keyed", "call_ended", "recording_sealed"), kinds
    )
    assert [fact["calling_number"] for fact in mine if "calling_number" in fact] == ["+86138****5678"]
    assert all("12345678" not in str(fact) for fact in reader.facts)
    assert {"seat/1001", "seat/1012", "queue/cards", "queue/labour"} < reader.retained
    states = [state["state"] for state in reader.states["seat/1001"]]
    assert in_order(("talking", "wrap_up"), states)
    assert reader.states["queue/cards"][-1]["waiting"] == 0
