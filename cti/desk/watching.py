"""The routes for looking on: how the hotline is, and the feed of every queue and seat as it changes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from litestar import WebSocket, get, websocket
from litestar.exceptions import WebSocketDisconnect, WebSocketException
from litestar.handlers import BaseRouteHandler

from cti.board import BoardNow
from cti.desk.accounts import Account
from cti.desk.entrance import COOKIE, Doors, Visitor
from cti.desk.feed import Onlooker
from cti.desk.house import House
from cti.desk.roles import ANY_ROLE_OR_SCREEN, SCREENS, only
from cti.status import Status

STATUS, BOARD, FEED = "/api/v1/status", "/api/v1/board", "/api/v1/feed"

LOOKED_AGAIN_S = 5.0
"""How soon an open feed notices that its session is over."""
SESSION_OVER, LEFT_BEHIND = 4401, 4408
"""Why a feed is closed: sign in again; or open another one."""
FAREWELL_S = 1.0
NOTHING_NEW = b"[]"
GATHERED_S = 0.1
"""What a page was told something before is told not before this: a hundred pages that are sent each fact by itself, five
hundred a second, take more than a core."""
QUIET_S = 1.0
"""A page that hears nothing for this long is told so, by an empty array: a cut network keeps silent, too."""
TOGETHER_S = 0.01
"""Pages are told at multiples of this, some of them in one turn of the event loop: to wake up costs more than to tell."""

Socket = WebSocket[Visitor | None, Any, Any]


def watching(doors: Doors, house: House) -> list[BaseRouteHandler]:
    """The routes."""

    @get(STATUS, opt=only("operator", "admin", "manager"), sync_to_thread=False)
    def status() -> Status:
        """How the hotline is, as `rexian status --json` has it."""
        return house.status()

    @get(BOARD, opt=SCREENS)
    async def board() -> BoardNow:
        """What the wallboard shows besides the feed: figures of today, trunks and alarms; made once in five seconds."""
        return await house.board.now()

    @websocket(FEED, opt=ANY_ROLE_OR_SCREEN)
    async def feed(socket: Socket) -> None:
        """How every queue and seat stands, and each change, until the session is over."""
        await socket.accept()
        token = socket.cookies[COOKIE]
        visitor = socket.user
        account = visitor.account if visitor and not visitor.board else None
        lead = account is not None and "lead" in account.roles
        with house.feed.opened(account.adviser if account else None, lead=lead) as onlooker:
            telling = asyncio.create_task(_tell(socket, onlooker))
            leaving = asyncio.create_task(_until_gone(socket))
            try:
                while not (telling.done() or leaving.done()):
                    await asyncio.wait({telling, leaving}, timeout=LOOKED_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
                    if not doors.sessions.stands(token) or (account and not _still(doors, account)):
                        await _close(socket, SESSION_OVER, "the session is over")
                        break
                    if onlooker.left_behind:
                        await _close(socket, LEFT_BEHIND, "too far behind")
                        break
            finally:
                for task in (telling, leaving):
                    task.cancel()
                await asyncio.gather(telling, leaving, return_exceptions=True)

    return [status, board, feed]


def _still(doors: Doors, account: Account) -> bool:
    """Whether what the feed tells is still for them: somebody may be a lead no more, or have another number."""
    now = doors.accounts.get(account.name)
    return now is not None and (now.roles, now.adviser) == (account.roles, account.adviser)


async def _tell(socket: Socket, onlooker: Onlooker) -> None:
    """At once when it was quiet, all together when it is not: then without a timer, which would cost each page and message."""
    while True:
        try:
            async with asyncio.timeout(None if onlooker.has_news else QUIET_S):
                news = await onlooker.next()
        except TimeoutError:
            news = NOTHING_NEW
        await socket.send_data(news, mode="text")
        await asyncio.sleep(GATHERED_S - asyncio.get_running_loop().time() % TOGETHER_S)


async def _until_gone(socket: Socket) -> None:
    """Nothing is to be said on a feed but that it is over."""
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_data(mode="text")


async def _close(socket: Socket, code: int, why: str) -> None:
    """A page that does not read does not hear a farewell either."""
    with suppress(TimeoutError, WebSocketException):
        async with asyncio.timeout(FAREWELL_S):
            await socket.close(code, why)
