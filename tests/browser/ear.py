"""Ears in a browser: which tone comes out of the conversation, measured where the adviser hears it.

A tone that never changes is noise to a browser's microphone, and is suppressed: what a page says is in syllables.
"""

from __future__ import annotations

import numpy as np
from playwright.async_api import Page

from cti.phone.places import RATE_HZ
from cti.phone.sound import Samples

LISTENS = """
const Plain = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Plain {
  constructor(...given) {
    super(...given);
    this.addEventListener('track', ({ track }) => {
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      analyser.fftSize = 8192;
      analyser.smoothingTimeConstant = 0;
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      const bins = new Float32Array(analyser.frequencyBinCount);
      window.heard = () => {
        analyser.getFloatFrequencyData(bins);
        const loudest = bins.reduce((best, level, bin) => (level > bins[best] ? bin : best), 0);
        return [loudest * context.sampleRate / analyser.fftSize, bins[loudest]];
      };
      window.level = (hz) => {
        analyser.getFloatFrequencyData(bins);
        const bin = Math.round(hz * analyser.fftSize / context.sampleRate);
        return Math.max(...bins.slice(bin - 2, bin + 3));
      };
    });
  }
};
"""
"""To be in a page before its own scripts: `heard()` is the loudest frequency of the last 0.17 s, Hz, and its level, dB;
`level(hz)` the level of that one."""

SILENCE = "() => (window.heard()?.[1] ?? 0) < -100"
"""To be waited for: nothing is heard any more."""

LOUD_DB = -50.0


def speech(hz: float) -> Samples:
    """Two seconds of that tone in four syllables a second."""
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    syllables = np.clip(1.5 * np.sin(2 * np.pi * 2 * time_s) ** 2, 0, 1)
    return np.asarray(10_000 * syllables * np.sin(2 * np.pi * hz * time_s), dtype=np.int16)


async def hears(page: Page, hz: float) -> None:
    """Wait until the page hears that tone. Raises Playwright's TimeoutError."""
    await page.wait_for_function(
        "([hz, loud]) => { const [heard, level] = window.heard?.() ?? [0, -200];"
        " return Math.abs(heard - hz) < 12 && level > loud; }",
        arg=[hz, LOUD_DB],
        polling=50,
    )


async def hears_all(page: Page, *tones: float) -> None:
    """Wait until the page has heard each of these tones, one after the other maybe. Raises Playwright's TimeoutError."""
    for hz in tones:
        await page.wait_for_function(
            "([hz, loud]) => (window.level?.(hz) ?? -200) > loud", arg=[hz, LOUD_DB], polling=50
        )
