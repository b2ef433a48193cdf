"""What the running hotline asks of its prompts: which files say this, and for how long.

    sounds = Sounds(state / "prompts")
    sounds.media("seat.number", "zh-CN", number="8001")
    -> ["sound:/…/zh-CN/digit.8", …, "sound:/…/zh-CN/seat.number.1"]

Read once: nothing here touches the disk after the start. A new build is taken up by making a new `Sounds`.
"""

from __future__ import annotations

from pathlib import Path

from calls.errors import NotPossible
from calls.words import FIRST_LANGUAGE, Language
from prompts import manifest
from prompts.catalogue import Sentence
from prompts.manifest import MUSIC, Made
from prompts.reading import CannotSay, Value


class Sounds:
    """The sound files of one build."""

    def __init__(self, target: Path) -> None:
        """`target` is the folder that was built. Raises NotPossible when nothing was."""
        found = manifest.load(target)
        if found is None:
            raise NotPossible(f"{target}: no prompts were built there. Mend: rexian prompts build.")
        self._target = target.absolute()
        self._made = found.pieces
        self._sentences = {
            language: {key: Sentence(key, text, language) for key, text in texts.items()}
            for language, texts in found.sentences.items()
        }

    def path(self, piece: str, language: Language) -> Path:
        """The file of a piece, as `Sentence.render` names it."""
        return self._target / language / f"{piece}.wav"

    def media(self, key: str, language: Language, /, **values: Value) -> list[str]:
        """What to hand to Asterisk, in order. A sentence that `language` lacks is said in zh-CN.

        Raises CannotSay when no language has it, or a value cannot be read out."""
        return [
            f"sound:{self.path(piece, spoken).with_suffix('')}"
            for spoken, piece, _ in self._said(key, language, values)
        ]

    @property
    def music(self) -> str:
        """The waiting music, to hand to Asterisk behind what is said."""
        return f"sound:{self._target / MUSIC.with_suffix('')}"

    def length_ms(self, key: str, language: Language, /, **values: Value) -> int:
        """How long that plays, in ms. Raises CannotSay as `media` does."""
        return sum(made.ms for _, _, made in self._said(key, language, values))

    def _said(self, key: str, language: Language, values: dict[str, Value]) -> list[tuple[Language, str, Made]]:
        for spoken in dict.fromkeys((language, FIRST_LANGUAGE)):
            sentence, made = self._sentences.get(spoken, {}).get(key), self._made.get(spoken, {})
            if sentence is None:
                continue
            pieces = sentence.render(values)
            if all(piece in made for piece in pieces):
                return [(spoken, piece, made[piece]) for piece in pieces]
        raise CannotSay(f"{key}: no sound says this. Mend: rexian prompts check.")
