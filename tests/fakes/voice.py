"""A voice for tests of everything but the voice: quick, and it can be made to fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.errors import NotPossible
from prompts.tongue import Tongue


class Whistle:
    """Whistles each text at a pitch of its own, and keeps what it was asked to say."""

    def __init__(self, version: str = "1", dumb: str = "") -> None:
        self.version, self.dumb = version, dumb
        self.said: list[str] = []

    def fingerprint(self, tongue: Tongue) -> str:
        return f"whistle {self.version} {tongue.espeak}"

    def speak(self, text: str, tongue: Tongue, target: Path) -> None:
        if text == self.dumb:
            raise NotPossible(f"{text} cannot be whistled. Mend: sing.")
        self.said.append(text)
        whistle(target, hz=300 + len(text))


def whistle(path: Path, hz: float, rate: int = 16000) -> None:
    """A WAV file of 250 ms, 8 dB below what a prompt has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.05 * np.sin(2 * np.pi * hz * np.arange(rate // 4) / rate), rate, format="WAV")
