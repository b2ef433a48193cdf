"""A hotline that is connected to no business system: every service of one says honestly that it cannot be done."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.business import Card, Citizen, Contribution, Done, Identity, Insurance, NotAvailable, Office, Pension


class NoBusiness:
    """`ivr.business.Business` where there is none."""

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        raise _not_connected()

    async def bound_number(self, identity: Identity) -> str | None:
        raise _not_connected()

    async def verify_by_number(self, identity: Identity, number: str) -> Citizen | None:
        raise _not_connected()

    async def card(self, citizen: Citizen) -> Card | None:
        raise _not_connected()

    async def report_loss(self, citizen: Citizen, key: str) -> Done:
        raise _not_connected()

    async def undo_loss(self, citizen: Citizen, key: str) -> Done:
        raise _not_connected()

    async def activate_card(self, citizen: Citizen, key: str) -> Done:
        raise _not_connected()

    async def reset_pin(self, citizen: Citizen, pin: str, key: str) -> Done:
        raise _not_connected()

    async def insurances(self, citizen: Citizen) -> Sequence[Insurance]:
        raise _not_connected()

    async def pension(self, citizen: Citizen) -> Pension | None:
        raise _not_connected()

    async def contributions(self, citizen: Citizen, year: int) -> Sequence[Contribution]:
        raise _not_connected()

    async def offices(self, area: str) -> Sequence[Office]:
        raise _not_connected()


def _not_connected() -> NotAvailable:
    return NotAvailable("this hotline is connected to no business system (setting `business_url`)")
