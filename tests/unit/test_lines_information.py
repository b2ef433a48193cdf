"""What a city writes in its line file for callers to hear: read as it stands, and what is wrong with it is told in words."""

from __future__ import annotations

import re
from datetime import date
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import ivr.line
from calls.errors import BadFile
from calls.words import Language, Needs
from ivr.hours import Hours
from ivr.information import Topic
from ivr.lines import load_line
from prompts.ownwords import unspeakable
from tests.unit.test_lines_files import ODD, places
from tests.unit.test_lines_files import WRONG as ELSEWHERE

PROMPTS = {"welcome", "notice", "queue.closed", "menu.main"}

RIGHT = """\
number: "12333"
version: "1"
name: 热线
welcome: welcome
notice: {prompt: notice, version: "1"}
menu: main
menus:
  main:
    prompt: menu.main
    choices:
      "1": {name: topics, service: hot_topics}
      "2": {name: offices, service: offices}
      "3": {name: numbers, service: departments}
      "4": {name: elsewhere, service: regions}
person: general
queues:
  general: {skills: {}, max_waiting: 100}
  county: {skills: {}, max_waiting: 9, site: county}
topics:
  - {name: pension, title: 养老金调整, text: 明年调整。, until: 2026-12-31}
  - {name: card, title: {zh-CN: 社保卡, en: Cards}, text: 都能用。}
areas:
  - {title: 上城区, area: "330102"}
  - {title: 拱墅区, area: "330105"}
departments:
  - {name: tax, title: 税务, number: "12366"}
  - {name: law, title: 法律援助, number: "12348"}
regions:
  - {name: county, title: 北乡县, queue: county}
  - {name: province, title: 省本级, number: "057112333"}
"""

INFORMATION = ("topics", "areas", "departments", "regions")
"""The keys whose words are the city's own."""

Wrong = tuple[str, str, int, int, str, str]

WRONG: list[Wrong] = [
    # what is written     what stands there instead     line, column, reason, mend
    ("topics:\n", "topic:\n", 19, 1, "unknown key topic", "write topics"),
    ("name: pension, ", "", 20, 5, "missing key name", "add a line `name: ...`"),
    ("title: 养老金调整, ", "", 20, 5, "missing key title", "add a line `title: ...`"),
    ("text: 明年调整。, ", "", 20, 5, "missing key text", "add a line `text: ...`"),
    ("name: pension", "name: 养老金", 20, 6, "'养老金' is not a name", "small letters"),
    ("name: card", "name: pension", 21, 6, "pension is taken by another topic", "its own"),
    ("until: 2026-12-31", "until: 年底", 20, 48, "年底 is not a date", "write a date as in 2026-10-01"),
    ("until: 2026-12-31", "untill: 2026-12-31", 20, 48, "unknown key untill", "write until"),
    ("title: 养老金调整", "title: ''", 20, 21, "there are no words to be said", "what callers are to hear"),
    ("text: 明年调整。", "text: ……", 20, 35, "there are no words to be said", "what callers are to hear"),
    ("text: 明年调整。", "text: 好👍", 20, 35, "cannot say '👍' (thumbs up sign)", "write it in words"),
    ("title: 养老金调整", f"title: {'长' * 41}", 20, 21, "41 characters are more", "write 40 or fewer"),
    ("text: 明年调整。", f"text: {'长' * 601}", 20, 35, "601 characters are more", "write 600 or fewer"),
    ("{zh-CN: 社保卡, en: Cards}", "{en: Cards}", 21, 18, "no words in zh-CN", "add zh-CN and its words"),
    ("{zh-CN: 社保卡, en: Cards}", "{zh-CN: 社保卡, fr: Cartes}", 21, 38, "there is no language fr", "en, zh-CN"),
    ("{zh-CN: 社保卡, en: Cards}", "{zh-CN: 社保卡♥, en: Cards}", 21, 26, "cannot say '♥'", "write it in words"),
    ("{zh-CN: 社保卡, en: Cards}", "[社保卡]", 21, 18, "is expected here, this is a list", "write"),
    ("service: hot_topics", "person: true", 19, 1, "no key leads to these topics", "`service: hot_topics`"),
    ("areas:\n", "area:\n", 22, 1, "unknown key area", "write areas"),
    ('area: "330102"', "area: 330102", 23, 18, "text is expected here", 'put it in quotes, "330102"'),
    ('area: "330102"', 'area: "0571"', 23, 18, "'0571' is not the code of an area", "six digits in quotes"),
    ('area: "330105"', 'area: "330102"', 24, 18, "330102 is taken by another area", "its own"),
    (', area: "330102"', "", 23, 5, "missing key area", "add a line `area: ...`"),
    ("title: 上城区, ", "", 23, 5, "missing key title", "add a line `title: ...`"),
    ("title: 上城区", "title: 区▲", 23, 6, "cannot say '▲'", "write it in words"),
    ("title: 上城区", "name: 上城区", 23, 6, "unknown key name", "write one of: title, area"),
    ("service: offices", "person: true", 22, 1, "no key leads to these areas", "`service: offices`"),
    (
        'areas:\n  - {title: 上城区, area: "330102"}\n  - {title: 拱墅区, area: "330105"}\n',
        "",
        12,
        28,
        "the service offices has nothing to tell",
        "write `areas`",
    ),
    (
        "areas:\n",
        "areas:\n" + "".join(f'  - {{title: 区, area: "4401{number}"}}\n' for number in range(10, 49)),
        63,
        5,
        "41 areas are more",
        "keep 40",
    ),
    ("departments:\n", "department:\n", 25, 1, "unknown key department", "write departments"),
    ('number: "12366"', "number: 12366", 26, 28, "text is expected here", 'put it in quotes, "12366"'),
    ('number: "12366"', 'number: "0571-8"', 26, 28, "'0571-8' cannot be dialled", "3 to 15 digits"),
    ("name: law", "name: tax", 27, 6, "tax is taken by another department", "its own"),
    ("name: law", "name: LAW", 27, 6, "'LAW' is not a name", "small letters"),
    ("title: 税务", "title: →", 26, 17, "there are no words to be said", "what callers are to hear"),
    ("service: departments", "person: true", 25, 1, "no key leads to these departments", "`service: departments`"),
    (
        'departments:\n  - {name: tax, title: 税务, number: "12366"}\n  - {name: law, title: 法律援助, number: "12348"}\n',
        "",
        13,
        28,
        "the service departments has nothing to tell",
        "write `departments`",
    ),
    ("regions:\n", "region:\n", 28, 1, "unknown key region", "write regions"),
    ("queue: county}", "queue: village}", 29, 32, "there is no queue village", "use one of: general, county"),
    ("queue: county}", "qeue: county}", 29, 32, "unknown key qeue", "write queue"),
    (", queue: county}", "}", 29, 5, "the region county needs one of queue and number", "just one of them"),
    ("queue: county}", 'queue: county, number: "1"}', 29, 5, "needs one of queue and number", "just one of them"),
    ('"057112333"', "57112333", 30, 34, "text is expected here", 'put it in quotes, "57112333"'),
    ('"057112333"', '"+8657112333"', 30, 34, "'+8657112333' cannot be dialled", "3 to 15 digits"),
    ("name: province", "name: county", 30, 6, "county is taken by another region", "its own"),
    ("name: province", "name: 省", 30, 6, "'省' is not a name", "small letters"),
    ("title: 省本级", "title: 省■", 30, 22, "cannot say '■'", "write it in words"),
    ("service: regions", "person: true", 28, 1, "no key leads to these regions", "`service: regions`"),
    ("prompt: menu.main", "", 8, 3, "the menu main needs one of prompt and words", "just one of them"),
    ("prompt: menu.main", "prompt: menu.main\n    words: 请按一。", 8, 3, "needs one of prompt and words", "just one"),
    ("prompt: menu.main", "words: ♣♣", 9, 5, "there are no words to be said", "what callers are to hear"),
    ("prompt: menu.main", "words: 请按一♣", 9, 5, "cannot say '♣'", "write it in words"),
    ("prompt: menu.main", f"words: {'长' * 301}", 9, 5, "301 characters are more", "write 300 or fewer"),
    (
        "  - {name: card",
        "".join(f"  - {{name: more{number}, title: 多, text: 多}}\n" for number in range(4)) + "  - {name: card",
        25,
        5,
        "6 topics are more than callers remember",
        "keep 5",
    ),
]


def speak(language: Language, words: str) -> tuple[str, str] | None:
    """A voice that knows what can be said, and renders nothing."""
    return unspeakable(words)


def write(folder: Path, text: str) -> Path:
    path = folder / "12333.line.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_pattern_of_the_wrong_files_is_right(tmp_path: Path) -> None:
    line = load_line(write(tmp_path, RIGHT), PROMPTS, ["zh-CN", "en"], speak)
    assert line.topics == (
        Topic("pension", "养老金调整", "明年调整。", date(2026, 12, 31)),
        Topic("card", {"zh-CN": "社保卡", "en": "Cards"}, "都能用。"),
    )
    assert [line.words(line.topics[1].title, language) for language in ("zh-CN", "en", "yue")] == [
        "社保卡",
        "Cards",
        "社保卡",
    ]


@pytest.mark.parametrize("example", WRONG, ids=lambda example: example[1].strip()[:60])
def test_a_wrong_file_is_refused_with_place_reason_and_mend(tmp_path: Path, example: Wrong) -> None:
    right, wrong, line, column, reason, mend = example
    assert RIGHT.count(right) == 1
    path = write(tmp_path, RIGHT.replace(right, wrong))
    with pytest.raises(BadFile) as caught:
        load_line(path, PROMPTS, ["zh-CN", "en"], speak)
    error = caught.value
    assert (error.path, error.line, error.column) == (path, line, column), str(error)
    assert reason in error.reason
    assert mend in error.mend


def test_everything_that_is_said_is_rendered_in_its_language(tmp_path: Path) -> None:
    rendered: list[tuple[Language, str]] = []
    load_line(write(tmp_path, RIGHT), PROMPTS, ["zh-CN", "en"], lambda *text: rendered.append(text))
    assert rendered == [
        ("zh-CN", "养老金调整"),
        ("zh-CN", "明年调整。"),
        ("zh-CN", "社保卡"),
        ("en", "Cards"),
        ("zh-CN", "都能用。"),
        ("zh-CN", "上城区"),
        ("zh-CN", "拱墅区"),
        ("zh-CN", "税务"),
        ("zh-CN", "法律援助"),
        ("zh-CN", "北乡县"),
        ("zh-CN", "省本级"),
    ]


def shapes() -> list[type[msgspec.Struct]]:
    """Everything that a line file is made of."""
    found: list[type[msgspec.Struct]] = [Hours]
    for shape in vars(ivr.line).values():
        if isinstance(shape, type) and issubclass(shape, msgspec.Struct) and shape not in (Needs, Hours):
            found.append(shape)
    return found


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.__name__)
def test_every_key_of_a_line_file_has_a_wrong_example(shape: type[msgspec.Struct]) -> None:
    """Whoever adds a key shows what is told to somebody who writes it wrong."""
    written = "\n".join(f"{right}\n{wrong}" for right, wrong, *_ in (*ELSEWHERE, *WRONG))
    assert [field for field in shape.__struct_fields__ if not re.search(rf"\b{field}\b", written)] == []


def test_there_are_many() -> None:
    assert len(ELSEWHERE) + len(WRONG) >= 160


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_stands_anywhere_is_read_or_refused_in_words(tmp_path: Path, data: st.DataObject) -> None:
    yaml = YAML(typ="safe")
    tree = yaml.load(RIGHT)
    *steps, last = data.draw(st.sampled_from([place for place in places(tree)[1:] if place[0] in INFORMATION]))
    inner = tree
    for step in steps:
        inner = inner[step]
    inner[last] = data.draw(ODD)
    text = StringIO()
    yaml.dump(tree, text)
    path = write(tmp_path, text.getvalue())
    refused: list[BadFile] = []
    try:
        load_line(path, PROMPTS, ["zh-CN", "en"], speak)
    except BadFile as error:
        refused.append(error)
    for problem in refused:
        assert problem.reason
        assert problem.mend not in ("", "correct it"), problem
