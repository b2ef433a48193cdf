"""Several tasks that are one piece of work: when one of them fails, all end, and that failure is the work's.

Not a TaskGroup: one that fails leaves the task that waits for it marked as cancelled in Python 3.11, and the time limits of
whatever that task does next are not told. What reconnects for ever does something next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Until all are done or one fails; raises what that one raised. None of them is left running, also when cancelled."""
    work = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.gather(*work)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
