"""The words: the files that come with the hotline are whole, and a fault in a file is told where it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from calls.errors import BadFile
from calls.words import Language
from prompts.catalogue import CATALOGUE, SILENCE, TONE, Catalogue
from prompts.reading import CannotSay


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the catalogue, to spoil."""
    return Path(shutil.copytree(CATALOGUE, tmp_path / "catalogue"))


def spoil(folder: Path, language: Language, old: str, new: str) -> int:
    """Replace the line that begins with `old`; gives its number."""
    path = folder / f"{language}.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(index for index, line in enumerate(lines) if line.startswith(old))
    lines[number] = new
    path.write_text("\n".join(lines), encoding="utf-8")
    return number + 1


def only_problem(folder: Path) -> BadFile:
    (problem,) = Catalogue.load(folder).problems
    return problem


def test_the_catalogue_that_comes_with_the_hotline_is_whole_but_for_what_is_declared() -> None:
    catalogue = Catalogue.load(CATALOGUE)
    assert catalogue.problems == ()
    assert {language for language, tongue in catalogue.tongues.items() if tongue.partial} == {"ug"}
    (note,) = catalogue.notes
    assert "ug.yaml" in note


def test_what_is_said_in_one_breath_is_whole_or_missing_in_every_language() -> None:
    """The next opening is said in three parts, one after the other; half of it in another language would be no sentence."""
    parts = {"closed.next", "closed.day", *(f"month.{number}" for number in range(1, 13))}
    for sentences in Catalogue.load(CATALOGUE).sentences.values():
        assert parts & sentences.keys() in (parts, set())


def test_a_sentence_missing_in_one_language_is_named(folder: Path) -> None:
    spoil(folder, "en", "goodbye:", "")
    problem = only_problem(folder)
    assert problem.path.name == "en.yaml"
    assert "goodbye" in problem.reason
    assert 'goodbye: "…"' in problem.mend


def test_a_key_that_the_first_language_does_not_have_is_named_with_its_line(folder: Path) -> None:
    line = spoil(folder, "en", "goodbye:", 'goodbye: "Bye."\nwellcome: "Hello."')
    problem = only_problem(folder)
    assert (problem.path.name, problem.line) == ("en.yaml", line + 1)
    assert "wellcome" in problem.reason


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ('queue.position: "第{number}位"', "slot"),
        ('queue.position: "第{number:ordinal位"', "slot"),
        ('queue.position: "第{number:roman}位"', "cannot be read out by the rules chinese"),
        ("queue.position: ''", "no words"),
        ("queue.position: 12", "no words"),
        ("queue.position: [a]", "no words"),
    ],
)
def test_an_entry_that_is_wrong_is_named_with_line_reason_and_mend(folder: Path, entry: str, reason: str) -> None:
    line = spoil(folder, "zh-CN", "queue.position:", entry)
    problems = Catalogue.load(folder).problems
    problem = next(one for one in problems if one.path.name == "zh-CN.yaml")
    assert (problem.line, problem.column) == (line, 1)
    assert reason in problem.reason
    assert problem.mend


def test_a_key_must_be_a_file_name_in_every_system(folder: Path) -> None:
    line = spoil(folder, "zh-CN", "goodbye:", 'goodbye: "再见。"\n"../etc": "坏"')
    problem = only_problem(folder)
    assert problem.line == line + 1
    assert "not a key" in problem.reason


def test_a_key_may_not_be_the_name_of_a_piece(folder: Path) -> None:
    line = spoil(folder, "zh-CN", "goodbye:", 'goodbye: "再见。"\nseat.number.1: "坏"')
    problem = only_problem(folder)
    assert problem.line == line + 1
    assert "piece of seat.number" in problem.reason


def test_two_languages_must_have_the_same_slots(folder: Path) -> None:
    line = spoil(folder, "en", "queue.position:", 'queue.position: "You are waiting."')
    problem = only_problem(folder)
    assert (problem.path.name, problem.line) == ("en.yaml", line)
    assert "its slots are none, in zh-CN number" in problem.reason


def test_money_is_money_in_every_language(folder: Path) -> None:
    for language, kind in (("zh-CN", "amount"), ("en", "cardinal"), ("yue", "amount"), ("ug", "amount")):
        spoil(folder, language, "goodbye:", f'goodbye: "{{number:{kind}}}"')
    problem = only_problem(folder)
    assert problem.path.name == "en.yaml"
    assert "its slots are number, in zh-CN number (money)" in problem.reason


def test_a_word_that_numbers_need_must_be_there(folder: Path) -> None:
    spoil(folder, "en", "number.70:", "")
    assert "number.70" in only_problem(folder).reason


def test_a_file_whose_name_is_no_language_is_named(folder: Path) -> None:
    (folder / "en copy.yaml").write_text("welcome: x", encoding="utf-8")
    assert "en copy is not the tag of a language" in only_problem(folder).reason


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "a: 1\na: 2\n", "a: 'unclosed\n", "\tb: c\n"])
def test_a_file_that_is_no_catalogue_is_refused_where_it_is_wrong(folder: Path, text: str) -> None:
    (folder / "en.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadFile, match=r"en\.yaml:\d+:\d+: .+ Mend: "):
        Catalogue.load(folder)


def test_without_the_first_language_nothing_is_read(folder: Path) -> None:
    (folder / "zh-CN.yaml").unlink()
    with pytest.raises(BadFile, match=r"zh-CN\.yaml"):
        Catalogue.load(folder)


def test_a_language_is_added_by_adding_its_file(folder: Path) -> None:
    model = (folder / "zh-CN.yaml").read_text(encoding="utf-8")
    (folder / "hak.yaml").write_text(model.replace("espeak: cmn-latn-pinyin", "espeak: hak"), encoding="utf-8")
    catalogue = Catalogue.load(folder)
    assert catalogue.problems == ()
    assert next(iter(catalogue.tongues)) == "zh-CN"
    assert catalogue.tongues["hak"].espeak == "hak"
    assert catalogue.sentences["hak"]["queue.position"].render({"number": 2})[1] == "number.2"


def test_a_partial_language_is_told_and_is_no_fault(folder: Path) -> None:
    spoil(folder, "en", "  reads:", "  reads: english\n  partial: true")
    spoil(folder, "en", "goodbye:", "")
    catalogue = Catalogue.load(folder)
    assert catalogue.problems == ()
    (note,) = [note for note in catalogue.notes if "en.yaml" in note]
    assert note.endswith("1 sentences are missing and are said in zh-CN: goodbye.")


@pytest.mark.parametrize("key", ["number.70", "language.offer"])
def test_what_a_partial_language_reads_numbers_with_must_be_there_and_its_offer(folder: Path, key: str) -> None:
    spoil(folder, "en", "  reads:", "  reads: english\n  partial: true")
    spoil(folder, "en", f"{key}:", "")
    assert key in only_problem(folder).reason


@pytest.mark.parametrize(
    ("old", "new", "reason", "mend"),
    [
        ("  reads:", "  reads: french", "there are no rules french", "chinese, english"),
        ("  reads:", "", "missing key reads", "add a line"),
        ("  espeak:", "  speak: en", "unknown key speak", "espeak"),
        ("  espeak:", "  espeak: [en]", "text is expected here", "text"),
        ("language:", "tongue:", "does not say how its language is spoken", "zh-CN.yaml"),
    ],
)
def test_a_head_that_is_wrong_is_refused_where_it_is_wrong(
    folder: Path, old: str, new: str, reason: str, mend: str
) -> None:
    spoil(folder, "en", old, new)
    with pytest.raises(BadFile, match=r"en\.yaml:\d+:\d+: ") as caught:
        Catalogue.load(folder)
    assert reason in caught.value.reason
    assert mend in caught.value.mend


def test_the_first_language_cannot_be_partial(folder: Path) -> None:
    line = spoil(folder, "zh-CN", "  reads:", "  reads: chinese\n  partial: true")
    with pytest.raises(BadFile, match=rf"zh-CN\.yaml:{line + 1}:3: zh-CN may lack no sentence"):
        Catalogue.load(folder)


def test_a_sentence_is_played_in_pieces() -> None:
    seat = Catalogue.load(CATALOGUE).sentences["zh-CN"]["seat.number"]
    assert seat.render({"number": "8001"}) == ["digit.8", "digit.0", "digit.0", "digit.1", "seat.number.1"]
    english = Catalogue.load(CATALOGUE).sentences["en"]["seat.number"]
    assert english.render({"number": "17"}) == ["seat.number.1", "digit.1", "digit.7", "seat.number.2"]


def test_a_sentence_needs_its_values() -> None:
    position = Catalogue.load(CATALOGUE).sentences["zh-CN"]["queue.position"]
    with pytest.raises(CannotSay, match="number"):
        position.render({"place": 3})


def test_pieces_are_the_whole_script_for_a_speaker() -> None:
    catalogue = Catalogue.load(CATALOGUE)
    for language in catalogue.tongues:
        script = catalogue.pieces(language)
        words = [text for text in script.values() if text not in (TONE, SILENCE)]
        assert all(any(letter.isalnum() for letter in text) and "{" not in text for text in words)
        assert len(script) >= len(catalogue.sentences[language]) - 1


@pytest.mark.parametrize("language", Catalogue.load(CATALOGUE).tongues)
def test_nothing_is_read_as_english_or_left_out(language: Language, tmp_path: Path) -> None:
    """Some versions and voices of espeak-ng spell characters out in English; the phonemes then say so."""
    catalogue = Catalogue.load(CATALOGUE)
    words = [text for text in catalogue.pieces(language).values() if text not in (TONE, SILENCE)]
    script = tmp_path / "script.txt"
    script.write_text("\n\n".join(words), encoding="utf-8")
    voice = catalogue.tongues[language].espeak
    spoken = subprocess.run(
        ["espeak-ng", "-v", voice, "-q", "-x", "-f", script], capture_output=True, text=True, check=True
    )
    assert len(spoken.stdout.split("\n")) > len(words)
    assert "(en)" not in spoken.stdout
