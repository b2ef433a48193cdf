"""An adviser passes a caller on: who does not wait anew, nor hear the satisfaction question before the last adviser."""

from __future__ import annotations

import pytest

from calls.errors import NotPossible
from calls.facts import ConversationEnded, QueueEntered, RatingKeyed
from cti.control import SeatTransfer, ask
from cti.status import Done
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import SEAT_HZ, hears, listen
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

FROM, TO = ("1004", "8004"), ("1006", "8007")
"""The first has pension calls, the second insurance calls."""


async def passed_on(hotline: Hotline, queue: str = "insurance", adviser: str | None = None) -> None:
    await ask(hotline.settings.control_socket, SeatTransfer(FROM[0], queue, adviser), Done)


async def test_a_caller_who_is_passed_on_talks_to_the_other_adviser(hotline: Hotline) -> None:
    async with hotline.adviser(*FROM) as first, hotline.adviser(*TO) as second, hotline.caller("2", rate="4") as caller:
        before = await caller.connected()
        for queue, why in (("nowhere", "no queue nowhere"), ("labour", "nobody is there for queue labour")):
            with pytest.raises(NotPossible, match=why):
                await passed_on(hotline, queue)
        await passed_on(hotline)
        await caller.hears("transfer.begin")
        after = await caller.connected(2)
        assert (before.adviser, after.adviser) == (FROM[1], TO[1])
        assert hears(await listen(caller.phone, 2), SEAT_HZ)
        await hotline.seat_is(FROM[0], "ready")  # its own wrap-up is over, its telephone is free
        over = await caller.saw(ConversationEnded)
        assert (over.ended_by, over.transferred_to) == ("seat", "insurance")
        first_visit, second_visit = [fact for fact in caller.facts if isinstance(fact, QueueEntered)]
        assert second_visit.since_ms == first_visit.since_ms, "nobody waits twice"
        await second.hangup()
        await caller.over()
        assert [fact.visit for fact in caller.facts if isinstance(fact, RatingKeyed)] == [second_visit.visit]
        assert first is not second
    rows = "SELECT queue, outcome, transferred_to FROM queue_visits WHERE call_id = $1 ORDER BY entered_at"
    assert await hotline.sql(rows, caller.call_id) == [
        ("pension", "answered", "insurance"),
        ("insurance", "answered", None),
    ]


async def test_whoever_is_on_hold_or_loses_the_controller_is_passed_on_all_the_same(hotline: Hotline) -> None:
    async with hotline.adviser(*FROM) as first, hotline.adviser(*TO), hotline.caller("2") as caller:
        await caller.connected()
        await first.hold()
        await hotline.seat_is(FROM[0], "holding")
        await hotline.not_ready(TO[0])
        await passed_on(hotline)
        assert (await caller.saw(QueueEntered, 2)).queue == "insurance"
        await hotline.all_kept()
        kill(hotline, "controller")
        await until_working(hotline)
        await hotline.ready(TO[0])
        assert (await caller.connected(2)).adviser == TO[1]
        assert hears(await listen(caller.phone, 2), SEAT_HZ)
        await caller.leave()
