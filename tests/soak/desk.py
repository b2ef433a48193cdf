"""A seat through a whole soak: an adviser who takes calls, takes breaks, and whose telephone sometimes is no more."""

from __future__ import annotations

import asyncio
import random

from calls.errors import NotPossible
from tests.telephones.crowd import Adviser, Crowd, Manners
from tests.telephones.phone import Telephone

LOOKED_EVERY_S = 1.0
AWAY = ("logged_out", "not_ready")
"""From these states the adviser makes the seat ready again, sooner or later."""

COMES_BACK = 0.4
"""Chance to do so at a look."""


class Desk:
    """One seat and the adviser at it."""

    def __init__(self, crowd: Crowd, seat: str, number: str, chance: random.Random) -> None:
        self.seat, self.number = seat, number
        self.doubled = 0
        """Calls that came to the telephone while another one was up there."""
        self._crowd, self._chance = crowd, chance
        self._phone: Telephone | None = None
        self._broken = asyncio.Event()

    async def run(self) -> None:
        """For ever: a telephone, and another one whenever it is gone."""
        while True:
            self._broken.clear()
            async with self._crowd.seat_phone(self.seat) as phone:
                self._phone = phone
                working = asyncio.create_task(self._work(phone))
                try:
                    await self._broken.wait()
                finally:
                    working.cancel()
                    await asyncio.gather(working, return_exceptions=True)
                    self._phone = None
                    self.doubled += phone.doubled

    async def lose_phone(self, for_s: float, *, silent: bool) -> None:
        """Its process is killed, or its network is gone; after so long there is a new one."""
        if phone := self._phone:
            if silent:
                phone.go_silent()
            else:
                await phone.vanish()
            await asyncio.sleep(for_s)
            await phone.vanish()
            self._broken.set()

    def lose_call(self) -> None:
        """The server of the call that is up has died: nobody will say goodbye."""
        if self._phone and self._phone.busy:
            self._phone.calls[-1].lose()

    async def leave(self) -> None:
        """The end of the day: what is up is hung up, nobody sits here."""
        if self._phone and self._phone.busy:
            await self._phone.calls[-1].hang_up()

    async def _work(self, phone: Telephone) -> None:
        adviser = Adviser(phone, self.seat, self.number, self._crowd)
        while True:
            adviser.manners = self._manners()
            await asyncio.sleep(LOOKED_EVERY_S)
            state = self._crowd.seats.get(self.seat, "")
            if state in AWAY and self._chance.random() < COMES_BACK:
                await self._crowd.sits_down(self.seat, self.number)
            elif state == "ready" and self._chance.random() < 0.01:
                await self._take_a_break()

    async def _take_a_break(self) -> None:
        try:
            await self._crowd.hotline.not_ready(self.seat)
        except NotPossible:  # a call came first, or nobody can be told
            return

    def _manners(self) -> Manners:
        """With the next call."""
        kind = self._chance.random()
        talk_s = min(30.0, self._chance.expovariate(1 / 6))
        return Manners(answers=kind > 0.04, busy=kind > 0.97, rings_s=self._chance.uniform(0, 2.5), talk_s=talk_s)
