"""Whatever comes on the event socket: nothing is raised, what can be read is handed on, the rest is counted and told once."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.asterisk.client import Ari
from cti.asterisk.generated import messages as told
from cti.asterisk.router import EndpointEvent, Mailbox, Router
from cti.asterisk.socket import LONGEST_KIND, EventSocket
from tests.eventually import PATIENCE_S, eventually
from tests.fakes.ari import FakeAri
from tests.unit.ari_fuzz import KINDS, broken, whole

LAST = told.ApplicationRegistered(application="rexian", timestamp="the last one")
READ = msgspec.json.Decoder(told.AnyMessage)


def readable(text: str) -> bool:
    try:
        READ.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


async def nothing() -> None:
    """There is nothing to compare with."""


class Listener:
    """The event socket, and a router behind it with a mailbox for the object `x`."""

    def __init__(self, fake: FakeAri) -> None:
        self.fake = fake
        self.came: list[told.Message] = []
        self.ended = asyncio.Event()
        self.new: list[told.StasisStart] = []
        self.router = Router(self.new.append, self._about_a_phone)
        self.ari = Ari(fake.url, fake.user, fake.password, fake.app)
        self.socket = EventSocket(self.ari, self._handle, nothing)

    def _about_a_phone(self, event: EndpointEvent) -> None:
        assert event.endpoint.resource

    def _handle(self, message: told.Message) -> None:
        if message == LAST:
            self.ended.set()
        else:
            self.came.append(message)
            self.router.dispatch(message)

    async def hear(self, *texts: str) -> None:
        """Everything that is told, to the end."""
        async with self.ari:
            running = asyncio.create_task(self.socket.run())
            try:
                await eventually(lambda: self.socket.connected)
                for text in (*texts, msgspec.json.encode(LAST).decode()):
                    self.fake.tell_text(text)
                await asyncio.wait_for(self.ended.wait(), PATIENCE_S)
            finally:
                running.cancel()
                await asyncio.wait({running})


@settings(deadline=None, max_examples=60)
@given(st.lists(broken(), max_size=20, unique=True))
async def test_broken_messages_stop_nothing(texts: list[str]) -> None:
    async with FakeAri() as fake:
        listener = Listener(fake)
        with listener.router.mailbox("x"):
            await listener.hear(*texts)
    good = [text for text in texts if readable(text)]
    assert listener.came == [READ.decode(text) for text in good]
    assert listener.socket.unreadable.total() == len(texts) - len(good)
    assert all(len(kind) <= LONGEST_KIND for kind in listener.socket.unreadable)
    assert listener.socket.connections == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_reaches_whom_it_concerns(kind: str) -> None:
    """Whatever stands in its texts."""
    new: list[told.StasisStart] = []
    router = Router(new.append, lambda _: None)
    for text in ("x", "", ":", "PJSIP/", "\x00", "号" * 5000):
        event = READ.decode(msgspec.json.encode(whole(kind, text)))
        with router.mailbox(*event.concerns()) as box:
            router.dispatch(event)
            assert (delivered(box) == [event]) is bool(event.concerns())
        router.dispatch(event)
    assert len(router) == 0


def delivered(box: Mailbox) -> list[told.Message]:
    """What lies in it."""
    box.put(LAST)
    lying: list[told.Message] = []
    while (event := asyncio.run(box.get())) is not LAST:
        lying.append(event)
    return lying


async def test_frames_that_are_no_text_and_a_message_of_a_megabyte_pass_by() -> None:
    async with FakeAri() as fake:
        listener = Listener(fake)
        hearing = asyncio.create_task(listener.hear('{"type": "' + "9" * 1_000_000 + '"}'))
        await eventually(lambda: bool(fake.sockets))
        for _ in range(3):
            await fake.sockets[-1].send_bytes(bytes(range(256)))
        await hearing
    assert listener.socket.unreadable == {"a frame of BINARY": 3, "9" * LONGEST_KIND: 1}
    assert listener.socket.connections == 1


async def test_text_that_is_no_utf8_costs_one_connection() -> None:
    """The websocket's own rules end it; what is up is compared, and the next connection hears on."""
    async with FakeAri() as fake:
        listener = Listener(fake)
        async with listener.ari:
            running = asyncio.create_task(listener.socket.run())
            await eventually(lambda: listener.socket.connected)
            await fake.sockets[-1].send_frame(b'{"type": "\xff\xfe"}', aiohttp.WSMsgType.TEXT)
            await eventually(lambda: listener.socket.connections == 2)
            assert not running.done()
            running.cancel()
            await asyncio.wait({running})


async def test_an_event_that_its_receiver_chokes_on_is_one_event(capsys: pytest.CaptureFixture[str]) -> None:
    """The fault is told; the next event arrives."""
    async with FakeAri() as fake:
        listener = Listener(fake)
        fits = [msgspec.json.encode(whole("StasisStart", text)).decode() for text in ("bad", "good")]

        def choke(event: told.StasisStart) -> None:
            if event.channel.id == "bad":
                raise LookupError("a fault of ours")
            listener.new.append(event)

        listener.router = Router(choke, lambda _: None)
        await listener.hear(*fits)
    assert [event.channel.id for event in listener.new] == ["good"]
    assert capsys.readouterr().out.count("[error ") == 1


async def test_the_same_event_twice_is_one_event() -> None:
    async with FakeAri() as fake:
        listener = Listener(fake)
        start = msgspec.json.encode(whole("StasisStart")).decode()
        await listener.hear(start, start, start)
    assert Counter(event.channel.id for event in listener.new) == {"x": 1}
