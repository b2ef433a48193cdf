"""The social-security system in memory: a `Business` by the same rules as the real one, of the same invented citizens.

    business = FakeBusiness()                 # the demo citizens of docs/business.md
    business.away = True                      # every question: NotAvailable, nothing changed
    business.lose_answers(1)                  # the next change is made, and the answer is OutcomeUnknown
    business.events                           # every change, once: (ID number, what)

The contract suite runs on it and on the real service. It keeps time for nobody: `forget()` ends every word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import msgspec

from bureau.numbers import PIN_LENGTH, easily_guessed
from bureau.people import Person, contributions, demo
from bureau.places import OFFICES
from ivr.business import (
    Card,
    CardState,
    Citizen,
    Contribution,
    Done,
    Identity,
    Insurance,
    NotAllowed,
    NotAvailable,
    Office,
    OutcomeUnknown,
    Pension,
)

TODAY = date(2026, 11, 20)
IN_HAND = ("issued", "active", "lost")


class _File(msgspec.Struct):
    """What is kept of one citizen."""

    person: Person
    pin: str
    state: CardState | None
    before_loss: CardState | None = None
    loss_reference: str | None = None


class FakeBusiness:
    """A `Business`."""

    def __init__(self, people: Iterable[Person] | None = None) -> None:
        self.away = False
        self.events: list[tuple[str, str]] = []
        self.asked: list[str] = []
        """The operations, in order."""
        self._files = [_file(one) for one in (demo(TODAY) if people is None else people)]
        self._words: dict[Citizen, _File] = {}
        self._ended: set[Citizen] = set()
        self._answers: dict[str, tuple[tuple[object, ...], Done | NotAllowed]] = {}
        self._lost = 0
        self._reference = 10_000_000

    def lose_answers(self, times: int) -> None:
        """The next changes are made and nobody hears of it."""
        self._lost = times

    def forget(self) -> None:
        """Every word is worth nothing from now on."""
        self._ended |= self._words.keys()

    # --- who it is

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        """See the port."""
        file = self._find("verify", identity)
        return self._word(file) if file and file.pin == pin else None

    async def bound_number(self, identity: Identity) -> str | None:
        """See the port."""
        file = self._find("bound_number", identity)
        return file.person.bound_number if file else None

    async def verify_by_number(self, identity: Identity, number: str) -> Citizen | None:
        """See the port."""
        file = self._find("verify_by_number", identity)
        return self._word(file) if file and file.person.bound_number == number else None

    # --- what they may know

    async def card(self, citizen: Citizen) -> Card | None:
        """See the port."""
        file = self._file("card", citizen)
        held = file.person.card
        if held is None or file.state is None:
            return None
        return Card(file.state, held.number[-4:], held.ready_on, held.office)

    async def insurances(self, citizen: Citizen) -> Sequence[Insurance]:
        """See the port."""
        return [
            Insurance(one.kind, one.paying, one.months, one.balance_fen, one.last_paid_fen, one.last_month)
            for one in self._file("insurances", citizen).person.accounts
        ]

    async def pension(self, citizen: Citizen) -> Pension | None:
        """See the port."""
        person = self._file("pension", citizen).person
        if person.pension_fen is None or person.pension_paid_on is None:
            return None
        return Pension(person.pension_fen, person.pension_paid_on)

    async def contributions(self, citizen: Citizen, year: int) -> Sequence[Contribution]:
        """See the port."""
        paid = contributions(self._file("contributions", citizen).person.accounts, year)
        return [Contribution(one.month, one.kind, one.base_fen, one.paid_fen) for one in paid]

    async def offices(self, area: str) -> Sequence[Office]:
        """See the port."""
        self._ask("offices")
        found = [office for office in OFFICES if office.area == area]
        return [Office(one.id, one.name, one.address, one.hours, one.telephone, one.area) for one in found]

    # --- what they may change

    async def report_loss(self, citizen: Citizen, key: str) -> Done:
        """See the port."""
        return self._once("report_loss", citizen, key, "", self._report_loss)

    async def undo_loss(self, citizen: Citizen, key: str) -> Done:
        """See the port."""
        return self._once("undo_loss", citizen, key, "", self._undo_loss)

    async def activate_card(self, citizen: Citizen, key: str) -> Done:
        """See the port."""
        return self._once("activate_card", citizen, key, "", self._activate)

    async def reset_pin(self, citizen: Citizen, pin: str, key: str) -> Done:
        """See the port."""
        return self._once("reset_pin", citizen, key, pin, lambda file: self._reset_pin(file, pin))

    def _report_loss(self, file: _File) -> str:
        if file.state == "lost" and file.loss_reference is not None:
            return file.loss_reference
        if file.state not in IN_HAND:
            raise NotAllowed("report_loss")
        file.before_loss, file.state = file.state, "lost"
        file.loss_reference = self._event(file, "loss_reported")
        return file.loss_reference

    def _undo_loss(self, file: _File) -> str:
        if file.state != "lost":
            raise NotAllowed("undo_loss")
        file.state, file.before_loss, file.loss_reference = file.before_loss, None, None
        return self._event(file, "loss_undone")

    def _activate(self, file: _File) -> str:
        if file.state != "issued":
            raise NotAllowed("activate_card")
        file.state = "active"
        return self._event(file, "card_activated")

    def _reset_pin(self, file: _File, pin: str) -> str:
        known = (file.person.id_number, file.person.card.number if file.person.card else "")
        if not (len(pin) == PIN_LENGTH and pin.isascii() and pin.isdecimal()) or easily_guessed(pin, *known):
            raise NotAllowed("reset_pin")
        file.pin = pin
        return self._event(file, "pin_reset")

    # --- how it is kept

    def _ask(self, operation: str) -> None:
        self.asked.append(operation)
        if self.away:
            raise NotAvailable(operation)

    def _find(self, operation: str, identity: Identity) -> _File | None:
        self._ask(operation)
        for file in self._files:
            card = file.person.card
            if identity.kind == "id_card" and file.person.id_number == identity.number.upper():
                return file
            if identity.kind == "card" and card and card.number == identity.number and file.state in IN_HAND:
                return file
        return None

    def _word(self, file: _File) -> Citizen:
        word = f"word {len(self._words)}"
        self._words[word] = file
        return word

    def _file(self, operation: str, citizen: Citizen) -> _File:
        self._ask(operation)
        if citizen not in self._words or citizen in self._ended:
            raise NotAllowed(f"{operation}: citizen_unknown")
        return self._words[citizen]

    def _once(self, operation: str, citizen: Citizen, key: str, more: str, change: Callable[[_File], str]) -> Done:
        self._ask(operation)
        if citizen not in self._words:
            raise NotAllowed(f"{operation}: citizen_unknown")
        file = self._words[citizen]
        asked = (operation, file.person.id_number, more)
        if key not in self._answers:
            if citizen in self._ended:
                raise NotAllowed(f"{operation}: citizen_unknown")
            self._answers[key] = (asked, _answer(change, file))
        before, answer = self._answers[key]
        if before != asked:
            raise NotAllowed(f"{operation}: key_used_otherwise")
        if self._lost:
            self._lost -= 1
            raise OutcomeUnknown(operation)
        if isinstance(answer, NotAllowed):
            raise answer
        return answer

    def _event(self, file: _File, what: str) -> str:
        self.events.append((file.person.id_number, what))
        self._reference += 1
        return str(self._reference)


def _answer(change: Callable[[_File], str], file: _File) -> Done | NotAllowed:
    try:
        return Done(change(file))
    except NotAllowed as refusal:
        return refusal


def _file(person: Person) -> _File:
    lost = person.card is not None and person.card.state == "lost"
    return _File(
        person,
        person.pin,
        person.card.state if person.card else None,
        before_loss="active" if lost else None,
        loss_reference="9999999" if lost else None,
    )
