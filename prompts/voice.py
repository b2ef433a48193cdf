"""Who speaks. An engine turns words into a WAV file; espeak-ng is the default because it is always to be had.

It is called with the voice `cmn-latn-pinyin`: espeak-ng 1.51, which Debian 12 has, reads most characters under the
voice `cmn` as English letters and a number ("您" as "nin two", its issue 1236); under this one it speaks Mandarin.

To add an engine, write a class with the shape of `Voice` and enter it in `ENGINES`. A better voice needs no engine:
recorded WAV files replace any piece (`builder.py`).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from calls.errors import NotPossible
from calls.words import Language

WORDS_PER_MINUTE = 150
"""Slower than the 175 espeak-ng begins with, about 190 characters: callers of seventy listen over a narrow line."""

_SPEAK_LIMIT_S = 30
"""The longest sentence takes espeak-ng 0.1 s; after this it hangs."""

_VOICES: Mapping[Language, str] = {"zh-CN": "cmn-latn-pinyin", "en": "en"}

_PRONOUNCED = {
    "重新": "chong2 xin1",
    "重听": "chong2 ting1",
    "重复": "chong2 fu4",
    "服务": "fu2 wu4",
    "投诉": "tou2 su4",
    "凌晨": "ling2 chen2",
    "银行": "yin2 hang2",
    "调解": "tiao2 jie3",
    "调整": "tiao2 zheng3",
    "了解": "liao2 jie3",
    "退还": "tui4 huan2",
    "处理": "chu3 li3",
    "应当": "ying1 dang1",
    "增长": "zeng1 zhang3",
    "一般": "yi4 ban1",
    "一遍": "yi2 bian4",
    "一次": "yi2 ci4",
    "一个": "yi2 ge4",
    "不要": "bu2 yao4",
    "不是": "bu2 shi4",
    "不便": "bu2 bian4",
    "不具": "bu2 ju4",
    "不会": "bu2 hui4",
    "不对": "bu2 dui4",
    "不再": "bu2 zai4",
}
"""What espeak-ng, which reads character by character, gets wrong among the words of this trade. Add to it as needed:
hear what a new sentence becomes with `espeak-ng -v cmn-latn-pinyin -q -x`."""


class Voice(Protocol):
    """An engine that speaks."""

    def fingerprint(self, language: Language) -> str:
        """All that changes how it sounds: engine, version, parameters. A new fingerprint builds every piece again.

        Raises NotPossible when the engine cannot be used here."""
        ...

    def speak(self, text: str, language: Language, target: Path) -> None:
        """Write `text` as a WAV of any rate to `target`. Raises NotPossible. Called from several threads at once."""
        ...


class EspeakVoice:
    """espeak-ng as a subprocess, about 30 ms a sentence."""

    @cached_property
    def _version(self) -> str:
        return _espeak("--version").split("Data at")[0].strip()

    def fingerprint(self, language: Language) -> str:
        return f"{self._version} {_VOICES[language]} {WORDS_PER_MINUTE} {sorted(_PRONOUNCED.items())}"

    def speak(self, text: str, language: Language, target: Path) -> None:
        spoken = text
        if language == "zh-CN":
            for words, pinyin in _PRONOUNCED.items():
                spoken = spoken.replace(words, f" {pinyin} ")
        _espeak("-v", _VOICES[language], "-s", str(WORDS_PER_MINUTE), "-w", str(target), "--", spoken)


ENGINES: Mapping[str, Callable[[], Voice]] = {"espeak": EspeakVoice}
"""The engines by the name that the setting uses."""


def _espeak(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["espeak-ng", *arguments], capture_output=True, text=True, timeout=_SPEAK_LIMIT_S, check=True
        )
    except (FileNotFoundError, PermissionError) as error:  # the latter: a folder of PATH may be closed to us
        raise NotPossible("espeak-ng is not installed. Mend: apt-get install espeak-ng.") from error
    except subprocess.TimeoutExpired as error:
        raise NotPossible(f"espeak-ng hangs ({_SPEAK_LIMIT_S} s). Mend: run `espeak-ng 1` by hand.") from error
    except subprocess.CalledProcessError as error:
        raise NotPossible(
            f"espeak-ng failed: {error.stderr.strip()}. Mend: apt-get install --reinstall espeak-ng."
        ) from error
    return done.stdout
