"""What the controller says beside a call, and how the report reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from calls.facts import AnyFact, RatingKeyed, Stamped
from calls.moments import AwaitingKey, MenuStarted, decode_observation
from calls.words import SCREEN_LANGUAGES, ScreenLanguage
from cti.phone.report import WORDS, CallReport, Shortfall, Sound, Step

RATED = Stamped(
    node="n",
    seq=7,
    at=datetime(2026, 1, 1, tzinfo=UTC),
    mono_ms=5,
    version=1,
    fact=RatingKeyed(call_id="c", visit="v", adviser="8001", score=5),
)

REPORT = CallReport(
    completed=True,
    reason=None,
    to="12333",
    calling_number="13800001111",
    sip_call_id="sip-1",
    call_id="c",
    connected_ms=40,
    lasted_ms=9000,
    seat="1001",
    adviser="8001",
    score=5,
    ended_by="caller",
    packets_sent=450,
    packets_received=440,
    steps=(
        Step(kind="connected", at_ms=40),
        Step(kind="seat_answered", at_ms=4000, detail={"call_id": "c", "seat": "1001", "adviser": "8001"}),
    ),
    heard=(Sound(start_ms=60, end_ms=1500, dbfs=-20.3, hz=440.2),),
)


def test_a_fact_and_a_moment_are_told_apart() -> None:
    assert decode_observation(msgspec.json.encode(RATED)) == RATED
    assert decode_observation(b'{"kind":"awaiting_key","menu":"main"}') == AwaitingKey("main")
    assert decode_observation(b'{"kind":"menu_started","menu":"rating"}') == MenuStarted("rating")


@pytest.mark.parametrize("line", [b"{}", b'{"kind":"lunch"}', b'{"kind":"awaiting_key"}', b"nonsense"])
def test_any_other_line_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_observation(line)


def test_the_report_survives_its_own_json() -> None:
    assert msgspec.json.decode(REPORT.json(), type=CallReport) == REPORT


def test_the_table_is_in_the_order_of_time_and_lines_up() -> None:
    lines = REPORT.text("en").splitlines()
    assert [line.split(" s ")[0].strip() for line in lines[1:4]] == ["0.040", "0.060", "4.000"]
    assert "1440 ms  -20 dBFS  440 Hz" in lines[2]
    assert "seat=1001  adviser=8001" in lines[3]
    assert "call_id" not in REPORT.text("en")
    assert lines[-1] == "the call went as planned"
    assert REPORT.text("zh-CN").splitlines()[-1] == "呼叫按计划完成"


@pytest.mark.parametrize("language", SCREEN_LANGUAGES)
@pytest.mark.parametrize("reason", get_args(Shortfall))
def test_every_shortfall_has_its_words(language: ScreenLanguage, reason: Shortfall) -> None:
    failed = msgspec.structs.replace(REPORT, completed=False, reason=reason)
    assert failed.text(language).splitlines()[-1] != REPORT.text(language).splitlines()[-1]


@pytest.mark.parametrize("language", SCREEN_LANGUAGES)
def test_every_fact_of_a_call_has_its_word(language: ScreenLanguage) -> None:
    kinds = {fact.__struct_config__.tag for fact in get_args(AnyFact) if "call_id" in fact.__struct_fields__}
    assert kinds <= set(WORDS[language]), kinds - set(WORDS[language])
