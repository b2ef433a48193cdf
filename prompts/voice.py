"""Who speaks. An engine turns words into a WAV file; espeak-ng is the default because it is always to be had.

Which of its voices speaks a language, and which words it gets wrong, stands in the language's file (`tongue.py`).

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
from prompts.tongue import Tongue

WORDS_PER_MINUTE = 150
"""Slower than the 175 espeak-ng begins with, about 190 characters: callers of seventy listen over a narrow line."""

_SPEAK_LIMIT_S = 30
"""The longest sentence takes espeak-ng 0.1 s; after this it hangs."""


class Voice(Protocol):
    """An engine that speaks."""

    def fingerprint(self, tongue: Tongue) -> str:
        """All that changes how it sounds: engine, version, parameters. A new fingerprint builds every piece again.

        Raises NotPossible when the engine cannot be used here."""
        ...

    def speak(self, text: str, tongue: Tongue, target: Path) -> None:
        """Write `text` as a WAV of any rate to `target`. Raises NotPossible. Called from several threads at once."""
        ...


class EspeakVoice:
    """espeak-ng as a subprocess, about 30 ms a sentence."""

    @cached_property
    def _version(self) -> str:
        return _espeak("--version").split("Data at")[0].strip()

    def fingerprint(self, tongue: Tongue) -> str:
        return f"{self._version} {tongue.espeak} {WORDS_PER_MINUTE} {sorted(tongue.pronounced.items())}"

    def speak(self, text: str, tongue: Tongue, target: Path) -> None:
        spoken = text
        for words, instead in tongue.pronounced.items():
            spoken = spoken.replace(words, f" {instead} ")
        _espeak("-v", tongue.espeak, "-s", str(WORDS_PER_MINUTE), "-w", str(target), "--", spoken)


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
        why = error.stderr.strip().rstrip(".")
        if "voice does not exist" in why:
            mend = f"write one of `espeak-ng --voices` in the language's file, not {arguments[1]}"
        else:
            mend = "apt-get install --reinstall espeak-ng"
        raise NotPossible(f"espeak-ng failed: {why}. Mend: {mend}.") from error
    return done.stdout
