"""The decoder by which a keyed digit is found in a recording: it hears every key, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from cti.phone.places import RATE_HZ
from cti.phone.sound import Samples, silence, tone
from tests.dtmf import PAD, decode, tones

KEYS = "".join(PAD)


def keyed(keys: str, seconds: float, pause: Samples) -> Samples:
    return np.concatenate([part for key in keys for part in (tones(key, seconds), pause)])


@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("pause", [silence(0.05), tone(440, 0.1)], ids=["silence", "a voice between"])
def test_every_key_is_heard(seconds: float, pause: Samples) -> None:
    assert decode(keyed(KEYS + "1100", seconds, pause)) == KEYS + "1100"


def test_soft_keys_in_a_noisy_line_are_heard() -> None:
    sound = keyed("990101", 0.1, silence(0.1)) / 32768 * 0.05
    noise = np.random.default_rng(1).normal(0, 0.001, len(sound))
    assert decode(sound + noise) == "990101"


@pytest.mark.parametrize("hz", [440, 697, 770, 941, 1000, 1209, 1350, 1633, 3250])
def test_one_tone_is_no_key(hz: float) -> None:
    assert decode(tone(hz, 1.0)) == ""


def test_noise_is_no_key() -> None:
    assert decode(np.random.default_rng(1).normal(0, 0.1, 10 * RATE_HZ)) == ""
