"""The seats' telephones: which can be rung, and what becomes of a caller whose adviser's telephone died."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cti.asterisk.config import seat_endpoint, seat_of_endpoint
from cti.asterisk.errors import AriError, Gone
from cti.asterisk.generated.messages import PeerStatusChange
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


class Telephones:
    """Tells the floor which telephones are there."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def look(self) -> None:
        """Be told of them from now on, and see which are there. Raises Unavailable when Asterisk is not."""
        ari = self._node.ari
        await ari.applications.subscribe(ari.app, "endpoint:PJSIP")
        for endpoint in await ari.endpoints.list_by_tech("PJSIP"):
            if seat := seat_of_endpoint(endpoint.resource):
                self._node.floor.phone_seen(seat, reachable=endpoint.state == ONLINE)

    def changed(self, event: EndpointEvent) -> None:
        """Asterisk tells of one."""
        if not isinstance(event, PeerStatusChange) or (seat := seat_of_endpoint(event.endpoint.resource)) is None:
            return
        if event.peer.peer_status == REACHABLE:
            self._node.floor.phone_seen(seat, reachable=True)
        else:
            self._node.spawn(self._look_again(seat))

    async def _look_again(self, seat: str) -> None:
        """A telephone that starts anew is told gone for an instant: its old address goes before the new one is known."""
        while True:
            await asyncio.sleep(STARTS_ANEW_S)
            try:
                endpoint = await self._node.ari.endpoints.get("PJSIP", seat_endpoint(seat))
            except Gone:
                return  # no longer a seat
            except AriError:
                continue
            self._node.floor.phone_seen(seat, reachable=endpoint.state == ONLINE)
            if endpoint.state != ONLINE:
                await self.take_back_held(seat)
            return

    async def take_back_held(self, seat: str) -> None:
        """A telephone that died with a caller on hold: its silence tells nobody, so the leg is ended, as no adviser does."""
        for session in self._node.sessions.values():
            talk = session.kept.conversation
            if talk and talk.seat == seat and talk.held_since_ms is not None:
                await self._node.clear_away(talk.leg, OUT_OF_ORDER)
                return
