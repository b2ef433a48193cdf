"""Asking Asterisk to end something of ours: a leg, a bridge. One that does not answer is asked until it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from cti.asterisk.client import Ari
from cti.asterisk.errors import AriError, Gone, Unavailable

log = structlog.get_logger(__name__)

ASKED_EVERY_S = 0.01
"""How often Asterisk is asked whether something has gone, while no event can tell."""

GONE_S = 1.0
"""A leg or a sentence that is told to end is gone within some 20 ms; after this long nobody waits for it."""

LAST_EVENT_S = 3.0
"""How long the end of a channel that we hung up may take to be told."""

ASK_AGAIN_S = 0.5
"""An Asterisk that does not answer is asked again after this long."""


async def until_gone(look: Callable[[], Awaitable[object]], what: str) -> None:
    """Ask Asterisk whether it is gone, again and again; after `GONE_S` nobody waits for it, which is logged with `what`.

    For what ends while no event is read, or whose events another controller gets. Raises AriError other than Gone.
    """
    for _ in range(round(GONE_S / ASKED_EVERY_S)):
        try:
            await look()
        except Gone:
            return
        await asyncio.sleep(ASKED_EVERY_S)
    log.warning("something of ours did not end", what=what)


async def asked_to_go(request: Awaitable[None], what: str) -> bool:
    """Whether Asterisk answered; that it was gone already is an answer, and so is a no, which is logged with `what`."""
    try:
        await request
    except Gone:
        pass  # its last event is on the way
    except Unavailable:
        return False
    except AriError as error:
        log.warning("something of ours could not be ended", what=what, error=str(error))
    return True


async def insist(request: Callable[[], Awaitable[None]], what: str) -> None:
    """Ask until Asterisk has answered, as `asked_to_go` has it."""
    while not await asked_to_go(request(), what):  # noqa: ASYNC110 - asking is the point
        await asyncio.sleep(ASK_AGAIN_S)


async def remove_bridge(ari: Ari, bridge: str) -> None:
    """Destroy it; returns when Asterisk has answered."""
    await insist(lambda: ari.bridges.destroy(bridge), bridge)
