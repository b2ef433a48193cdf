"""What was built, out of what: `manifest.json` beside the sound files, written last.

It is what makes the second build do nothing, and all that the running hotline reads: it speaks the sentences as they
were when their sounds were built, whatever the catalogue has become since.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from calls.words import Language

MUSIC = Path("music/waiting.wav")
"""Under the target folder; Asterisk's music on hold plays that folder."""

SLOW = "slow"
"""Folder, under the target, of the same pieces at a slower pace."""


class Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sound file."""

    source: str
    """SHA-256 of all that it was made from."""
    size: int
    """Bytes; a file of another size was damaged and is built again."""
    ms: int
    """How long it plays."""
    lkfs: float | None
    """Its loudness; None when it is a silence."""
    recorded: bool = False
    """Spoken by a person, not by an engine."""
    slow_size: int | None = None
    """Bytes of the slow one; None: there is none."""
    slow_ms: int | None = None

    @property
    def slowly(self) -> Made:
        """The slow one, where there is one."""
        assert self.slow_size is not None, "there is none"
        assert self.slow_ms is not None, "there is none"
        return msgspec.structs.replace(self, size=self.slow_size, ms=self.slow_ms)


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every sound file, and the sentences they make."""

    reads: dict[Language, str]
    """The rules by which each language reads numbers and times."""
    sentences: dict[Language, dict[str, str]] = {}
    pieces: dict[Language, dict[str, Made]] = {}
    music: Made | None = None


def load(target: Path) -> Manifest | None:
    """None when nothing was built there, or by another version."""
    try:
        return msgspec.json.decode((target / "manifest.json").read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def save(target: Path, manifest: Manifest) -> None:
    """Replace it in one step."""
    fresh = target / ".manifest.json"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    fresh.replace(target / "manifest.json")
