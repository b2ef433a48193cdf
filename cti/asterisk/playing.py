"""A sentence on a channel, begun so that it can always be ended: what began unseen would hold up the call.

await begin(ari, channel, playback, media)     # `playback`: one of `sentences(channel)`, in turn
await hush(ari, playback)
await silence(ari, channel)                    # whatever a controller before this one was saying

The names follow from the channel's, so that the next controller knows them whatever the one that died could still write.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from cti.asterisk.client import Ari
from cti.asterisk.ending import until_gone
from cti.asterisk.errors import AriError, Gone
from cti.asterisk.staying import until_answered

log = structlog.get_logger(__name__)

RINGING_TONE = "tone:ring"
"""What an adviser hears while somebody's telephone rings for them."""


def sentences(channel: str) -> tuple[str, str]:
    """The names of all that is ever said on this channel, to be used in turn.

    Two are enough: Asterisk says one thing after another, so a name's last sentence is over before the other's begins.
    """
    return f"{channel}.a", f"{channel}.b"


async def begin(ari: Ari, channel: str, playback: str, media: list[str]) -> None:
    """Ask for it, and stay until that is answered, also when cancelled: then it is hushed. Raises AriError."""
    try:
        await until_answered(ari.channels.play_with_id(channel, playback, media=media))
    except asyncio.CancelledError:
        await hush(ari, playback)
        raise


async def hush(ari: Ari, playback: str) -> bool:
    """Stop what is being said; whether it was still being said."""
    try:
        await ari.playbacks.stop(playback)
    except Gone:
        return False
    except AriError as error:
        log.warning("a playback could not be stopped", error=str(error))
        return False
    return True


async def silence(ari: Ari, channel: str) -> None:
    """End what another controller was saying on this channel, and wait until its names are free."""
    await asyncio.gather(*(_end(ari, playback) for playback in sentences(channel)))


async def _end(ari: Ari, playback: str) -> None:
    """Its own event may not be read yet, or went to the controller that began it: Asterisk is asked."""
    if not await hush(ari, playback):
        return
    with suppress(AriError):  # then it cannot be known, and need not be
        await until_gone(lambda: ari.playbacks.get(playback), playback)
