"""An adviser promises a call in the page, finds it in the list, makes it from there, and it is done once it is written down."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, Route, expect

from cti.phone.baresip import AnswerAfter
from cti.phone.events import Incoming
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ
from tests.browser.desk import Desk, adviser_at
from tests.browser.ear import hears
from tests.browser.test_desk import hears_the_adviser
from tests.browser.test_desk_looks import looks_well

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

SEAT, ADVISER, LINE = "1010", "8019", "12338"
NUMBER, AS_READ = "13700000022", "137 0000 0022"
LIST = "**/api/v1/mine/follow-ups"
TODAY = """
SELECT count(*)::int, round(sum(talked_ms) / 1000.0)::int FROM queue_visits
WHERE adviser = $1 AND answered_at >= date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'
"""
DONE = "SELECT due_at IS NOT NULL, done_at IS NOT NULL, done_by_call FROM wrap_ups WHERE call_id = $1"
BACK = "SELECT call_id FROM calls WHERE callback_of = $1"


async def with_other_days(route: Route) -> None:
    """The list, and before what is due in some days the same once overdue, once due today."""
    answer = await route.fetch()
    [owed] = (await answer.json())["follow_ups"]
    midnight = datetime.now(ZoneInfo("Asia/Shanghai")).replace(hour=0, minute=0, second=0, microsecond=0)
    others = {"late": midnight - timedelta(hours=7), "today": midnight + timedelta(hours=23, minutes=59, seconds=59)}
    days = [owed | {"id": name, "due_at": at.astimezone(UTC).isoformat()} for name, at in others.items()]
    await route.fulfill(response=answer, json={"follow_ups": [*days, owed]})


async def write(desk: Desk, note: str, result: str) -> None:
    await desk.page.get_by_label("备注").fill(note)
    await desk.page.get_by_label("业务分类").first.press_sequentially("jh")
    await desk.page.keyboard.press("Enter")
    await desk.page.get_by_label(result).check()


async def figures_match(page: Page, hotline: Hotline) -> None:
    """What the page shows of today is what a plain question to the database says."""
    [(conversations, talked_s)] = await hotline.sql(TODAY, ADVISER)
    mine = page.get_by_label("我的今天")
    await expect(mine.locator("div").filter(has_text="接听").locator("dd")).to_have_text(
        str(conversations), timeout=15_000
    )
    whole_seconds = re.compile("|".join(f"{s // 60}:{s % 60:02}" for s in (talked_s, talked_s - 1)))
    await expect(mine.locator("div").filter(has_text="通话").locator("dd")).to_have_text(whole_seconds, timeout=15_000)


async def colleagues_are_found(page: Page, hotline: Hotline) -> None:
    """By what they can do and where they sit; whoever is at work stands before the others."""
    rows = page.get_by_role("region", name="同事").locator("li")
    async with hotline.adviser("1009", "8002"):
        await expect(rows.first).to_contain_text("8002demo2就绪")
        await expect(rows.first).to_contain_text("坐席 1009 · 社保卡 3")
        await page.get_by_label("找同事").fill("社保卡 1009")
        await expect(rows).to_have_count(1)
    await expect(rows).to_have_count(0)
    await page.get_by_label("找同事").fill("8002")
    await expect(rows).to_contain_text(["离席"])


async def test_a_promise_is_found_in_the_list_called_and_gone(browser: Browser, hotline: Hotline) -> None:
    async with adviser_at(browser, hotline, SEAT, ADVISER) as desk:
        await desk.says("没有要回的电话")
        owed = desk.page.get_by_label("我要回的电话").locator("li")
        async with hotline.caller("1", line=LINE, number=NUMBER, at_home=AnswerAfter()) as caller:
            await desk.answer()
            await caller.connected()
            await write(desk, "查到激活网点再告诉他", "承诺回电")
            await caller.leave()
            await expect(desk.page.get_by_role("button", name="结束通话")).to_be_hidden()
            await desk.page.keyboard.press("Control+Enter")
            await expect(owed).to_contain_text([AS_READ])
            for shown in ("社会保障卡激活", "查到激活网点再告诉他", "前"):
                await expect(owed).to_contain_text([shown])
            await desk.page.route(LIST, with_other_days)
            await desk.page.reload()
            await expect(owed).to_contain_text(["逾期", "今天", AS_READ])
            await expect(desk.page.get_by_text("逾期 1", exact=True)).to_be_visible()
            await looks_well(desk, "follow-ups")
            await desk.page.unroute(LIST)

            await desk.says("话机正常")
            await owed.last.get_by_role("button", name="呼叫").click()
            await caller.phone.wait_for(Incoming)
            await caller.hears("callback.greeting", "seat.number.1")
            await hears(desk.page, CITIZEN_HZ)
            await hears_the_adviser(caller)
            await desk.says("您要回的电话：社会保障卡激活 · 查到激活网点再告诉他")
            await write(desk, "已告知网点", "已解答")
            await desk.picture("follow-up-call")
            await desk.press("结束通话")
            await caller.hears("rating.ask")
            await caller.phone.hangup()
        await desk.page.get_by_label("备注").press("Control+Enter")
        await desk.says("没有要回的电话")
        [(back,)] = await hotline.sql(BACK, caller.call_id)
        assert await hotline.sql(DONE, caller.call_id) == [(True, True, back)]
        await figures_match(desk.page, hotline)
        await colleagues_are_found(desk.page, hotline)
