"""The desk for tests: accounts, sessions and the audit log on a journal, and a hotline that is made up behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pyotp

from calls.clock import Clock
from calls.errors import NotPossible
from calls.ports import FactSink
from cti.board import Board, Live
from cti.categories import Category, load_categories
from cti.control import AnyRequest, SeatReady
from cti.desk import Accounts, Audit, Doors, Feed, Limits, PagePhone, Provider, Sessions
from cti.followups import FollowUps
from cti.forms import Forms
from cti.hotline import Hotline
from cti.messages import Messages
from cti.notices import Notices
from cti.settings import CHECKOUT
from cti.skills import Skills
from cti.status import Done, Status
from cti.store import Journal, Shift
from cti.whowaits import Waits, WhoWaits
from queues import Adviser
from tests.board import LIVE, FakeDays
from tests.status import STATUS

HOTLINE = Hotline(
    lines={},
    queues={},
    advisers={
        "8001": Adviser("8001", {"cards": 2}, (), "杭州"),
        "8002": Adviser("8002", {"cards": 5, "pension": 3}, ("yue",), "宁波"),
    },
    categories=load_categories(CHECKOUT / "lines"),
)
ZONE = ZoneInfo("Asia/Shanghai")
WAITS = Waits(
    visit="c1.1",
    queue="cards",
    position=1,
    since=datetime(2026, 1, 5, 1, 0, tzinfo=UTC),
    urgency="normal",
    language=None,
    ends_in="1111",
    away=False,
    seat=None,
)
SHIFT = Shift(
    at=datetime(2026, 1, 5, 2, 0, tzinfo=UTC),
    conversations=4,
    talked_s=360.0,
    held_s=20.0,
    wrap_up_s=90.0,
    ready_s=600.0,
    missed=1,
    ratings=2,
    rating_mean=4.5,
)


class FakeHouse:
    """A hotline of two seats, which does what it is asked and keeps what that was. A `House`."""

    def __init__(
        self,
        facts: FactSink,
        journal: Journal,
        clock: Clock,
        reported: Callable[[Mapping[str, str], bytes], int] = lambda headers, body: 401,
    ) -> None:
        self.feed = Feed()
        self.messages = Messages(facts, journal, clock)
        self.hotline = HOTLINE
        self.notices = Notices(journal, clock, self.feed)
        self.skills = Skills(journal, clock, ZONE, self.feed, lambda: self.hotline, self._changed)
        self.changes = 0
        """How often advisers were to be given to the engine anew."""
        self.follow_ups = FollowUps(facts, journal, clock, lambda: self.messages, lambda: self.hotline)
        self.forms = Forms(facts, journal, clock, self.feed, self.categories, self.follow_ups)
        self.trouble: Exception | None = None
        """Why nobody can say what an adviser did today; None: it can be said."""
        self.shifts_asked: list[str] = []
        self.days = FakeDays()
        self.board = Board(clock, self._look, self.days)
        self.reported = reported
        self.sitting: dict[str, str | None] = {"1001": None, "1002": None}
        self.asked: list[AnyRequest] = []
        self.opened: list[tuple[str, str]] = []

    async def _look(self) -> Live:
        return LIVE

    def _changed(self) -> None:
        self.changes += 1

    def here(self) -> list[str]:
        return [adviser for adviser in self.sitting.values() if adviser]

    def who_waits(self) -> WhoWaits:
        return WhoWaits((WAITS,), 0)

    def limits(self) -> Limits:
        return Limits(180, 600, 30)

    def status(self) -> Status:
        return STATUS

    def advisers(self) -> Mapping[str, Adviser]:
        return self.hotline.advisers

    def behind(self) -> int:
        return 3

    async def shift(self, adviser: str) -> Shift:
        self.shifts_asked.append(adviser)
        if self.trouble:
            raise self.trouble
        return SHIFT

    def categories(self) -> tuple[Category, ...]:
        return load_categories(CHECKOUT / "lines")

    def outside(self) -> list[tuple[str, str]]:
        return [("市民热线", "12345")]

    def sits(self, seat: str) -> str | None:
        if seat not in self.sitting:
            raise NotPossible(f"there is no seat {seat}")
        return self.sitting[seat]

    async def open_page(self, seat: str, adviser: str) -> PagePhone:
        self.opened.append((seat, adviser))
        return PagePhone(f"page{seat}", "one shift's")

    async def answer(self, request: AnyRequest) -> msgspec.Struct:
        self.asked.append(request)
        if isinstance(request, SeatReady) and request.adviser:
            self.sitting[request.seat] = request.adviser
        return Done("so it is")


AUDIT_KEY = "the key of the audit log"


def doors(
    facts: FactSink,
    journal: Journal,
    clock: Clock,
    folder: Path,
    provider: Provider | None = None,
    *,
    demo: bool = True,
) -> Doors:
    """As the controller has it."""
    audit = Audit(facts, journal, clock, AUDIT_KEY)
    accounts = Accounts(journal, clock, audit, folder / "first-admin.json", demo=demo)
    return Doors(accounts, Sessions(journal, clock, accounts), audit, clock, provider)


def code(secret: str, at: datetime) -> str:
    """What the authenticator app shows at that instant."""
    return pyotp.TOTP(secret).at(at)
