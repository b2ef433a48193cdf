"""What is asked of the running controller, carried out and answered: the other end of `rexian ...`, and of the desk's routes.

To add an order, add its request to `cti/control.py`, a case here, and a command in `cti/commands/` or a route in `cti/desk/`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from calls.errors import NotPossible
from cti.blocklist import Blocks
from cti.control import (
    AddAccount,
    AnyRequest,
    AskAudit,
    AskStatus,
    BlockNumber,
    ChangeAccount,
    Follow,
    HelpAccount,
    LeadJoin,
    LeadLeave,
    LeadPull,
    LeadTakeOver,
    LiftBlock,
    ListAccounts,
    ListBlocks,
    ListMessages,
    MessageAnswered,
    Reload,
    ReviewBlock,
    SeatConference,
    SeatConsult,
    SeatCrisis,
    SeatDial,
    SeatHandOver,
    SeatLogOut,
    SeatMoreTime,
    SeatMove,
    SeatNotReady,
    SeatOrder,
    SeatReady,
    SeatRedial,
    SeatTakeBack,
    SeatTransfer,
    SeatVerify,
)
from cti.desk.accounts import Everybody, Handed
from cti.status import Done, OpenMessage, OpenMessages, read_status
from queues import LogOut, MoreTime, SitDown, StandUp
from recordings import place

if TYPE_CHECKING:
    from cti.server import Controller

KEPT_WITHIN_S = 3.0
"""How long a command's answer waits for the journal, which answers within milliseconds unless its disk is full."""


class Orders:
    """Carries out what people order at the command line and at the desk."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    async def answer(self, request: AnyRequest) -> msgspec.Struct:
        """Carry out one, whichever way it came. Raises RexianError with the reason when it cannot be carried out."""
        match request:
            case AskStatus():
                return read_status(self._controller)
            case _ if isinstance(request, SeatOrder):
                self._change_seat(request)
            case LeadPull() | LeadJoin() | LeadTakeOver() | LeadLeave():
                await self._lead(request)
            case ListMessages() | ListBlocks():
                messages = isinstance(request, ListMessages)
                return self._open_messages() if messages else Blocks(self._controller.node.blocklist.entries())
            case MessageAnswered(message=message, adviser=adviser):
                self._controller.node.messages.answered(message, adviser)
            case BlockNumber() | ReviewBlock() | LiftBlock():
                self._change_blocks(request)
            case ListAccounts():
                return Everybody(self._controller.doors.accounts.all())
            case AddAccount() | HelpAccount():
                return await self._hand(request)
            case ChangeAccount(name=name, roles=roles, adviser=adviser, disabled=disabled):
                await self._controller.doors.accounts.change(name, roles, adviser, disabled=disabled, by=None)
            case AskAudit():
                return self._controller.doors.audit.head
            case Reload():
                await self._controller.read_anew()
            case Follow():
                raise NotPossible("a call is followed on a connection of its own")
        with suppress(TimeoutError):  # it is done; that it cannot be kept at this moment is told by `status`
            async with asyncio.timeout(KEPT_WITHIN_S):
                await self._controller.journal.flush()
        return Done(self._told(request))

    async def _hand(self, request: AddAccount | HelpAccount) -> Handed:
        accounts = self._controller.doors.accounts
        match request:
            case AddAccount(name=name, roles=roles, adviser=adviser):
                return await accounts.add(name, roles, adviser, by=None)
            case HelpAccount(name=name, second_factor=second_factor):
                return await accounts.help(name, second_factor=second_factor, by=None)

    def _change_seat(self, request: SeatOrder) -> None:
        match request:
            case SeatReady(seat=seat, adviser=adviser):
                adviser = adviser or self._controller.floor.engine.seat(seat).adviser
                if adviser is None:
                    raise NotPossible(f"nobody sits at seat {seat}: say who does, with --adviser NUMBER")
                self._controller.floor.take(SitDown(seat, adviser))
            case SeatNotReady(seat=seat, reason=reason):
                self._controller.floor.take(StandUp(seat, reason))
            case SeatMoreTime(seat=seat):
                self._controller.floor.take(MoreTime(seat))
            case SeatRedial(seat=seat):
                self._controller.node.redial(seat)
            case SeatDial(seat=seat, follow_up=follow_up):
                adviser = self._controller.floor.engine.seat(seat).adviser or ""
                self._controller.node.dial(seat, self._controller.follow_ups.find(adviser, follow_up))
            case SeatVerify(seat=seat):
                self._controller.node.verify(seat)
            case SeatTransfer(seat=seat, queue=queue, adviser=adviser):
                self._controller.node.transfer(seat, queue, adviser)
            case SeatConsult() | SeatConference() | SeatTakeBack() | SeatHandOver():
                self._consult(request)
            case SeatMove(seat=seat):
                self._controller.node.move(seat)
            case SeatCrisis(seat=seat):
                self._controller.node.mark_crisis(seat)
            case SeatLogOut(seat=seat):
                self._controller.floor.take(LogOut(seat))
                self._controller.node.telephones.leave(seat)

    def _consult(self, request: SeatConsult | SeatConference | SeatTakeBack | SeatHandOver) -> None:
        node = self._controller.node
        match request:
            case SeatConsult(seat=seat, adviser=adviser, outside=outside):
                node.consult(seat, adviser, outside)
            case SeatConference(seat=seat):
                node.asking(seat).be("conference")
            case SeatTakeBack(seat=seat):
                node.asking(seat).be("back")
            case SeatHandOver(seat=seat):
                node.hand_over(seat)

    async def _lead(self, request: LeadPull | LeadJoin | LeadTakeOver | LeadLeave) -> None:
        match request:
            case LeadPull(seat=seat, visit=visit):
                self._controller.node.pull(seat, visit)
            case LeadJoin(seat=seat, own=own, how=how):
                await self._controller.node.join(seat, own, how)
            case LeadTakeOver(seat=seat, own=own):
                self._controller.node.take_over(seat, own)
            case LeadLeave(seat=seat):
                self._controller.node.leave(seat)

    def _change_blocks(self, request: BlockNumber | ReviewBlock | LiftBlock) -> None:
        blocks = self._controller.node.blocklist
        match request:
            case BlockNumber(number=number, days=days, reason=reason, by=by):
                blocks.add(number, days, reason, by)
            case ReviewBlock(number=number, days=days, by=by):
                blocks.review(number, days, by)
            case LiftBlock(number=number, by=by):
                blocks.lift(number, by)

    def _open_messages(self) -> OpenMessages:
        folder, zone = self._controller.settings.recordings_dir, self._controller.settings.zone
        return OpenMessages(
            [
                OpenMessage(
                    left.message,
                    left.line,
                    left.about,
                    left.calling_number,
                    left.due_at,
                    left.length_ms,
                    left.purpose,
                    left.adviser,
                    str(place(folder, left.begun_at.astimezone(zone).date(), left.message)),
                )
                for left in self._controller.node.messages.open()
            ]
        )

    def _told(self, request: AnyRequest) -> str:
        if isinstance(request, SeatOrder | LeadPull):
            seat = self._controller.floor.engine.seat(request.seat)
            return f"{seat.number} {seat.state}" + (f" {seat.adviser}" if seat.adviser else "")
        if isinstance(request, LeadJoin | LeadTakeOver | LeadLeave):
            return told_of_lead(request)
        if isinstance(request, MessageAnswered):
            return f"{request.message} answered {request.adviser}"
        if isinstance(request, BlockNumber | ReviewBlock | LiftBlock):
            return self._controller.node.blocklist.told(request.number)
        if isinstance(request, ChangeAccount):
            return f"{request.name} {' '.join(request.roles)}" + (" disabled" if request.disabled else "")
        return " ".join(f"{number}@{line.version}" for number, line in self._controller.hotline.lines.items())


def told_of_lead(request: LeadJoin | LeadTakeOver | LeadLeave) -> str:
    """What is answered to a lead who comes to a conversation, takes it over, or leaves it."""
    match request:
        case LeadJoin(seat=seat, own=own, how=how):
            return f"{seat} {how} {own}"
        case LeadTakeOver(seat=seat, own=own):
            return f"{seat} take-over {own}"
        case LeadLeave(seat=seat):
            return seat
