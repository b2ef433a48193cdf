"""The words, as people edit them: `catalogue/<language>.yaml`, one `key: "sentence"` a line.

A file begins by saying how its language is spoken (`tongue.py`); every file of the folder is a language, named by its
tag (RFC 5646: `zh-CN`, `yue`, `ug`).

A sentence may hold slots, `{name:kind}`; the kinds are those of the rules that its language reads by
(`reading.READINGS`). A slot splits its sentence into pieces: in `seat.number: "{number:digits}号为您服务。"` the words
after the slot are the piece `seat.number.1`, and the digits are other sentences of the catalogue. A sentence without
slots is one piece under its own key. Every piece becomes one sound file of that name, so that a recorded voice can
replace any of them.

zh-CN is the model: each other language has exactly its keys, but for the words that numbers need, and a key that is
missing is spoken in zh-CN meanwhile. A language may say that it is partial: then what it lacks is told, as no fault.
Only its own offer and what it reads numbers with must be there in any case, or one caller would be told some places in
each language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from calls.errors import BadFile
from calls.words import FIRST_LANGUAGE, Language
from calls.yamlfile import Document, parse
from prompts.reading import READINGS, TAKES, CannotSay, Value, as_written, keys_needed
from prompts.tongue import HEAD, Tongue, introduced

CATALOGUE = Path(__file__).parent / "catalogue"
"""The folder of the words that come with the hotline."""

TONE = "♪"
"""In place of words: a short tone."""

SILENCE = "…"
"""In place of words: a short silence, as between two groups of digits."""

OFFER = "language.offer"
"""What no language may lack: said in zh-CN, it would offer zh-CN."""

_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SLOT = re.compile(r"\{([a-z_]+):([a-z_]+)\}")


class Piece(msgspec.Struct, frozen=True):
    """Words that are said in one go, and the name of their sound file."""

    key: str
    text: str


class Slot(msgspec.Struct, frozen=True):
    """Where a value is read out: its name, and how."""

    name: str
    kind: str


class Sentence(msgspec.Struct, frozen=True):
    """One entry of the catalogue."""

    key: str
    text: str
    reads: str
    """The rules by which its slots are read."""

    @property
    def parts(self) -> tuple[Piece | Slot, ...]:
        """What the sentence is made of, in the order it is said."""
        matches = list(_SLOT.finditer(self.text))
        if not matches:
            return (Piece(self.key, self.text),)
        parts: list[Piece | Slot] = []
        said, start = 0, 0
        for match in [*matches, None]:
            words = self.text[start : match.start() if match else None].strip()
            if any(letter.isalnum() for letter in words):
                said += 1
                parts.append(Piece(f"{self.key}.{said}", words))
            if match:
                parts.append(Slot(match[1], match[2]))
                start = match.end()
        return tuple(parts)

    def written(self, values: Mapping[str, Value]) -> str:
        """The sentence with its values, for somebody who reads it. Raises CannotSay as `render` does."""

        def filled(slot: re.Match[str]) -> str:
            if slot[1] not in values:
                raise CannotSay(f"{self.key} needs a value for {{{slot[1]}}}. Mend: pass {slot[1]}=… where it is sent.")
            return as_written(slot[2], values[slot[1]])

        return _SLOT.sub(filled, self.text)

    def render(self, values: Mapping[str, Value]) -> list[str]:
        """The keys of the pieces to play. Raises CannotSay when a slot has no value, or one that cannot be read."""
        keys: list[str] = []
        for part in self.parts:
            if isinstance(part, Piece):
                keys.append(part.key)
            elif part.name in values:
                keys += READINGS[self.reads][part.kind](values[part.name])
            else:
                raise CannotSay(
                    f"{self.key} needs a value for {{{part.name}}}. Mend: pass {part.name}=… where it is said."
                )
        return keys


class Catalogue:
    """Every sentence in every language. Does not change once loaded."""

    def __init__(
        self,
        tongues: Mapping[Language, Tongue],
        sentences: Mapping[Language, Mapping[str, Sentence]],
        problems: Iterable[BadFile],
        notes: Iterable[str],
    ) -> None:
        self.tongues = tongues
        """The languages, zh-CN first."""
        self.sentences = sentences
        self.problems = tuple(problems)
        """What is wrong with the files, sentence by sentence; the good sentences can be built all the same."""
        self.notes = tuple(notes)
        """What is good to know and no fault: the sentences that a partial language lacks."""

    @classmethod
    def load(cls, folder: Path) -> Catalogue:
        """Read `folder`. Raises BadFile when a file cannot be read at all; lesser faults are in `problems`."""
        paths = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
        problems = [_stranger(path) for language, path in paths.items() if not _TAG.fullmatch(language)]
        languages = dict.fromkeys([FIRST_LANGUAGE, *filter(_TAG.fullmatch, paths)])
        documents = {language: _parsed(folder / f"{language}.yaml") for language in languages}
        tongues: dict[Language, Tongue] = {}
        sentences: dict[Language, dict[str, Sentence]] = {}
        for language, document in documents.items():
            tongues[language] = introduced(document)
            sentences[language], wrong = _read(document, tongues[language])
            problems += wrong
        notes: list[str] = []
        for language, document in documents.items():
            missing, wrong = _compare(document, sentences[language], sentences[FIRST_LANGUAGE], tongues)
            problems += wrong
            if missing:
                named = f"{len(missing)} sentences are missing and are said in {FIRST_LANGUAGE}: {', '.join(missing)}"
                notes.append(f"{document.path}: note: {named}.")
        return cls(tongues, sentences, problems, notes)

    def pieces(self, language: Language) -> dict[str, str]:
        """What must be spoken in `language`: key of the sound file -> words. Tones and silences aside, a speaker's script."""
        return {
            part.key: part.text
            for sentence in self.sentences[language].values()
            for part in sentence.parts
            if isinstance(part, Piece)
        }


def _parsed(path: Path) -> Document:
    document = parse(path)
    if not isinstance(document.tree, Mapping):
        raise document.wrong(reason="the file has no sentences", mend='write one `key: "sentence"` a line')
    return document


def _read(document: Document, tongue: Tongue) -> tuple[dict[str, Sentence], list[BadFile]]:
    """The sentences of one file that are right, and what is wrong with the others."""
    sentences: dict[str, Sentence] = {}
    problems: list[BadFile] = []
    for key, text in document.tree.items():
        if key == HEAD:
            continue
        if fault := _fault(key, text, tongue.reads):
            reason, mend = fault
            problems.append(document.wrong(key, reason=f"{key}: {reason}", mend=mend))
        else:
            sentences[key] = Sentence(key, text, tongue.reads)
    for key, owner in _clashes(sentences):
        reason = f"{key}: this name is taken by a piece of {owner}"
        problems.append(document.wrong(key, reason=reason, mend="choose another key"))
        del sentences[key]
    return sentences, problems


def _fault(key: object, text: object, reads: str) -> tuple[str, str] | None:
    """The reason and the mend, when this entry is wrong."""
    if not (isinstance(key, str) and _KEY.fullmatch(key)):
        return "not a key", "use small letters, digits and _, parted by dots, as in queue.enter"
    if not isinstance(text, str) or not text.strip():
        return "no words", 'write the sentence in quotes: key: "words"'
    if set("{}") & set(_SLOT.sub("", text)):
        return "a slot is not well written", "write it as {name:kind}, as in {number:digits}"
    for name, kind in _SLOT.findall(text):
        if kind not in READINGS[reads]:
            known = ", ".join(READINGS[reads])
            return f"{{{name}:{kind}}} cannot be read out by the rules {reads}", f"use one of: {known}"
    return None


def _clashes(sentences: Mapping[str, Sentence]) -> list[tuple[str, str]]:
    """Keys that are also the name of a piece of another sentence, and that sentence's key."""
    return [
        (part.key, sentence.key)
        for sentence in sentences.values()
        for part in sentence.parts
        if isinstance(part, Piece) and part.key != sentence.key and part.key in sentences
    ]


def _compare(
    document: Document, own: Mapping[str, Sentence], model: Mapping[str, Sentence], tongues: Mapping[Language, Tongue]
) -> tuple[list[str], list[BadFile]]:
    """What a language lacks beside the model language and may lack; and what it must have, or has too much or otherwise."""
    tongue, written = tongues[document.path.stem], set(document.tree)
    needed = keys_needed(tongue.reads)
    every_number = frozenset[str]().union(*(keys_needed(one.reads) for one in tongues.values()))
    missing, required = sorted(model.keys() - every_number - written - {OFFER}), sorted((needed | {OFFER}) - written)
    if not tongue.partial:
        missing, required = [], sorted([*missing, *required])
    problems = [
        document.wrong(reason=f"{key}: this sentence is missing", mend=f'add a line `{key}: "…"`') for key in required
    ]
    for key in sorted(own.keys() - model.keys() - every_number):
        mend = f"correct its spelling, remove it, or add it to {FIRST_LANGUAGE}.yaml"
        problems.append(document.wrong(key, reason=f"{key}: {FIRST_LANGUAGE} has no such sentence", mend=mend))
    for key in sorted(own.keys() & model.keys()):
        mine, wanted = _slots(own[key]), _slots(model[key])
        if mine != wanted:
            reason = f"{key}: its slots are {mine or 'none'}, in {FIRST_LANGUAGE} {wanted or 'none'}"
            problems.append(document.wrong(key, reason=reason, mend="give it the same slots"))
    return missing, problems


def _slots(sentence: Sentence) -> str:
    """The slots, and what stands in each where it is not a number: 100 fen must not be read as 100 in another language."""
    slots = [part for part in sentence.parts if isinstance(part, Slot)]
    return ", ".join(sorted(slot.name + (f" ({TAKES[slot.kind]})" if slot.kind in TAKES else "") for slot in slots))


def _stranger(path: Path) -> BadFile:
    reason, mend = f"{path.stem} is not the tag of a language", "name it as in yue.yaml, or move it to another folder"
    return BadFile(path, 1, 1, reason, mend)
