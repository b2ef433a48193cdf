"""What the client relies on, true of the fake and of a real Asterisk alike.

The numbers in the names' docstrings are those of `docs/asterisk-pitfalls.md`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
import pytest_asyncio

from cti.asterisk.apidocs import compare_api
from cti.asterisk.client import Ari
from cti.asterisk.errors import (
    Conflict,
    Gone,
    NotInStasis,
    Refused,
    Replaced,
    Unreachable,
    Unset,
)
from cti.asterisk.generated import messages as told
from cti.asterisk.router import EndpointEvent, Mailbox, Router
from cti.asterisk.socket import EventSocket
from tests.contract.exchanges import Exchange, fake_exchange, real_exchange

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATIENCE_S = 30
# Less than the hotline filters: the contract is about these events, too.
FILTER = ("ChannelDialplan", "ChannelVarset")


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=[fake_exchange, real_exchange], ids=["fake", "real"]
)
async def exchange(request: pytest.FixtureRequest) -> AsyncIterator[Exchange]:
    async with request.param() as running:
        yield running


class Controller:
    """A client with everything attached, as the hotline wires it."""

    def __init__(self, ari: Ari) -> None:
        self.ari = ari
        self.log: list[str] = []
        self.calls: asyncio.Queue[told.StasisStart] = asyncio.Queue()
        self.endpoints: asyncio.Queue[EndpointEvent] = asyncio.Queue()
        self.connections: asyncio.Queue[int] = asyncio.Queue()
        self.router = Router(self.calls.put_nowait, self.endpoints.put_nowait)
        self.socket = EventSocket(ari, self._handle, self.on_connected, disallowed=FILTER)

    async def on_connected(self) -> None:
        self.log.append("connected")
        self.connections.put_nowait(len(self.log))

    def _handle(self, message: told.Message) -> None:
        self.log.append(type(message).__name__)
        self.router.dispatch(message)

    async def connected(self) -> None:
        """The event socket has connected once more."""
        async with asyncio.timeout(PATIENCE_S):
            await self.connections.get()

    async def call(self, exchange: Exchange) -> told.StasisStart:
        """A caller dials in; the event that says so."""
        channel = await exchange.call()
        async with asyncio.timeout(PATIENCE_S):
            while (event := await self.calls.get()).channel.id != channel:
                pass
            return event


@contextlib.asynccontextmanager
async def running(controller: Controller) -> AsyncIterator[asyncio.Task[None]]:
    """The controller's event socket in the background, until the block ends."""
    task = asyncio.create_task(controller.socket.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest_asyncio.fixture(loop_scope="module")
async def controller(exchange: Exchange) -> AsyncIterator[Controller]:
    async with exchange.client() as ari:
        controller = Controller(ari)
        async with running(controller):
            await controller.connected()
            yield controller
            assert len(controller.router) == 0
    await exchange.socket_forgotten()


async def until(box: Mailbox, wanted: type[told.Message]) -> told.Message:
    """The next event of this kind, other kinds aside."""
    async with asyncio.timeout(PATIENCE_S):
        while not isinstance(event := await box.get(), wanted):
            pass
        return event


async def until_gone(operation: Callable[[], Awaitable[object]]) -> None:
    """Asterisk tells an end a moment before the object has left its tables: ask until it has."""
    async with asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(Gone):
            while True:
                await operation()


async def finished(box: Mailbox) -> told.PlaybackFinished:
    event = await until(box, told.PlaybackFinished)
    assert isinstance(event, told.PlaybackFinished)
    return event


@pytest.fixture
def fresh() -> Callable[[], str]:
    return lambda: uuid4().hex


# Calls


async def test_a_new_call_is_announced_with_its_arguments(exchange: Exchange, controller: Controller) -> None:
    event = await controller.call(exchange)

    assert event.args == ["12333"]
    assert event.application == exchange.app


async def test_answering_brings_the_channel_up(exchange: Exchange, controller: Controller) -> None:
    channel = (await controller.call(exchange)).channel.id

    await controller.ari.channels.answer(channel)

    assert (await controller.ari.channels.get(channel)).state == "Up"


async def test_keys_arrive_in_the_callers_mailbox(exchange: Exchange, controller: Controller) -> None:
    channel = (await controller.call(exchange)).channel.id
    await controller.ari.channels.answer(channel)

    with controller.router.mailbox(channel) as box:
        await exchange.press(channel, "5")
        event = await until(box, told.ChannelDtmfReceived)

    assert isinstance(event, told.ChannelDtmfReceived)
    assert event.digit == "5"


async def test_a_call_let_go_leaves_the_application(exchange: Exchange, controller: Controller) -> None:
    channel = (await controller.call(exchange)).channel.id

    with controller.router.mailbox(channel) as box:
        await controller.ari.channels.continue_in_dialplan(channel)
        await until(box, told.StasisEnd)


async def test_a_call_sent_round_the_dialplan_comes_back(exchange: Exchange, controller: Controller) -> None:
    """What ARI cannot do itself is done there."""
    channel = (await controller.call(exchange)).channel.id
    await controller.ari.channels.answer(channel)

    with controller.router.mailbox(channel) as box:
        await controller.ari.channels.continue_in_dialplan(channel, context="round", extension="s", priority=1)
        event = await until(box, told.StasisStart)

    assert isinstance(event, told.StasisStart)
    assert event.args == ["back"]


# Sounds


async def test_a_missing_sound_is_accepted_and_then_fails(
    exchange: Exchange, controller: Controller, fresh: Callable[[], str]
) -> None:
    """10; and 5: the mailbox is there before the request."""
    channel, playback = (await controller.call(exchange)).channel.id, fresh()
    await controller.ari.channels.answer(channel)

    with controller.router.mailbox(playback) as own, controller.router.mailbox(channel) as callers:
        await controller.ari.channels.play(channel, exchange.missing, playback_id=playback)
        event = await finished(own)
        assert await finished(callers) == event

    assert event.playback.state == "failed"


async def test_a_sound_is_stopped_once(exchange: Exchange, controller: Controller, fresh: Callable[[], str]) -> None:
    channel, playback = (await controller.call(exchange)).channel.id, fresh()
    await controller.ari.channels.answer(channel)

    with controller.router.mailbox(playback) as box:
        await controller.ari.channels.play(channel, exchange.lasting, playback_id=playback)
        await controller.ari.playbacks.stop(playback)
        event = await finished(box)

    assert event.playback.state == "done"
    await until_gone(lambda: controller.ari.playbacks.stop(playback))


async def test_sounds_on_one_channel_queue_up(
    exchange: Exchange, controller: Controller, fresh: Callable[[], str]
) -> None:
    """20."""
    channel, first, second = (await controller.call(exchange)).channel.id, fresh(), fresh()
    await controller.ari.channels.answer(channel)

    with controller.router.mailbox(channel) as box:
        await controller.ari.channels.play(channel, exchange.lasting, playback_id=first)
        await controller.ari.channels.play(channel, exchange.missing, playback_id=second)
        await controller.ari.playbacks.stop(first)
        ended = [(await finished(box)).playback.id, (await finished(box)).playback.id]

    assert ended == [first, second]


async def test_a_hang_up_fails_the_sound_that_plays(
    exchange: Exchange, controller: Controller, fresh: Callable[[], str]
) -> None:
    """18."""
    channel, playback = (await controller.call(exchange)).channel.id, fresh()
    await controller.ari.channels.answer(channel)

    with controller.router.mailbox(playback) as box:
        await controller.ari.channels.play(channel, exchange.lasting, playback_id=playback)
        await exchange.hang_up(channel)
        event = await finished(box)

    assert event.playback.state == "failed"


# What is gone, and what is not in our hands

ON_A_CHANNEL: tuple[Callable[[Ari, str], Awaitable[object]], ...] = (
    lambda ari, channel: ari.channels.get(channel),
    lambda ari, channel: ari.channels.answer(channel),
    lambda ari, channel: ari.channels.play(channel, "sound:lasting"),
    lambda ari, channel: ari.channels.start_moh(channel),
    lambda ari, channel: ari.channels.get_channel_var(channel, "STEP"),
    lambda ari, channel: ari.channels.set_channel_var(channel, "STEP", value="1"),
    lambda ari, channel: ari.channels.continue_in_dialplan(channel),
    lambda ari, channel: ari.channels.dial(channel),
    lambda ari, channel: ari.channels.hangup(channel),
)


async def test_everything_asked_of_a_channel_that_hung_up_is_gone(exchange: Exchange, controller: Controller) -> None:
    """7, 18, 19: one word for 404 and 400."""
    channel = (await controller.call(exchange)).channel.id
    await controller.ari.channels.answer(channel)
    bridge = await controller.ari.bridges.create(type="mixing")
    with controller.router.mailbox(channel) as box:
        await exchange.hang_up(channel)
        await until(box, told.StasisEnd)
    await until_gone(lambda: controller.ari.channels.get(channel))

    for operation in ON_A_CHANNEL:
        with pytest.raises(Gone, match="not found"):
            await operation(controller.ari, channel)
    with pytest.raises(Gone):
        await controller.ari.bridges.add_channel(bridge.id, channel)
    with pytest.raises(Gone):
        await controller.ari.bridges.remove_channel(bridge.id, channel)
    with pytest.raises(Gone):
        await controller.ari.applications.subscribe(exchange.app, f"channel:{channel}")
    await controller.ari.bridges.destroy(bridge.id)


async def test_a_channel_outside_stasis_is_told_from_one_that_is_gone(
    exchange: Exchange, controller: Controller
) -> None:
    """19."""
    channel = await exchange.elsewhere()
    bridge = await controller.ari.bridges.create(type="mixing")

    with pytest.raises(NotInStasis):
        await controller.ari.channels.answer(channel)
    with pytest.raises(NotInStasis):
        await controller.ari.channels.play(channel, exchange.lasting)
    with pytest.raises(NotInStasis):
        await controller.ari.bridges.add_channel(bridge.id, channel)
    await controller.ari.bridges.destroy(bridge.id)
    await controller.ari.channels.hangup(channel)


async def test_a_variable_without_a_value_is_not_a_channel_that_is_gone(
    exchange: Exchange, controller: Controller
) -> None:
    channel = (await controller.call(exchange)).channel.id

    with pytest.raises(Unset):
        await controller.ari.channels.get_channel_var(channel, "STEP")


async def test_a_variable_comes_back_as_it_was_set(exchange: Exchange, controller: Controller) -> None:
    """13: the step of a call, kept where a restarted controller finds it."""
    channel = (await controller.call(exchange)).channel.id
    step = '{"step": "queue", "why": "a+b&c=d, 100% 好"}'

    await controller.ari.channels.set_channel_var(channel, "STEP", value=step)

    assert (await controller.ari.channels.get_channel_var(channel, "STEP")).value == step


# Bridges


async def test_a_channel_joins_and_leaves_a_bridge(exchange: Exchange, controller: Controller) -> None:
    channel = (await controller.call(exchange)).channel.id
    await controller.ari.channels.answer(channel)
    bridge = (await controller.ari.bridges.create(type="mixing")).id

    with controller.router.mailbox(bridge) as box:
        await controller.ari.bridges.add_channel(bridge, channel)
        await until(box, told.ChannelEnteredBridge)
        assert (await controller.ari.bridges.get(bridge)).channels == [channel]
        await controller.ari.bridges.remove_channel(bridge, channel)
        await until(box, told.ChannelLeftBridge)
    with pytest.raises(Gone):
        await controller.ari.bridges.remove_channel(bridge, channel)
    await controller.ari.bridges.destroy(bridge)


async def test_a_destroyed_bridge_is_gone(exchange: Exchange, controller: Controller) -> None:
    """8: BridgeDestroyed comes because the bridge was subscribed to."""
    channel = (await controller.call(exchange)).channel.id
    bridge = (await controller.ari.bridges.create(type="mixing")).id
    await controller.ari.applications.subscribe(exchange.app, f"bridge:{bridge}")

    with controller.router.mailbox(bridge) as box:
        await controller.ari.bridges.destroy(bridge)
        await until(box, told.BridgeDestroyed)

    for operation in (
        controller.ari.bridges.add_channel(bridge, channel),
        controller.ari.bridges.get(bridge),
        controller.ari.bridges.destroy(bridge),
        controller.ari.applications.subscribe(exchange.app, f"bridge:{bridge}"),
    ):
        with pytest.raises(Gone):
            await operation


async def test_a_bridge_id_is_taken_once(exchange: Exchange, controller: Controller, fresh: Callable[[], str]) -> None:
    bridge = fresh()
    await controller.ari.bridges.create(bridge_id=bridge)

    with pytest.raises(Conflict):
        await controller.ari.bridges.create(bridge_id=bridge)

    await controller.ari.bridges.destroy(bridge)


# Calling a phone


async def test_a_phone_is_called_in_steps(exchange: Exchange, controller: Controller, fresh: Callable[[], str]) -> None:
    """9, 18: create, StasisStart, dial, answered."""
    leg = fresh()
    with controller.router.mailbox(leg) as box:
        await controller.ari.channels.create(exchange.phone, exchange.app, app_args="seat,1001", channel_id=leg)
        start = await until(box, told.StasisStart)
        await controller.ari.channels.dial(leg, timeout_s=15)
        status = ""
        while status != "ANSWER":
            event = await until(box, told.Dial)
            assert isinstance(event, told.Dial)
            status = event.dialstatus

        assert isinstance(start, told.StasisStart)
        assert start.args == ["seat", "1001"]
        assert (await controller.ari.channels.get(leg)).state == "Up"
        await controller.ari.channels.hangup(leg)
        await until(box, told.ChannelDestroyed)


async def test_a_phone_is_called_through_the_dialplan(
    exchange: Exchange, controller: Controller, fresh: Callable[[], str]
) -> None:
    """Once it is answered; its end is told whether it came to us or not."""
    leg = fresh()
    with controller.router.mailbox(leg) as box:
        await controller.ari.channels.originate_with_id(
            leg, exchange.phone, context="through", extension="1001", priority=1, timeout_s=15
        )
        start = await until(box, told.StasisStart)
        await controller.ari.channels.hangup(leg)
        await until(box, told.StasisEnd)

    assert isinstance(start, told.StasisStart)
    assert start.args == ["seat"]


async def test_an_unregistered_phone_is_unreachable(exchange: Exchange, controller: Controller) -> None:
    """19: Asterisk says 500."""
    with pytest.raises(Unreachable):
        await controller.ari.channels.create("PJSIP/1002", exchange.app)


async def test_an_id_is_refused_when_it_begins_a_living_one(
    exchange: Exchange, controller: Controller, fresh: Callable[[], str]
) -> None:
    """6: case aside, and by prefix."""
    living = fresh()
    await controller.ari.channels.create(exchange.phone, exchange.app, channel_id=living)

    for clash in (living, living.upper(), living[:-1]):
        with pytest.raises(Conflict):
            await controller.ari.channels.create(exchange.phone, exchange.app, channel_id=clash)

    await controller.ari.channels.hangup(living)


async def test_a_phone_that_registers_is_told(exchange: Exchange, controller: Controller) -> None:
    """15: presence comes from the endpoint, not from device states."""
    await controller.ari.applications.subscribe(exchange.app, "endpoint:PJSIP")

    with controller.router.mailbox("PJSIP/1001") as box:
        await exchange.register()
        event = await until(box, told.ContactStatusChange)
        async with asyncio.timeout(PATIENCE_S):
            while await controller.endpoints.get() != event:
                pass

    assert isinstance(event, told.ContactStatusChange)
    assert event.endpoint.resource == "1001"
    found = {each.resource: each.state for each in await controller.ari.endpoints.list_by_tech("PJSIP")}
    assert found == {"1001": "online"}


# The socket


async def test_a_password_is_given_and_given_anew(exchange: Exchange, controller: Controller) -> None:
    """An object of the configuration, for what is told only at run time."""
    for password in ("one", "another"):
        fields = {"auth_type": "digest", "username": "1001", "password": password}
        told = [{"attribute": name, "value": value} for name, value in fields.items()]
        await controller.ari.asterisk.update_object("res_pjsip", "auth", "1001", fields=told)
    with pytest.raises(Gone):
        await controller.ari.asterisk.update_object("res_pjsip", "no_such", "1001", fields=told)


async def test_the_filter_is_set(exchange: Exchange, controller: Controller) -> None:
    """22."""
    application = await controller.ari.applications.get(exchange.app)

    assert {each["type"] for each in application.events_disallowed} == set(FILTER)


async def test_after_a_drop_it_connects_again_and_says_so(exchange: Exchange, controller: Controller) -> None:
    """1."""
    channel = (await controller.call(exchange)).channel.id

    await exchange.drop_sockets()
    await controller.connected()

    assert controller.socket.connections >= 1
    assert channel in {each.id for each in await controller.ari.channels.list_all()}
    await controller.call(exchange)


async def test_events_wait_until_the_owner_has_looked_around(exchange: Exchange) -> None:
    """1: what comes while `on_connected` asks Asterisk what is there is handed on afterwards."""

    class Curious(Controller):
        async def on_connected(self) -> None:
            channel = await exchange.call()
            while channel not in ((await self.ari.applications.get(exchange.app)).channel_ids or []):
                pass
            # A round trip later the event has been read, too: it was written before this answer.
            await self.ari.channels.list_all()
            await super().on_connected()

    async with asyncio.timeout(PATIENCE_S), exchange.client() as ari:
        controller = Curious(ari)
        async with running(controller):
            await controller.calls.get()

    assert controller.log[0] == "connected"
    assert controller.log.count("StasisStart") == 1


async def test_a_second_controller_stops_the_first(exchange: Exchange, controller: Controller) -> None:
    """3."""
    async with exchange.client() as ari:
        first = Controller(ari)
        async with running(first) as task:
            await first.connected()
            async with exchange.client() as other:
                second = Controller(other)
                async with running(second):
                    await asyncio.wait({task}, timeout=PATIENCE_S)

    with pytest.raises(Replaced, match=exchange.app):
        await task


async def test_a_wrong_password_is_said_and_not_tried_again(exchange: Exchange) -> None:
    async with asyncio.timeout(PATIENCE_S), exchange.client(password="wrong") as ari:
        with pytest.raises(Refused, match=r"ari\.conf"):
            await Controller(ari).socket.run()
        with pytest.raises(Refused):
            await ari.channels.list_all()


async def test_asterisk_speaks_the_ari_that_the_client_was_made_for(exchange: Exchange) -> None:
    async with asyncio.timeout(PATIENCE_S), exchange.client() as ari:
        assert await compare_api(ari) == []
