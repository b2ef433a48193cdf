"""What an adviser asks of their conversation: carried out in `conversation.py`, one after the other, by the call's own task.

Each wish is refused at once, with the reason and the mend, when it cannot be granted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from calls.clock import Instant
from calls.errors import NotPossible
from calls.words import Needs
from cti.asterisk.consulting import Asked
from cti.asterisk.leg import Phone

if TYPE_CHECKING:
    from cti.asterisk.session import Session


class Wishes:
    """Those of one call that are not carried out yet."""

    def __init__(self, call: Session) -> None:
        self.apart = False
        """The machine is to ask the caller who they are."""
        self.elsewhere: Needs | None = None
        """What the caller is passed on to."""
        self.moved = False
        """The adviser goes on talking on another telephone of the seat."""
        self.asked: Asked | None = None
        """Somebody is to be asked about the call."""
        self.handing_over = False
        """The caller is for whoever was asked, from now on."""
        self._call = call
        self._more = asyncio.Event()

    async def some(self) -> None:
        """Wait until there is one."""
        while not (self.apart or self.elsewhere or self.moved or self.asked or self.handing_over):
            self._more.clear()
            await self._more.wait()

    def send_to_machine(self) -> None:
        """The machine is to ask the caller who they are. Raises NotPossible."""
        self._only_the_two()
        conversation = self._call.kept.conversation
        if conversation and conversation.held_since_ms is not None:
            raise NotPossible("the caller is on hold. Mend: take them back first")
        self.apart = True
        self._more.set()

    def transfer(self, queue: str, adviser: str | None) -> None:
        """The caller is passed on to a queue of the line, and there to this adviser, if free. Raises NotPossible."""
        call = self._call
        self._only_the_two()
        if queue not in call.line.queues:
            known = ", ".join(call.line.queues)
            raise NotPossible(f"line {call.line.number} has no queue {queue}. Mend: use one of: {known}")
        needs = call.line.needs(queue, call.caller.language)
        if not call.node.floor.engine.somebody_for(needs, Instant(call.kept.since_ms / 1000), call.clock.now()):
            raise NotPossible(f"nobody is there for queue {queue}. Mend: choose another, or promise to call back")
        self.elsewhere = msgspec.structs.replace(needs, preferred=adviser)
        self._more.set()

    def move(self) -> None:
        """The adviser goes on talking on what is the seat's telephone now. Raises NotPossible when nobody is talking there."""
        if self._call.kept.conversation is None:
            raise NotPossible("nobody is talking there")
        self.moved = True
        self._more.set()

    def ask(self, phone: Phone, seat: str | None, outside: str = "", *, take_over: bool = False) -> None:
        """Whoever is at this telephone is asked about the call, or takes it over. Raises NotPossible.

        They are at a seat, which is reserved for it at once, or outside, by name.
        """
        call = self._call
        self._only_the_two()
        conversation = call.kept.conversation
        if conversation and conversation.held_since_ms is not None and not take_over:
            raise NotPossible("the caller is on hold. Mend: take them back first; they hear music while you ask")
        proposal = None
        if seat:  # outside nothing is recorded anyhow
            call.node.check_may_begin()
            proposal = call.node.floor.consult(seat, call.next_visit)
        self.asked = Asked(phone, proposal, outside, take_over)
        self._more.set()

    def hand_over(self) -> None:
        """The caller is for whoever is asked; while they still ring, as soon as they answer. Raises NotPossible."""
        if self._call.consultation is None or self._call.consultation.over:
            raise NotPossible("nobody is being asked about this call. Mend: ask somebody first, or pass the caller on")
        self.handing_over = True
        self._more.set()

    def _only_the_two(self) -> None:
        """Raises NotPossible unless adviser and caller are with each other, and with nobody else."""
        call, conversation = self._call, self._call.kept.conversation
        if conversation is None:
            raise NotPossible("nobody is talking there. Mend: ask while you are talking to the caller")
        if conversation.apart_since_ms is not None or self.apart:
            raise NotPossible("the machine is asking this caller already. Mend: wait until it has ended")
        if call.consultation or self.asked:
            raise NotPossible("somebody is being asked about this call. Mend: hand the caller over, or take them back")
        if self.elsewhere:
            raise NotPossible("the caller is being passed on already")
