"""A conversation in which nobody is heard: told once it lasts, and once it is over; by the tracks that are on the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from calls.clock import Instant, SystemClock
from calls.facts import AlarmCleared, AlarmRaised
from cti.alarms import Alarms
from cti.deadair import DeadAir, Talk
from cti.desk.feed import Feed
from cti.store import Journal
from recordings.legs import HEADER_BYTES, RATE

TALK = Talk("c1.1", "1001", "8001")
LONGEST_S = 20.0


class Clock(SystemClock):
    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> Instant:
        return Instant(self.at)


class Room:
    """One conversation, whose tracks grow by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.feed = folder, Clock(), Feed()
        self.facts: list[object] = []
        self.journal = Journal(folder / "journal.db", "n", SystemClock())
        self.alarms = Alarms(self, self.journal)
        self.talks = [TALK]
        raw = folder / "raw"
        raw.mkdir()
        self.air = DeadAir(self.clock, self.alarms, self.feed, raw, LONGEST_S, lambda: self.talks)

    def record(self, fact: object, at: object = None) -> None:
        self.facts.append(fact)

    def track(self, name: str) -> None:
        (self.folder / "raw" / name).write_bytes(bytes(HEADER_BYTES))

    def sounds(self, name: str, loud: float, s: float = 2.0) -> None:
        samples = loud * np.sin(2 * np.pi * 440 * np.arange(round(s * RATE)) / RATE)
        with (self.folder / "raw" / name).open("ab") as file:
            file.write((samples * 32767).astype("<i2").tobytes())

    async def after(self, s: float, **loud: float) -> None:
        """So much later, in which the caller and the seat were this loud."""
        self.clock.at += s
        for side in ("caller", "seat"):
            if (self.folder / "raw" / f"c1.1.{side}.wav").exists():
                self.sounds(f"c1.1.{side}.wav", loud.get(side, 0.0001))
        await self.air.look()

    @property
    def told(self) -> list[type]:
        return [type(fact) for fact in self.facts]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(tmp_path)
    yield room
    await room.journal.close()


@pytest.mark.parametrize("side", ["caller", "seat"])
async def test_silence_is_told_once_it_lasts_and_is_over_when_either_is_heard(room: Room, side: str) -> None:
    with (
        room.feed.opened("8001") as adviser,
        room.feed.opened("8002") as other,
        room.feed.opened(None, lead=True) as lead,
    ):
        pages = (adviser, other, lead)
        for track in ("c1.1.caller.wav", "c1.1.seat.wav", "c1.12.seat.wav"):
            room.track(track)
        await room.after(0, seat=0.2)
        await room.after(LONGEST_S - 1)
        assert room.told == []
        room.sounds("c1.12.seat.wav", 0.2)  # another call's
        await room.after(1)
        await room.after(5)
        assert room.told == [AlarmRaised], "once"
        assert [page.take() for page in pages] == [
            [b'{"kind":"silent","seat":"1001"}'],
            [],
            [b'{"kind":"silent","seat":"1001"}'],
        ]
        await room.after(1, **{side: 0.2})
        assert room.told == [AlarmRaised, AlarmCleared]
        over = [b'{"kind":"silence_over","seat":"1001"}']
        assert [page.take() for page in pages] == [over, [], over]


async def test_tracks_that_go_while_it_is_listened_to_hide_nobody_elses_silence(room: Room) -> None:
    room.talks = [TALK, *(Talk(f"c{number}.1", "1002", "8002") for number in range(2, 22))]
    room.track("c1.1.seat.wav")
    for gone in room.talks[1:]:
        (room.folder / "raw" / f"{gone.visit}.seat.wav").symlink_to("nowhere")
    await room.after(0)
    await room.after(LONGEST_S)
    assert room.told == [AlarmRaised]


async def test_a_click_is_no_voice(room: Room) -> None:
    room.track("c1.1.seat.wav")
    await room.after(0)
    room.sounds("c1.1.seat.wav", 0.5, s=0.03)
    await room.after(LONGEST_S)
    assert room.told == [AlarmRaised]


async def test_on_hold_it_begins_anew_and_with_the_conversation_it_is_over(room: Room) -> None:
    room.track("c1.1.seat.wav")
    await room.after(0)
    room.talks = []  # on hold
    await room.after(LONGEST_S)
    room.talks = [TALK]
    await room.after(1)
    assert room.told == []
    await room.after(LONGEST_S)
    room.talks = []
    await room.after(1)
    assert room.told == [AlarmRaised, AlarmCleared]


async def test_what_is_not_recorded_cannot_be_heard(room: Room) -> None:
    await room.after(0)
    await room.after(LONGEST_S)
    (room.folder / "raw").rmdir()
    await room.after(LONGEST_S)
    assert room.told == []


async def test_what_an_earlier_controller_raised_is_over(room: Room) -> None:
    room.alarms.tell("dead_air", "1001", "silent")
    air = DeadAir(room.clock, room.alarms, room.feed, room.folder, 0, lambda: [])
    await air.run()
    assert room.told == [AlarmRaised, AlarmCleared]
