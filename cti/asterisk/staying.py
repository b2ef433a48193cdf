"""Requests that make something: whoever asks stays until the answer is there, also when cancelled meanwhile.

A leg whose making is still on the way cannot be ended: Asterisk does not know it yet, says so, and then makes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def until_answered(request: Coroutine[Any, Any, T]) -> T:
    """The answer. Raises what the request raises; or, only once it is answered, CancelledError."""
    asked = asyncio.create_task(request)
    try:
        return await asyncio.shield(asked)
    except asyncio.CancelledError:
        await asyncio.gather(asked, return_exceptions=True)
        raise
