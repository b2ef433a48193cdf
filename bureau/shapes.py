"""What goes over the wire: the questions, the answers, and how a refusal looks. Amounts are in fen (分).

They say the same as the hotline's own Structs and are written down a second time, since the bureau stands for somebody
else's software; the contract tests hold both against each other. Every question is a POST with a JSON body, so that no
number of anybody is ever part of a URL, which proxies log.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

IdentityKind = Literal["id_card", "card"]
CardState = Literal["in_production", "ready", "issued", "active", "lost", "cancelled"]
InsuranceKind = Literal["pension", "medical", "injury", "unemployment", "maternity"]
KINDS: tuple[InsuranceKind, ...] = ("pension", "medical", "injury", "unemployment", "maternity")

Word = Annotated[str, Meta(min_length=1, max_length=200, description="The word for a citizen, from a verification.")]
Pin = Annotated[str, Meta(min_length=1, max_length=32)]

Code = Literal[
    "malformed",
    "not_authorised",
    "no_such_operation",
    "citizen_unknown",
    "no_card",
    "not_in_this_state",
    "too_easily_guessed",
    "not_six_digits",
    "key_used_otherwise",
    "unavailable",
    "failed",
]


class Problem(Struct, frozen=True):
    """Why there is no answer. `code` is for programs, `reason` for whoever reads their logs; never about a person."""

    code: Code
    reason: str


class Identity(Struct, frozen=True):
    """Whose account somebody says it is. Never logged: its repr says nothing."""

    kind: IdentityKind
    number: Annotated[str, Meta(min_length=1, max_length=32)]

    def __repr__(self) -> str:
        return f"Identity({self.kind})"


class Verify(Struct, frozen=True):
    identity: Identity
    pin: Pin

    def __repr__(self) -> str:
        return "Verify(...)"


class VerifyByNumber(Struct, frozen=True):
    identity: Identity
    number: Annotated[str, Meta(min_length=1, max_length=32, description="E.164")]

    def __repr__(self) -> str:
        return "VerifyByNumber(...)"


class OfIdentity(Struct, frozen=True):
    identity: Identity


class OfCitizen(Struct, frozen=True):
    citizen: Word


class ResetPin(Struct, frozen=True):
    citizen: Word
    pin: Pin

    def __repr__(self) -> str:
        return "ResetPin(...)"


class OfYear(Struct, frozen=True):
    citizen: Word
    year: Annotated[int, Meta(ge=1949, le=2999)]


class OfArea(Struct, frozen=True):
    area: Annotated[str, Meta(max_length=32, description="Six digits, as in an ID number (GB/T 2260).")]


class Verified(Struct, frozen=True):
    """`citizen` is null for a wrong PIN or number, and just so when there is no such account."""

    citizen: str | None


class BoundNumber(Struct, frozen=True):
    number: Annotated[str | None, Meta(description="E.164")]


class Done(Struct, frozen=True):
    """A change that is made."""

    reference: Annotated[str, Meta(pattern="^[0-9]+$", description="To be read out and asked for later.")]


class Card(Struct, frozen=True):
    state: CardState
    last_digits: str
    ready_on: date | None
    office: Annotated[str | None, Meta(description="The id of an office.")]


class CardAnswer(Struct, frozen=True):
    card: Card | None


class Insurance(Struct, frozen=True):
    kind: InsuranceKind
    paying: bool
    months: int
    balance_fen: int | None
    last_paid_fen: int | None
    last_month: date | None


class Insurances(Struct, frozen=True):
    """In the order of the kinds."""

    insurances: list[Insurance]


class Pension(Struct, frozen=True):
    monthly_fen: int
    paid_on: date


class PensionAnswer(Struct, frozen=True):
    pension: Pension | None


class Contribution(Struct, frozen=True):
    month: date
    kind: InsuranceKind
    base_fen: int
    paid_fen: int


class Contributions(Struct, frozen=True):
    """By month, and within a month in the order of the kinds."""

    contributions: list[Contribution]


class Office(Struct, frozen=True):
    id: str
    name: str
    address: str
    hours: str
    telephone: str
    area: str


class Offices(Struct, frozen=True):
    """The nearest first."""

    offices: list[Office]


class Health(Struct, frozen=True):
    """Whether questions can be answered now."""

    ready: bool
