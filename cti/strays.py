"""Raw tracks that belong to no conversation: a seat picked up in the instant in which the caller left.

Asterisk opens a track when the first sound comes, which may be after everybody is gone, so nobody can remove such a file
when it happens. It is removed once it has belonged to nobody, and not grown, for a whole round. A longer one, which an
older journal may have known, stays for a person to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from recordings.legs import RATE

log = structlog.get_logger(__name__)

ROUND_S = 10.0
"""A seat's track is claimed by its conversation within 3 s of the answer, and grows with each of Asterisk's buffers, 2 s."""

LONGEST_BYTES = 10 * 2 * RATE
"""10 s: more than passes between a seat's answer and its conversation."""


async def remove_strays(folder: Path, claimed: Callable[[], set[Path]]) -> None:
    """Look through the folder of raw tracks, for ever; `claimed` says which of them somebody will still need."""
    before: dict[Path, int] = {}
    while True:
        try:
            there = await asyncio.to_thread(_sizes, folder)
            ours = claimed()
            unclaimed = {track: size for track, size in there.items() if track not in ours}
            for track, size in unclaimed.items() & before.items():
                if size <= LONGEST_BYTES:
                    log.info("a track of no conversation is removed", track=track.name, bytes=size)
                    track.unlink(missing_ok=True)
            before = unclaimed
        except OSError as error:
            log.warning("stray tracks cannot be removed; tried again later", error=str(error))
        await asyncio.sleep(ROUND_S)


def _sizes(folder: Path) -> dict[Path, int]:
    return {track: track.stat().st_size for track in folder.glob("*.wav")}
