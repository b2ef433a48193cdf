"""What Asterisk has, compared with what we know: how one controller follows another, and comes back after an absence.

A controller that starts, and one whose event socket was away, do the same: ask Asterisk what is there, compare it with
what was kept, go on with what goes on, end honestly what is gone, and clear away what nobody owns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable, Mapping
from typing import TYPE_CHECKING

import structlog

from calls.facts import ControllerStarted
from cti import __version__
from cti.asterisk.config import seat_of_endpoint
from cti.asterisk.ending import until_gone
from cti.asterisk.errors import AriError
from cti.asterisk.generated.models import Channel
from cti.asterisk.kept import KeptCall
from cti.asterisk.playing import silence
from queues import counts_from

if TYPE_CHECKING:
    from cti.asterisk.node import Node
    from cti.asterisk.session import Session

log = structlog.get_logger(__name__)

SNOOP = "Snoop/"
"""How the names of the channels begin by which a lead hears: whoever opened one that nobody knows is gone."""


class Reconciler:
    """Brings a node to agree with its Asterisk, whenever the two have met again."""

    def __init__(self, node: Node) -> None:
        self._node, self._ari = node, node.ari

    async def reconcile(self) -> None:
        """Compare what Asterisk has with what we know. Raises Unavailable when Asterisk goes away meanwhile."""
        node = self._node
        await node.telephones.look()
        info = await self._ari.asterisk.get_info(only=["system", "status"])
        node.asterisk_version = info.system.version if info.system else ""
        startup = info.status.startup_time if info.status else ""
        died = node.books.is_another_asterisk(startup)
        live = {channel.id: channel for channel in await self._ari.channels.list_all()}
        lost = await self._part_with_lost(live, died)
        node.spawn(self._know_asterisk(startup, lost))
        if not node.connected.is_set():
            await self._take_over(live)
            node.connected.set()
        else:
            await self._catch_up(live)
        await node.telephones.take_back_held()

    async def _know_asterisk(self, startup: str, lost: Iterable[Session]) -> None:
        """Only when its lost calls are told: a controller that dies before leaves the next one to find the same."""
        await asyncio.gather(*(session.told.wait() for session in lost))
        self._node.books.know_asterisk(startup)

    async def _part_with_lost(self, live: Mapping[str, Channel], died: bool) -> list[Session]:
        """What is no longer in Asterisk is over: the callers first, for whose end no seat is to blame."""
        node = self._node
        calls = [session for session in node.sessions.values() if session.has_channel]
        lost = [session for session in calls if session.call_id not in live]
        for session in lost:
            node.router.vanish(session.call_id, died=died)
        await asyncio.gather(*(session.parting.wait() for session in lost))
        for session in node.sessions.values():
            for channel in session.channels:
                if channel not in live:
                    node.router.vanish(channel, died=died)
        node.books.catch_up(node.lines, up=node.sessions)
        for kept in node.journal.find("call/", KeptCall).values():
            if not kept.unreached and kept.call_id not in live and kept.call_id not in node.sessions:
                node.books.gone(kept, died=died)
        return lost

    async def _catch_up(self, live: Mapping[str, Channel]) -> None:
        """The socket was away for a moment: channels that came into our hands meanwhile did so untold."""
        mine = {channel for session in self._node.sessions.values() for channel in session.channels}
        for channel in (await self._ari.applications.get(self._ari.app)).channel_ids:
            if channel in mine and channel in live:
                self._node.router.come(channel)
            elif channel in live:
                await self._adopt_unknown(live[channel])

    async def _take_over(self, live: Mapping[str, Channel]) -> None:
        """First connection of this controller: what the last one left."""
        node = self._node
        ours = set((await self._ari.applications.get(self._ari.app)).channel_ids)
        found = node.journal.find("call/", KeptCall).values()
        node.faxes.keep_only({call.call_id for call in found})
        kept = [self._rung(call, ours) for call in found]
        adopted = sorted((call for call in kept if call and (call.unreached or call.call_id in ours)), key=_turn)
        node.watch.record(ControllerStarted(release=__version__, boot_id=node.boot_id, adopted=len(adopted)))
        legs = {leg for call in adopted for leg in call.legs}
        bridges = {bridge for call in adopted for bridge in call.bridges}
        talking = {f"{call.call_id}.{call.visits}" for call in adopted if call.conversation}
        node.recorder.resume(talking | {call.dictation.message for call in adopted if call.dictation})
        # What else is kept is held by the dialplan, and comes back by itself. Who talks goes first: the seat is taken. Then
        # what rings for nobody is ended, before those who wait may have a seat: no telephone is to get a second call.
        for call in (call for call in adopted if call.conversation):
            node.resume(call)
        seats = [channel.id for channel in live.values() if _is_seat(channel) and channel.id not in legs]
        await asyncio.gather(*(self._end_seat(leg) for leg in seats))
        for call in (call for call in adopted if not call.conversation):
            node.resume(call)
        legs |= {channel for session in node.sessions.values() for channel in session.channels}
        for channel in ours - legs - {call.call_id for call in adopted}:
            await self._adopt_unknown(live[channel]) if channel in live and not _is_seat(live[channel]) else None
        for bridge in await self._ari.bridges.list_all():
            if bridge.id not in bridges:
                await self._ari.bridges.destroy(bridge.id)

    def _rung(self, call: KeptCall, ours: Container[str]) -> KeptCall | None:
        """A citizen was rung as the last controller died: who has answered is on the line; who has not is called anew."""
        node = self._node
        if not (call.unreached and call.step == "calling"):
            return call
        if call.call_id not in ours:
            node.spawn(node.clear_away(call.call_id))
            node.books.end(call, "fault")
            node.recorder.discard(call.call_id, f"{call.call_id}.{call.visits}", node.clock.utc())
            return None
        with node.journal.together():
            node.promises.tried(call, reached=True, counts=True)
            call = call.answered()
            node.journal.put(f"call/{call.call_id}", call)
        return call

    async def _end_seat(self, leg: str) -> None:
        """End it, and wait until it is gone. Events are not read yet: Asterisk is asked. Raises Unavailable."""
        await self._node.clear_away(leg)
        await until_gone(lambda: self._ari.channels.get(leg), leg)

    async def _adopt_unknown(self, channel: Channel) -> None:
        """A channel in our hands that nobody kept: a call whose arrival was missed, or a leg whose call is gone."""
        if _is_seat(channel) or channel.name.startswith(SNOOP):
            await self._node.clear_away(channel.id)
            return
        try:
            dialled, trunk, sip_call_id = [
                (await self._ari.channels.get_channel_var(channel.id, name)).value
                for name in ("DIALLED", "REXIAN_TRUNK", "CDR(sipcallid)")
            ]
        except AriError as error:
            log.warning("a channel that nobody knows is ended", channel=channel.id, error=str(error))
            await self._node.clear_away(channel.id)
            return
        await silence(self._ari, channel.id)
        self._node.arrive(channel, dialled, trunk, sip_call_id)


def _turn(kept: KeptCall) -> float:
    """Lower goes on first: a seat that is free already is for whoever has waited longest."""
    return counts_from(kept.since_ms / 1000, kept.needs.urgency if kept.needs else "normal")


def _is_seat(channel: Channel) -> bool:
    """Whether it leads to a seat's telephone."""
    return seat_of_endpoint(channel.name.removeprefix("PJSIP/").rpartition("-")[0]) is not None
