"""The block list: calling numbers that are refused for some days, because somebody said so, with name and reason.

No entry is for ever: each has a last day, and a day by which somebody is to look whether it is still right; an alarm stands
from that day on until somebody has. Kept with the journal, like all that the call path must know: it outlives every
controller and needs no database. Numbers are compared in E.164; a caller id proves nothing, so a block keeps out whoever
shows that number, and no more is ever made of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from calls.clock import Clock
from calls.errors import NotPossible
from calls.facts import BlockEnded, BlockReviewed, NumberBlocked
from calls.numbers import normalise
from calls.ports import FactSink
from cti.alarms import Alarms
from cti.store import Journal

MOST_DAYS = 90.0
"""Whoever is to be kept out for longer is looked at again first."""

REVIEW_AFTER = timedelta(days=30)

LONGEST_REASON = 200
"""Characters: a sentence, not a file."""

REVIEW_DUE = "block_review_due"
"""Alarm: somebody was to look by now whether a block is still right. It names no number: alarms go out on the bus."""

LOOK_EVERY_S = 60.0


class Block(msgspec.Struct, frozen=True):
    """One entry. Instants are UTC, by the clock on the wall: days are meant."""

    calling_number: str
    """E.164."""
    reason: str
    by: str
    since: datetime
    until: datetime
    review_at: datetime
    reviewed_by: str | None = None
    """Who looked last; None: nobody yet."""


class Blocks(msgspec.Struct, frozen=True):
    """The next to be looked at first."""

    blocks: list[Block]


class BlockList:
    """The numbers that are refused now."""

    def __init__(
        self, facts: FactSink, journal: Journal, clock: Clock, region: str, exempts: Callable[[str], bool]
    ) -> None:
        """`exempts` tells numbers behind which many people are: those are not blocked."""
        self._facts, self._journal, self._clock, self._region = facts, journal, clock, region
        self._exempts = exempts
        self._alarms = Alarms(facts, journal)
        self._blocks = {block.calling_number: block for block in journal.find("block/", Block).values()}

    def refuses(self, number: str | None) -> bool:
        """Whether this number (E.164) is blocked at this moment; a withheld one never is."""
        block = self._blocks.get(number or "")
        return block is not None and block.until > self._clock.utc()

    def entries(self) -> list[Block]:
        """What stands at this moment, the next to be looked at first."""
        now = self._clock.utc()
        return sorted((one for one in self._blocks.values() if one.until > now), key=lambda one: one.review_at)

    def told(self, number: str) -> str:
        """How that number, as people write it, stands: in a few words for whoever changed it."""
        known = self._known(number)
        block = self._blocks.get(known)
        return f"{known} blocked until {block.until:%F %H:%M} UTC" if block else f"{known} may call"

    def add(self, number: str, days: float, reason: str, by: str) -> None:
        """Refuse this number, as people write it, for so many days. Raises NotPossible with the mend."""
        known = self._known(number)
        if self._exempts(known):
            raise NotPossible(
                f"{known} stands in redial_exempt: many people are behind it. Mend: take it out there first."
            )
        reason, by = _said(reason, "reason", "--reason"), _said(by, "name", "--by")
        now, until, review_at = self._term(days)
        block = Block(known, reason, by, now, until, review_at)
        told = NumberBlocked(calling_number=known, reason=reason, by=by, until=until, review_at=review_at)
        self._keep(block, told)

    def review(self, number: str, days: float, by: str) -> None:
        """Somebody looked again: it stands for so many days from now on. Raises NotPossible with the mend."""
        found, by = self._find(number), _said(by, "name", "--by")
        _, until, review_at = self._term(days)
        block = msgspec.structs.replace(found, until=until, review_at=review_at, reviewed_by=by)
        told = BlockReviewed(calling_number=found.calling_number, by=by, until=until, review_at=review_at)
        self._keep(block, told)

    def lift(self, number: str, by: str) -> None:
        """The number may call again. Raises NotPossible when it is not blocked."""
        found, by = self._find(number), _said(by, "name", "--by")
        self._end(found, BlockEnded(calling_number=found.calling_number, why="lifted", by=by))

    @property
    def problem(self) -> str | None:
        """What nobody has looked at in time, with the mend; None when all is looked at."""
        now = self._clock.utc()
        due = sum(block.review_at <= now for block in self.entries())
        mend = "Mend: rexian block list, then rexian block review or rexian block lift"
        return f"{due} blocked numbers were to be reviewed before now. {mend}" if due else None

    async def watch(self) -> None:
        """End what is over, and raise an alarm for what nobody has looked at in time, for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """As `watch`, once."""
        now = self._clock.utc()
        for block in [one for one in self._blocks.values() if one.until <= now]:
            self._end(block, BlockEnded(calling_number=block.calling_number, why="expired", by=None))
        self._alarms.tell(REVIEW_DUE, "block list", self.problem)

    def _keep(self, block: Block, told: NumberBlocked | BlockReviewed) -> None:
        with self._journal.together():
            self._facts.record(told)
            self._journal.put(f"block/{block.calling_number}", block)
            self._blocks[block.calling_number] = block
            self._alarms.tell(REVIEW_DUE, "block list", self.problem)

    def _end(self, block: Block, told: BlockEnded) -> None:
        with self._journal.together():
            self._facts.record(told)
            self._journal.forget(f"block/{block.calling_number}")
            del self._blocks[block.calling_number]
            self._alarms.tell(REVIEW_DUE, "block list", self.problem)

    def _term(self, days: float) -> tuple[datetime, datetime, datetime]:
        """Now, the end, and when somebody is to look again: for a short block never, since it is over by then."""
        if not 0 < days <= MOST_DAYS:
            raise NotPossible(
                f"a block of {days:g} days is not possible. Mend: write more than 0 and at most {MOST_DAYS:g}; "
                "whoever is still a nuisance then is blocked anew."
            )
        now = self._clock.utc()
        until = now + timedelta(days=days)
        return now, until, min(until, now + REVIEW_AFTER)

    def _known(self, number: str) -> str:
        known = normalise(number, self._region).e164
        if known is None:
            raise NotPossible(
                f"{number!r} is no telephone number. Mend: write one such as 13800001111 or +8657188881234."
            )
        return known

    def _find(self, number: str) -> Block:
        block = self._blocks.get(known := self._known(number))
        if block is None or block.until <= self._clock.utc():
            raise NotPossible(f"{known} is not blocked. Mend: rexian block list names those that are.")
        return block


def _said(text: str, what: str, option: str) -> str:
    """What somebody wrote, as one line."""
    said = " ".join(text.split())
    if not said or len(said) > LONGEST_REASON:
        raise NotPossible(f"a block needs a {what} of 1 to {LONGEST_REASON} characters. Mend: write it after {option}.")
    return said
