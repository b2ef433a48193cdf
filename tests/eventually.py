"""Waiting in tests for what another process or thread brings about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

PATIENCE_S = 30.0
"""Only a failing test ever waits this long."""


async def eventually(true: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Return once `true()` is true. Raises TimeoutError when it never is."""
    pause_s = 0.01
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(pause_s)
            pause_s = min(1.2 * pause_s, 0.1)  # what takes long is not hastened by asking


async def ended(tasks: Collection[asyncio.Task[Any]], again_s: float = 1.0) -> None:
    """Cancel these tasks until they are over; those who are not after `again_s` once more.

    Once is not enough: Python 3.11's `wait_for` and TaskGroup forget a cancellation that comes together with what they wait
    for, and whoever clears up behind itself may ask a deaf Asterisk for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again_s)
