"""The outbox: every text from its promise to its end, kept with the journal, so that it outlives every controller.

    queued ──the way took it──> taken ──its report came──> ended
       └──refused, or nobody took it in time──> ended         └──no report in time──> ended

A text keeps its name for as long as it is here: handed over twice, because an answer was lost or a controller died, it is one
text to the gateway. What it says and to whom is forgotten as soon as it is taken; that it was sent is remembered for a day
after its end, so that a caller who asks once more in the same call does not get it twice. A secret (a code) is never written
down: the journal holds only that there was one, and a controller that finds it there tells that it was lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

import msgspec
import structlog

from calls.clock import Clock, Instant
from calls.facts import TextEnded, TextOutcome, TextQueued, TextTaken
from calls.ports import FactSink
from calls.words import Language
from cti.sms.ways import Letter, NotTaken, Refused, Way
from cti.store import Journal
from ivr.texts import Said, Text

KEPT_FOR = timedelta(days=1)
"""A text that nobody takes for so long is worth nothing any more; and so long an ended one is remembered."""
REPORTED_WITHIN = timedelta(days=3)
"""A telephone that was off for longer gets no text: carriers give up after two or three days."""
SECRET_FOR_S = 60.0
"""A code that comes later than this finds nobody waiting for it."""

PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before a text is handed over again; the last one for ever."""
AT_ONCE = 8
"""Of those that are no secrets."""
LOOK_EVERY_S = 1.0

_PREFIX = "text/"

Write = Callable[[Said, Language], str]
"""Writes a sentence out. Raises CannotSay."""

log = structlog.get_logger(__name__)


class Owed(msgspec.Struct, frozen=True):
    """A text, as the journal has it."""

    name: str
    call_id: str
    state: Literal["queued", "taken", "ended"]
    since: datetime
    """From when it is in this state."""
    number: str | None = None
    body: str | None = None
    """None once it is taken, and always of a secret."""
    tries: int = 0


class _Trying(msgspec.Struct):
    """What this controller alone knows of a text that is queued."""

    begun: Instant
    again: Instant
    """Not before this."""
    letter: Letter
    secret: bool
    under_way: bool = False


class Outbox:
    """`ivr.texts.Texts`, on one way. `key` makes names that tell nothing; `write` writes sentences out."""

    def __init__(
        self, facts: FactSink, journal: Journal, clock: Clock, way: Way, key: bytes, write: Write, signature: str
    ) -> None:
        self.way = way
        self._facts, self._journal, self._clock, self._key = facts, journal, clock, key
        self._write, self._signature = write, signature
        self._moved = asyncio.Event()
        self._cleared_up: Instant | None = None
        self._owed = {owed.name: owed for owed in journal.find(_PREFIX, Owed).values()}
        self._trying: dict[str, _Trying] = {}
        for owed in list(self._owed.values()):
            if owed.state == "queued" and (owed.body is None or owed.number is None):
                self._end(owed, "lost")
            elif owed.state == "queued":
                self._try(Letter(owed.name, owed.number or "", owed.body or ""), secret=False)

    @property
    def offered(self) -> bool:
        """Not while the way is known not to work."""
        return self.way.state == "closed"

    @property
    def waiting(self) -> int:
        """How many are to be sent."""
        return len(self._trying)

    # --- what is sent

    def queue(self, text: Text) -> None:
        """See `ivr.texts.Texts`."""
        letter = self._letter(text, secret=False)
        if letter.name not in self._owed:
            self._take(text, letter, secret=False)

    def send_secret(self, text: Text) -> None:
        """See `ivr.texts.Texts`."""
        self._take(text, self._letter(text, secret=True), secret=True)

    def _letter(self, text: Text, *, secret: bool) -> Letter:
        body = f"【{self._signature}】"
        for said in text.said:
            body += ("" if body.endswith(("】", "。")) else " ") + self._write(said, text.language)
        same = hmac.new(self._key, f"{text.call_id}\n{text.number}\n{body}".encode(), hashlib.sha256)
        return Letter(uuid4().hex if secret else same.hexdigest()[:32], text.number, body)

    def _take(self, text: Text, letter: Letter, *, secret: bool) -> None:
        owed = Owed(
            letter.name,
            text.call_id,
            "queued",
            self._clock.utc(),
            number=None if secret else letter.number,
            body=None if secret else letter.body,
        )
        with self._journal.together():
            self._facts.record(TextQueued(call_id=text.call_id, text=letter.name, about=text.about, whose=text.whose))
            self._put(owed)
        self._try(letter, secret=secret)

    def _try(self, letter: Letter, *, secret: bool) -> None:
        now = self._clock.now()
        self._trying[letter.name] = _Trying(now, now, letter, secret)
        self._moved.set()

    # --- what becomes of it

    async def run(self) -> None:
        """Hand over what is due, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._moved.clear()
                self._clear_up()
                for trying in self._due():
                    trying.under_way = True
                    tasks.create_task(self._hand_over(trying))
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s()):
                        await self._moved.wait()

    def _due(self) -> list[_Trying]:
        """Secrets wait for nothing, since somebody waits for them."""
        now = self._clock.now()
        due = [one for one in self._trying.values() if not one.under_way and one.again <= now]
        room = AT_ONCE - sum(one.under_way for one in self._trying.values() if not one.secret)
        return [one for one in due if one.secret] + [one for one in due if not one.secret][:room]

    def _pause_s(self) -> float:
        """Until the next one is due; what is due already waits for room, and is told of that."""
        now = self._clock.now()
        ahead = [one.again - now for one in self._trying.values() if not one.under_way and one.again > now]
        return min([*ahead, LOOK_EVERY_S])

    async def _hand_over(self, trying: _Trying) -> None:
        name = trying.letter.name
        try:
            handed_over = await self.way.hand_over(trying.letter)
        except NotTaken as error:
            owed = self._owed[name]
            self._owed[name] = owed = msgspec.structs.replace(owed, tries=owed.tries + 1)
            pause_s = PAUSES_S[min(owed.tries, len(PAUSES_S)) - 1]
            trying.again = Instant(self._clock.now() + pause_s)
            log.warning("a text is handed over again", call_id=owed.call_id, text=name, reason=str(error))
        except Refused:
            self._end(self._owed[name], "refused")
        else:
            self._taken(self._owed[name], delivered=handed_over == "delivered")
        finally:
            trying.under_way = False
            self._moved.set()

    def reported(self, name: str, outcome: Literal["delivered", "undeliverable"]) -> None:
        """What the gateway says became of it; what is not known here, or known already, is nothing new."""
        owed = self._owed.get(name)
        if owed is None or owed.state == "ended":
            return
        if owed.state == "queued":  # the report was quicker than the answer, or the answer was lost
            self._taken(owed, delivered=False)
        self._end(self._owed[name], outcome)

    def _taken(self, owed: Owed, *, delivered: bool) -> None:
        if owed.state != "queued":
            return
        taken = Owed(owed.name, owed.call_id, "taken", self._clock.utc(), tries=owed.tries + 1)
        with self._journal.together():
            self._facts.record(TextTaken(call_id=owed.call_id, text=owed.name, tries=taken.tries))
            self._put(taken)
        self._trying.pop(owed.name, None)
        if delivered:
            self._end(taken, "delivered")

    def _end(self, owed: Owed, outcome: TextOutcome) -> None:
        if owed.state == "ended":
            return
        with self._journal.together():
            self._facts.record(TextEnded(call_id=owed.call_id, text=owed.name, outcome=outcome))
            self._put(Owed(owed.name, owed.call_id, "ended", self._clock.utc(), tries=owed.tries))
        self._trying.pop(owed.name, None)

    def _clear_up(self) -> None:
        """End what nobody takes or reports in time, and forget what ended long ago."""
        utc, now = self._clock.utc(), self._clock.now()
        if self._cleared_up is not None and now - self._cleared_up < LOOK_EVERY_S:
            return
        self._cleared_up = now
        for owed in list(self._owed.values()):
            age, trying = utc - owed.since, self._trying.get(owed.name)
            late = trying is not None and trying.secret and now - trying.begun > SECRET_FOR_S
            if owed.state == "queued" and (late or age > KEPT_FOR):
                self._end(owed, "too_late")
            elif owed.state == "taken" and age > REPORTED_WITHIN:
                self._end(owed, "unreported")
            elif owed.state == "ended" and age > KEPT_FOR:
                del self._owed[owed.name]
                self._journal.forget(_PREFIX + owed.name)

    def _put(self, owed: Owed) -> None:
        self._owed[owed.name] = owed
        self._journal.put(_PREFIX + owed.name, owed)
