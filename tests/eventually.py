"""Waiting in tests for what another process or thread brings about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_S = 30.0
"""Only a failing test ever waits this long."""


async def eventually(true: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Return once `true()` is true. Raises TimeoutError when it never is."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)
