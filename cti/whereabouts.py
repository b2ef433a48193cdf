"""Where a calling number is from, as phonenumbers' tables have it: 浙江省杭州市.

The tables are 100 MB and half a second of loading, so they are in a process of their own, which is asked a line and answers
a line, ends with whoever asks, and is begun anew when it should be gone: `python -m cti.whereabouts zh`.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

ANSWER_S = 5.0
"""The first answer waits for the tables."""


class Whereabouts:
    """Asks that process, one question after the other."""

    def __init__(self, language: str) -> None:
        """`language`: two letters, of the places' names."""
        self._language = language
        self._process: Process | None = None
        self._asking = asyncio.Lock()

    async def of(self, number: str) -> str:
        """Where an E.164 number is from; empty when nobody knows, or when the process does not tell."""
        async with self._asking:
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await self._ask(number)
            except (TimeoutError, OSError):  # what it would answer later is no answer to the next question
                await self.close()
                return ""

    async def _ask(self, number: str) -> str:
        if self._process is None or self._process.returncode is not None:
            command = (sys.executable, "-m", __name__, self._language)
            self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        process = self._process
        assert process.stdin, "a pipe"
        assert process.stdout, "a pipe"
        process.stdin.write(number.encode() + b"\n")
        await process.stdin.drain()
        return (await process.stdout.readline()).decode().strip()

    async def close(self) -> None:
        """End the process; another question begins another one."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


def answer_for_ever(language: str) -> None:
    """A line in, a line out, until there are no more."""
    from phonenumbers import NumberParseException, geocoder, parse  # noqa: PLC0415 - the tables: only here

    for line in sys.stdin:
        place = ""
        with suppress(NumberParseException):
            place = geocoder.description_for_number(parse(line.strip()), language)
        sys.stdout.write(place + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    answer_for_ever(sys.argv[1])
