"""A switch for tests: what can go wrong between two systems. It exists only with `--faults`.

    POST /faults {"kind": "cut", "times": 1}      DELETE /faults: nothing is wrong any more; whatever waits is let go

    silent   the connection is cut before anything is done     late     done, and the answer waits
    cut      done, then the connection is cut                  twice    done, and answered twice on one connection
    failed   500 before anything is done                       failed_after   done, then 500
    busy     503 before anything is done                       garbage  done, and the answer is no JSON
    refused  403: this number gets no texts                    undeliverable  taken, but it reaches no telephone
    again    delivered, and its report comes twice             mute     nothing but that reports wait

As long as something is wrong with answers, or `mute`, no report goes out until DELETE: what came of a text is known by its
answer alone. Both ask for the signature, as everything does but /health.
"""

from __future__ import annotations

import asyncio
from typing import Literal, get_args

Kind = Literal[
    "silent",
    "cut",
    "late",
    "twice",
    "failed",
    "failed_after",
    "busy",
    "garbage",
    "refused",
    "undeliverable",
    "again",
    "mute",
]
REPORTED: tuple[Kind, ...] = ("refused", "undeliverable", "again")
"""Nothing is wrong with the answer."""
KINDS: tuple[Kind, ...] = get_args(Kind)


class Faults:
    """What goes wrong with the next texts."""

    def __init__(self) -> None:
        self._kind: Kind | None = None
        self._times = 0
        self.let_go = asyncio.Event()
        """Set when what waits may go on."""
        self.let_go.set()

    def set(self, kind: Kind, times: int) -> None:
        """This, so many times."""
        self._kind, self._times = kind, times
        self.let_go.clear()

    def clear(self) -> None:
        """Nothing any more."""
        self._times = 0
        self.let_go.set()

    def take(self) -> Kind | None:
        """What goes wrong with the text that comes now."""
        if not self._times:
            return None
        self._times -= 1
        return self._kind

    @property
    def mute(self) -> bool:
        """Whether reports are held back."""
        return not self.let_go.is_set() and self._kind not in REPORTED
