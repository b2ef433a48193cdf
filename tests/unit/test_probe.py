"""A probe: what is made of walks and calls. The calls themselves are placed in tests/asterisk/test_mystery.py."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from calls.numbers import dialled, normalise
from calls.words import SCREEN_LANGUAGES, ScreenLanguage
from cti.hotline import vocabulary
from cti.phone.ears import Sentence
from cti.phone.script import ANY
from cti.phone.walkreport import WalkReport, WalkStep
from cti.probe.person import service_class, tried
from cti.probe.report import Person, ProbeReport, ServiceClass, Try, Walked
from cti.probe.walking import judged, numbers, script
from cti.settings import CHECKOUT
from ivr.line import Line
from ivr.lines import load_line
from ivr.walks import ANYTHING, Stop, Walk
from prompts.builder import BuildReport
from prompts.hearing import Clips

HOURS = Walk(
    "other 1 hours",
    (
        Stop(("welcome",)),
        Stop(("menu.other",), key="5", leaf="main 5 other"),
        Stop(("info.hours",), key="1", leaf="other 1 hours"),
    ),
)
REACHED = Try(answered=True, asked_s=24.0, waited_s=2.0, heard="seat.number")
IN_VAIN = Try(answered=True, asked_s=24.0, waited_s=None, heard="queue.no_seat")
NOT_TAKEN = Try(answered=False, asked_s=None, waited_s=None, heard="")
RIGHT = Walked(
    name="main 1 cards",
    right=True,
    reason=None,
    wanted="queue.*",
    heard="queue.enter",
    lasted_s=27.0,
    reached=("main 1 cards",),
    missed=(),
    sip_call_id="sip-1",
)
WRONG = msgspec.structs.replace(
    RIGHT,
    name="main 2 pension",
    right=False,
    reason="other_words",
    heard="key.wrong",
    reached=(),
    missed=("main 2 pension",),
    sip_call_id="sip-2",
)
REPORT = ProbeReport(
    line="12333",
    version="1+0",
    at=datetime(2026, 11, 28, 15, 0, tzinfo=UTC),
    calling_numbers="100000",
    walked=(RIGHT,),
    not_now=("night",),
    person=Person(tries=(REACHED,), service_class=1),
)


@pytest.fixture(scope="module")
def line() -> Line:
    return load_line(CHECKOUT / "lines/12333.line.yaml", *vocabulary())


@pytest.fixture(scope="module")
def clips(spoken: tuple[Path, BuildReport]) -> Clips:
    return Clips.load(spoken[0], ["zh-CN", "ug"])


def sentence(key: str, began_ms: int = 0) -> Sentence:
    return Sentence(keys=(key,), language="zh-CN", began_ms=began_ms, ended_ms=began_ms + 1000, whole=True)


def report(*heard: str | None, completed: bool = True) -> WalkReport:
    """A call by `HOURS`: welcome; 5, menu.other; 1, info.hours."""
    steps: list[WalkStep] = []
    for key, said in zip((None, "5", "1"), heard, strict=False):
        steps += [WalkStep(at_ms=0, took_ms=0, keyed=key)] if key else []
        steps.append(WalkStep(at_ms=30_000, took_ms=4_000, heard=sentence(said) if said else None))
    return WalkReport(
        completed=completed,
        reason=None if completed else "other_words" if heard and heard[-1] else "not_heard",
        to="12333",
        calling_number="10000000001",
        sip_call_id="sip-1",
        connected_ms=40 if heard else None,
        lasted_ms=30_000,
        closed="",
        steps=tuple(steps),
        steps_left=0,
        heard=tuple(sentence(key) for key in heard if key),
    )


def test_a_walk_is_a_script_that_presses_and_listens(clips: Clips) -> None:
    stops = (
        Stop(("menu.main",), language="ug"),
        Stop(("queue.enter", "queue.kept"), key="1", passing=("key.missing",), language="ug", rings=True),
        Stop((ANYTHING,)),
    )
    steps, rings_at = script(Walk("w", stops), clips)
    menu, key, queue, anything = steps
    assert (menu.wanted, menu.language) == (("menu.main",), "ug")
    assert (key.key, rings_at) == ("1", 1), "a turn is waited for before the key is pressed"
    assert (queue.wanted, queue.passing) == (("queue.enter", "queue.kept"), ("key.missing",))
    assert anything.wanted == (ANY,)


def test_what_a_language_lacks_is_expected_in_the_first(clips: Clips) -> None:
    steps, _ = script(Walk("w", (Stop(("id.ask",), language="ug"), Stop(("welcome",), language="ug"))), clips)
    assert [step.language for step in steps] == ["zh-CN", "ug"]


def test_the_leaves_that_were_heard_are_reached(line: Line, clips: Clips) -> None:
    walked = judged(HOURS, report("welcome", "menu.other", "info.hours"), line, clips)
    assert (walked.right, walked.reached, walked.missed) == (True, ("main 5 other", "other 1 hours"), ())
    assert (walked.heard, walked.lasted_s) == ("info.hours", 30.0)


def test_where_another_sentence_was_heard_the_leaf_is_missed(line: Line, clips: Clips) -> None:
    walked = judged(HOURS, report("welcome", "menu.other", "info.documents", completed=False), line, clips)
    assert (walked.right, walked.reached, walked.missed) == (False, ("main 5 other",), ("other 1 hours",))
    assert (walked.reason, walked.wanted, walked.heard) == ("other_words", "info.hours", "info.documents")


def test_a_call_that_nobody_took_misses_all(line: Line, clips: Clips) -> None:
    failed = msgspec.structs.replace(report(completed=False), reason="not_answered")
    walked = judged(HOURS, failed, line, clips)
    assert (walked.right, walked.reached, walked.heard) == (False, (), "")
    assert walked.missed == ("main 5 other", "other 1 hours")


@pytest.mark.parametrize(("heard", "right"), [("id.ask", True), ("menu.other", False), ("key.wrong", False)])
def test_an_unknown_service_is_known_by_words_that_are_not_the_lines_own(
    line: Line, clips: Clips, heard: str, right: bool
) -> None:
    walk = Walk("w", (*HOURS.stops[:2], Stop((ANYTHING,), key="1", leaf="other 1 hours")))
    walked = judged(walk, report("welcome", "menu.other", heard), line, clips)
    assert (walked.right, "other 1 hours" in walked.reached) == (right, right)
    assert walked.reason == (None if right else "other_words")


@pytest.mark.parametrize(
    ("tries", "found"),
    [
        ([REACHED], 1),
        ([msgspec.structs.replace(REACHED, waited_s=30.0)], 1),
        ([msgspec.structs.replace(REACHED, waited_s=30.1)], 2),
        ([IN_VAIN, NOT_TAKEN, REACHED], 1),
        ([IN_VAIN] * 3, 3),
        ([NOT_TAKEN, NOT_TAKEN, IN_VAIN], 3),
        ([NOT_TAKEN] * 3, 4),
    ],
)
def test_the_ministrys_classes(tries: list[Try], found: ServiceClass) -> None:
    assert service_class(tries) == found


def test_a_try_counts_from_when_a_person_was_asked_for() -> None:
    assert tried(report("welcome", "menu.other", "seat.number"), 5) == Try(
        answered=True, asked_s=26.0, waited_s=4.0, heard="seat.number"
    )
    assert tried(report("welcome", "menu.other", "queue.no_seat", completed=False), 5).waited_s is None
    assert tried(report("welcome", None, completed=False), 5).asked_s is None
    assert tried(report(completed=False), 5) == NOT_TAKEN


def test_the_calling_numbers_are_each_ones_own_and_nobodys() -> None:
    """Kept in the books as they are, and never rung: no city has given them to anybody."""
    found = list(islice(numbers(), 300))
    assert len(set(found)) == 300
    assert all(len(number) == 11 and number.startswith("100000") for number in found)
    e164 = [normalise(number).e164 for number in found]
    assert all(number and number.startswith("+86100000") for number in e164)
    assert not any(dialled(number or "") for number in e164)


def test_all_is_right_when_every_leaf_and_a_person_are_reached() -> None:
    assert (REPORT.all_right, REPORT.coverage, REPORT.missed) == (True, 1.0, ())
    half = msgspec.structs.replace(REPORT, walked=(RIGHT, WRONG))
    assert (half.all_right, half.coverage, half.missed) == (False, 0.5, ("main 2 pension",))
    assert msgspec.structs.replace(REPORT, person=None).all_right
    alone = msgspec.structs.replace(REPORT, person=Person(tries=(IN_VAIN,) * 3, service_class=3))
    assert not alone.all_right


def test_a_leaf_that_one_call_missed_and_another_reached_is_reached_but_not_all_is_right() -> None:
    other = msgspec.structs.replace(WRONG, missed=("main 1 cards",))
    found = msgspec.structs.replace(REPORT, walked=(RIGHT, other))
    assert (found.coverage, found.all_right) == (1.0, False)


@pytest.mark.parametrize("language", SCREEN_LANGUAGES)
def test_what_is_wrong_is_told_first_with_what_was_to_come(language: ScreenLanguage) -> None:
    first, second, *_, last = (
        msgspec.structs.replace(REPORT, walked=(RIGHT, WRONG), person=Person(tries=(IN_VAIN,), service_class=3))
        .text(language)
        .splitlines()
    )
    assert "main 2 pension: key.wrong" in first
    assert "queue.*" in first
    assert "sip-2" in first
    assert "main 1 cards: queue.enter" in second
    assert last != REPORT.text(language).splitlines()[-1]


def test_the_text_tells_coverage_class_and_what_could_not_be_walked_now() -> None:
    text = REPORT.text("en")
    assert "leaves reached 1/1  100%" in text
    assert "a person: reached after 2.0 s  class 1" in text
    assert "menus that cannot be reached now: night" in text
    assert text.endswith("all is right")


def test_the_json_has_the_verdicts() -> None:
    told = msgspec.json.decode(msgspec.json.encode(REPORT.told()))
    assert (told["all_right"], told["coverage"], told["missed"]) == (True, 1.0, [])
    assert told["person"]["service_class"] == 1
    assert told["walked"][0]["name"] == "main 1 cards"
