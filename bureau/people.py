"""Invented citizens, by dice that fall the same way each time: the same seed and day make the same people.

The first few are the demo citizens of docs/business.md, fixed by hand, each card state at least once. To add one, add a
line to DEMO and its row on that page; a test holds both against each other.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

from msgspec import Struct

from bureau.numbers import PIN_LENGTH, card_number, easily_guessed, id_number
from bureau.places import AREAS, OFFICES
from bureau.shapes import KINDS, CardState, Contribution, InsuranceKind

DEMO_PIN = "246810"
SEED = 12333

PER_MILLE: dict[InsuranceKind, int] = {"pension": 240, "medical": 115, "injury": 5, "unemployment": 10, "maternity": 8}
"""Of the base, what employer and employee pay together each month."""
OWN_PER_MILLE: dict[InsuranceKind, int] = {"pension": 80, "medical": 20}
"""Of the base, what goes to a personal account; the other insurances have none."""
GROWTH_PERCENT = 5
"""How much smaller the base was in each year before."""

RETIRED_AT = {"male": 60, "female": 55}
FIRST_BASE_FEN, LAST_BASE_FEN = 480_000, 2_400_000
STATES: dict[CardState, int] = {"active": 70, "issued": 8, "lost": 6, "ready": 6, "in_production": 6, "cancelled": 4}
"""How many of a hundred cards are in each state."""
WITHOUT_CARD, WITHOUT_NUMBER, NOT_PAYING = 0.04, 0.2, 0.12

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰秀珍建国志"


class HeldCard(Struct, frozen=True):
    """A social-security card in somebody's name."""

    number: str
    state: CardState
    ready_on: date | None
    office: str | None


class Account(Struct, frozen=True):
    """One insurance of one citizen, paid month after month without a gap up to `last_month`, its first day."""

    kind: InsuranceKind
    paying: bool
    months: int
    base_fen: int
    last_month: date

    @property
    def last_paid_fen(self) -> int:
        return self.base_fen * PER_MILLE[self.kind] // 1000

    @property
    def balance_fen(self) -> int | None:
        """What has come into the personal account; None: this insurance has none."""
        own = OWN_PER_MILLE.get(self.kind)
        if own is None:
            return None
        return sum(self.base_in(year) * own // 1000 * len(self.months_of(year)) for year in self.years)

    @property
    def years(self) -> range:
        return range(_earlier(self.last_month, self.months - 1).year, self.last_month.year + 1)

    def base_in(self, year: int) -> int:
        """The monthly base of a year, fen."""
        back = self.last_month.year - year
        base: int = self.base_fen * (100 - GROWTH_PERCENT) ** back // 100**back  # mypy takes int ** int for anything
        return base

    def months_of(self, year: int) -> list[date]:
        """The months of that year that were paid."""
        first = _earlier(self.last_month, self.months - 1)
        every = (date(year, month, 1) for month in range(1, 13))
        return [month for month in every if first <= month <= self.last_month]


class Person(Struct, frozen=True):
    """A citizen who does not exist. Here alone a PIN is written out; the database has its hash."""

    name: str
    id_number: str
    pin: str
    area: str
    card: HeldCard | None
    bound_number: str | None
    accounts: tuple[Account, ...]
    pension_fen: int | None
    """Monthly; None: not retired."""
    pension_paid_on: date | None

    def __repr__(self) -> str:
        return "Person(...)"


def contributions(accounts: tuple[Account, ...], year: int) -> list[Contribution]:
    """All that was paid in that year, by month, then in the order of the kinds."""
    paid = [
        Contribution(month, account.kind, base := account.base_in(year), base * PER_MILLE[account.kind] // 1000)
        for account in accounts
        for month in account.months_of(year)
    ]
    return sorted(paid, key=lambda one: (one.month, KINDS.index(one.kind)))


def demo(today: date) -> list[Person]:
    """The demo citizens; what is fixed of them does not depend on the day."""
    return [_demo_person(place, row, today) for place, row in enumerate(DEMO, start=1)]


def generate(count: int, today: date, seed: int = SEED) -> Iterator[Person]:
    """`count` citizens, the demo ones first. No two share an ID number, a card number or a telephone."""
    yield from demo(today)[:count]
    dice = random.Random(seed)
    taken = {person.id_number for person in demo(today)}
    for serial in range(len(DEMO) + 1, count + 1):
        person = _person(dice, serial, today)
        while person.id_number in taken:
            person = _person(dice, serial, today)
        taken.add(person.id_number)
        yield person


DEMO: tuple[tuple[str, date, int, CardState | None, bool], ...] = (
    ("王秀兰", date(1958, 4, 12), 124, "active", True),
    ("李建国", date(1985, 9, 3), 231, "active", True),
    ("张小敏", date(1997, 11, 25), 348, "in_production", True),
    ("刘志强", date(1990, 6, 18), 417, "ready", True),
    ("陈静", date(1993, 1, 30), 522, "issued", True),
    ("杨勇", date(1979, 12, 8), 639, "lost", False),
    ("赵桂英", date(1971, 3, 21), 746, "cancelled", True),
    ("黄涛", date(2001, 8, 14), 853, None, False),
)
"""Name, birthday, sequence, card, and whether a telephone is bound; all live in 990101, all have DEMO_PIN."""


def _demo_person(serial: int, row: tuple[str, date, int, CardState | None, bool], today: date) -> Person:
    name, born, sequence, state, bound = row
    dice = random.Random(serial)
    number = id_number("990101", born, sequence)
    accounts, pension = _insured(dice, born, "female" if sequence % 2 == 0 else "male", today, paying=True)
    return Person(
        name=name,
        id_number=number,
        pin=DEMO_PIN,
        area="990101",
        card=_card(dice, serial, "990101", state, today) if state else None,
        bound_number=_telephone(serial) if bound else None,
        accounts=accounts,
        pension_fen=pension,
        pension_paid_on=_payday(today) if pension else None,
    )


def _person(dice: random.Random, serial: int, today: date) -> Person:
    area = dice.choice(sorted(AREAS))
    born = date(1940, 1, 1) + timedelta(days=dice.randrange(66 * 365))
    sequence = dice.randrange(1000)
    number = id_number(area, born, sequence)
    sex = "female" if sequence % 2 == 0 else "male"
    accounts, pension = _insured(dice, born, sex, today, paying=dice.random() >= NOT_PAYING)
    [state] = dice.choices([*STATES], [*STATES.values()])
    return Person(
        name=dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=dice.choice((1, 2)))),
        id_number=number,
        pin=_pin(dice, number),
        area=area,
        card=None if dice.random() < WITHOUT_CARD else _card(dice, serial, area, state, today),
        bound_number=None if dice.random() < WITHOUT_NUMBER else _telephone(serial),
        accounts=accounts,
        pension_fen=pension,
        pension_paid_on=_payday(today) if pension else None,
    )


def _pin(dice: random.Random, number: str) -> str:
    while True:
        pin = f"{dice.randrange(10**PIN_LENGTH):0{PIN_LENGTH}}"
        if not easily_guessed(pin, number):
            return pin


def _telephone(serial: int) -> str:
    """Nothing ever rings it: the hotline calls back only numbers that have called."""
    return f"+861380{serial:07}"


def _card(dice: random.Random, serial: int, area: str, state: CardState, today: date) -> HeldCard:
    offices = [office.id for office in OFFICES if office.area == area]
    days = dice.randrange(3, 20)
    ready = today + timedelta(days=days) if state == "in_production" else today - timedelta(days=days)
    return HeldCard(card_number(serial), state, ready, dice.choice(offices))


def _insured(
    dice: random.Random, born: date, sex: str, today: date, *, paying: bool
) -> tuple[tuple[Account, ...], int | None]:
    """The accounts, and the monthly pension of whoever is old enough."""
    age = today.year - born.year
    retired = age > RETIRED_AT[sex]
    working_years = min(age, RETIRED_AT[sex]) - 20
    months = max(12 * working_years - dice.randrange(60), 1)
    base = dice.randrange(FIRST_BASE_FEN, LAST_BASE_FEN, 100)
    ended = 12 * (age - RETIRED_AT[sex]) if retired else 0 if paying else dice.randrange(2, 30)
    last = _earlier(today.replace(day=1), 1 + ended)
    kinds: tuple[InsuranceKind, ...] = ("pension", "medical") if retired or dice.random() < 0.15 else KINDS
    accounts = tuple(Account(kind, paying and not retired, months, base, last) for kind in kinds)
    return accounts, base * months // 1000 if retired else None


def _payday(today: date) -> date:
    """The last 15th."""
    return today.replace(day=15) if today.day >= 15 else _earlier(today.replace(day=1), 1).replace(day=15)


def _earlier(month: date, months: int) -> date:
    """The first day of the month so many months before."""
    count = month.year * 12 + month.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)
