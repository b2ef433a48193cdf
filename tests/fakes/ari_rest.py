"""The requests that the fake Asterisk answers: the subset of ARI that the hotline uses, refusals included."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import aiohttp
import msgspec
from aiohttp import web
from yarl import URL

from cti.asterisk.generated import messages as told
from cti.asterisk.generated.models import Application, AsteriskInfo, Bridge, Playback, StatusInfo, SystemInfo, Variable
from cti.asterisk.specification import FOLDER, vendored_version
from tests.fakes.ari import NORMAL, FakeAri, Leg

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler


class Refusal(Exception):
    """Becomes an answer with this status and Asterisk's text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def application(fake: FakeAri) -> web.Application:
    """The fake as an aiohttp application."""
    rest = Rest(fake)
    app = web.Application(middlewares=[rest.answer])
    app.add_routes(
        [
            web.get("/ari/events", rest.events),
            web.post("/ari/events/user/{name}", rest.user_event),
            web.get("/ari/api-docs/{file}", rest.api_docs),
            web.get("/ari/asterisk/info", rest.info),
            web.get("/ari/applications/{app}", rest.application),
            web.put("/ari/applications/{app}/eventFilter", rest.filter),
            web.post("/ari/applications/{app}/subscription", rest.subscribe),
            web.get("/ari/channels", rest.channels),
            web.post("/ari/channels/create", rest.create),
            web.post("/ari/channels", rest.originate),
            web.get("/ari/channels/{channel}", rest.channel),
            web.post("/ari/channels/{channel}", rest.originate),
            web.delete("/ari/channels/{channel}", rest.hangup),
            web.post("/ari/channels/{channel}/answer", rest.answer_channel),
            web.post("/ari/channels/{channel}/continue", rest.leave),
            web.post("/ari/channels/{channel}/dial", rest.dial),
            web.post("/ari/channels/{channel}/play", rest.play),
            web.post("/ari/channels/{channel}/play/{playback}", rest.play),
            web.get("/ari/channels/{channel}/variable", rest.variable),
            web.post("/ari/channels/{channel}/variable", rest.set_variable),
            web.route("*", "/ari/channels/{channel}/{what:ring|silence|mute|progress}", rest.nothing),
            web.route("*", "/ari/channels/{channel}/moh", rest.music),
            web.get("/ari/bridges", rest.bridges),
            web.post("/ari/bridges", rest.create_bridge),
            web.get("/ari/bridges/{bridge}", rest.bridge),
            web.post("/ari/bridges/{bridge}", rest.create_bridge),
            web.delete("/ari/bridges/{bridge}", rest.destroy),
            web.post("/ari/bridges/{bridge}/addChannel", rest.add),
            web.post("/ari/bridges/{bridge}/removeChannel", rest.remove),
            web.put("/ari/asterisk/config/dynamic/{class}/{type}/{id}", rest.configure),
            web.get("/ari/endpoints/{technology}", rest.endpoints),
            web.get("/ari/endpoints/{technology}/{resource}", rest.endpoint),
            web.get("/ari/playbacks/{playback}", rest.playback),
            web.delete("/ari/playbacks/{playback}", rest.stop),
        ]
    )
    return app


def _json(found: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(found), content_type="application/json")


def _done() -> web.Response:
    return web.Response(status=204)


class Rest:
    """One method a request; the state is the fake's."""

    def __init__(self, fake: FakeAri) -> None:
        self._fake = fake
        self._password = "Basic " + base64.b64encode(f"{fake.user}:{fake.password}".encode()).decode()

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Password, record of requests, refusals; the events of a request are told before its answer."""
        if request.headers.get("Authorization") != self._password:
            return web.json_response({"error": "Invalid userid/password"}, status=401)
        if request.path != "/ari/events" or request.query.get("app") == self._fake.app:
            self._fake.requests.append((request.method, request.path.removeprefix("/ari"), dict(request.query)))
        try:
            if self._fake.deaf:
                raise Refusal(503, "Asterisk is away")
            response = await handler(request)
        except Refusal as refusal:
            response = web.json_response({"message": str(refusal)}, status=refusal.status)
        await self._fake.flush()
        return response

    async def events(self, request: web.Request) -> web.StreamResponse:
        fake = self._fake
        if fake.booting:
            fake.booting -= 1
            raise Refusal(503, "Asterisk not booted")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if request.query["app"] != fake.app:
            await self._serve(socket)
            return socket
        if fake.sockets:
            fake.tell(told.ApplicationReplaced(application=fake.app, timestamp=fake.now()))
            await fake.flush()
        fake.sockets.append(socket)
        async for _ in socket:
            pass
        if socket in fake.sockets:
            fake.sockets.remove(socket)
        return socket

    async def _serve(self, socket: web.WebSocketResponse) -> None:
        """Requests by websocket, until its end: each is asked of this server by HTTP, whose answers are the same."""
        self._fake.hands.append(socket)
        async with aiohttp.ClientSession(headers={"Authorization": self._password}) as session:
            async for frame in socket:
                asked = msgspec.json.decode(frame.data)
                url = URL(f"{self._fake.url}/{asked['uri']}", encoded=True)
                headers = {"Content-Type": asked.get("content_type", "")}
                body = asked.get("message_body", "").encode()
                async with session.request(asked["method"], url, data=body or None, headers=headers) as response:
                    answer = {
                        "type": "RESTResponse",
                        "request_id": asked["request_id"],
                        "status_code": response.status,
                        "reason_phrase": response.reason,
                        "message_body": await response.text(),
                    }
                with suppress(ConnectionError):  # whoever asked is dead by now
                    await socket.send_str(msgspec.json.encode(answer).decode())
        if socket in self._fake.hands:
            self._fake.hands.remove(socket)

    async def user_event(self, request: web.Request) -> web.StreamResponse:
        self._application(request)
        name, now = request.match_info["name"], self._fake.now()
        self._fake.tell(told.ChannelUserevent(application=self._fake.app, timestamp=now, eventname=name, userevent={}))
        return _done()

    async def api_docs(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=(FOLDER / request.match_info["file"]).read_bytes(), content_type="application/json")

    async def info(self, request: web.Request) -> web.StreamResponse:
        started = f"2026-01-01T00:00:{self._fake.started:02}.000+0000"
        return _json(
            AsteriskInfo(
                system=SystemInfo(version=vendored_version(), entity_id="fake"),
                status=StatusInfo(startup_time=started, last_reload_time=started),
            )
        )

    # Applications

    async def application(self, request: web.Request) -> web.StreamResponse:
        return _json(self._application(request))

    async def filter(self, request: web.Request) -> web.StreamResponse:
        self._application(request)
        body = await request.json()
        self._fake.disallowed = {each["type"] for each in body["disallowed"]}
        return _json(self._application(request))

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        sources = request.query["eventSource"].split(",")
        for kind, _, name in (source.partition(":") for source in sources):
            known = {"channel": {*self._fake.legs}, "bridge": {*self._fake.bridges}}
            if name not in known.get(kind, {name}):
                raise Refusal(422, "Event source does not exist")
        self._fake.subscribed.update(sources)
        return _json(self._application(request))

    def _application(self, request: web.Request) -> Application:
        fake = self._fake
        name = request.match_info.get("app") or request.query["application"]
        if name != fake.app or not fake.sockets:
            raise Refusal(404, "Application not found")
        return Application(
            name=fake.app,
            channel_ids=[name for name, leg in fake.legs.items() if leg.in_stasis],
            bridge_ids=[each[7:] for each in fake.subscribed if each.startswith("bridge:")],
            endpoint_ids=[each[9:] for each in fake.subscribed if each.startswith("endpoint:")],
            device_names=[],
            events_allowed=[],
            events_disallowed=[{"type": each} for each in sorted(fake.disallowed)],
        )

    # Channels

    def _leg(self, channel: str, status: int = 404) -> Leg:
        if channel not in self._fake.legs:
            raise Refusal(status, "Channel not found")
        return self._fake.legs[channel]

    def _ours(self, request: web.Request) -> Leg:
        leg = self._leg(request.match_info["channel"])
        if not leg.in_stasis:
            raise Refusal(409, "Channel not in Stasis application")
        return leg

    async def channels(self, request: web.Request) -> web.StreamResponse:
        return _json([leg.channel for leg in self._fake.legs.values()])

    async def channel(self, request: web.Request) -> web.StreamResponse:
        return _json(self._leg(request.match_info["channel"]).channel)

    async def create(self, request: web.Request) -> web.StreamResponse:
        leg = await self._call(request)
        return _json(leg.channel)

    async def originate(self, request: web.Request) -> web.StreamResponse:
        """Rings at once; enters Stasis on answer, through the dialplan when a context is named."""
        leg = await self._call(request, in_stasis=False)
        return _json(leg.channel)

    async def _call(self, request: web.Request, *, in_stasis: bool = True) -> Leg:
        fake, query = self._fake, request.query
        endpoint, channel_id = query["endpoint"], _named(request, "channel", "channelId")
        if any(living.lower().startswith(channel_id.lower()) for living in fake.legs):
            raise Refusal(409, "Channel with given unique ID already exists")
        if endpoint not in fake.phones:
            raise Refusal(500, "Allocation failed")
        leg = fake.make_leg(channel_id, endpoint, in_stasis=in_stasis, ours=True)
        body = await request.json() if request.can_read_body else {}
        leg.variables.update({name: _value(given) for name, given in body.get("variables", {}).items()})
        args = tuple(each for each in query.get("appArgs", "").split(",") if each)
        if in_stasis:
            fake.enter(leg, args)
        else:
            leg.enters = fake.contexts.get(query["context"]) if "context" in query else args
            fake.dial(leg)
        return leg

    async def hangup(self, request: web.Request) -> web.StreamResponse:
        leg = self._leg(request.match_info["channel"])
        self._fake.end(leg, int(request.query.get("reason_code", NORMAL)))
        return _done()

    async def answer_channel(self, request: web.Request) -> web.StreamResponse:
        self._fake.set_state(self._ours(request), "Up")
        return _done()

    async def leave(self, request: web.Request) -> web.StreamResponse:
        leg = self._ours(request)
        self._fake.leave_bridge(leg)
        leg.in_stasis = False
        self._fake.tell(told.StasisEnd(application=self._fake.app, timestamp=self._fake.now(), channel=leg.channel))
        if args := self._fake.contexts.get(request.query.get("context", "")):
            self._fake.enter(leg, args)
        return _done()

    async def dial(self, request: web.Request) -> web.StreamResponse:
        leg = self._leg(request.match_info["channel"])
        if not leg.called_from_here or leg.channel.state != "Down":
            raise Refusal(409, "Channel is not in the 'Down' state")
        self._fake.dial(leg)
        return _done()

    async def play(self, request: web.Request) -> web.StreamResponse:
        leg = self._ours(request)
        leg.music = False
        playback = _playback(request, f"channel:{leg.channel.id}")
        self._fake.play(leg, playback)
        return _json(playback, status=201)

    async def playback(self, request: web.Request) -> web.StreamResponse:
        return _json(self._playing(request))

    async def stop(self, request: web.Request) -> web.StreamResponse:
        self._fake.finish(self._playing(request).id)
        return _done()

    def _playing(self, request: web.Request) -> Playback:
        name = request.match_info["playback"]
        for playback in (each for leg in self._fake.legs.values() for each in leg.playing):
            if playback.id == name:
                return playback
        raise Refusal(404, "Playback not found")

    async def variable(self, request: web.Request) -> web.StreamResponse:
        leg, name = self._leg(request.match_info["channel"]), request.query["variable"]
        if name not in leg.variables:
            raise Refusal(404, "Provided variable was not found")
        return _json(Variable(value=leg.variables[name]))

    async def set_variable(self, request: web.Request) -> web.StreamResponse:
        self._ours(request).variables[request.query["variable"]] = request.query.get("value", "")
        return _done()

    async def nothing(self, request: web.Request) -> web.StreamResponse:
        """Ringing, silence, muting: only that the channel is ours is checked."""
        self._ours(request)
        return _done()

    async def music(self, request: web.Request) -> web.StreamResponse:
        self._ours(request).music = request.method == "POST"
        return _done()

    # Bridges

    def _bridge(self, request: web.Request) -> Bridge:
        name = request.match_info["bridge"]
        if name not in self._fake.bridges:
            raise Refusal(404, "Bridge not found")
        return self._fake.bridges[name]

    async def bridges(self, request: web.Request) -> web.StreamResponse:
        return _json(list(self._fake.bridges.values()))

    async def bridge(self, request: web.Request) -> web.StreamResponse:
        return _json(self._bridge(request))

    async def create_bridge(self, request: web.Request) -> web.StreamResponse:
        name = _named(request, "bridge", "bridgeId")
        if name in self._fake.bridges:
            raise Refusal(409, f"Bridge with id '{name}' already exists")
        kind = "holding" if "holding" in request.query.get("type", "") else "mixing"
        bridge = self._fake.bridges[name] = Bridge(
            id=name,
            technology="simple_bridge" if kind == "mixing" else "holding_bridge",
            bridge_type=kind,
            bridge_class="stasis",
            creator="Stasis",
            name=request.query.get("name", ""),
            channels=[],
            creationtime=self._fake.now(),
        )
        return _json(bridge)

    async def destroy(self, request: web.Request) -> web.StreamResponse:
        bridge, fake = self._bridge(request), self._fake
        for channel in [*bridge.channels]:
            fake.leave_bridge(fake.legs[channel])
        del fake.bridges[bridge.id]
        if f"bridge:{bridge.id}" in fake.subscribed:
            fake.tell(told.BridgeDestroyed(application=fake.app, timestamp=fake.now(), bridge=bridge))
        return _done()

    async def add(self, request: web.Request) -> web.StreamResponse:
        bridge, fake = self._bridge(request), self._fake
        for channel in request.query["channel"].split(","):
            leg = self._leg(channel, status=400)
            if not leg.in_stasis:
                raise Refusal(422, "Channel not in Stasis application")
            fake.leave_bridge(leg)
            leg.bridge = bridge.id
            bridge.channels.append(channel)
            fake.tell(
                told.ChannelEnteredBridge(
                    application=fake.app, timestamp=fake.now(), bridge=bridge, channel=leg.channel
                )
            )
        return _done()

    async def remove(self, request: web.Request) -> web.StreamResponse:
        bridge = self._bridge(request)
        for channel in request.query["channel"].split(","):
            leg = self._leg(channel, status=400)
            if leg.bridge != bridge.id:
                raise Refusal(422, "Channel not in this bridge")
            self._fake.leave_bridge(leg)
        return _done()

    # Configuration

    async def configure(self, request: web.Request) -> web.StreamResponse:
        if (request.match_info["class"], request.match_info["type"]) != ("res_pjsip", "auth"):
            raise Refusal(404, "sorcery object type not found")
        fields = msgspec.json.decode(await request.read(), type=dict[str, list[dict[str, str]]])["fields"]
        self._fake.passwords[request.match_info["id"]] = next(
            each["value"] for each in fields if each["attribute"] == "password"
        )
        return _json(fields)

    # Endpoints

    async def endpoints(self, request: web.Request) -> web.StreamResponse:
        technology = request.match_info["technology"]
        return _json([each for each in self._fake.endpoints.values() if each.technology == technology])

    async def endpoint(self, request: web.Request) -> web.StreamResponse:
        technology, resource = request.match_info["technology"], request.match_info["resource"]
        for each in self._fake.endpoints.values():
            if (each.technology, each.resource) == (technology, resource):
                return _json(each)
        raise Refusal(404, "Endpoint not found")


def _named(request: web.Request, what: str, parameter: str) -> str:
    """The id that the request chose, by its path or its query; else a new one."""
    return request.match_info.get(what) or request.query.get(parameter) or uuid4().hex


def _playback(request: web.Request, target: str) -> Playback:
    name = _named(request, "playback", "playbackId")
    return Playback(id=name, media_uri=request.query["media"], target_uri=target, language="en", state="queued")


def _value(given: object) -> str:
    return str(given["value"]) if isinstance(given, dict) else str(given)
