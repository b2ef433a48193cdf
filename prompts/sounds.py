"""What the running hotline asks of its prompts: which files say this, and for how long.

    sounds = Sounds(state / "prompts")
    sounds.media("seat.number", "zh-CN", number="8001")
    -> ["sound:/…/zh-CN/digit.8", …, "sound:/…/zh-CN/seat.number.1"]
    sounds.slowly.media("seat.number", "zh-CN", number="8001")
    -> ["sound:/…/slow/zh-CN/digit.8", …, "sound:/…/slow/zh-CN/seat.number.1"]

Read once: nothing here touches the disk after the start, except in `join` and `remove_strays`. A new build is taken up by
making a new `Sounds`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from calls.errors import NotPossible
from calls.words import FIRST_LANGUAGE, Language
from prompts import audio, manifest
from prompts.catalogue import Sentence
from prompts.manifest import MUSIC, SLOW, Made
from prompts.ownwords import OwnWords
from prompts.reading import OWN, CannotSay, Value

Piece: TypeAlias = tuple[str, str]
"""One sound file: its folder, which is its language or that of a city's own words, and its name."""

JOINED = "joined"
"""Folder, under the target, of sentences that are one file each."""


class Sounds:
    """The sound files of one build."""

    def __init__(self, target: Path, own_words: OwnWords | None = None) -> None:
        """`target` is the folder that was built, `own_words` what is rendered besides. Raises NotPossible if nothing was."""
        found = manifest.load(target)
        if found is None:
            raise NotPossible(f"{target}: no prompts were built there. Mend: rexian prompts build.")
        self._target = self._spoken = target.absolute()
        self._own_words = own_words
        self._joined: dict[tuple[Piece, ...], Path] = {}
        """The one file of several pieces in a row."""
        self._made = found.pieces
        self._sentences = {
            language: {key: Sentence(key, text, found.reads[language]) for key, text in texts.items()}
            for language, texts in found.sentences.items()
        }

    @cached_property
    def slowly(self) -> Sounds:
        """The same sentences for a caller who has asked for slow speech."""
        slow = copy(self)
        slow._spoken = self._target / SLOW
        slow._joined = {}
        slow._made = {
            language: {key: made.slowly for key, made in pieces.items() if made.slow_size is not None}
            for language, pieces in self._made.items()
        }
        return slow

    @property
    def languages(self) -> tuple[Language, ...]:
        """What there is, zh-CN first."""
        return tuple(self._sentences)

    def path(self, piece: str, language: Language) -> Path:
        """The file of a piece, as `Sentence.render` names it."""
        return self._spoken / language / f"{piece}.wav"

    def media(self, key: str, language: Language, /, **values: Value) -> list[str]:
        """What to hand to Asterisk, in order. A sentence that `language` lacks is said in zh-CN.

        Raises CannotSay when no language has it, or a value cannot be read out."""
        pieces, _ = self._said(key, language, values)
        if whole := self._joined.get(pieces):
            return [f"sound:{whole.with_suffix('')}"]
        return [f"sound:{self._spoken}/{spoken}/{piece}" for spoken, piece in pieces]

    def join(self, sentences: Iterable[tuple[str, Language, int | str]]) -> None:
        """Say each of these (key, language, its {number}) by one file from now on. Blocks.

        Each file that is played costs Asterisk and us half a millisecond, however short it is (decision 0015). What cannot
        be said is passed over: `media` says why when somebody wants it said. Raises OSError, with what could not be read
        or written, when all the others are joined.
        """
        folder = self._target / JOINED
        folder.mkdir(exist_ok=True)
        problems: list[str] = []
        for key, language, number in sentences:
            try:
                pieces, made = self._said(key, language, {"number": number})
                if len(pieces) > 1 and pieces not in self._joined:
                    self._joined[pieces] = self._whole(folder, pieces, made)
            except CannotSay:
                continue
            except OSError as error:
                problems.append(str(error))
        if problems:
            raise OSError(f"{len(problems)} sentences, the first: {problems[0]}")

    def _whole(self, folder: Path, pieces: Iterable[Piece], made: Iterable[Made]) -> Path:
        """The one file of these pieces, made if it is not there as it should be. Raises OSError."""
        sources = "".join(each.source for each in made)
        whole = folder / f"{hashlib.sha256(sources.encode()).hexdigest()}.wav"
        size = audio.HEADER_BYTES + sum(each.size - audio.HEADER_BYTES for each in made)
        if not (whole.exists() and whole.stat().st_size == size):
            audio.join([self.path(piece, spoken) for spoken, piece in pieces], whole)
        return whole

    def remove_strays(self) -> None:
        """Remove the joined files that this build does not use: nobody must be using another build. Raises OSError."""
        for stray in set((self._target / JOINED).iterdir()) - set(self._joined.values()):
            stray.unlink(missing_ok=True)

    @property
    def music(self) -> str:
        """The waiting music, to hand to Asterisk behind what is said."""
        return f"sound:{self._target / MUSIC.with_suffix('')}"

    def length_ms(self, key: str, language: Language, /, **values: Value) -> int:
        """How long that plays, in ms. Raises CannotSay as `media` does."""
        return sum(each.ms for each in self._said(key, language, values)[1])

    def written(self, key: str, language: Language, /, **values: Value) -> str:
        """The sentence as it is sent to a telephone. One that `language` lacks is sent in zh-CN.

        Raises CannotSay when no language has it, or a value cannot be written."""
        for spoken in dict.fromkeys((language, FIRST_LANGUAGE)):
            if sentence := self._sentences.get(spoken, {}).get(key):
                return sentence.written(values)
        raise CannotSay(f"{key}: no sentence says this. Mend: rexian prompts check.")

    def _said(
        self, key: str, language: Language, values: Mapping[str, Value]
    ) -> tuple[tuple[Piece, ...], tuple[Made, ...]]:
        """The pieces, and what was made of each."""
        for spoken in dict.fromkeys((language, FIRST_LANGUAGE)):
            sentence = self._sentences.get(spoken, {}).get(key)
            if sentence is None:
                continue
            names = sentence.render(values)
            found = [one for name in names if (one := self._found(name, spoken))]
            if len(found) == len(names):
                return tuple(piece for piece, _ in found), tuple(made for _, made in found)
        raise CannotSay(f"{key}: no sound says this. Mend: rexian prompts check.")

    def _found(self, name: str, language: Language) -> tuple[Piece, Made] | None:
        """The piece of this name; None when it was not built, or not rendered."""
        if name.startswith(OWN):
            found = self._own_words.find(name, language) if self._own_words else None
            return (found[0], found[1].slowly) if found and self._spoken != self._target else found
        made = self._made.get(language, {}).get(name)
        return ((language, name), made) if made else None
