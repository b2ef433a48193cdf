"""The seats' telephones and pages: which can be rung, and what becomes of a caller whose adviser's one died.

An adviser speaks by the telephone at the seat, or by the page that they have open there: whoever has a page open and
registered is rung there, else on the telephone.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from calls.errors import NotPossible
from cti.asterisk.config import page_endpoint, seat_endpoint, seat_of_endpoint
from cti.asterisk.errors import AriError, Gone
from cti.asterisk.generated.messages import PeerStatusChange
from cti.asterisk.leg import Phone
from cti.asterisk.router import EndpointEvent

if TYPE_CHECKING:
    from cti.asterisk.node import Node

OUT_OF_ORDER = "27"
"""Q.850: the telephone is not there."""

REACHABLE = "Reachable"
ONLINE = "online"
"""What Asterisk says of a telephone that can be rung, when it comes and when it is asked."""

STARTS_ANEW_S = 1.0
"""A telephone is gone only when it still is after this long: adviser and caller must not lose a seat to a restart of it."""
LOADS_ANEW_S = 10.0
"""The same of a page: its adviser loaded it anew, or its network was away for 5 s, and was found again 3 s later at most."""

WIDE = "opus"
"""Offered to a page; without a word about it Asterisk puts the trunk's codec first."""


class Telephones:
    """Tells the floor which seats can be rung, and the calls where."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._there: set[str] = set()
        """The endpoints that can be rung."""
        self._given: dict[str, str] = {}
        """Of each seat whose page was given a password: to which adviser."""

    def of(self, seat: str) -> Phone:
        """What is rung at a seat."""
        page = page_endpoint(seat)
        return Phone(page, WIDE) if page in self._there else Phone(seat_endpoint(seat))

    async def look(self) -> None:
        """Be told of them from now on, and see which are there. Raises Unavailable when Asterisk is not."""
        ari = self._node.ari
        await ari.applications.subscribe(ari.app, "endpoint:PJSIP")
        for endpoint in await ari.endpoints.list_by_tech("PJSIP"):
            if seat_of_endpoint(endpoint.resource):
                self._seen(endpoint.resource, there=endpoint.state == ONLINE)

    def changed(self, event: EndpointEvent) -> None:
        """Asterisk tells of one."""
        if not isinstance(event, PeerStatusChange) or seat_of_endpoint(event.endpoint.resource) is None:
            return
        if event.peer.peer_status == REACHABLE:
            self._seen(event.endpoint.resource, there=True)
        else:
            self._node.spawn(self._look_again(event.endpoint.resource))

    async def open_page(self, seat: str, adviser: str) -> str:
        """A new password for the page that this adviser opens at the seat; the one before is good for nothing any more.

        Raises NotPossible when another adviser's page is there, AriError when Asterisk does not take it.
        """
        self._node.floor.engine.seat(seat)
        endpoint = page_endpoint(seat)
        if endpoint in self._there and self._given.get(seat, adviser) != adviser:
            raise NotPossible(f"another adviser has a page open at seat {seat}: take another seat")
        self._given[seat] = adviser
        password = secrets.token_hex(16)
        fields = {"auth_type": "digest", "username": endpoint, "password": password}
        told = [{"attribute": name, "value": value} for name, value in fields.items()]
        await self._node.ari.asterisk.update_object("res_pjsip", "auth", endpoint, fields=told)
        return password

    def leave(self, seat: str) -> None:
        """Its adviser has left: the page there is nobody's, also before it is known to be gone."""
        self._given.pop(seat, None)

    def _seen(self, endpoint: str, *, there: bool) -> None:
        seat = seat_of_endpoint(endpoint)
        assert seat is not None
        if there:
            self._there.add(endpoint)
        else:
            self._there.discard(endpoint)
        reachable = not self._there.isdisjoint({seat_endpoint(seat), page_endpoint(seat)})
        self._node.floor.phone_seen(seat, reachable=reachable)

    async def _look_again(self, resource: str) -> None:
        """A telephone that starts anew is told gone for an instant: its old address goes before the new one is known."""
        seat = seat_of_endpoint(resource) or ""
        while True:
            await asyncio.sleep(LOADS_ANEW_S if resource == page_endpoint(seat) else STARTS_ANEW_S)
            try:
                endpoint = await self._node.ari.endpoints.get("PJSIP", resource)
            except Gone:
                return  # no longer a seat
            except AriError:
                continue
            self._seen(resource, there=endpoint.state == ONLINE)
            await self.take_back_held()
            return

    async def take_back_held(self) -> None:
        """One that died with a caller on hold: its silence tells nobody, so the leg is ended, as no adviser does."""
        for session in list(self._node.sessions.values()):
            talk = session.kept.conversation
            if talk is None or talk.held_since_ms is None:
                continue
            if (talk.endpoint or seat_endpoint(talk.seat)) not in self._there:
                await self._node.clear_away(talk.leg, OUT_OF_ORDER)
