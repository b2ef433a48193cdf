"""Asterisk's console, for what its REST interface does not have: one command, one answer.

The way `asterisk -rx` goes, without starting a program: a Unix socket that only Asterisk's own user may open.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from cti.asterisk.errors import Unavailable

ANSWER_S = 2.0
"""A command of ours is answered within a millisecond; an Asterisk that takes this long does not answer at all."""


async def console(socket: Path, command: str) -> str:
    """What Asterisk says to `command`, without its greeting. Raises Unavailable when it is not there."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(f"cli quit after {command}\0".encode())
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise Unavailable(f"Asterisk's console {socket} does not answer: {error!r}") from error
    return answer.partition(b"\n")[2].decode(errors="replace").strip()
