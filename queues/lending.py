"""Lending between sites, with a guard: a site lends its advisers only while its own callers are well served.

A queue whose calls belong to a site may say what it keeps (`QueueRules.keeps`): so large a part of its last callers answered
within so many seconds. While one of a site's queues falls short of that, calls that belong elsewhere and have relaxed so far
that any site may take them are not given to that site's advisers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from queues.events import QueueRules

LOOKED_BACK_ON = 50
"""Callers of a queue."""

SEEN_AT_LEAST = 10
"""Callers before which nobody can say that a queue falls short."""


class Lending:
    """How the queues that keep something are served, and which sites do not lend at this moment."""

    def __init__(self, queues: Mapping[str, QueueRules]) -> None:
        self.closed: frozenset[str] = frozenset()
        """Sites that do not lend."""
        self._queues: Mapping[str, QueueRules] = {}
        self._in_time: dict[str, deque[bool]] = {}
        self.configure(queues)

    def configure(self, queues: Mapping[str, QueueRules]) -> None:
        """New files: what was seen of a queue still counts."""
        self._queues = queues
        self._look()

    def answered(self, queue: str, waited_s: float) -> bool:
        """A caller of this queue was answered. Whether that changed which sites lend."""
        rules = self._queues.get(queue)
        return bool(rules and rules.keeps and self._note(queue, waited_s <= rules.keeps.within_s))

    def gave_up(self, queue: str, waited_s: float) -> bool:
        """A caller of this queue left without an answer; whoever left in good time says nothing of the service."""
        rules = self._queues.get(queue)
        return bool(rules and rules.keeps and waited_s > rules.keeps.within_s and self._note(queue, in_time=False))

    def _note(self, queue: str, in_time: bool) -> bool:
        self._in_time.setdefault(queue, deque(maxlen=LOOKED_BACK_ON)).append(in_time)
        before = self.closed
        self._look()
        return self.closed != before

    def _look(self) -> None:
        self.closed = frozenset(
            rules.site for name, rules in self._queues.items() if rules.site is not None and self._falls_short(name)
        )

    def _falls_short(self, queue: str) -> bool:
        keeps, seen = self._queues[queue].keeps, self._in_time.get(queue, ())
        return keeps is not None and len(seen) >= SEEN_AT_LEAST and sum(seen) < keeps.part * len(seen)
