"""`rexian twin`: forecast files right and wrong, what-if, and what the page tells people to type."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from calls.errors import BadFile, NotPossible
from calls.words import SCREEN_LANGUAGES
from cti.cli import app
from cti.settings import CHECKOUT
from cti.twin import HEAD, twin, what_if
from queues.cheapest import Target, cheapest
from queues.erlang import seats_for
from queues.forecast import HALF_HOUR_S, Callback, Forecast, Staff, Topic, live_day, load_forecast, make_day
from queues.tally import by_half_hour, tally
from tests.documentation import blocks, page

PAGE = page("docs/twin.md")
EXAMPLE = CHECKOUT / "lines" / "hangzhou.forecast.yaml"
RIGHT = """\
version: "1"
calls: {"08:30": 60, "09:00": 90}
topics: {cards: {part: 2, skills: {cards: 1}}, work: {part: 1, skills: {labour: 2}}}
staff:
  - {begin: "08:30", end: "09:30", seats: 6, skills: {cards: 3, labour: 2}}
handling_s: 180
patience_s: 120
"""
SECOND_GROUP = '  - {begin: "08:30", end: "10:00", seats: 3, skills: {cards: 3, labour: 2}}\nhandling_s: 180\n'
WRONG = [
    ('"08:30": 60', '"08:15": 60', 2, "'08:15' is no half hour", "13:30"),
    ('"08:30": 60', '"24:00": 60', 2, "'24:00' is no half hour", "13:30"),
    ("cards: 1}", "cards: 9}", 3, "9", "5"),
    ('end: "09:30"', 'end: "08:00"', 5, "ends at 08:00, before it begins", "the later one"),
    ('begin: "08:30"', 'begin: "8:30"', 5, "'8:30' is no half hour", "13:30"),
    ("patience_s: 120", "patience_s: 0", 7, "0", ""),
    ("handling_s: 180", "handling: 180", 6, "unknown key handling", "handling_s"),
    ("handling_s: 180", "callback: {accepts: 2, answers: 0.7}", 6, "2", "1"),
    ("{cards: {part: 2, skills: {cards: 1}}, work: {part: 1, skills: {labour: 2}}}", "{}", 3, "no topics", "one"),
]


def write(folder: Path, text: str) -> Path:
    path = folder / "test.forecast.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("right", "wrong", "line", "reason", "mend"), WRONG)
def test_a_wrong_file_is_refused(tmp_path: Path, right: str, wrong: str, line: int, reason: str, mend: str) -> None:
    assert right in RIGHT
    with pytest.raises(BadFile) as refused:
        load_forecast(write(tmp_path, RIGHT.replace(right, wrong)))

    assert refused.value.line == line
    assert reason in refused.value.reason
    assert mend in refused.value.mend


def test_no_call_is_lost_and_two_staffings_have_the_same_calls(tmp_path: Path) -> None:
    forecast = load_forecast(write(tmp_path, RIGHT))
    few, more = make_day(forecast), make_day(what_if(forecast, ["4@09:00-09:30"]))

    assert few.calls == more.calls
    assert len(few.calls) == 150
    assert len(more.shifts) == len(few.shifts) + 4
    worse, better = (live_day(day) for day in (few, more))
    assert len(worse) == len(better) == 150
    assert tally(better, 30).answered > tally(worse, 30).answered
    assert {half_hour: found.offered for half_hour, found in by_half_hour(worse, 30).items()} == {17: 60, 18: 90}


def test_figures_are_of_those_they_say(tmp_path: Path) -> None:
    day = make_day(load_forecast(write(tmp_path, RIGHT)))
    outcomes = live_day(day)
    found = tally(outcomes, 30)
    waits = sorted(outcome.waited_s for outcome in outcomes if outcome.how == "answered")

    assert found.offered == found.answered + found.abandoned + found.turned_away == 150
    assert found.connected == len(waits) / 150
    assert found.within == sum(wait <= 30 for wait in waits)
    assert found.service_level == found.within / 150
    assert (
        sum(wait <= found.wait_p90_s for wait in waits)
        >= 0.9 * len(waits)
        > sum(wait < found.wait_p90_s for wait in waits)
    )


def test_who_is_called_back_is_one_of_the_same_calls(tmp_path: Path) -> None:
    plain = make_day(load_forecast(write(tmp_path, RIGHT)))
    asked = make_day(
        load_forecast(write(tmp_path, RIGHT + "callback: {accepts: 1, answers: 0.7, missed_after_s: 0}\n"))
    )
    assert [(call.at_s, call.needs, call.handling_s) for call in asked.calls] == [
        (call.at_s, call.needs, call.handling_s) for call in plain.calls
    ]
    outcomes = live_day(asked)
    found = tally(outcomes, 30)
    assert found.offered == len(outcomes) == 150
    ends = found.answered + found.called_back + found.not_reached + found.abandoned + found.turned_away
    assert ends == found.offered
    assert found.called_back > 0
    assert found.abandoned == sum(outcome.back == "never" for outcome in outcomes)  # nobody else is forgotten


@pytest.mark.parametrize("target", [Target(connected=0.9), Target(in_time=0.8), Target(0.95, 0.8)], ids=str)
def test_no_seat_of_the_cheapest_staffing_can_be_spared(tmp_path: Path, target: Target) -> None:
    planned = load_forecast(write(tmp_path, RIGHT.replace("handling_s: 180\n", SECOND_GROUP)))
    needed = cheapest(planned, target)

    assert target.met_by(tally(live_day(make_day(needed)), needed.within_s))
    for index, group in enumerate(needed.staff):
        if group.seats > 1:
            staff = [*needed.staff]
            staff[index] = msgspec.structs.replace(group, seats=group.seats - 1)
            fewer = msgspec.structs.replace(needed, staff=tuple(staff))
            assert not target.met_by(tally(live_day(make_day(fewer)), fewer.within_s))


def test_what_no_number_of_advisers_can_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match="skills, languages or times that no group"):
        cheapest(load_forecast(write(tmp_path, RIGHT.replace(", labour: 2}}", "}}"))), Target(connected=0.99))


def test_the_cheapest_staffing_is_erlangs_where_erlang_applies(tmp_path: Path) -> None:
    """Alike advisers, nobody gives up: the fewest seats that answer eight in ten within 20 s, give or take chance."""
    load, handling_s = 12.0, 180.0
    calls = round(load / handling_s * HALF_HOUR_S)
    text = f"""\
version: "1"
calls: {{{", ".join(f'"{hour:02d}:{half}": {calls}' for hour in range(24) for half in ("00", "30"))}}}
topics: {{all: {{part: 1}}}}
staff:
  - {{begin: "00:00", end: "24:00", seats: 20}}
handling_s: {handling_s}
patience_s: 1000000
within_s: 20
"""
    needed = cheapest(load_forecast(write(tmp_path, text)), Target(in_time=0.8))

    assert abs(needed.staff[0].seats - seats_for(load, handling_s, limit_s=20, part=0.8)) <= 1


@pytest.mark.parametrize(
    ("added", "reason"),
    [("five@09:00-09:30", "no addition"), ("5@07:00-09:30", "nobody works at 07:00"), ("0@09:00-09:30", "no addition")],
)
def test_an_addition_that_cannot_be_read_is_said(tmp_path: Path, added: str, reason: str) -> None:
    with pytest.raises(NotPossible, match=reason):
        what_if(load_forecast(write(tmp_path, RIGHT)), [added])


def test_the_same_file_gives_the_same_digits() -> None:
    assert twin(EXAMPLE, (), None, "en") == twin(EXAMPLE, (), None, "en")
    assert twin(EXAMPLE, (), 2, "en") != twin(EXAMPLE, (), None, "en")


def test_the_command_tells_planned_and_needed_seats_and_the_day(tmp_path: Path) -> None:
    forecast = write(tmp_path, RIGHT)
    result = CliRunner().invoke(app, ["twin", str(forecast), "--connected", "95", "--in-time", "80"])

    assert result.exit_code == 0
    head, group, hours, nothing, *day = result.output.splitlines()
    assert head.split()[2:4] == ["原来", "需要"]
    assert group.split()[:3] == ["08:30", "09:30", "6"]
    assert int(group.split()[3]) > 6
    assert hours.split()[1] == "6.0"
    assert (nothing, len(day)) == ("", 4)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "one of the two must be named"),
        ((str(EXAMPLE), "--recorded", "2026-11-27"), "one of the two must be named"),
        (("--recorded", "yesterday"), "'yesterday' is no day"),
        (("--recorded", "2026-11-27", "--connected", "90"), "look for a staffing with a forecast file"),
        ((str(EXAMPLE), "--add", "5@half past one"), "is no addition"),
    ],
)
def test_wrong_use_is_said(words: tuple[str, ...], reason: str) -> None:
    result = CliRunner().invoke(app, ["twin", *words])

    assert result.exit_code == 1
    assert reason in result.output


def test_what_the_page_types() -> None:
    plain, added = (text.strip().split("rexian twin ")[1].split() for text in blocks(PAGE, "sh"))
    now = twin(CHECKOUT / plain[0], (), None, "zh-CN")
    then = twin(CHECKOUT / added[0], [added[2]], None, "zh-CN")

    assert len(now) == len(then) == 16
    assert now[-1].split()[:2] == ["全天", "9254"]
    assert now[1:8] == then[1:8]  # the morning is the same
    assert now[8] != then[8]


@pytest.mark.parametrize("language", SCREEN_LANGUAGES)
def test_the_page_describes_every_key_and_column(language: str) -> None:
    text = PAGE.read_text()
    for shape in (Forecast, Topic, Staff, Callback):
        assert all(f"`{field}`" in text for field in shape.__struct_fields__)
    assert len(HEAD[language]) == 11
    assert all(re.search(re.escape(word), text) for word in HEAD["zh-CN"][1:-1])
