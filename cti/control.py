"""The control socket: how the command line talks to the running controller. A Unix socket, 0600, a line of JSON each way.

To add a command, add a request here, its answer, and its case in `orders.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog

from calls.errors import NotPossible, RexianError
from calls.facts import LeadHow
from calls.words import Role

log = structlog.get_logger(__name__)

LONGEST_LINE = 1 << 20
ANSWER_S = 10.0
RELOAD_S = 120.0
"""A reload renders what is new in the line files: many pages of it, on a busy machine."""

A = TypeVar("A")


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="command"):
    """What may be asked."""


class AskStatus(Request, frozen=True, tag="status"):
    """How is the hotline?"""


class SeatReady(Request, frozen=True, tag="seat_ready"):
    """An adviser is ready at a seat; without one, whoever sits there."""

    seat: str
    adviser: str | None = None


class SeatNotReady(Request, frozen=True, tag="seat_not_ready"):
    """A seat is not ready, for a reason."""

    seat: str
    reason: str


class SeatMoreTime(Request, frozen=True, tag="seat_more_time"):
    """The adviser needs longer for the wrap-up."""

    seat: str


class SeatRedial(Request, frozen=True, tag="seat_redial"):
    """The adviser calls back the caller whom they spoke to last."""

    seat: str


class SeatDial(Request, frozen=True, tag="seat_dial"):
    """The adviser calls whom they owe it, by what is owed: never by a number."""

    seat: str
    follow_up: str


class SeatVerify(Request, frozen=True, tag="seat_verify"):
    """The adviser has the machine ask the caller who they are."""

    seat: str


class SeatTransfer(Request, frozen=True, tag="seat_transfer"):
    """The adviser passes the caller on to another queue, and there to this adviser, if free."""

    seat: str
    queue: str
    adviser: str | None = None


class SeatConsult(Request, frozen=True, tag="seat_consult"):
    """The adviser asks a colleague about the call, by number, or somebody outside, by name; the caller hears music."""

    seat: str
    adviser: str | None = None
    outside: str | None = None


class SeatConference(Request, frozen=True, tag="seat_conference"):
    """Adviser, caller and whoever is asked hear each other."""

    seat: str


class SeatTakeBack(Request, frozen=True, tag="seat_take_back"):
    """Whoever is asked is let go of, and adviser and caller go on."""

    seat: str


class SeatHandOver(Request, frozen=True, tag="seat_hand_over"):
    """The caller is for whoever is asked; the adviser leaves."""

    seat: str


class SeatMove(Request, frozen=True, tag="seat_move"):
    """The adviser goes on talking on another telephone of the seat: the page that they loaded anew."""

    seat: str


class SeatCrisis(Request, frozen=True, tag="seat_crisis"):
    """The adviser says that this call is about life and death."""

    seat: str


class LeadPull(Request, frozen=True, tag="lead_pull"):
    """A team lead gives a caller who waits to this seat."""

    seat: str
    visit: str


class LeadJoin(Request, frozen=True, tag="lead_join"):
    """A team lead listens in on a conversation, whispers to its adviser, or speaks with both, from the telephone at `own`."""

    seat: str
    own: str
    how: LeadHow


class LeadTakeOver(Request, frozen=True, tag="lead_take_over"):
    """A team lead takes the call from the adviser there, by the telephone at `own`, where they sit."""

    seat: str
    own: str


class LeadLeave(Request, frozen=True, tag="lead_leave"):
    """The lead who is at the conversation there leaves it."""

    seat: str


class SeatLogOut(Request, frozen=True, tag="seat_log_out"):
    """The adviser leaves the seat."""

    seat: str


class ListMessages(Request, frozen=True, tag="messages"):
    """Which voice messages wait for an answer?"""


class MessageAnswered(Request, frozen=True, tag="message_answered"):
    """An adviser has answered a voice message."""

    message: str
    adviser: str


class ListBlocks(Request, frozen=True, tag="blocks"):
    """Which calling numbers are blocked?"""


class BlockNumber(Request, frozen=True, tag="block"):
    """A calling number is to be refused for some days."""

    number: str
    days: float
    reason: str
    by: str


class ReviewBlock(Request, frozen=True, tag="block_review"):
    """Somebody looked again: it stands for so many days more."""

    number: str
    days: float
    by: str


class LiftBlock(Request, frozen=True, tag="block_lift"):
    """A number may call again."""

    number: str
    by: str


class ListAccounts(Request, frozen=True, tag="accounts"):
    """Who may sign in at the desk?"""


class AddAccount(Request, frozen=True, tag="account_add"):
    """Somebody is to sign in."""

    name: str
    roles: list[Role]
    adviser: str | None


class ChangeAccount(Request, frozen=True, tag="account_change"):
    """Somebody is to have these rights from now on, or none."""

    name: str
    roles: list[Role]
    adviser: str | None
    disabled: bool


class HelpAccount(Request, frozen=True, tag="account_help"):
    """Somebody lost the password or the second factor, or is locked out."""

    name: str
    second_factor: bool


class AskAudit(Request, frozen=True, tag="audit"):
    """Which is the newest entry of the audit log?"""


class Reload(Request, frozen=True, tag="reload"):
    """Read the hotline files again."""


class Follow(Request, frozen=True, tag="follow"):
    """Show what happens in the call with this SIP Call-ID, as it happens, until the connection is closed."""

    sip_call_id: str


SeatOrder = (
    SeatReady
    | SeatNotReady
    | SeatMoreTime
    | SeatRedial
    | SeatDial
    | SeatVerify
    | SeatMove
    | SeatTransfer
    | SeatConsult
    | SeatConference
    | SeatTakeBack
    | SeatHandOver
    | SeatCrisis
    | SeatLogOut
)
"""What is ordered of a seat."""

AnyRequest = (
    AskStatus
    | LeadPull
    | LeadJoin
    | LeadTakeOver
    | LeadLeave
    | ListMessages
    | MessageAnswered
    | ListBlocks
    | BlockNumber
    | ReviewBlock
    | LiftBlock
    | ListAccounts
    | AddAccount
    | ChangeAccount
    | HelpAccount
    | AskAudit
    | Reload
    | Follow
    | SeatOrder
)


class Failed(msgspec.Struct, frozen=True):
    """The answer to a request that could not be carried out."""

    error: str


Answer = Callable[[AnyRequest], Awaitable[msgspec.Struct]]
FollowCall = Callable[[str, Callable[[], None]], AsyncIterator[msgspec.Struct]]


class ControlServer:
    """Answers requests on the socket at `path`."""

    def __init__(self, path: Path, answer: Answer, follow: FollowCall) -> None:
        self._path, self._answer, self._follow = path, answer, follow
        self._decoder = msgspec.json.Decoder(AnyRequest)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen inside the block. Raises NotPossible when another controller answers there already."""
        if self._path.exists():
            await self._refuse_second()
            self._path.unlink()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        server = await asyncio.start_unix_server(self._serve, self._path, limit=LONGEST_LINE)
        self._path.chmod(0o600)
        try:
            yield
        finally:
            server.close()
            self._path.unlink(missing_ok=True)

    async def _refuse_second(self) -> None:
        """Only a socket that nobody answers is what a dead controller left."""
        try:
            _, writer = await asyncio.open_unix_connection(self._path)
        except (ConnectionRefusedError, FileNotFoundError):
            return
        except OSError as error:
            raise NotPossible(
                f"{self._path}: {error.strerror}. Mend: move it away, or run this as its owner."
            ) from error
        writer.close()
        raise NotPossible(f"a controller is running already ({self._path} answers). Mend: stop it first: make down.")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                await self._serve_one(reader, writer)
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = self._decoder.decode(await reader.readline())
            if isinstance(request, Follow):
                await self._show(request, reader, writer)
            else:
                await _send(writer, await self._answer(request))
        except msgspec.DecodeError as error:
            await _send(writer, Failed(f"not a request: {error}"))
        except ValueError:  # what readline raises
            await _send(writer, Failed(f"not a request: a line of more than {LONGEST_LINE} bytes"))
        except RexianError as error:
            await _send(writer, Failed(str(error)))

    async def _show(self, request: Follow, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the onlooker closes the connection."""

        async def show() -> None:
            begun = _Begun()
            async for seen in self._follow(request.sip_call_id, lambda: writer.write(_line(begun))):
                await _send(writer, seen)

        showing = asyncio.create_task(show())
        gone = asyncio.create_task(reader.read())
        await asyncio.wait({showing, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in (showing, gone):
            task.cancel()
        await asyncio.gather(showing, gone, return_exceptions=True)


class _Begun(msgspec.Struct, frozen=True, tag_field="kind", tag="following"):
    """Nothing of the call can be missed from here on."""


def _line(message: msgspec.Struct) -> bytes:
    return msgspec.json.encode(message) + b"\n"


async def _send(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    writer.write(_line(message))
    await writer.drain()


async def ask(path: Path, request: AnyRequest, answer: type[A]) -> A:
    """Ask the running controller. Raises NotPossible when there is none, or with its reason when it will not."""
    reader, writer = await _connect(path)
    try:
        async with asyncio.timeout(RELOAD_S if isinstance(request, Reload) else ANSWER_S):
            await _send(writer, request)
            line = await reader.readline()
    except (TimeoutError, ConnectionError) as error:
        raise NotPossible(f"the controller does not answer. Mend: see its log, {path.parent.parent}/log.") from error
    finally:
        writer.close()
    return _understood(line, answer, path)


def _understood(line: bytes, answer: type[A], path: Path) -> A:
    if not line:
        raise NotPossible(f"the controller ended before it answered. Mend: see its log, {path.parent.parent}/log.")
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
        if set(fields) == {"error"}:
            raise NotPossible(str(fields["error"]))
        return msgspec.convert(fields, answer)
    except msgspec.DecodeError as error:
        raise NotPossible(
            f"the controller answers what this command does not understand ({error}). Mend: both must be of one release."
        ) from error


@asynccontextmanager
async def follow(path: Path, sip_call_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """Inside the block, what happens in a call: stamped facts and moments, a line of JSON each.

    Nothing is missed that happens after the block is entered. Raises NotPossible when no controller runs."""
    reader, writer = await _connect(path)
    try:
        await _send(writer, Follow(sip_call_id))
        await reader.readline()
        yield reader
    finally:
        writer.close()


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
    except PermissionError as error:
        raise NotPossible(f"{path} may not be opened. Mend: run this as root or as the hotline's user.") from error
    except OSError as error:
        raise NotPossible(f"no controller is running ({path}). Mend: start the hotline: make run.") from error
