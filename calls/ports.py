"""What the rooms ask of the world, as Protocols; the edge implements them, tests pass their own."""

from __future__ import annotations

from typing import Protocol

from calls.facts import AnyFact


class FactSink(Protocol):
    """Takes facts. Never blocks and never raises: a call does not wait for its history to be written."""

    def record(self, fact: AnyFact) -> object:
        """Stamp the fact now and keep it; what is returned is the sink's own affair."""
        ...
