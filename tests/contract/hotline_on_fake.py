"""A controller's calls on the fake Asterisk: real node, sessions, floor, recorder, journal; only Asterisk is made up.

    async with site.controller() as calls:
        caller = calls.dial()
        await calls.told(NoticeHeard)
        calls.fake.dtmf(caller, "1")

A controller is left by its block, as dead as one that was killed: what it does to Asterisk while it is cancelled is not
let through. The next block is the next controller, on the same journal and the same Asterisk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from types import CoroutineType
from typing import TypeVar
from uuid import uuid4

import pytest

from calls.clock import Instant, SystemClock
from calls.errors import NotPossible
from calls.facts import AnyFact, CallEnded
from calls.moments import AwaitingKey, MenuStarted
from cti.asterisk.client import Ari
from cti.asterisk.kept import KeptCall
from cti.asterisk.node import Node
from cti.business.absent import NoBusiness
from cti.categories import load_categories
from cti.desk.feed import Feed
from cti.floor import Floor
from cti.followups import FollowUps
from cti.forms import Forms
from cti.hotline import Hotline
from cti.identification import Tries
from cti.recorder import Recorder
from cti.screens import Screens
from cti.settings import CHECKOUT, Settings
from cti.sms import NoTexts
from cti.store import Before, Journal
from cti.watch import Watch
from ivr.line import Choice, Line, Menu, Notice, Queue
from prompts import CATALOGUE, Catalogue, Sounds, build
from queues import Adviser, QueueRules, SitDown, StandUp
from tests.eventually import PATIENCE_S, ended, eventually
from tests.fakes.ari import FakeAri, Phone
from tests.fakes.voice import Whistle

F = TypeVar("F", bound=AnyFact)

SEAT, OTHER_SEAT, ADVISER, OTHER_ADVISER = "1001", "1002", "8001", "8002"
PHONE_GONE = 20
"""Q.850: a telephone that vanished."""
CALLING, TRUNK = "13800001111", "city"
LINE = Line(
    number="12333",
    version="1",
    name="test",
    welcome="welcome",
    notice=Notice("notice", "1"),
    menu="main",
    menus={"main": Menu("menu.main", {"1": Choice("cards", queue="cards")})},
    queues={"general": Queue({}, 9), "cards": Queue({"cards": 1}, 1)},
    person="general",
    key_wait_s=600,
)


class Ticking(SystemClock):
    """Every look at it is a millisecond later than the last: on the fake, whole calls are over within one."""

    def __init__(self) -> None:
        self._ms = round(super().now() * 1000)

    def now(self) -> Instant:
        self._ms += 1
        return Instant(self._ms / 1000)


class Seen(Watch):
    """Keeps what was recorded in memory, too, and says when there is more."""

    def __init__(self, journal: Journal, facts: list[AnyFact]) -> None:
        super().__init__(journal)
        self.facts = facts
        self.asked: list[str] = []
        """The questions at which a key was waited for."""
        self.more = asyncio.Event()

    def record(self, fact: AnyFact, at: datetime | None = None) -> None:
        super().record(fact, at)
        self.facts.append(fact)
        self.more.set()

    def moment(self, call_id: str, moment: MenuStarted | AwaitingKey) -> None:
        super().moment(call_id, moment)
        if isinstance(moment, AwaitingKey):
            self.asked.append(moment.menu)
        self.more.set()


class NoHistory:
    """A database that is away."""

    async def before(self, number: str, call_id: str) -> Before:
        raise NotPossible("it is away")


class NoPlaces:
    """Nobody knows where a number is from."""

    async def of(self, number: str) -> str:
        return ""


class Calls:
    """One controller and its Asterisk, moved by hand."""

    def __init__(
        self, fake: FakeAri, ari: Ari, journal: Journal, settings: Settings, sounds: Sounds, line: Line
    ) -> None:
        clock = Ticking()
        self.fake, self.journal, self.settings, self.sounds = fake, journal, settings, sounds
        self.facts: list[AnyFact] = []
        self.watch = Seen(journal, self.facts)
        self.feed = Feed()
        categories = load_categories(CHECKOUT / "lines")
        advisers = {number: Adviser(number, {"cards": 1}) for number in (ADVISER, OTHER_ADVISER)}
        hotline = Hotline({line.number: line}, {}, advisers, categories)
        self.follow_ups = FollowUps(self.watch, journal, clock, lambda: self.node.messages, lambda: hotline)
        self.forms = Forms(self.watch, journal, clock, self.feed, lambda: categories, self.follow_ups)
        self.floor = Floor(clock, self.watch, journal, settings.seats, 0.0, lambda: None)
        self.floor.load(
            advisers,
            {name: QueueRules(queue.max_waiting) for name, queue in line.queues.items()},
        )
        self.recorder = Recorder(
            self.watch,
            journal,
            settings.recordings_dir,
            settings.raw_dir,
            settings.zone,
            settings.recording_reserve_mb,
        )
        self.node = Node(
            settings,
            ari,
            clock,
            self.watch,
            journal,
            self.floor,
            self.recorder,
            sounds,
            {line.number: line},
            NoBusiness(),
            Tries(journal, clock, settings.zone, "secret"),
            NoTexts(),
            lambda area: None,
            Screens(clock, self.feed, self.forms, NoHistory(), NoPlaces(), lambda adviser, call_id: None),
        )

    # --- hands

    def dial(self, dialled: str = "12333", trunk: str = TRUNK, number: str = CALLING) -> str:
        """A citizen calls; the channel."""
        channel = uuid4().hex
        return self.fake.incoming(number, ("in", dialled, trunk, f"sip-{channel}"), channel)

    def sit(self, seat: str = SEAT, adviser: str = ADVISER, phone: Phone = "answers") -> None:
        """An adviser is ready at a seat, whose telephone does this when it is rung."""
        self.fake.phones[f"PJSIP/seat{seat}"] = phone
        self.fake.register(f"seat{seat}")
        self.floor.phone_seen(seat, reachable=True)
        self.floor.take(SitDown(seat, adviser))

    def pause(self, seat: str = SEAT) -> None:
        """The adviser takes no calls for the moment, so that callers wait."""
        self.floor.take(StandUp(seat, "break"))

    def never_ends(self, prompt: str, **values: str) -> None:
        """The sentence is said until somebody stops it."""
        self.fake.lasting.add(",".join(self.sounds.media(prompt, LINE.language, **values)))

    def leg(self, seat: str = SEAT) -> str:
        """The channel of a seat that is rung or talks."""
        return next(name for name, leg in self.fake.legs.items() if leg.endpoint == f"PJSIP/seat{seat}")

    # --- eyes

    async def until(self, true: Callable[[], bool]) -> None:
        """As facts and moments come."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self.watch.more.clear()
                await self.watch.more.wait()

    async def told(self, kind: type[F], times: int = 1) -> F:
        """The last of so many facts of this kind, when it has come."""
        await self.until(lambda: len(self.of(kind)) >= times)
        return self.of(kind)[times - 1]

    def of(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    async def ended(self) -> CallEnded:
        """The one end of the one call, in the whole history of the site, and nothing of it left anywhere."""
        await self.told(CallEnded)
        await self.nothing_left()
        await self.journal.flush()
        history = [stamped.fact for stamped in await self.journal.read_after(0)]
        (end,) = [fact for fact in history if isinstance(fact, CallEnded)]
        return end

    async def nothing_left(self) -> None:
        """No channel, bridge, mailbox, session, kept call, waiting caller or reserved seat."""
        await eventually(lambda: not self.node.sessions and not self.fake.legs and not len(self.node.router))
        await eventually(lambda: not self.fake.bridges)
        await eventually(lambda: not self.recorder.unsealed())
        assert self.journal.find("call/", KeptCall) == {}
        assert self.floor.engine.waiting() == []
        assert {seat.visit for seat in self.floor.engine.seats()} == {None}


class Site:
    """One Asterisk and one journal, for one controller after the other."""

    def __init__(self, fake: FakeAri, folder: Path, sounds: Sounds) -> None:
        self.fake, self.sounds, self.line = fake, sounds, LINE
        self.settings = Settings(
            state_dir=folder, seats=(SEAT, OTHER_SEAT), position_every_s=0.01, silence_before_close_s=600.0
        )
        self.settings.raw_dir.mkdir(parents=True)
        fake.contexts.update({"to-seat": ("seat",), "start-recording": ("back",), "stop-recording": ("back",)})
        fake.contexts["to-citizen"] = ("back",)

    def journal(self) -> Journal:
        """The node's journal; close it."""
        return Journal(self.settings.journal_path, self.settings.node, SystemClock())

    @asynccontextmanager
    async def controller(self, journal: Journal | None = None) -> AsyncIterator[Calls]:
        """A controller that has taken over, with the node's journal unless it is given another."""
        fake, journal = self.fake, journal or self.journal()
        async with Ari(fake.url, fake.user, fake.password, fake.app) as ari:
            calls = Calls(fake, ari, journal, self.settings, self.sounds, self.line)
            runs = (calls.node.run(), calls.node.call_back(), calls.floor.run(), calls.recorder.run())
            work = [asyncio.create_task(each) for each in runs]
            try:
                await asyncio.wait_for(calls.node.connected.wait(), PATIENCE_S)
                yield calls
            finally:
                await journal.close()  # first: what follows is not history any more
                fake.deaf = True
                await ended({*work, *_tasks_of_the_controller()}, again_s=0.01)
                while tasks := _tasks_of_the_controller():  # one that was ended began another in its last instant
                    await ended(tasks, again_s=0.01)
        await eventually(lambda: not fake.hands)  # nor is done what the dead one asked in its last instant
        fake.deaf = False


def _tasks_of_the_controller() -> set[asyncio.Task[None]]:
    """Everything that runs out of `cti/`, and nothing of the test or of the fake."""
    return {task for task in asyncio.all_tasks() if _file_of(task).is_relative_to(CHECKOUT / "cti")}


def _file_of(task: asyncio.Task[None]) -> Path:
    work = task.get_coro()
    return Path(work.cr_code.co_filename) if isinstance(work, CoroutineType) else Path()


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    folder = tmp_path_factory.mktemp("prompts")
    build(Catalogue.load(CATALOGUE), None, folder, Whistle())
    return Sounds(folder)


@pytest.fixture
async def site(tmp_path: Path, sounds: Sounds) -> AsyncIterator[Site]:
    async with FakeAri() as fake:
        yield Site(fake, tmp_path, sounds)


@pytest.fixture
async def calls(site: Site) -> AsyncIterator[Calls]:
    async with site.controller() as calls:
        yield calls
