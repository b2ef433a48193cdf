"""Line files: the shipped ones are right, and whoever writes a wrong one is told where and how to mend it."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from calls.errors import BadFile
from calls.words import Keeps, Needs, Relax
from cti.settings import CHECKOUT
from ivr.draw import draw
from ivr.hours import Hours
from ivr.information import Area, Department, Region, Topic
from ivr.line import Callback, Choice, Line, Menu, Notice, Overflow, Queue, Rating, Second
from ivr.lines import load_line, load_lines
from prompts.catalogue import CATALOGUE, Catalogue

LINES = Path(__file__).parents[2] / "lines"
PROMPTS = {"welcome", "notice", "queue.closed", "menu.main", "menu.other", "info.hours"}

RIGHT = """\
number: "12333"
version: "1"
name: 热线
welcome: welcome
notice:
  prompt: notice
  version: "1"
menu: main
menus:
  main:
    prompt: menu.main
    choices:
      "1": {name: cards, queue: cards}
      "2": {name: other, menu: other}
  other:
    prompt: menu.other
    choices:
      "1": {name: hours, say: info.hours}
person: general
queues:
  general: {skills: {}, max_waiting: 100}
  cards: {skills: {cards: 1}, max_waiting: 50}
hours:
  weekly:
    mon: [08:30-12:00, 13:30-17:00]
  dates:
    2026-12-31: closed
"""


def write(folder: Path, text: str, name: str = "12333.line.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


HOURS = RIGHT[RIGHT.index("hours:") :].strip()

UNFAXED = '"1": {name: hours, say: info.hours}\nperson: general'
FAXED = """"1": {name: hours, service: fax_documents}
person: general
faxes:
  "1": {name: form, file: form.png, title: welcome}"""

Wrong = tuple[str, str, int, int, str, str]

WRONG: list[Wrong] = [
    # what is written     what stands there instead     line, column, reason, mend
    ('number: "12333"', "number: 12333", 1, 1, "text is expected here, this is a whole number", 'in quotes, "12333"'),
    ('number: "12333"', 'number: "12-333"', 1, 1, "'12-333' cannot be dialled", "3 to 15 digits"),
    ('number: "12333"\n', "", 1, 1, "missing key number", "add a line `number: ...`"),
    ('version: "1"\nname', "version: 1\nname", 2, 1, "text is expected here", 'put it in quotes, "1"'),
    ("name: 热线", "nmae: 热线", 3, 1, "unknown key nmae", "write name, or remove it"),
    ("name: 热线", "name: 热线\nlanguage: fr", 4, 1, "there are no words in fr", "write one of: en, zh-CN"),
    ("name: 热线", "name: 热线\ntrunks: []", 4, 1, "no trunk may bring calls", "write any"),
    ("name: 热线", "name: 热线\ntries: 0", 4, 1, "0 is out of bounds", "write 1 or more"),
    ("name: 热线", "name: 热线\nkey_wait_s: 60", 4, 1, "60 is out of bounds", "write 30 or less"),
    ("name: 热线", "name: 热线\nslow_waits: 0.5", 4, 1, "0.5 is out of bounds", "write 1 or more"),
    ("name: 热线", "name: 热线\nname: line", 4, 1, "duplicate key", "correct the YAML"),
    ("name: 热线", "name: 热线\n\tmore: x", 4, 1, "cannot start any token", "no tabs"),
    ("name: 热线", "name: [热线", 4, 8, "parsing a flow sequence from line 3", "correct the YAML"),
    ("name: 热线", "name: 热线\nrating: {complain_at: 6}", 4, 10, "6 is out of bounds", "write 5 or less"),
    ("name: 热线", "name: 热线\nrating: {second: {prompt: info.hours}}", 4, 10, "missing key choices", "add a line"),
    (
        "name: 热线",
        "name: 热线\nrating: {second: {prompt: solved, choices: {'1': settled}}}",
        4,
        19,
        "there is no prompt solved",
        "add its words",
    ),
    (
        "name: 热线",
        "name: 热线\nrating: {second: {prompt: info.hours, choices: {}}}",
        4,
        39,
        "the second question has no answers",
        "add some",
    ),
    (
        "name: 热线",
        "name: 热线\nrating: {second: {prompt: info.hours, choices: {'0': settled}}}",
        4,
        49,
        "'0' is not a key for an answer",
        "use one of 1 to 9",
    ),
    (
        "name: 热线",
        "name: 热线\nrating: {second: {prompt: info.hours, choices: {'1': Yes!}}}",
        4,
        49,
        "'Yes!' is not a name",
        "as in settled",
    ),
    (
        "name: 热线",
        "name: 热线\nrating: {second: {prompt: info.hours, choices: {'1': yes, '2': yes}}}",
        4,
        59,
        "the name yes is taken by the key 1",
        "own name",
    ),
    ("welcome: welcome", "welcome: welcom", 4, 1, "there is no prompt welcom", "correct its spelling"),
    ("  prompt: notice\n", "", 5, 1, "missing key prompt", "add a line `prompt: ...`"),
    ('notice:\n  prompt: notice\n  version: "1"\n', "", 1, 1, "missing key notice", "add a line `notice: ...`"),
    ("prompt: notice", "prompt: note", 6, 3, "there is no prompt note", "add its words to the catalogue"),
    ("menu: main", "menu: start", 8, 1, "there is no menu start", "use one of: main, other"),
    ("  main:\n    prompt", "  start:\n    prompt", 8, 1, "there is no menu main", "use one of: start, other"),
    ("prompt: menu.main", "prompt: [menu.main]", 11, 5, "text is expected here, this is a list", "write text"),
    ('"1": {name: cards', "1: {name: cards", 13, 7, "text is expected here", 'put it in quotes, "1"'),
    ('"1": {name: cards', '"0": {name: cards', 13, 7, "the key 0 is taken: it means a person", "another key, 1 to 9"),
    ('"1": {name: cards', '"*": {name: cards', 13, 7, "the key * is taken: it means once more", "another key"),
    ('"2": {name: other', '"#": {name: other', 14, 7, "the key # is taken: it means one menu back", "another key"),
    ('"1": {name: cards', '"10": {name: cards', 13, 7, "'10' is not a key", "one of 1 to 9"),
    ("name: cards, queue: cards", "name: cards, queue: crads", 13, 26, "there is no queue crads", "general, cards"),
    ("name: cards, queue: cards", "name: cards, qeue: cards", 13, 26, "unknown key qeue", "write queue"),
    ("name: cards, queue: cards", "queue: cards", 13, 7, "missing key name", "add a line `name: ...`"),
    (
        "name: cards, queue: cards",
        "name: cards",
        13,
        7,
        "the choice cards leads nowhere",
        "one of queue, menu, say, service, person",
    ),
    ("queue: cards}", "queue: cards, say: notice}", 13, 7, "leads to queue and say", "give it one of"),
    ("queue: cards}", "person: yes}", 13, 26, "true or false is expected here", "write true or false"),
    ("queue: cards}", "person: false}", 13, 26, "false cannot stand here", "write true"),
    ("name: cards, queue", "name: Cards!, queue", 13, 13, "'Cards!' is not a name", "small letters"),
    (
        "name: other, menu: other",
        "name: cards, menu: other",
        14,
        13,
        "the name cards is taken by the key 1",
        "own name",
    ),
    ("name: other, menu: other", "name: other, menu: others", 14, 26, "there is no menu others", "main, other"),
    ("name: other, menu: other", "name: other, queue: general", 15, 3, "nothing leads to the menu other", "remove it"),
    (
        "name: hours, say: info.hours",
        "name: hours, say: info",
        18,
        26,
        "there is no prompt info",
        "correct its spelling",
    ),
    ("name: hours, say: info.hours", "name: again, menu: other", 15, 3, "leads round in a circle", "to a queue"),
    ('      "1": {name: hours, say: info.hours}', "      {}", 17, 5, "the menu other has no choices", "add one"),
    ("person: general", "person: reception", 19, 1, "there is no queue reception", "general, cards"),
    (
        "  cards: {skills: {cards: 1}",
        "  idle: {skills: {}, max_waiting: 1}\n  cards: {skills: {cards: 1}",
        22,
        3,
        "nothing leads to the queue idle",
        "lead a choice to it",
    ),
    ("skills: {cards: 1}", "skills: {cards: 6}", 22, 20, "6 is out of bounds", "write 5 or less"),
    ("skills: {cards: 1}", "skills: {cards: expert}", 22, 20, "a whole number is expected", "write a whole number"),
    ("skills: {cards: 1}", "skills: {社保卡: 1}", 22, 20, "'社保卡' is not a name", "small letters"),
    ("skills: {cards: 1}, max_waiting: 50", "skills: {cards: 1}", 22, 3, "missing key max_waiting", "add a line"),
    ("max_waiting: 50", "max_waiting: 50, urgency: very", 22, 48, "very cannot stand here", "urgent"),
    ("max_waiting: 50", "max_waiting: 50, site: The City", 22, 48, "'The City' is not a name", "small letters"),
    (
        "max_waiting: 50",
        "max_waiting: 50, keeps: {within_s: 30, part: 0.8}",
        22,
        48,
        "no site that could lend",
        "a site",
    ),
    (
        "max_waiting: 50",
        "max_waiting: 50, overflow: {after_s: 30}",
        22,
        48,
        "needs one of to, callback and message",
        "just one",
    ),
    ("max_waiting: 50", "max_waiting: 50, overflow: {callback: true}", 22, 48, "calls nobody back", "callback: {}"),
    ("name: 热线", "name: 热线\nlanguages: {'2': {language: fr}}", 4, 19, "no words in fr", "write one of"),
    ("name: 热线", "name: 热线\nlanguages: {'0': {language: en}}", 4, 13, "'0' is not a key", "1 to 9"),
    ("name: 热线", "name: 热线\nlanguages: {'2': {language: zh-CN}}", 4, 19, "is spoken already", "remove it"),
    (HOURS, "night: main", 23, 1, "this line never closes", "remove night"),
    ("menu: main", "menu: main\nnight: dark", 9, 1, "there is no menu dark", "use one of: main, other"),
    ("menu: main\n", "", 9, 3, "nothing leads to the menu main", "lead a choice to it"),
    ("name: cards, queue: cards", "name: cards, service: losing", 13, 26, "no service losing", "voice_message"),
    (
        "max_waiting: 50",
        "max_waiting: 50, hours: {weekly: {}}",
        22,
        48,
        "nobody ever works for the queue cards",
        "one block",
    ),
    ("max_waiting: 50", "max_waiting: 50, overflow: {to: work}", 22, 59, "there is no queue work", "general, cards"),
    ("max_waiting: 50", "max_waiting: 50, overflow: {to: cards}", 22, 59, "leads back to cards", "lead it elsewhere"),
    ("person: general", "person: general\ncallback: {attempts: 0}", 20, 12, "0 is out of bounds", "write 1 or more"),
    (
        "person: general",
        "person: general\ncallback: {hours: {weekly: {mon: []}}}",
        20,
        12,
        "nobody is ever called back",
        "at least one block",
    ),
    ("max_waiting: 50", "max_waiting: 50, relax: [{after_s: 30}]", 22, 56, "asks for no less", "give it levels"),
    (
        "max_waiting: 50",
        "max_waiting: 50, relax: [{after_s: 30, any_site: true}]",
        22,
        56,
        "the queue cards has no site",
        "remove any_site",
    ),
    (
        "max_waiting: 50",
        "max_waiting: 50, relax: [{after_s: 30, levels: 1, until_s: 30}]",
        22,
        56,
        "ends at 30 s, before it begins at 30 s",
        "the later one",
    ),
    ("person: general", f"person: general\n{FAXED[-58:]}", 20, 1, "no choice offers these", "service: fax_documents"),
    ("say: info.hours", "service: fax_documents", 18, 26, "no documents to be faxed", "write them under faxes"),
    (UNFAXED, FAXED.replace('  "1"', '  "0"'), 21, 3, "'0' is not a key for a document", "one of 1 to 9"),
    (UNFAXED, FAXED.replace("form,", "Form,"), 21, 9, "'Form' is not a name", "small letters"),
    (UNFAXED, FAXED.replace("title: welcome", "title: form"), 21, 37, "there is no prompt form", "its spelling"),
    (UNFAXED, f"{FAXED}\n{FAXED[-51:].replace('1', '2')}", 22, 9, "the name form is taken", "its own name"),
    (UNFAXED, FAXED, 21, 21, "there is no file", "put it there"),
    (UNFAXED, FAXED.replace(".png", ".pdf"), 21, 21, "form.pdf is neither a PNG nor a TIFF", "pdftoppm"),
    ("hours:\n  weekly:", "hours:\n  zone: Asia/Peking\n  weekly:", 24, 3, "no time zone Asia/Peking", "Asia/Shanghai"),
    ("    mon: [08:30", "    monday: [08:30", 25, 5, "monday cannot stand here", "write mon"),
    ("[08:30-12:00, 13", "[8:30-12:00, 13", 25, 11, "'8:30-12:00' is not a block of time", "write it as 08:30-12:00"),
    ("[08:30-12:00, 13", "[12:00-08:30, 13", 25, 11, "'12:00-08:30' ends before it starts", "past midnight"),
    ("[08:30-12:00, 13:30", "[08:30-12:00, 11:30", 25, 24, "begins before 08:30-12:00 has ended", "in order"),
    ("[08:30-12:00, 13:30-17:00]", "[]", 23, 1, "the line never opens", "at least one block"),
    ("2026-12-31: closed", "2026-12-31: shut", 27, 5, "shut cannot stand here", "write one of: a list, closed"),
    ("2026-12-31: closed", "12-31: closed", 27, 5, "12-31 is not a date", "write a date as in 2026-10-01"),
    ("  weekly:", "  7: []\n  weekly:", 24, 3, "text is expected here", 'put it in quotes, "7"'),
    ("2026-12-31: closed", "2026-12-31: [24:00-08:00]", 27, 18, "'24:00-08:00' is not a block", "write it as"),
    ("menus:\n", "menu_s:\n", 9, 1, "unknown key menu_s", "write menus"),
    ("queues:\n", "queue:\n", 20, 1, "unknown key queue", "write queues"),
    (
        "person: general",
        "person: general\ncallback: {offer_after_s: 900}",
        20,
        12,
        "900 is out of bounds",
        "600 or less",
    ),
    (
        "person: general",
        "person: general\ncallback: {offer_at_expected_s: -1}",
        20,
        12,
        "-1 is out of bounds",
        "0 or more",
    ),
    ("person: general", "person: general\ncallback: {again_after_s: 0.5}", 20, 12, "0.5 is out of bounds", "1 or more"),
    ("person: general", "person: general\ncallback: {ring_s: 3}", 20, 12, "3 is out of bounds", "write 5 or more"),
    ("person: general", "person: general\ncallback: {keep_h: 0}", 20, 12, "0 is out of bounds", "write more than 0"),
    (
        "person: general",
        "person: general\ncallback: {missed_after_s: soon}",
        20,
        12,
        "a number is expected",
        "a number",
    ),
    ("person: general", "person: general\nmessage: {within_days: 0}", 20, 11, "0 is out of bounds", "write 1 or more"),
    ("person: general", "person: general\nmessage: {most_s: 900}", 20, 11, "900 is out of bounds", "600 or less"),
    ("person: general", "person: general\nmessage: {quiet_s: 1}", 20, 11, "1 is out of bounds", "write 2 or more"),
    (
        "person: general",
        "person: general\ncomplaint: {within_day: 2}",
        20,
        13,
        "unknown key within_day",
        "write within_days",
    ),
    (
        "person: general",
        "person: general\nrating: {machine: 1.5}",
        20,
        10,
        "true or false is expected",
        "true or false",
    ),
    (
        "name: 热线",
        "name: 热线\nlanguages: {'2': {language: en, advisers: all}}",
        4,
        33,
        "true or false",
        "true or false",
    ),
    ("max_waiting: 50", "max_waiting: 50, overflow: {message: false}", 22, 59, "false cannot stand here", "write true"),
    (
        "max_waiting: 50",
        "max_waiting: 50, keeps: {within_s: 0, part: 0.8}",
        22,
        56,
        "0 is out of bounds",
        "more than 0",
    ),
    ("max_waiting: 50", "max_waiting: 50, keeps: {within_s: 30, part: 80}", 22, 70, "80 is out of bounds", "1 or less"),
    (
        "max_waiting: 50",
        "max_waiting: 50, relax: [{after_s: 0, levels: 1}]",
        22,
        57,
        "0 is out of bounds",
        "more than 0",
    ),
    ("hours:\n", "hours:\n  statutory: never\n", 24, 3, "true or false is expected here", "true or false"),
]


def test_the_pattern_of_the_wrong_files_is_right(tmp_path: Path) -> None:
    line = load_line(write(tmp_path, RIGHT), PROMPTS)
    assert isinstance(line.hours, Hours)
    assert line.needs("cards") == Needs(skills={"cards": 1}, queue="cards")


@pytest.mark.parametrize("example", WRONG, ids=lambda example: example[1].strip())
def test_a_wrong_file_is_refused_with_place_reason_and_mend(tmp_path: Path, example: Wrong) -> None:
    right, wrong, line, column, reason, mend = example
    assert RIGHT.count(right) == 1
    path = write(tmp_path, RIGHT.replace(right, wrong))
    with pytest.raises(BadFile) as caught:
        load_line(path, PROMPTS, ["zh-CN", "en"])
    error = caught.value
    assert (error.path, error.line, error.column) == (path, line, column), str(error)
    assert reason in error.reason
    assert mend in error.mend


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"- a\n- b\n", "a mapping (key: value) is expected here, this is a list"),
        (b"name: \xff\xfe", "not UTF-8"),
        (b"a: &a [*a]\n", "unknown key a"),
    ],
)
def test_what_is_no_line_file_at_all_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "12333.line.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadFile, match=re.escape(reason)) as caught:
        load_line(path, PROMPTS)
    assert (caught.value.line, caught.value.column) == (1, 1)


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "12333.line.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode())
    assert load_line(path, PROMPTS).number == "12333"


def test_what_is_written_once_and_used_again_is_placed_where_it_is_used(tmp_path: Path) -> None:
    day = "    mon: &day [08:30-12:00, 13:30-17:00]\n    tue: *day\n"
    load_line(write(tmp_path, RIGHT.replace("    mon: [08:30-12:00, 13:30-17:00]\n", day)), PROMPTS)
    merged = RIGHT.replace("skills: {cards: 1}, max_waiting: 50", "<<: {skills: {cards: 9}}, max_waiting: 50")
    with pytest.raises(BadFile, match="9 is out of bounds") as caught:
        load_line(write(tmp_path, merged), PROMPTS)
    assert caught.value.line == 22


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("prompt: menu.main", "prompt: x", 11), ("closed\n", "closed\nclosed: y\n", 28)),
        (("say: info.hours", "sya: info.hours", 18), ("skills: {}", "skills: []", 21)),
        (("max_waiting: 100", "max_waiting: many", 21), ("max_waiting: 50", "max_waiting: few", 22)),
    ],
)
def test_of_two_faults_the_first_one_in_the_file_is_told(
    tmp_path: Path, first: tuple[str, str, int], second: tuple[str, str, int]
) -> None:
    only_second = RIGHT.replace(second[0], second[1])
    for text, line in ((only_second, second[2]), (only_second.replace(first[0], first[1]), first[2])):
        with pytest.raises(BadFile) as caught:
            load_line(write(tmp_path, text), PROMPTS)
        assert caught.value.line == line


def test_blocks_may_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    load_line(write(tmp_path, RIGHT.replace("[08:30-12:00, 13:30", "[08:30-12:00, 12:00")), PROMPTS)


def test_the_version_changes_with_every_change_of_the_file(tmp_path: Path) -> None:
    first = load_line(write(tmp_path, RIGHT), PROMPTS)
    same = load_line(write(tmp_path, RIGHT), PROMPTS)
    other = load_line(write(tmp_path, RIGHT + "# a remark\n"), PROMPTS)
    assert first.version == same.version != other.version
    assert {version.partition("+")[0] for version in (first.version, other.version)} == {"1"}


def test_a_number_has_one_file_and_both_are_named(tmp_path: Path) -> None:
    first = write(tmp_path, RIGHT)
    second = write(tmp_path, RIGHT, "old.line.yaml")
    with pytest.raises(BadFile) as caught:
        load_lines(tmp_path, PROMPTS)
    assert caught.value.path == second
    assert str(first) in caught.value.reason


def test_a_folder_without_lines_is_refused(tmp_path: Path) -> None:
    write(tmp_path, RIGHT, "advisers.yaml")
    with pytest.raises(BadFile, match="no line file"):
        load_lines(tmp_path, PROMPTS)


def test_a_line_takes_calls_from_its_trunks_only(tmp_path: Path) -> None:
    anyone = load_line(write(tmp_path, RIGHT), PROMPTS)
    some = load_line(write(tmp_path, RIGHT + "trunks: [carrier_a]\n"), PROMPTS)
    assert anyone.takes("carrier_b")
    assert some.takes("carrier_a")
    assert not some.takes("carrier_b")


def test_the_shipped_line_offers_four_skills_at_one_key_each() -> None:
    line = load_lines(LINES, Catalogue.load(CATALOGUE).sentences["zh-CN"])["12333"]
    assert line.hours == "always"
    queues = [line.menus["main"].choices[key].queue for key in "1234"]
    assert queues == ["cards", "pension", "insurance", "labour"]
    assert [next(iter(line.needs(queue).skills)) for queue in queues if queue] == queues


def test_the_demo_advisers_can_serve_every_queue_of_the_shipped_line() -> None:
    line = load_lines(LINES, Catalogue.load(CATALOGUE).sentences["zh-CN"])["12333"]
    advisers = YAML(typ="safe").load(LINES / "advisers.yaml")["advisers"]
    for queue in line.queues:
        needs = line.needs(queue).skills
        able = [one for one in advisers if all(one["skills"].get(skill, 0) >= level for skill, level in needs.items())]
        assert len(able) >= 2, queue


def places(tree: Any, steps: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [steps, *(place for key, value in inner for place in places(value, (*steps, key)))]


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_stands_anywhere_is_read_or_refused_in_words(tmp_path: Path, data: st.DataObject) -> None:
    yaml = YAML(typ="safe")
    tree = yaml.load(RIGHT)
    *steps, last = data.draw(st.sampled_from(places(tree)[1:]))
    inner = tree
    for step in steps:
        inner = inner[step]
    inner[last] = data.draw(ODD)
    text = StringIO()
    yaml.dump(tree, text)
    path = write(tmp_path, text.getvalue())
    refused: list[BadFile] = []
    try:
        load_line(path, PROMPTS)
    except BadFile as error:
        refused.append(error)
    for problem in refused:
        assert problem.reason
        assert problem.mend not in ("", "correct it"), problem


def test_the_document_for_editors_describes_every_key_and_its_example_is_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "lines.md").read_text()
    example = text.partition("```yaml\n")[2].partition("```")[0]
    line = load_line(write(tmp_path, example), Catalogue.load(CATALOGUE).sentences["zh-CN"])
    chinese, _, english = text.partition("## In English")
    for shape in (
        Line,
        Notice,
        Menu,
        Choice,
        Queue,
        Relax,
        Keeps,
        Overflow,
        Callback,
        Hours,
        Rating,
        Second,
        Topic,
        Area,
        Department,
        Region,
    ):
        for field in shape.__struct_fields__:
            assert re.search(rf"`{field}(:[^`]*)?`", chinese), field
    assert all(f"`{field}`" in english for field in Line.__struct_fields__)
    assert isinstance(line.hours, Hours)


def test_the_picture_of_the_line_that_ships_is_not_stale() -> None:
    words = Catalogue.load(CATALOGUE).sentences["zh-CN"]
    drawn = draw(load_line(CHECKOUT / "lines" / "12333.line.yaml", words))
    page = CHECKOUT / "docs" / "line-12333.mmd"
    assert page.read_text(encoding="utf-8") == drawn, "rexian line draw lines/12333.line.yaml > docs/line-12333.mmd"


def test_a_picture_shows_every_way(tmp_path: Path) -> None:
    text = RIGHT.replace("max_waiting: 50", "max_waiting: 50, overflow: {to: general}").replace(
        "menu: main\n", "menu: main\nnight: other\n"
    )
    drawn = draw(load_line(write(tmp_path, text), PROMPTS)).splitlines()
    assert drawn == [
        "flowchart LR",
        '    start(["12333: welcome, notice"])',
        "    start --> menu_main",
        '    start -- "queue.closed" --> menu_other',
        '    menu_main{"main: menu.main"}',
        '    menu_main -- "1 cards" --> queue_cards',
        '    menu_main -- "2 other" --> menu_other',
        '    menu_main -- "0" --> queue_general',
        '    menu_other{"other: menu.other"}',
        '    menu_other -- "1 hours" --> say_hours["info.hours"]',
        '    menu_other -- "0" --> queue_general',
        '    queue_general[/"general"/]',
        '    queue_cards[/"cards: cards 1"/]',
        "    queue_cards -. overflow .-> queue_general",
    ]
