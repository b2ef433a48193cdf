"""A trunk that the hotline registers with: a carrier's exchange that asks for a password, and brings calls to the contact."""

from __future__ import annotations

from cti.phone.baresip import Phone
from cti.phone.events import Established
from cti.phone.places import Identity
from cti.settings import Trunk
from recordings.listen import level_dbfs
from tests.asterisk.exchange import PASSWORD, exchange
from tests.asterisk.phones import listen
from tests.eventually import eventually
from tests.rendered_asterisk import rendered

PORT_OFFSET = 13700
NUMBER = "201"
"""One of the exchange's own seats: as far as the carrier knows, the hotline is a subscriber with this number."""


async def test_it_registers_and_a_call_comes_in() -> None:
    async with exchange() as (_, carrier):
        trunk = Trunk("carrier", register=f"{NUMBER}@{carrier}")
        async with rendered(PORT_OFFSET, (trunk,), {"carrier": PASSWORD}) as hotline:

            async def registered() -> bool:
                return "Registered" in await hotline.cli("pjsip show registrations")

            await eventually(registered)
            async with Phone(Identity(user="13900000001", server=carrier)) as citizen:
                await citizen.dial(f"sip:{NUMBER}@{carrier}")
                await citizen.wait_for(Established)
                held = await listen(citizen)  # no controller runs here: the hold loop asks for patience

    assert level_dbfs(held / 32768) > -40


async def test_a_wrong_password_is_told_in_the_log() -> None:
    async with exchange() as (_, carrier):
        trunk = Trunk("carrier", register=f"{NUMBER}@{carrier}")
        async with rendered(PORT_OFFSET, (trunk,), {"carrier": "wrong"}) as hotline:

            async def rejected() -> bool:
                return "Rejected" in await hotline.cli("pjsip show registrations")

            await eventually(rejected)

            assert f"{NUMBER}@{carrier}" in hotline.log()
