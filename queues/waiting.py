"""The waiting room: who waits, in groups of those who ask for the same, each in its turn.

A decision looks at the first of each group, so it costs as much as there are different things to ask for, not as many
callers as there are. Somebody is in the turn, or held: a seat is reserved or rings for the visit.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from calls.clock import Instant
from queues.events import NO_QUEUE, QueueRules
from queues.policy import Ask, Turn, Waiting, ask_of, next_change

Place = tuple[Turn, str]
"""A turn and the visit that has it."""


Rules = Mapping[str, QueueRules]
"""Of each queue by its name."""


class Group:
    """Callers of one queue who ask for the same at this moment, first turn first."""

    def __init__(self, queue: str, ask: Ask) -> None:
        self.queue, self.ask = queue, ask
        self.places: list[Place] = []


class WaitingRoom:
    """Everybody who waits. `changed` are those who came into the turn, or ask for something else, since it was emptied."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self._turn: dict[str, Waiting] = {}
        self._held: dict[str, Waiting] = {}
        self._group_of: dict[str, Group] = {}
        self._groups: dict[tuple[str, Ask], Group] = {}
        self._on_the_line: Counter[str] = Counter()
        """By queue: those who wait, and are not to be called back."""
        self._changes: list[tuple[Instant, str]] = []
        """A heap of when what somebody asks for changes; what is out of date is passed over."""

    # --- what others may look at

    def __contains__(self, visit: str) -> bool:
        return visit in self._turn or visit in self._held

    def __len__(self) -> int:
        """Those in the turn."""
        return len(self._turn)

    def everybody(self) -> Iterator[Waiting]:
        """In the turn and held, in no order."""
        yield from self._turn.values()
        yield from self._held.values()

    def place(self, visit: str) -> Place:
        """Of somebody in the turn."""
        return self._turn[visit].turn, visit

    def at(self, place: Place) -> Waiting:
        """Whose place in the turn it is."""
        return self._turn[place[1]]

    def get(self, visit: str) -> Waiting | None:
        """Whoever is in the turn under this name."""
        return self._turn.get(visit)

    def held(self, visit: str) -> Waiting | None:
        """Whoever a seat is reserved for, or rings for, under this name."""
        return self._held.get(visit)

    def groups(self) -> Iterable[Group]:
        """Those that have somebody in them."""
        return self._groups.values()

    def ask(self, visit: str) -> Ask:
        """What somebody in the turn asks for at this moment."""
        return self._group_of[visit].ask

    def size(self, queue: str) -> int:
        """How many wait on the line in a queue, held ones included."""
        return self._on_the_line[queue]

    def position(self, visit: str) -> int | None:
        """1 for the next in turn among those of the same queue; None when the visit does not wait."""
        mine = self._turn.get(visit) or self._held.get(visit)
        if mine is None:
            return None
        place = (mine.turn, visit)
        ahead = sum(
            bisect_left(group.places, place) for group in self._groups.values() if group.queue == mine.needs.queue
        )
        return (
            1 + ahead + sum(one.needs.queue == mine.needs.queue and one.turn < mine.turn for one in self._held.values())
        )

    def ahead(self, one: Waiting) -> Iterator[tuple[Ask, int]]:
        """How many have their turn before somebody in the turn, by what they ask for; of all queues."""
        place = (one.turn, one.visit)
        for group in self._groups.values():
            if before := bisect_left(group.places, place):
                yield group.ask, before

    def next_change(self) -> Instant | None:
        """When somebody asks for something else at the latest."""
        return self._changes[0][0] if self._changes else None

    # --- what moves

    def enter(self, one: Waiting, rules: Rules, now: Instant) -> None:
        """Into the turn."""
        self._on_the_line[one.needs.queue] += not one.away
        self._back_into(one, rules, now)

    def _back_into(self, one: Waiting, rules: Rules, now: Instant) -> None:
        self._turn[one.visit] = one
        self._into_group(one, rules, now)

    def hold(self, visit: str) -> Waiting:
        """Out of the turn: a seat is reserved."""
        self._out_of_group(visit)
        one = self._held[visit] = self._turn.pop(visit)
        return one

    def put_back(self, visit: str, rules: Rules, now: Instant) -> None:
        """Into the turn again, where the first wait says; whoever was not held is left alone."""
        if one := self._held.pop(visit, None):
            self._back_into(one, rules, now)

    def leave(self, visit: str) -> None:
        """No longer here, if ever."""
        if visit in self._turn:
            self._out_of_group(visit)
        if one := self._turn.pop(visit, None) or self._held.pop(visit, None):
            self._on_the_line[one.needs.queue] -= not one.away

    def relax(self, rules: Rules, now: Instant) -> None:
        """Have everybody ask for what their wait has come to."""
        while self._changes and self._changes[0][0] <= now:
            _, visit = heapq.heappop(self._changes)
            if one := self._turn.get(visit):
                self._out_of_group(visit)
                self._into_group(one, rules, now)

    def ask_anew(self, rules: Rules, now: Instant) -> None:
        """The rules are other ones."""
        self._changes.clear()
        for one in self._turn.values():
            self._out_of_group(one.visit)
            self._into_group(one, rules, now)

    def _into_group(self, one: Waiting, rules: Rules, now: Instant) -> None:
        steps = rules.get(one.needs.queue, NO_QUEUE).relax
        key = (one.needs.queue, ask_of(one.needs, steps, one.since, now))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(*key)
        insort(group.places, (one.turn, one.visit))
        self._group_of[one.visit] = group
        self.changed.add(one.visit)
        if change := next_change(steps, one.since, now):
            heapq.heappush(self._changes, (change, one.visit))

    def _out_of_group(self, visit: str) -> None:
        group = self._group_of.pop(visit)
        places = group.places
        del places[bisect_left(places, self.place(visit))]
        if not places:
            del self._groups[group.queue, group.ask]
        self.changed.discard(visit)
