"""The outbox under a clock that the test moves: what is given up when, what is forgotten, and what waits for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calls.clock import Instant
from calls.facts import AnyFact, TextEnded, TextQueued, TextTaken
from cti.breaker import State
from cti.sms import Doorman, Outbox
from cti.sms.outbox import AT_ONCE, KEPT_FOR, REPORTED_WITHIN, SECRET_FOR_S, Owed
from cti.sms.signing import GOOD_FOR_S, signed
from cti.sms.ways import HandedOver, Letter, NotTaken
from cti.store import Journal
from ivr.texts import Said, Text
from tests.eventually import ended, eventually


class HandClock:
    """Goes when it is told to."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> Instant:
        return Instant(self.at)

    def utc(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.at)


class HandWay:
    """Takes texts, or not, or says nothing, as the test wants."""

    state: State = "closed"

    def __init__(self) -> None:
        self.takes = True
        self.answers = asyncio.Event()
        self.answers.set()
        self.letters: list[Letter] = []

    async def hand_over(self, letter: Letter) -> HandedOver:
        if self.takes:
            self.letters.append(letter)
        await self.answers.wait()
        if not self.takes:
            raise NotTaken("not now")
        return "taken"

    async def watch(self) -> None:
        await asyncio.Event().wait()


class Site:
    """An outbox at work."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.way = HandClock(), HandWay()
        self.facts: list[AnyFact] = []
        self.journal = Journal(folder / "journal.db", "node", self.clock)
        self.outbox = Outbox(self, self.journal, self.clock, self.way, b"key", lambda said, _: said.key, "12333")

    def record(self, fact: AnyFact) -> object:
        self.facts.append(fact)
        return self.journal.record(fact)

    def wake(self) -> None:
        """Another text comes: the outbox looks at all of them."""
        self.outbox.queue(text(f"wake {self.clock.at}"))

    async def became(self, outcome: str) -> None:
        await eventually(lambda: [f.outcome for f in self.facts if isinstance(f, TextEnded)] == [outcome])


def text(call: str = "call") -> Text:
    return Text(call, "card_loss", "+8613800000002", "bound", "zh-CN", (Said("loss.done"),))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    running = asyncio.create_task(site.outbox.run())
    yield site
    await ended([running])
    await site.journal.close()


async def test_what_nobody_takes_for_a_day_is_given_up(site: Site) -> None:
    site.way.takes = False
    site.outbox.queue(text())
    await asyncio.sleep(0)
    site.clock.at += KEPT_FOR.total_seconds() + 1
    site.wake()
    await site.became("too_late")
    assert site.outbox.waiting == 1, "the one that came now"


async def test_a_code_is_given_up_after_a_minute(site: Site) -> None:
    site.way.takes = False
    site.outbox.send_secret(text())
    site.outbox.queue(text())
    site.clock.at += SECRET_FOR_S + 1
    site.wake()
    await site.became("too_late")
    assert site.outbox.waiting == 2


async def test_what_was_taken_and_never_reported_is_told_after_days(site: Site) -> None:
    site.outbox.queue(text())
    await eventually(lambda: any(isinstance(fact, TextTaken) for fact in site.facts))
    site.clock.at += REPORTED_WITHIN.total_seconds() + 1
    site.wake()
    await site.became("unreported")


async def test_what_ended_is_forgotten_after_a_day_and_may_be_sent_again(site: Site) -> None:
    site.outbox.queue(text())
    await eventually(lambda: len(site.way.letters) == 1)
    [name] = {fact.text for fact in site.facts if isinstance(fact, TextQueued)}
    site.outbox.reported(name, "delivered")
    site.outbox.reported(name, "undeliverable")
    await site.became("delivered")
    site.outbox.queue(text())
    assert site.outbox.waiting == 0
    site.clock.at += KEPT_FOR.total_seconds() + 1
    site.wake()
    await eventually(lambda: site.journal.get(f"text/{name}", Owed) is None)
    site.outbox.queue(text())
    await eventually(lambda: len(site.way.letters) == 3)


async def test_a_report_that_is_quicker_than_the_answer_is_the_end_of_it(site: Site) -> None:
    site.way.answers.clear()
    site.outbox.queue(text())
    await eventually(lambda: len(site.way.letters) == 1)
    site.outbox.reported(site.way.letters[0].name, "delivered")
    site.way.answers.set()
    await site.became("delivered")
    assert [type(fact) for fact in site.facts] == [TextQueued, TextTaken, TextEnded]
    assert site.outbox.waiting == 0


async def test_a_code_waits_behind_no_other_text(site: Site) -> None:
    """The gateway says nothing, and as many texts as may hang at once do."""
    site.way.answers.clear()
    for call in range(2 * AT_ONCE):
        site.outbox.queue(text(f"call {call}"))
    await eventually(lambda: len(site.way.letters) == AT_ONCE)
    site.outbox.send_secret(text("code"))
    await eventually(lambda: len(site.way.letters) == AT_ONCE + 1)
    site.way.answers.set()
    await eventually(lambda: len(site.way.letters) == 2 * AT_ONCE + 1)


async def test_a_message_counts_once_and_for_five_minutes_and_not_if_it_is_older_than_the_door() -> None:
    clock = HandClock()
    before = signed(b"key", b"{}", clock)
    clock.at += 1
    doorman = Doorman(b"key", clock)
    assert not doorman.lets_in(before, b"{}"), "signed before the door was opened"
    now = signed(b"key", b"{}", clock)
    assert doorman.lets_in(now, b"{}")
    assert not doorman.lets_in(now, b"{}")
    clock.at += GOOD_FOR_S + 1
    late, other = signed(b"key", b"{}", clock), signed(b"key", b"{}", clock)
    assert not doorman.lets_in(now, b"{}")
    assert doorman.lets_in(late, b"{}")
    clock.at += GOOD_FOR_S + 1
    assert not doorman.lets_in(other, b"{}"), "five minutes on its way"
    assert not doorman.lets_in({**signed(b"key", b"{}", clock), "X-Timestamp": "soon"}, b"{}")
