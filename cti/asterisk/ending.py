"""Asking Asterisk to end something of ours: a leg, a bridge. One that does not answer is asked until it does.

while not await asked_to_go(ari.bridges.destroy(bridge), bridge):
    await asyncio.sleep(ASK_AGAIN_S)
"""

from __future__ import annotations

from collections.abc import Awaitable

import structlog

from cti.asterisk.errors import AriError, Gone, Unavailable

log = structlog.get_logger(__name__)

ASKED_EVERY_S = 0.01
"""How often Asterisk is asked whether something has gone, while no event can tell."""

ASK_AGAIN_S = 0.5
"""An Asterisk that does not answer is asked again after this long."""


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
