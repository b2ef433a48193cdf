"""The sentences as they were built, each as its picture.

A sentence with slots is known by its fixed words, each piece of them by itself. The words that only numbers and times
are read with are left out, and what is too short to be told from other speech: `SHORTEST`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec
import numpy as np

from calls.errors import NotPossible
from calls.words import Language
from prompts import audio, manifest
from prompts.catalogue import SILENCE, TONE, Piece, Sentence
from prompts.hearing.features import BANDS, Frames, frames, likeness, rows_in
from prompts.reading import keys_needed

ANCHOR = rows_in(0.576)
"""Rows by which a beginning is found."""

SHORTEST = rows_in(0.8)
"""Rows of voice: a shorter piece is not looked for, since the words are in other sentences, too (今天)."""

ANCHORS_AT = (0, ANCHOR)
"""Where in a clip these are: at its head, and a little later, should the head be lost on the way."""


class Clip(msgspec.Struct, frozen=True, eq=False):
    """One piece of the catalogue, as it sounds."""

    keys: tuple[str, ...]
    """The sentences whose words these are; more than one where the catalogue says the same twice."""
    language: Language
    frames: Frames
    """Without what all speech has in common."""
    voiced: int
    """Rows until its voice is over; after it comes only the pause that its last mark asks for."""


class Anchor(msgspec.Struct, frozen=True, eq=False):
    """The clip, and at which of its rows the anchor begins."""

    clip: Clip
    at: int


class Clips:
    """What can be recognised."""

    def __init__(self, clips: Iterable[Clip], mean: Frames) -> None:
        """`mean` is the row that all speech has in common, and has been taken from each clip."""
        self.clips = tuple(clips)
        self.mean = mean
        self.anchors = tuple(
            Anchor(clip, at) for clip in self.clips for at in ANCHORS_AT if at + ANCHOR <= max(ANCHOR, clip.voiced)
        )
        pictures = [anchor.clip.frames[anchor.at : anchor.at + ANCHOR] for anchor in self.anchors]
        self.matrix = np.ascontiguousarray(likeness(np.array(pictures).reshape(-1, ANCHOR, BANDS)).T)
        """A column an anchor: the likeness of each to a picture is one product."""

    @property
    def keys(self) -> frozenset[str]:
        """The sentences that can be recognised in some language."""
        return frozenset(key for clip in self.clips for key in clip.keys)

    @classmethod
    def load(cls, folder: Path, languages: Collection[Language] | None = None) -> Clips:
        """The voices that were built in `folder`, of these languages; None: of all. Raises NotPossible."""
        found = manifest.load(folder)
        if found is None:
            raise NotPossible(f"{folder}: no prompts were built there. Mend: rexian prompts build.")
        if missing := set(languages or ()) - set(found.sentences):
            raise NotPossible(
                f"{folder}: no voice was built for {', '.join(sorted(missing))}. Mend: rexian prompts build."
            )
        pieces = [
            (language, text, keys, folder / language / f"{name}.wav")
            for language in found.sentences
            if languages is None or language in languages
            for (text, name), keys in _pieces(found, language).items()
        ]
        heard = [_frames(path) for *_, path in pieces]
        mean = np.concatenate([np.zeros((1, BANDS), dtype=np.float32), *heard]).mean(axis=0)
        clips = [
            Clip(tuple(keys), language, rows - mean, voiced)
            for (language, _, keys, _), rows in zip(pieces, heard, strict=True)
            if (voiced := _voiced(rows)) >= SHORTEST
        ]
        return cls(clips, mean)


def _pieces(found: manifest.Manifest, language: Language) -> dict[tuple[str, str], list[str]]:
    """The words to be looked for and a piece that says them -> the keys of their sentences."""
    said: dict[str, str] = {}
    pieces: dict[tuple[str, str], list[str]] = {}
    values = keys_needed(found.reads[language])
    for key, text in found.sentences[language].items():
        if key in values or text in (TONE, SILENCE):
            continue
        for part in Sentence(key, text, found.reads[language]).parts:
            if isinstance(part, Piece):
                keys = pieces.setdefault((part.text, said.setdefault(part.text, part.key)), [])
                keys += [key] if key not in keys else []
    return pieces


def _frames(path: Path) -> Frames:
    try:
        return frames(audio.built(path))
    except OSError as error:
        raise NotPossible(f"{path}: {error}. Mend: rexian prompts build.") from error


def _voiced(rows: Frames) -> int:
    """The row after the last one that is not far below the clip's loud ones."""
    power = rows.mean(axis=1)
    loud = np.flatnonzero(power > power.min() + (power.max() - power.min()) / 3)
    return int(loud[-1]) + 1 if len(loud) else len(rows)
