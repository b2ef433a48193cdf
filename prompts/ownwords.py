"""What callers hear that no catalogue can have: a city's own announcements, what its business system says of an office.

    own_words = OwnWords(state / "prompts", EspeakVoice())
    own_words.render(catalogue, "zh-CN", "二零二六年养老金调整")      # ahead of the call: it takes a tenth of a second
    sounds = Sounds(state / "prompts", own_words)
    sounds.media("choose.one", "zh-CN", title="二零二六年养老金调整", key=1)

Such words are said in a slot `{title:words}` of a sentence, in the voice and at the loudness of the catalogue, and slowly for
whoever asks. Each sentence is a file, named after all that it is made from: what is there is right, other words are another
file, and a call that plays a file plays it to its end. What was rendered once is there for every call until the controller
ends, so no call ever meets words that are gone.

Rendering blocks, and is one at a time: it is done beside the calls, never on the way of one.
"""

from __future__ import annotations

import unicodedata
import wave
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from calls.errors import BadFile, RexianError
from calls.words import Language
from prompts import audio
from prompts.builder import CODE, digest, finish, places, slow_of
from prompts.catalogue import Catalogue
from prompts.manifest import SLOW, Made
from prompts.reading import FIGURES, in_sentences, own_words
from prompts.voice import Voice

FOLDER = "own"
"""Of the rendered words, under the target of the build."""

_FAMILIES = ("L", "M", "N", "P", "Z")
"""Unicode's letters, marks, numbers, punctuation and spaces; symbols and pictures have no sound."""
_SYMBOLS = "%+~°"
_RARE = 0x10000
"""From here on the voices know no character, and spell its number instead."""


class OwnWords:
    """All words that were rendered since the start. May be used from any thread."""

    def __init__(self, target: Path, engine: Voice) -> None:
        """`target` is the folder of the build."""
        self._target, self._engine = target.absolute(), engine
        self._made: dict[str, dict[Language, Made]] = {}
        """By the key of a sentence: in which languages, and what is known of its file."""
        self._busy = Lock()

    def render(self, catalogue: Catalogue, language: Language, words: str) -> tuple[str, str] | None:
        """Make sure that these words can be said; the reason and the mend when they cannot be. Blocks.

        Raises OSError when the disk does not take them."""
        if fault := unspeakable(words):
            return fault
        with self._busy:
            try:
                for key, sentence in zip(own_words(words), in_sentences(words), strict=True):
                    if language not in (languages := self._made.get(key, {})):
                        self._made[key] = languages | {language: self._rendered(catalogue, language, sentence)}
            except BadFile:
                return "the voice says nothing of it", "write it in other words"
            except RexianError as error:
                reason, _, mend = str(error).partition(" Mend: ")
                return reason.rstrip("."), mend.rstrip(".")
        return None

    def find(self, key: str, language: Language) -> tuple[tuple[str, str], Made] | None:
        """Folder and name of the file of the sentence with this key, in that language or whichever it was written in."""
        if (languages := self._made.get(key)) is None:
            return None
        made = languages.get(language) or next(iter(languages.values()))
        return (FOLDER, made.source), made

    def remove_strays(self) -> None:
        """Remove the files that were not asked for since the start: no call of ours plays them. Raises OSError."""
        with self._busy:
            used = {f"{made.source}.wav" for languages in self._made.values() for made in languages.values()}
            for folder in (self._target / FOLDER, self._target / SLOW / FOLDER):
                for stray in folder.glob("*.wav"):
                    if stray.name not in used:
                        stray.unlink(missing_ok=True)

    def _rendered(self, catalogue: Catalogue, language: Language, words: str) -> Made:
        tongue = catalogue.tongues[language]
        spoken = _plain(words)
        if reads := FIGURES.get(tongue.reads):
            spoken = reads(spoken, {key: one.text for key, one in catalogue.sentences[language].items()})
        source = digest(self._engine.fingerprint(tongue), spoken, CODE)
        usual, slow = places(f"{FOLDER}/{source}", self._target)
        if found := _measured(source, usual, slow):
            return found
        for folder in (usual.parent, slow.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".rendering-", dir=usual.parent) as aside:
            fresh = Path(aside, usual.name)
            self._engine.speak(spoken, tongue, fresh)
            made = finish(audio.read(fresh), spoken, fresh, source, recorded=False)
            slow_of(fresh).replace(slow)
            fresh.replace(usual)
        return made


def unspeakable(words: str) -> tuple[str, str] | None:
    """The reason and the mend when no voice could say this."""
    if not any(letter.isalnum() for letter in words):
        return "there are no words to be said", "write what callers are to hear"
    for letter in words:
        is_said = unicodedata.category(letter)[0] in _FAMILIES or letter.isspace() or _plain(letter) in _SYMBOLS
        if ord(letter) >= _RARE or not is_said:
            name = unicodedata.name(letter, f"number {ord(letter)}").lower()
            return f"the voice cannot say {letter!r} ({name})", "write it in words, or remove it"
    return None


def _plain(words: str) -> str:
    """Letters and figures of full width as those of the keyboard."""
    return "".join(unicodedata.normalize("NFKC", one) if one.isalnum() or one in "％＋～" else one for one in words)


def _measured(source: str, usual: Path, slow: Path) -> Made | None:
    """What is known of two files that are there; None when one is not, or not whole."""
    sizes = [_size(place) for place in (usual, slow)]
    if None in sizes:
        return None
    [size, slow_size] = [size or 0 for size in sizes]
    [ms, slow_ms] = [round(1000 * (size - audio.HEADER_BYTES) / 2 / audio.RATE) for size in (size, slow_size)]
    return Made(source, size, ms, audio.SPEECH_LKFS, slow_size=slow_size, slow_ms=slow_ms)


def _size(place: Path) -> int | None:
    """Bytes of a sound of ours; None when it is not there, or was cut short."""
    try:
        size = place.stat().st_size
        with wave.open(str(place)) as sound:
            whole = size == audio.HEADER_BYTES + 2 * sound.getnframes()
    except (OSError, EOFError, wave.Error):
        return None
    return size if whole else None
