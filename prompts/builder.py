"""Words + voices -> sound files: `<target>/<language>/<key>.wav`, `<target>/music/waiting.wav` and the manifest.

Each piece is there once more below `<target>/slow/`, for callers who ask for slow speech. It is the same sound, stretched: so
it is one voice, an engine's or a person's, in every language, and no engine need be asked twice.

A file `<voices>/<language>/<key>.wav`, recorded by a person, is taken instead of the engine's voice, key by key.
Each file is made only when something it is made from has changed: its words, the engine, the recording, or the code in
`audio.py` and `music.py`. It is made aside and moved into place, so a call that plays the old one plays it to its end.

The files are 16-bit WAV at 8 kHz. A-law files would spare an A-law trunk one table look-up a sample, and would cost
every other codec, every sound editor and our own checks a conversion.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from calls.errors import BadFile, NotPossible, RexianError
from calls.words import Language
from prompts import audio, manifest, music
from prompts.catalogue import SILENCE, TONE, Catalogue
from prompts.manifest import MUSIC, SLOW, Made, Manifest
from prompts.tongue import Tongue
from prompts.voice import Voice


class BuildReport(msgspec.Struct, frozen=True):
    """What a build did; each name is `<language>/<key>`, in order."""

    built: tuple[str, ...]
    kept: tuple[str, ...]
    overridden: tuple[str, ...]
    """Spoken by a person: built or kept, from a recorded file."""
    removed: tuple[str, ...]
    problems: tuple[RexianError, ...]
    """What could not be done, each with its mend. All the rest was done."""


class Plan(NamedTuple):
    """One sound file that should be there, and how to make it."""

    name: str
    source: str
    recorded: bool
    make: Callable[[Path], Made]
    """Writes the sound to the path it is given, and, where there is one, the slow one beside it. Raises RexianError."""


def build(catalogue: Catalogue, voices: Path | None, target: Path, engine: Voice) -> BuildReport:
    """Make what is missing or out of date, remove what is no longer wanted.

    Raises NotPossible when the engine cannot be used at all or `target` cannot be written; lesser faults are reported.
    """
    before = _known(manifest.load(target))
    plans, problems = _plan(catalogue, voices, engine, before)
    made = {plan.name: before[plan.name] for plan in plans if _is_current(plan, before, target)}
    kept = tuple(made)
    try:
        for plan, outcome in _make(plans=[plan for plan in plans if plan.name not in made], target=target):
            if isinstance(outcome, Made):
                made[plan.name] = outcome
            else:
                problems.append(outcome)
        removed = tuple(sorted(before.keys() - made.keys()))
        for name in removed:
            for place in places(name, target):
                place.unlink(missing_ok=True)
        manifest.save(target, _as_manifest(catalogue, made))
    except OSError as error:
        reason = f"{error.filename or target} cannot be written: {error.strerror}"
        raise NotPossible(f"{reason}. Mend: free some space there, or give it to the user that runs rexian.") from error
    return BuildReport(
        built=tuple(sorted(made.keys() - set(kept))),
        kept=kept,
        overridden=tuple(sorted(name for name, one in made.items() if one.recorded)),
        removed=removed,
        problems=tuple({str(problem): problem for problem in problems}.values()),  # what every piece meets is told once
    )


def check(catalogue: Catalogue, voices: Path | None, target: Path, engine: Voice) -> list[RexianError]:
    """Everything wrong with the words, the recorded voices and what was built; empty when all is well.

    Changes nothing. Raises NotPossible when the engine cannot be used at all."""
    before = _known(manifest.load(target))
    plans, problems = _plan(catalogue, voices, engine, before)
    if stale := [plan.name for plan in plans if not _is_current(plan, before, target)]:
        named = ", ".join(stale[:5]) + (", …" if len(stale) > 5 else "")
        sentence = f"{target}: {len(stale)} of {len(plans)} sound files are missing or out of date ({named})"
        problems.append(NotPossible(f"{sentence}. Mend: rexian prompts build."))
    return problems


def _plan(
    catalogue: Catalogue, voices: Path | None, engine: Voice, before: dict[str, Made]
) -> tuple[list[Plan], list[RexianError]]:
    """Every sound file that should be there, and what is wrong with words and recordings.

    A recording that was taken `before` and has not changed since is not listened to again."""
    problems: list[RexianError] = list(catalogue.problems)
    plans = [_music()]
    for language, tongue in catalogue.tongues.items():
        pieces = catalogue.pieces(language)
        spoken_by = engine.fingerprint(tongue)
        recorded = {path.stem: path for path in sorted(voices.glob(f"{language}/*.wav"))} if voices else {}
        problems += [_unknown(path, pieces) for key, path in recorded.items() if key not in pieces]
        for key, text in pieces.items():
            plan = _spoken(f"{language}/{key}", text, tongue, engine, spoken_by)
            if key in recorded:
                try:
                    plan = _recorded(language, key, text, recorded[key], before)
                except BadFile as error:
                    problems.append(error)
            plans.append(plan)
    return plans, problems


def _spoken(name: str, text: str, tongue: Tongue, engine: Voice, spoken_by: str) -> Plan:
    def make(path: Path) -> Made:
        if text == TONE:
            return _twice(music.tone(), path, source, recorded=False)
        if text == SILENCE:
            return _twice(audio.silence(), path, source, recorded=False)
        engine.speak(text, tongue, path)
        return finish(audio.read(path), text, path, source, recorded=False)

    source = digest(spoken_by, text, CODE)
    return Plan(name, source, recorded=False, make=make)


def _recorded(language: Language, key: str, text: str, voice: Path, before: dict[str, Made]) -> Plan:
    """Raises BadFile when `voice` cannot be used."""

    def make(path: Path) -> Made:
        return finish(audio.read(voice), text, path, source, recorded=True)

    try:
        source = digest(voice.read_bytes(), text, CODE)
    except OSError as error:
        raise BadFile(voice, 1, 1, error.strerror or str(error), "check that it is a file and may be read") from error
    name = f"{language}/{key}"
    if name not in before or before[name].source != source:
        audio.read(voice)
    return Plan(name, source, recorded=True, make=make)


def _music() -> Plan:
    def make(path: Path) -> Made:
        song = music.waiting()
        return _written(song, path, source, recorded=False)

    source = digest(CODE, Path(music.__file__).read_bytes())
    return Plan(str(MUSIC.with_suffix("")), source, recorded=False, make=make)


def finish(samples: audio.Samples, text: str, path: Path, source: str, *, recorded: bool) -> Made:
    """Write a voice as every prompt is: trimmed, with the pause that its last mark asks for, at one loudness; and slowly."""
    spoken = audio.level(audio.trim(samples, text), audio.SPEECH_LKFS)
    return _twice(spoken, path, source, recorded=recorded)


def _twice(samples: audio.Samples, path: Path, source: str, *, recorded: bool) -> Made:
    """Write it, and the slow one beside it."""
    made, slow = _written(samples, path, source, recorded=recorded), audio.slowly(samples)
    if made.lkfs is not None:
        slow = audio.level(slow, audio.SPEECH_LKFS)
    slow_made = _written(slow, slow_of(path), source, recorded=recorded)
    return msgspec.structs.replace(made, slow_size=slow_made.size, slow_ms=slow_made.ms)


def _written(samples: audio.Samples, path: Path, source: str, *, recorded: bool) -> Made:
    audio.write(path, samples)
    ms, lkfs = round(1000 * len(samples) / audio.RATE), audio.loudness(samples)
    return Made(source, path.stat().st_size, ms, None if math.isinf(lkfs) else round(lkfs, 2), recorded)


def _make(plans: list[Plan], target: Path) -> Iterator[tuple[Plan, Made | RexianError]]:
    """Carry the plans out, as many at once as there are cores. Raises OSError."""
    target.mkdir(parents=True, exist_ok=True)

    def carry_out(plan: Plan) -> Made | RexianError:
        fresh = Path(aside, plan.name.replace("/", "-"))
        try:
            made = plan.make(fresh)
        except RexianError as error:
            return error
        for part, place in zip((fresh, slow_of(fresh)), places(plan.name, target), strict=True):
            if part.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                part.replace(place)
        return made

    with TemporaryDirectory(prefix=".building-", dir=target) as aside, ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(plans, pool.map(carry_out, plans), strict=True)


def _is_current(plan: Plan, before: dict[str, Made], target: Path) -> bool:
    made = before.get(plan.name)
    if made is None or made.source != plan.source:
        return False
    sizes = zip(places(plan.name, target), (made.size, made.slow_size), strict=True)
    return all(size is None or (place.is_file() and place.stat().st_size == size) for place, size in sizes)


def places(name: str, target: Path) -> tuple[Path, Path]:
    """Where a sound is, and its slow one."""
    return target / f"{name}.wav", target / SLOW / f"{name}.wav"


def slow_of(path: Path) -> Path:
    """The slow sound, while both are being made."""
    return path.with_name(f"{path.name}-slow")


def _known(found: Manifest | None) -> dict[str, Made]:
    """The sound files of a manifest by name."""
    if found is None:
        return {}
    known = {f"{language}/{key}": made for language, made_of in found.pieces.items() for key, made in made_of.items()}
    return known | ({str(MUSIC.with_suffix("")): found.music} if found.music else {})


def _as_manifest(catalogue: Catalogue, made: dict[str, Made]) -> Manifest:
    return Manifest(
        reads={language: tongue.reads for language, tongue in catalogue.tongues.items()},
        sentences={
            language: {key: sentence.text for key, sentence in sentences.items()}
            for language, sentences in catalogue.sentences.items()
        },
        pieces={
            language: {key: made[name] for key in catalogue.pieces(language) if (name := f"{language}/{key}") in made}
            for language in catalogue.tongues
        },
        music=made.get(str(MUSIC.with_suffix(""))),
    )


def _unknown(path: Path, pieces: dict[str, str]) -> BadFile:
    near = difflib.get_close_matches(path.stem, pieces, n=1)
    mend = f"name it {near[0]}.wav" if near else "name it after a key of the catalogue, or remove it"
    return BadFile(path, 1, 1, "no sentence has this key", mend)


def digest(*parts: str | bytes) -> str:
    """One word for all that a sound file is made from."""
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hashed.update(len(data).to_bytes(8, "big") + data)
    return hashed.hexdigest()


CODE = Path(audio.__file__).read_bytes()
"""A change in how sound is treated builds every file again."""
