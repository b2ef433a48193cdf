"""What the line asks of the social-security systems behind it, as a Protocol; the edge implements it over HTTP.

A citizen is named here by `Citizen`, a word that the system gave for somebody who has proved who they are: no service ever
holds an ID number, and the word is worth nothing after some minutes. Amounts are in fen (分), dates those of the calendar.

Everything may raise NotAvailable. A write that may or may not have happened raises OutcomeUnknown: it must never be said to
be done, nor not done; asked again with the same `key` it is done once at most, so it is asked again with the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, Protocol

import msgspec

from calls.errors import RexianError

Citizen = str
"""The system's own word for somebody who is verified; opaque, and short-lived."""

IdentityKind = Literal["id_card", "card"]
CardState = Literal["in_production", "ready", "issued", "active", "lost", "cancelled"]
"""`in_production`: being made; `ready`: at the counter to be fetched; `issued`: fetched, to be activated; `lost`: blocked."""

InsuranceKind = Literal["pension", "medical", "injury", "unemployment", "maternity"]
"""养老 医疗 工伤 失业 生育."""


class NotAvailable(RexianError):
    """The system does not answer, or says that it cannot now. Nothing was changed."""


class OutcomeUnknown(RexianError):
    """It was asked to change something, and what came of it is not known."""


class NotAllowed(RexianError):
    """The system says no: not in this state, or not to this citizen. Nothing was changed."""


class Identity(msgspec.Struct, frozen=True):
    """Whose account somebody says it is. Never logged: its repr says nothing."""

    kind: IdentityKind
    number: str

    def __repr__(self) -> str:
        return f"Identity({self.kind})"


class Card(msgspec.Struct, frozen=True):
    """A social-security card."""

    state: CardState
    last_digits: str
    """The last four digits of its number."""
    ready_on: date | None = None
    """When it can be fetched, or could be; None: nobody knows."""
    office: str | None = None
    """Where; the id of an `Office`."""


class Done(msgspec.Struct, frozen=True):
    """A change that is made."""

    reference: str
    """Its number, digits only, to be read out and asked for later."""


class Insurance(msgspec.Struct, frozen=True):
    """A citizen's account with one of the five insurances."""

    kind: InsuranceKind
    paying: bool
    """Contributions are being paid at present."""
    months: int
    """Paid in all."""
    balance_fen: int | None
    """Of the personal account; None: this insurance has none."""
    last_paid_fen: int | None
    last_month: date | None
    """The month of the last payment, its first day."""


class Pension(msgspec.Struct, frozen=True):
    """What a retired citizen is paid."""

    monthly_fen: int
    paid_on: date
    """The last payment."""


class Contribution(msgspec.Struct, frozen=True):
    """One month of one insurance."""

    month: date
    kind: InsuranceKind
    base_fen: int
    paid_fen: int


class Office(msgspec.Struct, frozen=True):
    """A counter (经办机构) where citizens go."""

    id: str
    name: str
    address: str
    hours: str
    telephone: str
    area: str
    """Six digits, as in an ID number (GB/T 2260)."""


class Business(Protocol):
    """The social-security systems of one city."""

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        """Who that is, if the PIN is theirs. None when it is not, and just so when there is no such account."""
        ...

    async def bound_number(self, identity: Identity) -> str | None:
        """The telephone number that this account is bound to, E.164; None when there is none, or no such account."""
        ...

    async def verify_by_number(self, identity: Identity, number: str) -> Citizen | None:
        """Who that is, to somebody who has proved to hold the number that the account is bound to."""
        ...

    async def card(self, citizen: Citizen) -> Card | None:
        """The citizen's card; None: they have none."""
        ...

    async def report_loss(self, citizen: Citizen, key: str) -> Done:
        """挂失: block the card. One that is blocked already stays so, with its reference. Raises NotAllowed without one."""
        ...

    async def undo_loss(self, citizen: Citizen, key: str) -> Done:
        """解挂: unblock it. Raises NotAllowed when it is not blocked."""
        ...

    async def activate_card(self, citizen: Citizen, key: str) -> Done:
        """Raises NotAllowed when it was not issued, or is active already."""
        ...

    async def reset_pin(self, citizen: Citizen, pin: str, key: str) -> Done:
        """Another PIN, six digits. Raises NotAllowed for one that is too easily guessed."""
        ...

    async def insurances(self, citizen: Citizen) -> Sequence[Insurance]:
        """The accounts that they have, in the order of `InsuranceKind`."""
        ...

    async def pension(self, citizen: Citizen) -> Pension | None:
        """None: not retired."""
        ...

    async def contributions(self, citizen: Citizen, year: int) -> Sequence[Contribution]:
        """All that was paid in that year, by month."""
        ...

    async def offices(self, area: str) -> Sequence[Office]:
        """Those of that area, the nearest first as the system knows it; empty when there is no such area."""
        ...
