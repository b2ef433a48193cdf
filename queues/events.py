"""What goes into the engine and what comes out. All frozen; instants are monotonic seconds, passed in beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from calls.clock import Instant
from calls.facts import Chosen, PassedOver, SeatState
from calls.facts import NotAnswered as WhyNotAnswered
from calls.words import Keeps, Needs, Relax
from queues.advisers import Adviser


class _Event(msgspec.Struct, frozen=True):
    pass


class QueueRules(_Event, frozen=True):
    """What a queue allows, and how what its callers need relaxes with the wait."""

    max_waiting: int
    relax: tuple[Relax, ...] = ()
    site: str | None = None
    """Whose advisers take its calls at first."""
    keeps: Keeps | None = None
    """What must hold of it, or its site lends nobody."""


NO_QUEUE = QueueRules(max_waiting=0)
"""The rules of a queue that is in no file (any more)."""


class Configure(_Event, frozen=True):
    """The files were read anew. Who waits and who sits stays."""

    advisers: Mapping[str, Adviser]
    queues: Mapping[str, QueueRules]


class Join(_Event, frozen=True):
    """A caller wants to wait. `since` is the instant that decides the turn; a return keeps the first one.

    `kept`: came back to a kept place, for which there is room however many wait.
    `away`: is not on the line, but to be called back when the turn comes; takes nobody's room.
    """

    visit: str
    needs: Needs
    since: Instant
    returned: bool = False
    kept: bool = False
    away: bool = False


class Redial(_Event, frozen=True):
    """The adviser at this seat calls back a caller whom they lost: no other seat is asked, and no turn is awaited."""

    seat: str
    visit: str
    needs: Needs
    since: Instant


class Consult(_Event, frozen=True):
    """A colleague in a conversation asks the adviser at this seat about it. `visit` is the one that begins should they take the
    caller over; it waits in no turn."""

    seat: str
    visit: str


class Pull(_Event, frozen=True):
    """A team lead gives this seat a caller of the waiting room, whatever the rule says: out of turn, and without the skills
    that the caller asks for, if need be. A caller whom it does not answer waits on at the same place."""

    seat: str
    visit: str


class Leave(_Event, frozen=True):
    """A caller is gone, or waits no more; a seat that was reserved for the visit is free again."""

    visit: str


class SitDown(_Event, frozen=True):
    """An adviser is at a seat and ready; or, with a reason in `not_ready`, not yet. During a call: once it is over."""

    seat: str
    adviser: str
    not_ready: str | None = None


class StandUp(_Event, frozen=True):
    """A seat is not ready, for a reason that people read; during a call: once it is over."""

    seat: str
    reason: str


class MoreTime(_Event, frozen=True):
    """The adviser needs longer for the wrap-up."""

    seat: str


class LogOut(_Event, frozen=True):
    """The adviser leaves the seat."""

    seat: str


class PhoneSeen(_Event, frozen=True):
    """The seat's telephone became reachable, or was lost."""

    seat: str
    reachable: bool


class Accepted(_Event, frozen=True):
    """The seat's owner accepts a proposal: it rings now."""

    seat: str
    generation: int


class Calling(_Event, frozen=True):
    """The seat was picked up for a call back: the citizen is rung now."""

    seat: str
    generation: int


class Answered(_Event, frozen=True):
    """The seat was picked up; when it calls back, the citizen has answered."""

    seat: str
    generation: int


class NotAnswered(_Event, frozen=True):
    """The seat was not picked up; its caller goes back to the head with the first wait."""

    seat: str
    generation: int
    reason: WhyNotAnswered


class Talking(_Event, frozen=True):
    """A new controller found this conversation going on."""

    seat: str
    adviser: str
    visit: str


class Held(_Event, frozen=True):
    """The seat put its caller on hold; or, not `on`, talks to them again."""

    seat: str
    visit: str
    on: bool


class ConversationOver(_Event, frozen=True):
    """The seat's conversation ended, or it called a citizen back in vain.

    `lost`: its telephone vanished, so it is not offered again.
    `hung_up`: the adviser did, so the telephone is free; else its leg is still to be ended.
    `early`: the adviser did so before the two heard each other, which is as good as not answering.
    """

    seat: str
    visit: str
    lost: bool = False
    hung_up: bool = False
    early: bool = False


class Tick(_Event, frozen=True):
    """Time passed; see `Engine.next_deadline`."""


Input = (
    Configure
    | Join
    | Redial
    | Consult
    | Pull
    | Leave
    | SitDown
    | StandUp
    | MoreTime
    | LogOut
    | PhoneSeen
    | Accepted
    | Calling
    | Answered
    | NotAnswered
    | Talking
    | Held
    | ConversationOver
    | Tick
)


class Propose(_Event, frozen=True):
    """This caller, that seat. The seat is reserved until accepted, refused, or the reservation expires."""

    visit: str
    seat: str
    adviser: str
    generation: int
    why: str
    chosen: Chosen
    seats_passed: tuple[PassedOver, ...] = ()
    callers_passed: tuple[PassedOver, ...] = ()
    site: str = ""
    """Where the adviser sits."""
    lent_to: str | None = None
    """Whose call it is, where that is another site."""


class SeatMoved(_Event, frozen=True):
    """A seat is in another state."""

    seat: str
    adviser: str | None
    state: SeatState
    reason: str


class TurnedAway(_Event, frozen=True):
    """The caller cannot wait here; must be told honestly."""

    visit: str
    reason: Literal["full", "no_seat"]


Output = Propose | SeatMoved | TurnedAway
