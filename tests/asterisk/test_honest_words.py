"""What callers are told who cannot be helped now, or must wait: the truth."""

from __future__ import annotations

from collections import deque

import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.facts import CallEnded, PositionSaid, QueueLeft
from cti.hotline import vocabulary
from cti.phone.events import Closed
from cti.phone.places import RATE_HZ
from cti.phone.sound import tone
from ivr.hours import Hours
from ivr.lines import load_line
from prompts.reading import READINGS
from tests.asterisk.ears import LENGTH_S, TONES
from tests.asterisk.hotline import Caller, Hotline, in_turn

pytestmark = pytest.mark.asterisk


async def test_a_closed_line_says_so_and_when_it_opens(hotline: Hotline) -> None:
    hours = load_line(hotline.settings.lines_dir / "12334.line.yaml", *vocabulary()).hours
    assert isinstance(hours, Hours)
    [day] = hours.dates
    async with hotline.caller(line="12334") as caller:
        ended = await caller.over()
        said = caller.said
    assert said == [
        *("welcome", "notice", "queue.closed", "closed.next", f"month.{day.month}"),
        *(*READINGS["chinese"]["ordinal"](day.day), "closed.day.1"),
        *("clock.morning", "number.8", "clock.hour", "clock.half", "closed.day.2", "goodbye"),
    ]
    assert (ended.outcome, ended.ended_by) == ("machine", "system")


async def test_nobody_at_work_is_said(hotline: Hotline) -> None:
    async with hotline.caller("4") as caller:
        ended = await caller.over()
        assert caller.said[-2:] == ["queue.no_seat", "goodbye"]
    assert (ended.outcome, ended.ended_by) == ("queued", "system")
    assert (await caller.saw(QueueLeft)).outcome == "no_seat"


async def test_a_full_queue_is_said(hotline: Hotline) -> None:
    async with hotline.adviser("1010", "8010"):
        await hotline.not_ready("1010")
        async with hotline.caller("1", line="12335") as first:
            await first.saw(PositionSaid)
            async with hotline.caller("1", line="12335") as second:
                await second.over()
                assert second.said[-2:] == ["queue.full", "goodbye"]
            assert (await second.saw(QueueLeft)).outcome == "full"
            await first.leave()
    assert (await first.saw(QueueLeft)).outcome == "abandoned_waiting"


async def test_an_unknown_number_is_refused_as_the_network_knows_it(hotline: Hotline) -> None:
    async with hotline.caller(line="12399") as caller:
        refused = await caller.phone.wait_for(Closed)
        assert refused.status == 404
        assert (await caller.saw(CallEnded)).outcome == "refused"
    [row] = await hotline.sql(
        "SELECT line, dialled, outcome, refused_why FROM calls WHERE call_id = $1", caller.call_id
    )
    assert row == (None, "12399", "refused", "no such line")


async def test_you_are_number_n_is_true_and_never_rises(hotline: Hotline) -> None:
    async with hotline.adviser("1006", "8006"):
        await hotline.not_ready("1006")
        async with hotline.caller("3") as first, hotline.caller("3") as second, hotline.caller("3") as third:
            callers = await in_turn(first, second, third)
            line = deque(callers)
            for place, caller in enumerate(line):
                await caller.hears("queue.enter", "queue.position.1", f"number.{place + 1}", "queue.position.2")
            said: list[list[str]] = []
            while line:
                ahead = line.popleft()
                said.append(numbers(ahead))
                await ahead.leave()
                for place, caller in enumerate(line):
                    await caller.hears(f"number.{place + 2}", f"number.{place + 1}")
    assert said == [["number.1"], ["number.2", "number.1"], ["number.3", "number.2", "number.1"]]
    for caller, heard in zip(callers, said, strict=True):
        told = [fact.position for fact in caller.facts if isinstance(fact, PositionSaid)]
        assert heard == [f"number.{position}" for position in told]


def numbers(caller: Caller) -> list[str]:
    return [piece for piece in caller.said if piece.startswith("number.")]


async def test_another_voice_is_heard_after_a_build_and_a_reload(hotline: Hotline) -> None:
    """Also where pieces are joined beforehand, as the adviser's number is."""
    assert hotline.settings.voices_dir
    piece = hotline.settings.voices_dir / "zh-CN" / "seat.number.1.wav"
    before = piece.read_bytes()
    try:
        soundfile.write(piece, tone(TONES["busy.later"], LENGTH_S), RATE_HZ, subtype="PCM_16")
        await built_and_reloaded(hotline)
        async with hotline.adviser("1004", "8004"), hotline.caller("2") as caller:
            await caller.hears("digit.8", "digit.0", "digit.0", "digit.4", "busy.later")
            assert "seat.number.1" not in caller.said
            await caller.leave()
    finally:
        piece.write_bytes(before)
        await built_and_reloaded(hotline)


async def built_and_reloaded(hotline: Hotline) -> None:
    for words in (("prompts", "build"), ("reload",)):
        code, out, err = await hotline.rexian(*words)
        assert code == 0, out + err
