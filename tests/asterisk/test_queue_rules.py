"""The rules of the queue on real calls: needs that relax, sites, urgency, new files under those who wait."""

from __future__ import annotations

import pytest

from calls.facts import PositionSaid, QueueEntered, SeatAnswered, SeatOffered
from tests.asterisk.hotline import Hotline

pytestmark = pytest.mark.asterisk

LINE = "12337"
RELAXES_MS = 3000
VERSIONS = "SELECT DISTINCT body->'versions'->>$1 FROM facts WHERE kind = 'lines_loaded'"


@pytest.mark.parametrize(("key", "adviser"), [("1", "8013"), ("2", "8014")], ids=["level", "site"])
async def test_what_is_asked_relaxes_with_the_wait(hotline: Hotline, key: str, adviser: str) -> None:
    async with hotline.adviser("1004", adviser), hotline.caller(key, line=LINE) as caller:
        await caller.hears("queue.enter", "queue.position.1", "number.1")
        answered = await caller.connected()
        assert (answered.adviser, answered.waited_ms >= RELAXES_MS) == (adviser, True)
        chosen = (await caller.saw(SeatOffered)).chosen
        assert chosen
        assert chosen.waited_ms >= RELAXES_MS
        await caller.leave()
    if key == "2":  # an adviser of the city was lent to the county: it is in the ledger
        lent = await hotline.sql("SELECT site, lent_to FROM queue_visits WHERE visit = $1", answered.visit)
        assert lent == [("city", "county")]
        assert ("city", "county") in await hotline.sql("SELECT lender, borrower FROM lending")


async def test_an_urgent_call_passes_and_the_other_keeps_its_wait(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8015"):
        await hotline.not_ready("1004")
        async with hotline.caller("3", line=LINE) as calm:
            await calm.saw(QueueEntered)
            async with hotline.caller("4", line=LINE) as urgent:
                assert (await urgent.saw(QueueEntered)).urgency == "urgent"
                await hotline.ready("1004")
                await urgent.saw(SeatAnswered)
                await urgent.leave()
            answered = await calm.connected()
            entered = await calm.saw(QueueEntered)
            assert answered.waited_ms > 0
            assert entered.since_ms < (await urgent.saw(QueueEntered)).since_ms
            await calm.leave()


async def test_new_files_hold_for_those_who_wait_and_cost_nobody_the_place(hotline: Hotline) -> None:
    file = hotline.settings.lines_dir / f"{LINE}.line.yaml"
    before = file.read_text()
    async with hotline.adviser("1004", "8013"), hotline.caller("5", line=LINE) as caller:
        entered = await caller.saw(QueueEntered)
        await caller.saw(PositionSaid)
        try:
            file.write_text(before.replace("after_s: 600", "after_s: 1"))
            assert (await hotline.rexian("reload"))[0] == 0
            answered = await caller.connected()
        finally:
            file.write_text(before)
            assert (await hotline.rexian("reload"))[0] == 0
        assert answered.visit == entered.visit
        versions = {version for (version,) in await hotline.sql(VERSIONS, LINE)}
        assert len(versions) == 2  # which file was in force is in the facts
        await caller.leave()
