"""What the event socket does with what Asterisk should not send, and with an Asterisk that is not there."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from cti.asterisk import socket
from cti.asterisk.client import Ari
from cti.asterisk.errors import AriError, Unavailable
from cti.asterisk.generated import messages as told
from cti.asterisk.socket import DISALLOWED, EventSocket
from cti.asterisk.specification import event_types, vendored
from tests.eventually import eventually
from tests.fakes.ari import FakeAri

PATIENCE_S = 30


class Owner:
    """Whoever owns the event socket: notes what it is told."""

    def __init__(self, fake: FakeAri) -> None:
        self.ari = Ari(fake.url, fake.user, fake.password, fake.app)
        self.troubles: list[AriError] = []
        self.heard: asyncio.Queue[told.Message] = asyncio.Queue()
        self.connected = asyncio.Event()
        self.socket = EventSocket(self.ari, self.heard.put_nowait, self.on_connected)

    async def on_connected(self) -> None:
        if self.troubles:
            raise self.troubles.pop()
        self.connected.set()

    async def hear(self) -> told.Message:
        return await asyncio.wait_for(self.heard.get(), PATIENCE_S)


@pytest.fixture
async def fake() -> AsyncIterator[FakeAri]:
    async with FakeAri() as fake:
        yield fake


@pytest.fixture
async def owner(fake: FakeAri) -> AsyncIterator[Owner]:
    owner = Owner(fake)
    async with owner.ari:
        task = asyncio.create_task(owner.socket.run())
        yield owner
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def connected(owner: Owner) -> None:
    await asyncio.wait_for(owner.connected.wait(), PATIENCE_S)


async def test_what_cannot_be_read_is_counted_and_stops_nothing(fake: FakeAri, owner: Owner) -> None:
    await connected(owner)

    for text in (
        '{"type": "FromTheFuture", "application": "rexian", "timestamp": ""}',
        '{"type": "FromTheFuture", "application": "rexian", "timestamp": "later"}',
        '{"type": "StasisStart"}',
        '{"type": 3}',
        '{"no": "type"}',
        "[]",
        "{",
    ):
        fake.tell_text(text)
    caller = fake.incoming()

    event = await owner.hear()
    assert isinstance(event, told.StasisStart)
    assert event.channel.id == caller
    assert owner.socket.unreadable == {"FromTheFuture": 2, "StasisStart": 1, "without a type": 1, "not JSON": 3}


async def test_an_unreadable_kind_is_logged_once(
    fake: FakeAri, owner: Owner, capsys: pytest.CaptureFixture[str]
) -> None:
    await connected(owner)
    for number in range(5):
        fake.tell_text(f'{{"type": "FromTheFuture", "number": {number}}}')
    fake.incoming()
    await owner.hear()

    assert capsys.readouterr().out.count("ari_message_unreadable") == 1


async def test_the_double_of_a_message_is_dropped(fake: FakeAri, owner: Owner) -> None:
    await connected(owner)
    double = msgspec.json.encode(told.ApplicationRegistered(application="rexian", timestamp="now")).decode()
    fake.tell_text(double)
    fake.tell_text(double)
    fake.incoming()

    assert [type(await owner.hear()) for _ in range(2)] == [told.ApplicationRegistered, told.StasisStart]


async def test_an_asterisk_that_is_still_starting_is_tried_again() -> None:
    async with FakeAri() as fake:
        fake.booting = 2
        owner = Owner(fake)
        async with owner.ari:
            task = asyncio.create_task(owner.socket.run())
            await connected(owner)
            task.cancel()
            await asyncio.wait({task})

        assert fake.booting == 0


async def test_a_connection_that_brings_no_events_is_given_up(
    fake: FakeAri, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("PROVED_EVERY_S", "PROVED_WITHIN_S"):
        monkeypatch.setattr(socket, each, 0.05)
    fake.silent = True
    await eventually(lambda: sum(path == f"/events/user/{socket.PROOF}" for _, path, _ in fake.requests) > 1)
    assert not owner.connected.is_set()

    fake.silent = False
    await connected(owner)
    assert owner.socket.connections == 1
    fake.silent = True
    await eventually(lambda: not owner.socket.connected)
    fake.silent = False
    await eventually(lambda: owner.socket.connections == 2)
    assert owner.heard.empty()  # the proof is for the socket alone


@pytest.mark.parametrize("trouble", [Unavailable("down"), AriError()])
async def test_only_an_asterisk_that_went_away_is_forgiven_while_the_owner_looks_around(
    fake: FakeAri, trouble: AriError
) -> None:
    owner = Owner(fake)
    owner.troubles.append(trouble)
    async with owner.ari:
        task = asyncio.create_task(owner.socket.run())
        waiting = asyncio.create_task(owner.connected.wait())
        await asyncio.wait({task, waiting}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)

        assert owner.connected.is_set() is isinstance(trouble, Unavailable)
        for each in (task, waiting):
            each.cancel()
        failures = await asyncio.gather(task, waiting, return_exceptions=True)
    assert (failures[0] is trouble) is not isinstance(trouble, Unavailable)


def test_the_filter_names_real_events_and_keeps_those_that_calls_live_by() -> None:
    assert set(DISALLOWED) <= set(event_types(vendored()))
    assert not set(DISALLOWED) & {
        "StasisStart",
        "StasisEnd",
        "ChannelDestroyed",
        "ChannelHangupRequest",
        "ChannelDtmfReceived",
        "PlaybackFinished",
        "ContactStatusChange",
        "PeerStatusChange",
        "ApplicationReplaced",
    }
