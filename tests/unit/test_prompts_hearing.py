"""Sentences are recognised by their sound: each as itself through a bad line, and nothing where nothing was said."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from calls.errors import NotPossible
from calls.words import Language
from prompts import audio
from prompts.audio import RATE, Samples
from prompts.builder import BuildReport
from prompts.catalogue import SILENCE, TONE, Catalogue, Piece
from prompts.hearing import Clips, Prompt, Recogniser
from prompts.reading import keys_needed

SEED = 12333
A_LAW = 87.6
PART = RATE // 4
"""Samples that come at once: about what a call reads at a time."""

LANGUAGES = ("zh-CN", "en", "ug", "yue")
CUTS = 4
CALLS = 5
"""Of each language, of a handful of sentences each; by hand it was 300 of any: see decision 0022."""

FEW_WORDS = {
    "message.tone",
    "closed.day",
    "fax.key",
    "menu.own",
    "topic.text",
    "choose.one",
    "department.number",
    "office.at",
    "office.telephone",
}

Said = tuple[Language, str]


class Sentence(NamedTuple):
    said: Said
    samples: Samples


@pytest.fixture(scope="module")
def clips(spoken: tuple[Path, BuildReport]) -> Clips:
    return Clips.load(spoken[0])


def sentences(target: Path, catalogue: Catalogue, language: Language) -> list[Sentence]:
    """Every sentence that is one piece; the words that only values need are none."""
    values = keys_needed(catalogue.tongues[language].reads)
    return [
        Sentence((language, key), audio.built(target / language / f"{key}.wav"))
        for key, sentence in catalogue.sentences[language].items()
        if isinstance(sentence.parts[0], Piece) and len(sentence.parts) == 1
        if key not in values and sentence.text not in (TONE, SILENCE)
    ]


def pause(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE))


def through_a_bad_line(samples: Samples, dice: np.random.Generator) -> Samples:
    """Another level, a clock one part in a hundred fast or slow, noise 20 dB below the voice, and A-law (ITU-T G.711)."""
    rate = 1 + dice.uniform(-0.01, 0.01)
    moments = np.arange(round(len(samples) * rate)) / rate
    sound = np.interp(moments, np.arange(len(samples)), samples) * 10 ** (dice.uniform(-9, 3) / 20)
    voice = np.sqrt(np.mean(sound[np.abs(sound) > 1e-3] ** 2))
    sound = np.clip(sound + dice.normal(0, voice / 10, len(sound)), -1, 1)
    return through_a_law(sound)


def through_a_law(sound: Samples) -> Samples:
    size, bend = np.abs(sound), 1 + np.log(A_LAW)
    curved = np.where(size < 1 / A_LAW, A_LAW * size, 1 + np.log(np.maximum(A_LAW * size, 1))) / bend
    kept = np.round(curved * 127) / 127
    straight = np.where(kept < 1 / bend, kept * bend / A_LAW, np.exp(kept * bend - 1) / A_LAW)
    heard: Samples = np.sign(sound) * straight
    return heard


def heard(clips: Clips, sound: Samples) -> list[Prompt]:
    recogniser = Recogniser(clips)
    found = [prompt for at in range(0, len(sound), PART) for prompt in recogniser.hear(sound[at : at + PART])]
    return found + recogniser.finish()


def told(prompts: list[Prompt]) -> list[Said]:
    return [(prompt.language, prompt.keys[0]) for prompt in prompts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_is_heard_as_itself_through_a_bad_line(
    language: Language, spoken: tuple[Path, BuildReport], catalogue: Catalogue, clips: Clips
) -> None:
    same = {key: clip.keys[0] for clip in clips.clips if clip.language == language for key in clip.keys}
    choice = [sentence for sentence in sentences(spoken[0], catalogue, language) if sentence.said[1] in same]
    for call in range(CALLS):
        dice = np.random.default_rng((SEED, LANGUAGES.index(language), call))
        said = [choice[place] for place in dice.choice(len(choice), 3, replace=False)]
        sound = np.concatenate([part for one in said for part in (pause(dice.uniform(0, 0.5)), one.samples)])
        found = heard(clips, through_a_bad_line(sound, dice))
        assert told(found) == [(language, same[one.said[1]]) for one in said]
        assert all(prompt.whole for prompt in found)


def test_every_sentence_can_be_told_from_every_other(clips: Clips, catalogue: Catalogue) -> None:
    """But for the tone, and the few words around a day, a key or a line's own words: other sentences have them, too."""
    for language, known in catalogue.sentences.items():
        can = {key for clip in clips.clips if clip.language == language for key in clip.keys}
        values = keys_needed(catalogue.tongues[language].reads)
        assert set(known) - can - values <= FEW_WORDS


def test_when_each_began_and_ended_is_told(
    spoken: tuple[Path, BuildReport], catalogue: Catalogue, clips: Clips
) -> None:
    by_key = {one.said[1]: one.samples for one in sentences(spoken[0], catalogue, "zh-CN")}
    sound = np.concatenate([pause(1.0), by_key["notice"], pause(0.7), by_key["goodbye"]])
    notice, goodbye = heard(clips, through_a_law(sound))
    lasts_s = len(by_key["notice"]) / RATE
    assert notice.began_s == pytest.approx(1.0, abs=0.05)
    assert notice.ended_s == pytest.approx(1.0 + lasts_s, abs=0.4)
    assert goodbye.began_s == pytest.approx(1.7 + lasts_s, abs=0.05)


@pytest.mark.parametrize("keys", [("menu.main", "key.wrong"), ("notice", "notice")], ids=" ".join)
def test_a_sentence_that_is_cut_off_is_known_and_so_is_what_follows(
    spoken: tuple[Path, BuildReport], catalogue: Catalogue, clips: Clips, keys: tuple[str, str]
) -> None:
    first, second = (
        {one.said[1]: one.samples for one in sentences(spoken[0], catalogue, "zh-CN")}[key] for key in keys
    )
    prompts = heard(clips, np.concatenate([first[: 3 * RATE], second]))
    assert told(prompts) == [("zh-CN", key) for key in keys]
    assert [prompt.whole for prompt in prompts] == [False, True]
    assert prompts[0].ended_s == pytest.approx(3.0, abs=0.4)


@pytest.mark.parametrize(
    "keys",
    [("menu.main", "menu.main"), ("menu.main", "menu.self"), ("menu.main", "menu.other"), ("menu.card", "menu.self")],
    ids=" ".join,
)
def test_a_menu_that_a_key_cuts_off_is_known_before_and_so_is_the_next(
    spoken: tuple[Path, BuildReport], catalogue: Catalogue, clips: Clips, keys: tuple[str, str]
) -> None:
    """As a walk hears it, a tenth of a second at a time; nothing else is heard on the way, not for a moment."""
    first, second = (
        {one.said[1]: one.samples for one in sentences(spoken[0], catalogue, "zh-CN")}[key] for key in keys
    )
    for call in range(CUTS):
        dice = np.random.default_rng((SEED, call))
        cut, gap = first[: round(dice.uniform(2.3, 3.2) * RATE)], pause(dice.uniform(0, 0.2))
        sound = through_a_law(np.concatenate([pause(0.5), cut, gap, second[: 5 * RATE]]))
        recogniser, known = Recogniser(clips), list[str]()
        for at in range(0, len(sound), RATE // 10):
            prompts = recogniser.hear(sound[at : at + RATE // 10])
            known += [prompt.keys[0] for prompt in (*prompts, *filter(None, [recogniser.hearing()]))]
        assert list(dict.fromkeys(known)) == list(dict.fromkeys(keys))


@pytest.mark.parametrize("cut_s", [4.4, 4.55, 4.7, 4.85])
def test_what_is_said_into_a_sentence_that_breaks_off_is_heard(
    spoken: tuple[Path, BuildReport], catalogue: Catalogue, clips: Clips, cut_s: float
) -> None:
    """Where the first one ends is known to a quarter of a second; that must not cost the second one its head."""
    by_key = {one.said[1]: one.samples for one in sentences(spoken[0], catalogue, "zh-CN")}
    sound = np.concatenate([by_key["key.wrong"][: round(cut_s * RATE)], by_key["key.three_tries"]])
    assert told(heard(clips, through_a_law(sound))) == [("zh-CN", "key.wrong"), ("zh-CN", "key.three_tries")]


def test_what_breaks_off_where_it_could_be_another_is_nobodys(
    spoken: tuple[Path, BuildReport], catalogue: Catalogue, clips: Clips
) -> None:
    """The greeting of a call back begins with the words of the welcome."""
    by_key = {one.said[1]: one.samples for one in sentences(spoken[0], catalogue, "zh-CN")}
    assert told(heard(clips, np.concatenate([by_key["welcome"][: 4 * RATE], by_key["goodbye"]]))) == [
        ("zh-CN", "goodbye")
    ]


def test_a_head_that_was_lost_is_no_loss(spoken: tuple[Path, BuildReport], catalogue: Catalogue, clips: Clips) -> None:
    by_key = {one.said[1]: one.samples for one in sentences(spoken[0], catalogue, "zh-CN")}
    assert told(heard(clips, by_key["menu.main"][round(0.3 * RATE) :])) == [("zh-CN", "menu.main")]


def test_a_sentence_is_known_while_it_is_being_said(
    spoken: tuple[Path, BuildReport], catalogue: Catalogue, clips: Clips
) -> None:
    by_key = {one.said[1]: one.samples for one in sentences(spoken[0], catalogue, "zh-CN")}
    recogniser = Recogniser(clips)
    assert recogniser.hear(by_key["menu.main"][: 3 * RATE]) == []
    now = recogniser.hearing()
    assert now is not None
    assert (now.keys, now.whole) == (("menu.main",), False)
    assert recogniser.hear(by_key["menu.main"][3 * RATE :]) + recogniser.finish() != []
    assert recogniser.hearing() is None


def test_what_is_not_there_is_not_found(spoken: tuple[Path, BuildReport], catalogue: Catalogue, clips: Clips) -> None:
    """Silence, noise, a tone, the music, a voice backwards; and sentences whose own clips are not looked for."""
    sayings = sentences(spoken[0], catalogue, "zh-CN")
    dice = np.random.default_rng(SEED)
    speech = np.concatenate([sayings[place].samples for place in dice.choice(len(sayings), 8, replace=False)])
    moments = np.arange(5 * RATE) / RATE
    nothing = {
        "silence": pause(5),
        "noise": dice.normal(0, 0.05, 5 * RATE),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * moments),
        "music": audio.built(spoken[0] / "music" / "waiting.wav"),
        "backwards": speech[::-1],
    }
    for name, sound in nothing.items():
        assert told(heard(clips, through_a_law(sound))) == [], name
    others = Clips((clip for clip in clips.clips if clip.language in ("en", "ug")), clips.mean)
    assert told(heard(others, through_a_law(speech))) == []


def test_what_was_not_built_cannot_be_heard(tmp_path: Path, spoken: tuple[Path, BuildReport]) -> None:
    with pytest.raises(NotPossible, match="rexian prompts build"):
        Clips.load(tmp_path)
    with pytest.raises(NotPossible, match="no voice was built for fr"):
        Clips.load(spoken[0], ["zh-CN", "fr"])
