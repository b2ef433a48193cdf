"""Who gets which event."""

import asyncio
from collections.abc import Callable
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.asterisk.generated import messages as told
from cti.asterisk.generated.models import Channel, Playback
from cti.asterisk.router import EndpointEvent, Mailbox, Router
from tests.fakes.ari import FakeAri

APP, NOW = "rexian", "2026-01-31T08:30:00.000+0800"


@cache
def channel(name: str) -> Channel:
    """The same for each name, also when it is asked for in another millisecond."""
    return FakeAri().make_leg(name, "PJSIP/trunk", in_stasis=True).channel


def start(name: str) -> told.StasisStart:
    return told.StasisStart(application=APP, timestamp=NOW, args=[], channel=channel(name))


def end(name: str) -> told.StasisEnd:
    return told.StasisEnd(application=APP, timestamp=NOW, channel=channel(name))


def finished(playback: str, target: str) -> told.PlaybackFinished:
    sound = Playback(id=playback, media_uri="sound:x", target_uri=target, state="done")
    return told.PlaybackFinished(application=APP, timestamp=NOW, playback=sound)


class Reception:
    def __init__(self) -> None:
        self.calls: list[told.StasisStart] = []
        self.endpoints: list[EndpointEvent] = []
        self.router = Router(self.calls.append, self.endpoints.append)


@pytest.fixture
def reception() -> Reception:
    return Reception()


async def contents(box: Mailbox, last: told.Message) -> list[told.Message]:
    """What is in the box, up to `last`."""
    found = [await box.get()]
    while found[-1] != last:
        found.append(await box.get())
    return found


async def test_events_of_one_object_keep_their_order(reception: Reception) -> None:
    with reception.router.mailbox("c1") as box:
        reception.router.dispatch(start("c1"))
        reception.router.dispatch(end("c2"))
        reception.router.dispatch(end("c1"))

        assert await contents(box, end("c1")) == [start("c1"), end("c1")]


async def test_one_event_reaches_every_object_that_it_concerns(reception: Reception) -> None:
    event = finished("p1", "channel:c1")
    with reception.router.mailbox("p1") as sound, reception.router.mailbox("c1") as caller:
        reception.router.dispatch(event)

        assert await sound.get() is event
        assert await caller.get() is event


async def test_a_dial_reaches_both_ends(reception: Reception) -> None:
    event = told.Dial(application=APP, timestamp=NOW, caller=channel("c1"), peer=channel("s1"), dialstatus="RINGING")
    with reception.router.mailbox("s1") as seat, reception.router.mailbox("c1") as caller:
        reception.router.dispatch(event)

        assert await seat.get() is await caller.get() is event


async def test_a_mailbox_of_two_objects_gets_an_event_of_both_once(reception: Reception) -> None:
    with reception.router.mailbox("p1", "c1") as box:
        reception.router.dispatch(finished("p1", "channel:c1"))
        reception.router.dispatch(end("c1"))

        assert await contents(box, end("c1")) == [finished("p1", "channel:c1"), end("c1")]


async def test_two_mailboxes_of_one_object_both_get_it(reception: Reception) -> None:
    with reception.router.mailbox("c1") as one, reception.router.mailbox("c1") as other:
        reception.router.dispatch(end("c1"))

        assert await one.get() is await other.get()


def test_a_channel_that_nobody_waits_for_is_a_new_call(reception: Reception) -> None:
    with reception.router.mailbox("s1"):
        reception.router.dispatch(start("s1"))
        reception.router.dispatch(start("c1"))

    assert [call.channel.id for call in reception.calls] == ["c1"]


def test_what_nobody_waits_for_is_counted_and_dropped(reception: Reception) -> None:
    reception.router.dispatch(end("c1"))
    reception.router.dispatch(end("c2"))
    reception.router.dispatch(told.ApplicationRegistered(application=APP, timestamp=NOW))

    assert reception.router.unclaimed == {"StasisEnd": 2, "ApplicationRegistered": 1}


def test_a_closed_mailbox_is_forgotten_even_after_a_failure(reception: Reception) -> None:
    def fail() -> None:
        with reception.router.mailbox("c1", "p1"):
            assert len(reception.router) == 2
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert len(reception.router) == 0
    reception.router.dispatch(end("c1"))
    assert reception.router.unclaimed == {"StasisEnd": 1}


async def test_a_cancelled_wait_leaves_no_mailbox(reception: Reception) -> None:
    waiting = asyncio.Event()

    async def wait() -> None:
        with reception.router.mailbox("c1") as box:
            waiting.set()
            await box.get()

    task = asyncio.create_task(wait())
    await waiting.wait()
    task.cancel()
    await asyncio.wait({task})

    assert len(reception.router) == 0


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True), max_size=8))
def test_no_order_of_opening_and_closing_leaks(boxes: list[list[str]]) -> None:
    router = Reception().router
    opened = [router.mailbox(*keys) for keys in boxes]
    for each in opened:
        each.__enter__()
    assert len(router) == sum(map(len, boxes))
    for each in opened:
        each.__exit__(None, None, None)
    assert len(router) == 0


def _examples() -> list[Callable[[], told.Message]]:
    return [lambda: start("c1"), lambda: end("c1"), lambda: finished("p1", "bridge:b1")]


@pytest.mark.parametrize("example", _examples())
def test_an_event_survives_the_wire_and_newer_fields(example: Callable[[], told.Message]) -> None:
    event = example()
    fields = msgspec.json.decode(msgspec.json.encode(event))

    read = msgspec.convert({**fields, "from_a_newer_asterisk": {"x": [1]}}, told.AnyMessage)

    assert read == event
