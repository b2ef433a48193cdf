"""Each key once, as a model of Asterisk's own digits tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.asterisk.generated.messages import ChannelDtmfReceived
from cti.asterisk.keys import Keys
from tests.fakes.ari import FakeAri

GAP_MS, SHORTEST_MS, DEFAULT_MS, FRAME_MS = 45, 80, 100, 20


class Press(NamedTuple):
    """A key, how long it is held, and the time until the next one begins."""

    key: str
    held_ms: int
    pause_ms: int


class Frame(NamedTuple):
    at_ms: int
    kind: Literal["begin", "end", "voice"]
    key: str = ""
    duration_ms: int = 0


class Told(NamedTuple):
    key: str
    duration_ms: int
    at_ms: int


@dataclass
class Asterisk:
    """What `__ast_read` of Asterisk 22 does with a channel's keys, statement for statement, and of which ends it tells."""

    told: list[Told] = field(default_factory=list)
    deferred: list[Frame] = field(default_factory=list)
    in_dtmf: bool = False
    emulates: bool = False
    emulated_ms: int = 0
    dtmf_at: int | None = None

    def reads(self, frames: Sequence[Frame]) -> list[Told]:
        for frame in frames:
            while self.deferred and not self.emulates and not self.too_soon(frame.at_ms):
                self.end(self.deferred.pop(0)._replace(at_ms=frame.at_ms))
            match frame.kind:
                case "begin":
                    self.begin(frame)
                case "end":
                    self.end(frame)
                case "voice":
                    self.voice(frame)
        return self.told

    def too_soon(self, now: int) -> bool:
        return self.dtmf_at is not None and now - self.dtmf_at < GAP_MS

    def begin(self, frame: Frame) -> None:
        if not self.emulates and not self.too_soon(frame.at_ms):
            self.in_dtmf, self.dtmf_at = True, frame.at_ms

    def end(self, frame: Frame) -> None:
        self.told.append(Told(frame.key, frame.duration_ms, frame.at_ms))
        if self.emulates or (not self.in_dtmf and self.too_soon(frame.at_ms)):
            self.deferred.append(frame)
        elif not self.in_dtmf:
            self.emulates, self.dtmf_at = True, frame.at_ms
            self.emulated_ms = max(frame.duration_ms, SHORTEST_MS) if frame.duration_ms else DEFAULT_MS
        else:
            self.in_dtmf = False
            begun = self.dtmf_at or 0
            length = (
                min(frame.duration_ms, frame.at_ms - begun) if frame.at_ms - begun < SHORTEST_MS else frame.duration_ms
            )
            if length < SHORTEST_MS:
                self.emulates, self.emulated_ms = True, SHORTEST_MS - length
            else:
                self.dtmf_at = frame.at_ms

    def voice(self, frame: Frame) -> None:
        if self.emulates and not self.emulated_ms:
            self.emulates = False
        if self.emulates and not self.in_dtmf and frame.at_ms - (self.dtmf_at or 0) >= self.emulated_ms:
            self.emulated_ms, self.dtmf_at = 0, frame.at_ms


def frames(presses: Sequence[Press], *, begins: bool = True) -> list[Frame]:
    """What comes of them in time, with sound all along."""
    at, made = 0, []
    for key, held_ms, pause_ms in presses:
        made += [Frame(at, "begin")] * begins + [Frame(at + held_ms, "end", key, held_ms)]
        at += held_ms + pause_ms
    made += [Frame(when, "voice") for when in range(0, at + 3000, FRAME_MS)]
    return sorted(made, key=lambda frame: frame.at_ms)


def late(comes: Sequence[Frame], delays: Iterator[int]) -> list[Frame]:
    """The same on a poor line: each delayed, none overtaken."""
    made, least = [], 0
    for frame in comes:
        least = max(least, frame.at_ms + next(delays))
        made.append(frame._replace(at_ms=least))
    return made


def passed(told: Sequence[Told]) -> str:
    """The keys that are new."""
    keys = Keys()
    return "".join(one.key for one in told if keys.is_new(event(one)))


def event(told: Told, begun: int = 1_780_000_000_000) -> ChannelDtmfReceived:
    when = datetime.fromtimestamp((begun + told.at_ms) / 1000, UTC).isoformat(timespec="milliseconds")
    return ChannelDtmfReceived(
        application="rexian", timestamp=when, digit=told.key, duration_ms=told.duration_ms, channel=CHANNEL
    )


CHANNEL = FakeAri().make_leg("caller", "PJSIP/trunk", in_stasis=True).channel
ID_NUMBER = "990101195804121240"
digits = st.text("012", min_size=1, max_size=18)
"""Few different ones: what is keyed twice is the difficulty."""


def typed(keys: str, held_ms: int, pause_ms: int) -> list[Press]:
    return [Press(key, held_ms, pause_ms) for key in keys]


def test_an_id_number_of_which_two_packets_are_late_is_told_with_more_keys_and_passed_as_it_was_keyed() -> None:
    comes = frames(typed(ID_NUMBER, 180, 60))
    told = Asterisk().reads(late(comes, (25 * (frame.at_ms in (420, 840)) for frame in comes)))

    assert len(told) > len(ID_NUMBER)
    assert passed(told) == ID_NUMBER


@pytest.mark.parametrize(("held_ms", "pause_ms"), [(100, 40), (160, 40), (180, 40)])
def test_a_stored_number_that_is_keyed_too_hastily_for_asterisk_is_passed_as_it_is(held_ms: int, pause_ms: int) -> None:
    told = Asterisk().reads(frames(typed(ID_NUMBER, held_ms, pause_ms)))

    assert len(told) > len(ID_NUMBER)
    assert passed(told) == ID_NUMBER


@given(digits, st.sampled_from([100, 160, 250]), st.lists(st.integers(60, 400), min_size=18, max_size=18))
def test_keys_by_sip_info_are_passed_each_once(keys: str, held_ms: int, pauses: list[int]) -> None:
    presses = [Press(key, held_ms, pause - held_ms + 100) for key, pause in zip(keys, pauses, strict=False)]

    assert passed(Asterisk().reads(frames(presses, begins=False))) == keys


@given(st.lists(st.builds(Press, st.sampled_from("012"), st.integers(80, 300), st.integers(110, 500)), max_size=18))
def test_whoever_presses_keys_by_hand_is_heard_key_by_key(presses: list[Press]) -> None:
    told = Asterisk().reads(frames(presses))

    assert passed(told) == "".join(press.key for press in presses)


@given(
    digits, st.sampled_from([(100, 100), (180, 60), (180, 100)]), st.lists(st.integers(0, 15), min_size=1, max_size=40)
)
def test_a_line_on_which_packets_are_late_neither_adds_a_key_nor_takes_one(
    keys: str, pace: tuple[int, int], delays: list[int]
) -> None:
    def repeated() -> Iterator[int]:
        while True:
            yield from delays

    assert passed(Asterisk().reads(late(frames(typed(keys, *pace)), repeated()))) == keys


def test_keys_are_new_when_the_clock_was_set_back() -> None:
    keys = Keys()
    hour = 3_600_000

    assert [keys.is_new(event(Told("1", 100, at))) for at in (0, 140, 140 - hour, 200 - hour)] == [
        True,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("timestamp", ["", "soon", "0001-01-01T00:00:00.000+2359", "9999-12-31T23:59:59.999-2359"])
def test_a_key_whose_time_cannot_be_read_is_a_key(timestamp: str) -> None:
    keys = Keys()

    assert keys.is_new(msgspec.structs.replace(event(Told("1", 100, 0)), timestamp=timestamp))
    assert keys.is_new(event(Told("1", 100, 0)))


def test_of_what_durations_nothing_is_known_they_are_told_apart_by_time() -> None:
    told = [Told("5", 0, 0), Told("5", 0, 60), Told("5", 0, 145 + FRAME_MS), Told("5", 0, 1000)]

    assert passed(told) == "555"
