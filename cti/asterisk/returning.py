"""A channel's returns from the dialplan, one after the other.

Asterisk stamps what it tells to the millisecond, a passage through the dialplan takes less than one, and what is told twice in
the same letters is taken for one (`socket.py`). So a channel is sent out again only when its next return cannot have the
stamp of the last one: whoever presses a key in the instant in which a recording begins ends it there and then.
"""

from __future__ import annotations

import asyncio

TOLD_APART_S = 0.002


class Return:
    """Of one channel."""

    def __init__(self) -> None:
        self._back = asyncio.Event()
        self._at = 0.0

    def came(self) -> None:
        """It is back, or never will be."""
        self._at = asyncio.get_running_loop().time()
        self._back.set()

    async def again(self) -> None:
        """Before it is sent out: from now on its next return is waited for."""
        await asyncio.sleep(max(0.0, self._at + TOLD_APART_S - asyncio.get_running_loop().time()))
        self._back.clear()

    async def wait(self) -> None:
        """Until it is back."""
        await self._back.wait()
