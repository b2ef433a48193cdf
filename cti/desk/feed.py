"""What the desks see at once: how every queue and seat stands, pushed to each open page as it changes.

A message is made once, however many pages are open, and put aside for each; a page is told all that is there for it by one
array. One that does not read is let go of when too much is there, and costs nobody else anything. Whoever opens a feed is
told first how all stands, so a page that lost its connection opens another and misses nothing. A `Publisher`, beside the
bus: both are told the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

import msgspec

from calls.words import AskedState, Urgency, WrapUpResult
from cti.bus.messages import QueueNow, SeatNow, State
from cti.identification import Shown
from cti.store import Before

BEHIND_ALLOWED = 500
"""Messages: a second of a whole centre at its worst."""


LEADS = "leads"
"""In place of an adviser's number: every team lead's pages."""


class SeatTold(msgspec.Struct, frozen=True, tag_field="kind", tag="seat"):
    """What a seat is doing from now on."""

    seat: str
    now: SeatNow


class QueueTold(msgspec.Struct, frozen=True, tag_field="kind", tag="queue"):
    """Who waits in a queue now."""

    queue: str
    now: QueueNow


class SeatGone(msgspec.Struct, frozen=True, tag_field="kind", tag="seat_gone"):
    """There is no such seat any more."""

    seat: str


class QueueGone(msgspec.Struct, frozen=True, tag_field="kind", tag="queue_gone"):
    """There is no such queue any more."""

    queue: str


CallState = Literal["ringing", "calling", "talking", "holding", "apart", "consulting", "conference"]
"""`calling`: the citizen is being called back. `apart`: the machine asks the caller who they are. `consulting`: adviser and
whoever is asked about the call speak, or the latter is rung; the caller hears music. `conference`: all three speak."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is asked about the call."""

    by: str
    """The number of the adviser whose call it is."""
    seat: str | None
    """Of whoever is asked; null: they are outside."""
    adviser: str | None
    outside: str | None
    """The name of whoever is outside."""
    state: AskedState
    take_over: bool
    """A team lead takes the call over, as soon as they answer."""


class CallNow(msgspec.Struct, frozen=True, kw_only=True):
    """The call at a seat, for its adviser alone. Times are UTC."""

    call_id: str
    visit: str
    seat: str
    adviser: str
    state: CallState
    since: datetime
    """Of the state."""
    arrived_at: datetime
    waited_ms: int
    """Until the seat rang."""
    line: str
    queue: str | None
    urgency: Urgency
    language: str | None
    """Spoken to the caller; null: the line's own."""
    number: str | None
    """E.164; null when withheld. Proves nothing."""
    place: str
    """Where the number is from; empty when unknown."""
    chosen: tuple[str, ...]
    """What the caller chose in the menus, by name."""
    verified: Shown | None
    """Who the caller has shown to be; null: nobody yet."""
    callback: bool
    """We call them back."""
    follow_up: str | None = None
    """What the adviser calls them for, as they owe it; null: they did not choose it."""
    asking: Asking | None
    """Somebody else is asked about it; at the seat of whoever is, this says by whom."""
    crisis_at: datetime | None = None
    """When the adviser marked the call as a crisis; null: they did not."""
    crisis_before: datetime | None = None
    """When an earlier call of this number was marked so, within a day."""
    history: Literal["looking", "known", "unknown"]
    """How it is with `before`: `unknown` when no number is shown, or the database is away."""
    before: Before | None


class CallTold(msgspec.Struct, frozen=True, tag_field="kind", tag="call"):
    """How the call at one's seat stands."""

    seat: str
    now: CallNow


class CallGone(msgspec.Struct, frozen=True, tag_field="kind", tag="call_gone"):
    """There is no call at one's seat any more."""

    seat: str


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What an adviser has written down of a conversation so far; empty: not yet. Times are UTC."""

    visit: str
    call_id: str
    adviser: str
    number: str | None
    queue: str | None
    begun_at: datetime
    line: str = ""
    follow_up: str | None = None
    """The call that was owed, and is made by this one."""
    category: str = ""
    topic: str = ""
    result: WrapUpResult | Literal[""] = ""
    note: str = ""
    due_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Form({self.visit!r}, ...)"


class FormTold(msgspec.Struct, frozen=True, tag_field="kind", tag="form"):
    """A conversation of one's own that is to be written down."""

    form: Form


class FormGone(msgspec.Struct, frozen=True, tag_field="kind", tag="form_gone"):
    """It is saved."""

    visit: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a lead, by account, has written to advisers, by number. Times are UTC."""

    notice: str
    by: str
    to: tuple[str, ...]
    everybody: bool
    """To all who sat at a seat."""
    text: str
    sent_at: datetime
    read: dict[str, datetime]
    """When, by whoever has said so."""

    def __repr__(self) -> str:
        return f"Notice({self.notice!r}, ...)"


class NoticeTold(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="notice"):
    """Something for this adviser to read."""

    notice: str
    by: str
    everybody: bool
    text: str
    sent_at: datetime


class NoticeGone(msgspec.Struct, frozen=True, tag_field="kind", tag="notice_gone"):
    """It is read."""

    notice: str


class SentTold(msgspec.Struct, frozen=True, tag_field="kind", tag="sent"):
    """For leads: what one of them has written, and who has read it."""

    sent: Notice


class SentGone(msgspec.Struct, frozen=True, tag_field="kind", tag="sent_gone"):
    """For leads: it stands no more."""

    notice: str


class Moved(msgspec.Struct, frozen=True):
    """A skill's level today, and in the files; 0: none."""

    level: int
    file: int


class SkillsTold(msgspec.Struct, frozen=True, tag_field="kind", tag="skills"):
    """For leads, and for the adviser: which skills were moved for the rest of the day; empty: none any more."""

    adviser: str
    moved: dict[str, Moved]


class Crisis(msgspec.Struct, frozen=True):
    """A call about life and death, with whom, and since when it is known to be (UTC)."""

    call_id: str
    adviser: str
    since: datetime
    marked: bool
    """By the adviser; else the caller chose it in the menu."""


class CrisisTold(msgspec.Struct, frozen=True, tag_field="kind", tag="crisis"):
    """For leads: at which seat there is a crisis."""

    seat: str
    now: Crisis


class CrisisGone(msgspec.Struct, frozen=True, tag_field="kind", tag="crisis_gone"):
    """For leads: that call is at the seat no more."""

    seat: str


class SilentTold(msgspec.Struct, frozen=True, tag_field="kind", tag="silent"):
    """For its adviser and for leads: in the conversation at this seat nobody has been heard for too long."""

    seat: str


class SilenceOver(msgspec.Struct, frozen=True, tag_field="kind", tag="silence_over"):
    """Somebody is heard again, or the conversation is over."""

    seat: str


Told = (
    SeatTold
    | QueueTold
    | SeatGone
    | QueueGone
    | CallTold
    | CallGone
    | FormTold
    | FormGone
    | NoticeTold
    | NoticeGone
    | SentTold
    | SentGone
    | SkillsTold
    | CrisisTold
    | CrisisGone
    | SilentTold
    | SilenceOver
)


class Onlooker:
    """One open page: what it has not been told yet."""

    def __init__(self, adviser: str | None, first: Iterable[bytes], *, lead: bool = False) -> None:
        self.adviser = adviser
        """Whose page it is, if an adviser's."""
        self.lead = lead
        """It is a team lead's."""
        self._messages = list(first)
        self._allowed = len(self._messages) + BEHIND_ALLOWED
        self._some = asyncio.Event()
        self._some.set()
        self.left_behind = False
        """It did not read: what is there is not all any more, and it is to be let go of."""

    @property
    def has_news(self) -> bool:
        """Whether there is something to read."""
        return self._some.is_set()

    async def next(self) -> bytes:
        """All messages that there are, the oldest first, as a JSON array: first how all stands, then what is new once it is."""
        await self._some.wait()
        return b"[%b]" % b",".join(self.take())

    def take(self) -> list[bytes]:
        """What there is at this moment."""
        messages, self._messages = self._messages, []
        self._allowed = BEHIND_ALLOWED
        self._some.clear()
        return messages

    def put(self, message: bytes) -> None:
        """One more to read."""
        if len(self._messages) >= self._allowed:
            self.left_behind = True
            return
        self._messages.append(message)
        if len(self._messages) == 1:
            self._some.set()


class Feed:
    """How all stands, and who looks on."""

    def __init__(self) -> None:
        self._now: dict[str, bytes] = {}
        self._own: dict[str, tuple[str, bytes]] = {}
        """What is for one adviser alone, or for `LEADS`: by what it is, for whom, and the message."""
        self._calls: dict[str, CallNow] = {}
        """By seat."""
        self.seen: Callable[[CallNow], None] = lambda now: None
        """Is told of each call that somebody's page is told of."""
        self._onlookers: set[Onlooker] = set()

    @property
    def open(self) -> int:
        """How many look on."""
        return len(self._onlookers)

    def state(self, suffix: str, value: State | None) -> None:
        """Tell everybody the present state of `queue/<name>` or `seat/<number>`; None: it is gone."""
        group, _, name = suffix.partition("/")
        message = msgspec.json.encode(_told(group, name, value))
        if self._now.get(suffix) == message:
            return
        if value is None:
            if self._now.pop(suffix, None) is None:
                return
        else:
            self._now[suffix] = message
        for onlooker in self._onlookers:
            onlooker.put(message)

    def call(self, seat: str, adviser: str, now: CallNow | None) -> None:
        """Tell the adviser's own pages of the call at their seat; None: it is gone."""
        self._tell_own(f"call/{seat}", adviser, CallTold(seat, now) if now else CallGone(seat), gone=now is None)
        if now is None:
            self._calls.pop(seat, None)
            return
        self._calls[seat] = now
        if any(onlooker.adviser == adviser for onlooker in self._onlookers):
            self.seen(now)

    def form(self, visit: str, adviser: str, form: Form | None, *, quietly: bool = False) -> None:
        """Tell the adviser's own pages of a form; None: it is gone. `quietly`: only those that are opened from now on, because
        it was written on the one that is."""
        told = FormTold(form) if form else FormGone(visit)
        self._tell_own(f"form/{visit}", adviser, told, gone=form is None, quietly=quietly)

    def notice(self, notice: Notice) -> None:
        """Tell the pages of the advisers who have not read it, and the leads'; and of whoever has, that it is gone."""
        for adviser in notice.to:
            told: Told = NoticeGone(notice.notice)
            if unread := adviser not in notice.read:
                told = NoticeTold(
                    notice=notice.notice,
                    by=notice.by,
                    everybody=notice.everybody,
                    text=notice.text,
                    sent_at=notice.sent_at,
                )
            self._tell_own(f"notice/{notice.notice}/{adviser}", adviser, told, gone=not unread)
        self._tell_own(f"sent/{notice.notice}", LEADS, SentTold(notice), gone=False)

    def notice_gone(self, notice: Notice) -> None:
        """Nobody is to see it any more."""
        for adviser in notice.to:
            self._tell_own(f"notice/{notice.notice}/{adviser}", adviser, NoticeGone(notice.notice), gone=True)
        self._tell_own(f"sent/{notice.notice}", LEADS, SentGone(notice.notice), gone=True)

    def skills(self, adviser: str, moved: dict[str, Moved]) -> None:
        """Tell the leads' pages, and the adviser's own, which skills were moved; empty: none any more."""
        for whose in (adviser, LEADS):
            self._tell_own(f"skills/{adviser}/{whose}", whose, SkillsTold(adviser, moved), gone=not moved)

    def crisis(self, seat: str, now: Crisis | None) -> None:
        """Tell the leads' pages of a crisis at a seat; None: it is there no more."""
        told = CrisisTold(seat, now) if now else CrisisGone(seat)
        self._tell_own(f"crisis/{seat}", LEADS, told, gone=now is None)

    def silence(self, seat: str, adviser: str, *, silent: bool) -> None:
        """Tell the adviser's own pages and the leads' that nobody is heard there; or, not `silent`, that it is over."""
        told = SilentTold(seat) if silent else SilenceOver(seat)
        for whose in (adviser, LEADS):
            self._tell_own(f"silent/{seat}/{whose}", whose, told, gone=not silent)

    def _tell_own(self, what: str, whose: str, told: Told, *, gone: bool, quietly: bool = False) -> None:
        message = msgspec.json.encode(told)
        if not gone:
            if self._own.get(what) == (whose, message):
                return
            self._own[what] = whose, message
        elif self._own.pop(what, None) is None:
            return
        for onlooker in self._onlookers:
            if not quietly and _sees(onlooker.adviser, whose, lead=onlooker.lead):
                onlooker.put(message)

    @contextmanager
    def opened(self, adviser: str | None, *, lead: bool = False) -> Iterator[Onlooker]:
        """Inside the block, all that is so and all that changes; of what is not everybody's, this adviser's, or the leads'."""
        own = (message for whose, message in self._own.values() if _sees(adviser, whose, lead=lead))
        onlooker = Onlooker(adviser, (*self._now.values(), *own), lead=lead)
        self._onlookers.add(onlooker)
        for now in self._calls.values():
            if now.adviser == adviser:
                self.seen(now)
        try:
            yield onlooker
        finally:
            self._onlookers.discard(onlooker)


def _sees(adviser: str | None, whose: str, *, lead: bool) -> bool:
    return lead if whose == LEADS else adviser == whose


def _told(group: str, name: str, value: State | None) -> Told:
    match value:
        case SeatNow():
            return SeatTold(name, value)
        case QueueNow():
            return QueueTold(name, value)
        case None:
            return SeatGone(name) if group == "seat" else QueueGone(name)
