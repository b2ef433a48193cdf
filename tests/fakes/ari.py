"""A fake Asterisk that speaks ARI over real HTTP and websockets, with callers and phones that a test moves by hand.

    async with FakeAri() as fake, Ari(fake.url, fake.user, fake.password, fake.app) as ari:
        caller = fake.incoming("13800000000")     # StasisStart
        fake.dtmf(caller, "1")
        fake.hangup(caller)                       # ChannelHangupRequest, StasisEnd

Why over the network: the code under test is then the whole client, and `tests/contract/test_ari_contract.py` runs the same
tests here and on a real Asterisk, so that the fake cannot drift. This file is the state and the script; what each request
does is in `ari_rest.py`. Nothing here takes time: a sound ends at once unless it is `lasting`, a phone does what
`phones` says of it. To teach it more, add to the contract first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Literal, Self
from uuid import uuid4

import msgspec
from aiohttp import web

from cti.asterisk.generated import messages as told
from cti.asterisk.generated.models import (
    Bridge,
    CallerID,
    Channel,
    ContactInfo,
    DialplanCEP,
    Endpoint,
    Peer,
    Playback,
)

if TYPE_CHECKING:
    from types import TracebackType

NORMAL, BUSY, NO_ANSWER = 16, 17, 19
Phone = Literal["answers", "rings", "busy"]


@dataclass
class Leg:
    """A channel, with what ARI does not show of it."""

    channel: Channel
    in_stasis: bool
    called_from_here: bool
    endpoint: str = ""
    enters: tuple[str, ...] | None = None
    """The arguments with which it enters Stasis once it is answered."""
    bridge: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    playing: deque[Playback] = field(default_factory=deque)
    music: bool = False


class FakeAri:
    """One Asterisk node with one Stasis application."""

    user, password, app = "rexian", "secret", "rexian"

    def __init__(self) -> None:
        self.legs: dict[str, Leg] = {}
        self.bridges: dict[str, Bridge] = {}
        self.phones: dict[str, Phone] = {}
        self.contexts: dict[str, tuple[str, ...]] = {}
        """Dialplan contexts that end in Stasis, with the arguments they give; every other one ends nowhere."""
        self.endpoints: dict[str, Endpoint] = {}
        self.passwords: dict[str, str] = {}
        """Given at run time, by the name of what they are for."""
        self.missing = {"sound:missing"}
        self.lasting = {"sound:lasting"}
        self.subscribed: set[str] = set()
        self.disallowed: set[str] = set()
        self.booting = 0
        """How many event sockets are still refused with 503, as by an Asterisk that is starting."""
        self.started = 1
        """Which run of Asterisk this is; see `die`."""
        self.silent = False
        """Event sockets are accepted, and told nothing; requests are carried out."""
        self.deaf = False
        """Every request is answered with 503 and not done."""
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.hands: list[web.WebSocketResponse] = []
        """The websockets by which requests come."""
        self.url = ""
        self._numbers = count(1)
        self._keys = count()
        self._outbox: deque[tuple[web.WebSocketResponse, str]] = deque()
        self._flushing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        from tests.fakes.ari_rest import application

        self._runner = web.AppRunner(application(self), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/ari"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*self._flushing)
        await self.drop()
        await self._let_go()
        await self._runner.cleanup()

    # What a test does to it

    def incoming(self, caller: str = "", args: tuple[str, ...] = ("12333",), channel_id: str = "") -> str:
        """A call comes in and reaches Stasis; returns its channel."""
        leg = self.make_leg(channel_id or uuid4().hex, "PJSIP/trunk", caller=caller, in_stasis=True)
        self.tell(told.StasisStart(application=self.app, timestamp=self.now(), args=list(args), channel=leg.channel))
        return leg.channel.id

    async def die(self) -> None:
        """The whole of Asterisk is killed, and starts anew: every channel and bridge is gone, and nobody is told."""
        for leg in self.legs.values():
            leg.playing.clear()
        self.legs.clear()
        self.bridges.clear()
        self.started += 1
        await self.drop()
        await self._let_go()

    def elsewhere(self) -> str:
        """A channel that is in Asterisk's hands and not in ours."""
        return self.make_leg(uuid4().hex, "PJSIP/trunk", in_stasis=False).channel.id

    def hangup(self, channel_id: str, cause: int = NORMAL) -> None:
        """The other side ends the call."""
        leg = self.legs[channel_id]
        self.tell(
            told.ChannelHangupRequest(application=self.app, timestamp=self.now(), cause=cause, channel=leg.channel)
        )
        self.end(leg, cause)

    def hold(self, channel_id: str, *, on: bool = True) -> None:
        """A phone puts the far side on hold, or takes it back."""
        kind = told.ChannelHold if on else told.ChannelUnhold
        self.tell(kind(application=self.app, timestamp=self.now(), channel=self.legs[channel_id].channel))

    def dtmf(self, channel_id: str, digit: str) -> None:
        """The caller presses a key; no two are told in the same letters, as nobody presses two within a millisecond."""
        self.tell(
            told.ChannelDtmfReceived(
                application=self.app,
                timestamp=self.now(),
                digit=digit,
                duration_ms=80 + next(self._keys) % 400,
                channel=self.legs[channel_id].channel,
            )
        )

    def pick_up(self, channel_id: str) -> None:
        """A phone that rings is answered."""
        leg = self.legs[channel_id]
        self.set_state(leg, "Up")
        self.tell(told.Dial(application=self.app, timestamp=self.now(), peer=leg.channel, dialstatus="ANSWER"))
        if leg.enters is not None:
            self.enter(leg, leg.enters)

    def no_answer(self, channel_id: str) -> None:
        """A phone has rung for its time."""
        self._not_reached(self.legs[channel_id], "NOANSWER", NO_ANSWER)

    def finish(self, playback_id: str, state: str = "done") -> None:
        """A lasting sound ends, by itself or because it was stopped; the next one queued begins."""
        leg = next(leg for leg in self.legs.values() if any(each.id == playback_id for each in leg.playing))
        ended = next(each for each in leg.playing if each.id == playback_id)
        was_first = leg.playing[0] is ended
        leg.playing.remove(ended)
        self._tell_finished(ended, state)
        if was_first:
            self._play_next(leg)

    def register(self, resource: str, contact_status: str = "NonQualified", peer_status: str = "Reachable") -> None:
        """A phone registers or goes: `PJSIP/resource`."""
        state = "online" if peer_status == "Reachable" else "offline"
        endpoint = Endpoint(technology="PJSIP", resource=resource, state=state, channel_ids=[])
        self.endpoints[resource] = endpoint
        contact = ContactInfo(uri=f"sip:{resource}@127.0.0.1", contact_status=contact_status, aor=resource)
        if self.subscribed & {"endpoint:PJSIP", f"endpoint:PJSIP/{resource}"}:
            common = {"application": self.app, "timestamp": self.now()}
            self.tell(told.ContactStatusChange(**common, endpoint=endpoint, contact_info=contact))
            self.tell(told.PeerStatusChange(**common, endpoint=endpoint, peer=Peer(peer_status=peer_status)))

    def tell_text(self, text: str) -> None:
        """Put anything on the event socket."""
        if self.sockets:
            self._outbox.append((self.sockets[-1], text))
            self._flushing.add(task := asyncio.create_task(self.flush()))
            task.add_done_callback(self._flushing.discard)

    async def drop(self) -> None:
        """Close every event socket, as Asterisk does with a reader that lags."""
        while self.sockets:
            await self.sockets.pop().close()

    async def _let_go(self) -> None:
        while self.hands:
            await self.hands.pop().close()

    # What the requests use

    def now(self) -> str:
        """A time stamp as Asterisk writes it, to the millisecond: what happens within one has the same."""
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"

    def tell(self, message: told.Message) -> None:
        """Queue an event for the application's socket; lost when there is none, as in Asterisk."""
        if type(message).__name__ not in self.disallowed and not self.silent:
            self.tell_text(msgspec.json.encode(message).decode())

    async def flush(self) -> None:
        """Send what has been queued."""
        while self._outbox:
            socket, text = self._outbox.popleft()
            if not socket.closed:
                await socket.send_str(text)

    def make_leg(self, channel_id: str, endpoint: str, *, caller: str = "", in_stasis: bool, ours: bool = False) -> Leg:
        """A new channel."""
        number = CallerID(name="", number=caller)
        channel = Channel(
            id=channel_id,
            protocol_id="",
            name=f"{endpoint}-{next(self._numbers):08x}",
            state="Down" if ours else "Ring",
            caller=number,
            connected=CallerID(name="", number=""),
            accountcode="",
            dialplan=DialplanCEP(context="in", exten="12333", priority=1, app_name="Stasis", app_data=self.app),
            creationtime=self.now(),
            language="en",
        )
        leg = self.legs[channel_id] = Leg(channel, in_stasis=in_stasis, called_from_here=ours, endpoint=endpoint)
        return leg

    def enter(self, leg: Leg, args: tuple[str, ...]) -> None:
        """The channel comes into our hands."""
        leg.in_stasis, leg.enters = True, None
        start = told.StasisStart(application=self.app, timestamp=self.now(), args=list(args), channel=leg.channel)
        self.tell(start)

    def set_state(self, leg: Leg, state: str) -> None:
        """The channel changes its state."""
        if leg.channel.state != state:
            leg.channel = msgspec.structs.replace(leg.channel, state=state)
            self.tell(told.ChannelStateChange(application=self.app, timestamp=self.now(), channel=leg.channel))

    def end(self, leg: Leg, cause: int) -> None:
        """The channel goes, and everything that hangs on it."""
        for playback in leg.playing:
            self._tell_finished(playback, "failed")
        self.leave_bridge(leg)
        del self.legs[leg.channel.id]
        if leg.in_stasis:
            self.tell(told.StasisEnd(application=self.app, timestamp=self.now(), channel=leg.channel))
        if leg.called_from_here or self.subscribed & {"endpoint:PJSIP", f"endpoint:{leg.endpoint}"}:
            self.tell(
                told.ChannelDestroyed(
                    application=self.app, timestamp=self.now(), cause=cause, cause_txt="", channel=leg.channel
                )
            )

    def leave_bridge(self, leg: Leg) -> None:
        """The channel leaves its bridge, if it is in one."""
        if bridge := self.bridges.get(leg.bridge):
            bridge.channels.remove(leg.channel.id)
            self.tell(
                told.ChannelLeftBridge(application=self.app, timestamp=self.now(), bridge=bridge, channel=leg.channel)
            )
        leg.bridge = ""

    def dial(self, leg: Leg) -> None:
        """The phone at the other end does what `phones` says."""
        conduct = self.phones[leg.endpoint]
        for status in ("", "RINGING"):
            self.tell(told.Dial(application=self.app, timestamp=self.now(), peer=leg.channel, dialstatus=status))
        if conduct == "answers":
            self.pick_up(leg.channel.id)
        elif conduct == "busy":
            self._not_reached(leg, "BUSY", BUSY)

    def play(self, leg: Leg, playback: Playback) -> None:
        """A sound begins, or waits for the one before it."""
        leg.playing.append(playback)
        if leg.playing[0] is playback:
            self._play_next(leg)

    def _play_next(self, leg: Leg) -> None:
        while leg.playing and leg.playing[0].media_uri not in self.lasting:
            self._tell_played(leg.playing.popleft())

    def _tell_played(self, playback: Playback) -> None:
        self._tell_finished(playback, "failed" if playback.media_uri in self.missing else "done")

    def _tell_finished(self, playback: Playback, state: str) -> None:
        ended = msgspec.structs.replace(playback, state=state)
        self.tell(told.PlaybackFinished(application=self.app, timestamp=self.now(), playback=ended))

    def _not_reached(self, leg: Leg, status: str, cause: int) -> None:
        self.tell(told.Dial(application=self.app, timestamp=self.now(), peer=leg.channel, dialstatus=status))
        self.end(leg, cause)
