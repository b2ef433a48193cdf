"""Texts into a file, for development: a line of JSON each, in a file that only its owner reads. Nothing leaves the machine.

It holds whatever is sent, codes too: never name it on a hotline that citizens call.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from cti.breaker import State
from cti.sms.ways import HandedOver, Letter, NotTaken


class FileWay:
    """A `Way` into the file at `path`."""

    state: State = "closed"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: set[str] = set()
        """Names that are in the file."""
        if path.exists():
            self._written = {letter.name for letter in read(path)}

    async def hand_over(self, letter: Letter) -> HandedOver:
        """Written at once; a name that is there already is not written again."""
        if letter.name not in self._written:
            try:
                with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
                    file.write(msgspec.json.encode(letter) + b"\n")
            except OSError as error:
                raise NotTaken(f"{self._path}: {error.strerror}") from None
            self._written.add(letter.name)
        return "delivered"

    async def watch(self) -> None:
        """A file needs no watching."""
        await asyncio.Event().wait()


def read(path: Path) -> list[Letter]:
    """All that was written, in order; the last line, of a machine that failed, may be none."""
    letters = []
    for line in path.read_bytes().splitlines():
        try:
            letters.append(msgspec.json.decode(line, type=Letter))
        except msgspec.DecodeError:
            continue
    return letters
