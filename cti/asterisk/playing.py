"""A sentence on a channel, begun so that it can always be ended: what began unseen would hold up the call.

await begin(ari, channel, playback, media)     # `playback`: a name of our own choosing
await hush(ari, playback)
"""

from __future__ import annotations

import asyncio

import structlog

from cti.asterisk.client import Ari
from cti.asterisk.errors import AriError, Gone
from cti.asterisk.staying import until_answered

log = structlog.get_logger(__name__)


async def begin(ari: Ari, channel: str, playback: str, media: list[str]) -> None:
    """Ask for it, and stay until that is answered, also when cancelled: then it is hushed. Raises AriError."""
    try:
        await until_answered(ari.channels.play_with_id(channel, playback, media=media))
    except asyncio.CancelledError:
        await hush(ari, playback)
        raise


async def hush(ari: Ari, playback: str) -> None:
    """Stop what is being said; whether it had ended meanwhile does not matter."""
    try:
        await ari.playbacks.stop(playback)
    except Gone:
        return
    except AriError as error:
        log.warning("a playback could not be stopped", error=str(error))
