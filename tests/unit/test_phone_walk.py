"""A mystery caller's ears and report: moments on the clock of the call, pauses, and words for whatever was met."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest

from calls.words import SCREEN_LANGUAGES, ScreenLanguage
from cti.phone.ears import QUIET_MS, Ears, Sentence
from cti.phone.places import RATE_HZ
from cti.phone.sound import Samples, silence
from cti.phone.walkreport import Stumble, WalkReport, WalkStep
from prompts import audio
from prompts.builder import BuildReport
from prompts.hearing import Clips

TICK_MS = 100

NOTICE = Sentence(keys=("notice",), language="zh-CN", began_ms=7600, ended_ms=21900, whole=True)
REPORT = WalkReport(
    completed=True,
    reason=None,
    to="12333",
    calling_number="13800001111",
    sip_call_id="sip-1",
    connected_ms=40,
    lasted_ms=26000,
    closed="",
    steps=(
        WalkStep(at_ms=7600, took_ms=7500, wanted=("notice",), heard=NOTICE),
        WalkStep(at_ms=24000, took_ms=0, keyed="5"),
        WalkStep(at_ms=24500, took_ms=0, waited=True),
    ),
    steps_left=0,
    heard=(NOTICE,),
)


@pytest.fixture(scope="module")
def clips(spoken: tuple[Path, BuildReport]) -> Clips:
    return Clips.load(spoken[0], ["zh-CN"])


def voice(spoken: tuple[Path, BuildReport], key: str) -> Samples:
    sound: Samples = np.rint(audio.built(spoken[0] / "zh-CN" / f"{key}.wav") * 32767).astype(np.int16)
    return sound


def comes(ears: Ears, sound: Samples, from_ms: int) -> int:
    """Let it come as packets do, from that moment on; when the last of it has come."""
    size = TICK_MS * RATE_HZ // 1000
    for place in range(0, len(sound), size):
        from_ms += TICK_MS
        ears.hear(sound[place : place + size], from_ms)
    return from_ms


def nothing_comes(ears: Ears, from_ms: int, ms: int) -> int:
    for now_ms in range(from_ms + TICK_MS, from_ms + ms + 1, TICK_MS):
        ears.hear(silence(0), now_ms)
    return from_ms + ms


def test_a_sentence_is_heard_when_it_began_on_the_clock_of_the_call(
    spoken: tuple[Path, BuildReport], clips: Clips
) -> None:
    """Between the two no packet comes, and the file of what was heard has no gap."""
    ears = Ears(clips)
    began_ms = nothing_comes(ears, 0, 900)
    ended_ms = comes(ears, voice(spoken, "key.wrong"), began_ms)
    again_ms = nothing_comes(ears, ended_ms, 3000)
    assert [one.keys for one in ears.heard] == [("key.wrong",)], "nobody waits for more sound to know what was said"
    comes(ears, voice(spoken, "goodbye"), again_ms)
    ears.finish()
    wrong, goodbye = ears.heard
    assert wrong.began_ms == pytest.approx(began_ms, abs=60)
    assert wrong.ended_ms == pytest.approx(ended_ms, abs=500)
    assert goodbye.keys == ("goodbye",)
    assert goodbye.began_ms == pytest.approx(again_ms, abs=60)


def test_a_stall_shorter_than_a_pause_does_not_cut_a_sentence_in_two(
    spoken: tuple[Path, BuildReport], clips: Clips
) -> None:
    ears, sound = Ears(clips), voice(spoken, "menu.main")
    half = len(sound) // 2
    now_ms = comes(ears, sound[:half], 0)
    assert ears.hearing is not None
    assert ears.hearing.keys == ("menu.main",)
    comes(ears, sound[half:], nothing_comes(ears, now_ms, QUIET_MS - TICK_MS))
    ears.finish()
    assert [(one.keys, one.whole) for one in ears.heard] == [(("menu.main",), True)]


def test_the_report_survives_its_own_json() -> None:
    assert msgspec.json.decode(REPORT.json(), type=WalkReport) == REPORT


def test_the_table_tells_each_step_and_how_long_it_took() -> None:
    lines = REPORT.text("en").splitlines()
    assert [line.split() for line in lines[1:5]] == [
        ["0.040", "s", "connected"],
        ["7.600", "s", "heard", "7.5", "s", "notice", "zh-CN"],
        ["24.000", "s", "key", "sent", "5"],
        ["24.500", "s", "waited"],
    ]
    assert lines[-1] == "the script was walked to its end"


def test_what_was_heard_instead_is_told_with_what_was_wanted() -> None:
    wrong = msgspec.structs.replace(REPORT.steps[0], wanted=("menu.main", "menu.self"))
    silent = WalkStep(at_ms=9000, took_ms=1400, wanted=("menu.main",))
    told = msgspec.structs.replace(REPORT, steps=(wrong, silent)).text("en")
    assert "notice  zh-CN  (wanted: menu.main / menu.self)" in told
    assert "heard nothing  1.4 s  (menu.main)" in told


@pytest.mark.parametrize("language", SCREEN_LANGUAGES)
@pytest.mark.parametrize("reason", get_args(Stumble))
def test_every_stumble_has_its_words(language: ScreenLanguage, reason: Stumble) -> None:
    failed = msgspec.structs.replace(REPORT, completed=False, reason=reason)
    assert failed.text(language).splitlines()[-1] != REPORT.text(language).splitlines()[-1]
