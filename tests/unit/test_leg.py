"""A seat's leg whose telephone hangs up by itself, in the instant in which it is to be ended."""

from __future__ import annotations

import asyncio
from typing import cast

import msgspec
import pytest

from cti.asterisk import leg as legs
from cti.asterisk.client import Ari
from cti.asterisk.errors import AriError, Gone, Unavailable, Unreachable
from cti.asterisk.generated.messages import AnyMessage
from cti.asterisk.leg import DidNotAnswerError, Leg, Phone
from cti.asterisk.router import Router
from tests.eventually import eventually

CHANNEL = {
    "id": "leg",
    "protocol_id": "",
    "name": "PJSIP/seat1001-1",
    "state": "Up",
    "caller": {"name": "", "number": ""},
    "connected": {"name": "", "number": ""},
    "accountcode": "",
    "dialplan": {"context": "to-seat", "exten": "1", "priority": 1, "app_name": "", "app_data": ""},
    "creationtime": "2026-11-21T00:00:00.000+0000",
    "language": "en",
}
LAST_EVENTS = (
    {"type": "ChannelUserevent", "eventname": "leg", "userevent": {"received": "77"}},
    {"type": "ChannelDestroyed", "cause": 16, "cause_txt": "Normal"},
)


class RefusingAri:
    """An Asterisk that answers whatever is asked of a channel with one error."""

    def __init__(self, error: AriError) -> None:
        self.channels = self
        self.asked: list[str] = []
        self._error = error

    async def hangup(self, channel: str) -> None:
        self.asked.append(f"hangup {channel}")
        raise self._error

    async def originate_with_id(self, channel: str, endpoint: str, **_: object) -> None:
        self.asked.append(f"originate {channel} {endpoint}")
        raise self._error


class SlowAri:
    """An Asterisk that makes a channel when it is told to, and does all that is asked."""

    def __init__(self) -> None:
        self.channels = self
        self.asked: list[str] = []
        self.made = asyncio.Event()

    async def hangup(self, channel: str) -> None:
        self.asked.append(f"hangup {channel}")

    async def originate_with_id(self, channel: str, endpoint: str, **_: object) -> None:
        self.asked.append(f"originate {channel} {endpoint}")
        await self.made.wait()


@pytest.fixture
def router() -> Router:
    return Router(lambda event: None, lambda event: None)


async def test_who_hung_up_first_is_counted_too(router: Router) -> None:
    leg = Leg(cast(Ari, RefusingAri(Gone("channels.hangup: 404"))), router, "leg", there=True)
    for event in LAST_EVENTS:
        common = {"application": "rexian", "timestamp": "2026-11-21T00:00:00.000+0000", "channel": CHANNEL}
        router.dispatch(msgspec.convert(common | event, AnyMessage))
    await leg.close()

    assert leg.packets == 77
    assert len(router) == 0


@pytest.mark.parametrize(
    ("asked", "left_before_the_end"),
    [({"cause": 16}, True), ({"cause": 16, "soft": True}, False), ({"cause": 44}, False), ({}, False)],
    ids=["hung up", "we hung it up", "vanished", "for no reason told"],
)
async def test_a_seat_that_hangs_up_is_free_before_its_leg_is_cleared_away(
    router: Router, asked: dict[str, object], left_before_the_end: bool
) -> None:
    leg = Leg(cast(Ari, RefusingAri(Gone("channels.hangup: 404"))), router, "leg", there=True)
    common = {"application": "rexian", "timestamp": "2026-11-21T00:00:00.000+0000", "channel": CHANNEL}
    router.dispatch(msgspec.convert(common | {"type": "ChannelHangupRequest"} | asked, AnyMessage))
    leaving = asyncio.create_task(leg.ended())
    await asyncio.wait({leaving}, timeout=0.01)
    assert leaving.done() is left_before_the_end
    for event in LAST_EVENTS:
        router.dispatch(msgspec.convert(common | event, AnyMessage))

    assert await leaving == 16
    await leg.close()
    assert leg.packets == 77


async def test_a_leg_whose_end_has_no_cause_was_hung_up(router: Router) -> None:
    """So Asterisk tells a hang-up in the middle of a sentence, before there is a bridge."""
    leg = Leg(cast(Ari, RefusingAri(Gone("channels.hangup: 404"))), router, "leg", there=True)
    common = {"application": "rexian", "timestamp": "2026-11-21T00:00:00.000+0000", "channel": CHANNEL}
    router.dispatch(msgspec.convert(common | {"type": "ChannelDestroyed", "cause": 0, "cause_txt": ""}, AnyMessage))

    assert await leg.ended() == 16
    await leg.close()


async def test_a_leg_that_was_refused_is_not_ended(router: Router) -> None:
    ari = RefusingAri(Unreachable("500"))
    leg = Leg(cast(Ari, ari), router)
    with pytest.raises(DidNotAnswerError, match="unreachable"):
        await leg.ring(Phone("seat1001"), ("to-seat", "track"), 15, None)
    await leg.close()

    assert len(ari.asked) == 1
    assert len(router) == 0


async def test_a_leg_that_may_exist_is_asked_to_go_until_it_is_gone(
    router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(legs, "ASK_AGAIN_S", 0.01)
    ari = RefusingAri(Unavailable("no answer"))
    leg = Leg(cast(Ari, ari), router)
    with pytest.raises(DidNotAnswerError, match="unreachable"):
        await leg.ring(Phone("seat1001"), ("to-seat", "track"), 15, None)
    closing = asyncio.create_task(leg.close())
    await eventually(lambda: len(ari.asked) > 3)
    router.vanish(leg.channel)
    await closing

    assert len(router) == 0


async def test_a_leg_that_is_still_being_made_is_ended_only_once_it_is_made(router: Router) -> None:
    """Asterisk would say that it does not know it, and then make it: it would ring for nobody."""
    ari = SlowAri()
    leg = Leg(cast(Ari, ari), router)
    ringing = asyncio.create_task(leg.ring(Phone("seat1001"), ("to-seat", "track"), 15, None))
    await eventually(lambda: len(ari.asked) == 1)
    ringing.cancel()
    await asyncio.wait({ringing}, timeout=0.02)
    assert not ringing.done()
    ari.made.set()
    with pytest.raises(asyncio.CancelledError):
        await ringing
    closing = asyncio.create_task(leg.close())
    await eventually(lambda: len(ari.asked) == 2)
    router.vanish(leg.channel)
    await closing

    assert [asked.split()[0] for asked in ari.asked] == ["originate", "hangup"]
