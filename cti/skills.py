"""Skills that a team lead moves: an adviser has another level of one, or none, for the rest of the day.

The files say what an adviser can do (decision 0011); this lies over them until the day ends in the hotline's zone, whatever
is read anew meanwhile. It is kept with the journal, and the engine knows it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from calls.clock import Clock
from calls.errors import NotPossible
from calls.words import SKILL_LEVELS
from cti.desk.feed import Feed, Moved
from cti.hotline import Hotline
from cti.store import Journal
from queues import Adviser

NONE = 0
"""A level: the adviser has no such skill."""
LOOKED_EVERY_S = 20.0
"""How soon after midnight the files hold again."""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A skill of an adviser, and its level from now on: 1 to 5, 0 for none; null: as the files say."""

    skill: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    level: Annotated[int, msgspec.Meta(ge=NONE, le=max(SKILL_LEVELS))] | None


class OfAdviser(msgspec.Struct, frozen=True):
    """What an adviser can do now, and what of it was moved today."""

    adviser: str
    skills: dict[str, int]
    moved: dict[str, Moved]


class AllSkills(msgspec.Struct, frozen=True):
    """Every skill that there is, and every adviser's."""

    skills: tuple[str, ...]
    advisers: tuple[OfAdviser, ...]


class Kept(msgspec.Struct, frozen=True):
    """Of one adviser, on one day."""

    day: date
    levels: dict[str, int]


class Skills:
    """Those of one controller. `changed` is told when advisers are to be given to the engine anew."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        zone: ZoneInfo,
        feed: Feed,
        hotline: Callable[[], Hotline],
        changed: Callable[[], None],
    ) -> None:
        self._journal, self._clock, self._zone, self._feed = journal, clock, zone, feed
        self._hotline, self._changed = hotline, changed
        self._kept = {key.removeprefix("skills/"): kept for key, kept in journal.find("skills/", Kept).items()}
        self._forget_old()
        self.tell()

    def advisers(self) -> dict[str, Adviser]:
        """By number, as they are at this moment: the files', and what was moved today."""
        return {number: self._now(adviser) for number, adviser in self._hotline().advisers.items()}

    def moved(self) -> dict[str, dict[str, int]]:
        """By adviser and skill, the level that was moved to today."""
        return {adviser: kept.levels for adviser, kept in sorted(self._kept.items())}

    def all(self) -> AllSkills:
        """For a lead to choose from."""
        advisers = self.advisers()
        of = (OfAdviser(number, advisers[number].skills, self._moved(number)) for number in sorted(advisers))
        return AllSkills(tuple(sorted(self._known())), tuple(of))

    def move(self, adviser: str, wish: Wish) -> None:
        """From now on, to the end of the day. Raises NotPossible when there is no such adviser or skill."""
        file = self._hotline().advisers.get(adviser)
        if file is None:
            raise NotPossible(f"there is no adviser {adviser}. Mend: use a number of lines/advisers.yaml")
        self._forget_old()
        levels = dict(self._kept[adviser].levels) if adviser in self._kept else {}
        if wish.skill not in self._known() and wish.skill not in levels:
            raise NotPossible(f"there is no skill {wish.skill}. Mend: use one of: {', '.join(sorted(self._known()))}")
        level = file.skills.get(wish.skill, NONE) if wish.level is None else wish.level
        levels[wish.skill] = level
        if level == file.skills.get(wish.skill, NONE):
            del levels[wish.skill]
        self._keep(adviser, levels)
        self._changed()

    async def run(self) -> None:
        """Let each day end, for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOKED_EVERY_S)

    def tell(self) -> None:
        """Tell the pages of all that was moved: the files, which may say something else now, are part of it."""
        for adviser in self._kept:
            self._tell(adviser)

    def look(self) -> None:
        """If the day is over, the files hold again."""
        if self._forget_old():
            self._changed()

    def _now(self, adviser: Adviser) -> Adviser:
        kept = self._kept.get(adviser.number)
        if kept is None:
            return adviser
        skills = {skill: level for skill, level in (adviser.skills | kept.levels).items() if level != NONE}
        return msgspec.structs.replace(adviser, skills=skills)

    def _known(self) -> set[str]:
        hotline = self._hotline()
        asked: Iterable[Mapping[str, int]] = (
            queue.skills for line in hotline.lines.values() for queue in line.queues.values()
        )
        return {skill for skills in (*asked, *(one.skills for one in hotline.advisers.values())) for skill in skills}

    def _moved(self, adviser: str) -> dict[str, Moved]:
        file = self._hotline().advisers.get(adviser)
        kept = self._kept.get(adviser)
        levels = kept.levels if kept else {}
        return {skill: Moved(level, file.skills.get(skill, NONE) if file else NONE) for skill, level in levels.items()}

    def _keep(self, adviser: str, levels: dict[str, int]) -> None:
        if levels:
            kept = self._kept[adviser] = Kept(self._today(), levels)
            self._journal.put(f"skills/{adviser}", kept)
        elif self._kept.pop(adviser, None):
            self._journal.forget(f"skills/{adviser}")
        self._tell(adviser)

    def _tell(self, adviser: str) -> None:
        self._feed.skills(adviser, self._moved(adviser))

    def _forget_old(self) -> bool:
        today = self._today()
        old = [adviser for adviser, kept in self._kept.items() if kept.day != today]
        for adviser in old:
            self._keep(adviser, {})
        return bool(old)

    def _today(self) -> date:
        return self._clock.utc().astimezone(self._zone).date()
