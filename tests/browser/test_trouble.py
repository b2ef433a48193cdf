"""The page in trouble, in mid-call and before one: the network, the parts behind it, the tab, and the adviser's own devices."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from playwright.async_api import Browser, expect

from calls.facts import ConversationEnded, SeatOffered
from cti.phone.places import RATE_HZ
from recordings.listen import Samples as Sound
from tests.asterisk.ears import tone_dbfs
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, listen
from tests.browser.conftest import ELSEWHERE
from tests.browser.desk import OWN, account, adviser_at, opened, sign_in
from tests.browser.ear import SILENCE, hears
from tests.browser.test_desk import LOUD_DBFS, hears_the_adviser, recorded
from tests.browser.way import way_to

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

SEAT, ADVISER, LINE = "1011", "8049", "12347"
CUT_S = 5.0
NETWORK, PHONE_LOST, PHONE_THERE = "网络断了，正在重连", "话机断开，正在重连", "话机正常"
CALLED = "☎ 136 1234 5678"

IN_THE_BACKGROUND = """() => {
  Object.defineProperty(document, 'hidden', { value: true });
  window.notified = [];
  const Shown = window.Notification;
  window.Notification = class extends Shown {
    constructor(title, options) {
      super(title, options);
      window.notified.push(title);
    }
  };
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode) {
      const analyser = to.context.createAnalyser();
      const bins = new Float32Array(analyser.frequencyBinCount);
      connect.call(this, analyser);
      window.sounded = () => {
        analyser.getFloatFrequencyData(bins);
        const loudest = bins.reduce((best, level, bin) => (level > bins[best] ? bin : best), 0);
        return loudest * to.context.sampleRate / analyser.fftSize;
      };
    }
    return connect.call(this, to, ...more);
  };
}"""
"""Chromium has no window here that could be hidden; what the page then shows and sounds can be asked for."""


async def test_a_network_that_is_away_for_5_s_in_mid_call_costs_5_s_of_it(browser: Browser, hotline: Hotline) -> None:
    """Signalling, feed and voice; once as a cable that is pulled, once by a firewall that forgets all that was open."""
    async with (
        way_to(hotline) as way,
        adviser_at(browser, hotline, SEAT, ADVISER, way=way) as desk,
        hotline.caller("1", line=LINE) as caller,
    ):
        await desk.answer()
        await caller.connected()
        for cut, remembers in ((way.hold_up, True), (way.lose, False)):
            await hears(desk.page, CITIZEN_HZ)
            await hears_the_adviser(caller)
            await cut()
            over = asyncio.create_task(asyncio.sleep(CUT_S))
            await desk.page.wait_for_function(SILENCE)
            with pytest.raises(TimeoutError):
                await listen(caller.phone, 1, 1)  # the adviser's page sends nothing, so nothing goes to the caller
            await desk.says(NETWORK)
            await desk.says(PHONE_LOST)
            await desk.says("通话中")
            await over
            await way.mend(remembers=remembers)
            await asyncio.gather(hears(desk.page, CITIZEN_HZ), hears_the_adviser(caller))
            await expect(desk.page.get_by_text(NETWORK)).to_be_hidden(timeout=15_000)
            await desk.says(PHONE_THERE)
            await desk.says("通话中")
        await listen(caller.phone, 2)
        await caller.leave()
        await expect(desk.page.get_by_role("button", name="结束通话")).to_be_hidden()
        ended = await caller.saw(ConversationEnded)
        assert ended.ended_by == "caller"
        assert [fact.visit for fact in caller.facts if isinstance(fact, SeatOffered)] == [ended.visit]
        await hotline.seat_is(SEAT, "ready")
        moves = "SELECT state FROM seat_states WHERE seat = $1 ORDER BY seq DESC LIMIT 4"
        assert await hotline.sql(moves, SEAT) == [("ready",), ("wrap_up",), ("talking",), ("ringing",)]
        sound = await recorded(hotline, ended.visit)
        assert len(sound) > 2 * CUT_S * RATE_HZ
        assert tone_dbfs(sound[:RATE_HZ, 0], CITIZEN_HZ) > LOUD_DBFS
        assert stretches(sound[:, 1], SEAT_HZ) >= 2, "before a cut, and after it"


async def test_a_page_that_slept_knows_how_it_stands_and_is_heard_to_ring(browser: Browser, hotline: Hotline) -> None:
    async with adviser_at(browser, hotline, SEAT, ADVISER) as desk:
        async with asleep(browser):
            await hotline.not_ready(SEAT, "meeting")
            await asyncio.sleep(4)  # longer than a page goes on believing what it shows
        await expect(desk.page.locator("header .state")).to_contain_text("会议", timeout=2000)
        await desk.press("就绪")
        await hotline.seat_is(SEAT, "ready")
        await desk.page.context.grant_permissions(["microphone", "notifications"])
        await desk.page.evaluate(IN_THE_BACKGROUND)
        async with hotline.caller("1", line=LINE, number="13612345678") as caller:
            await desk.page.wait_for_function("() => notified.length === 1 && Math.abs(sounded() - 450) < 12")
            await desk.page.wait_for_function(f"() => document.title === '{CALLED}'")
            await caller.leave()
        await desk.page.wait_for_function("() => document.title === '热线坐席'")


@asynccontextmanager
async def asleep(browser: Browser) -> AsyncIterator[None]:
    """Inside, no page of the browser does anything, as on a machine that saves energy; what is sent to it waits."""
    session = await browser.new_browser_cdp_session()
    processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    pages = [process["id"] for process in processes if process["type"] == "renderer"]
    for page in pages:
        os.kill(page, signal.SIGSTOP)
    try:
        yield
    finally:
        for page in pages:
            os.kill(page, signal.SIGCONT)


async def test_a_voice_check_says_whether_calls_will_be_heard(browser: Browser, hotline: Hotline) -> None:
    """By a call to Asterisk, which sends back what it hears."""
    name, password = await account(hotline, ADVISER, "adviser")
    async with way_to(hotline) as way, opened(browser, hotline, way=way) as desk:
        await sign_in(desk, name, password)
        await desk.says("先选坐席，再测试")
        await desk.page.get_by_role("button", name=SEAT).click()
        await desk.press("回声测试")
        await desk.says("请说一句话")
        await hears(desk.page, SEAT_HZ)
        await desk.says("您的声音到了热线，又回来了")
        await desk.picture("voice-check")
        assert (await hotline.status()).seats[SEAT] == "logged_out"
        way.lose_voice()
        await desk.press("回声测试")
        await desk.says("请网管放行从这台电脑到热线的 UDP 语音端口")
        await desk.page.route_web_socket("**/sip", lambda socket: socket.close())
        await desk.press("回声测试")
        await desk.says("请网管放行这个网址的 /sip")
        await desk.picture("voice-check-bad")
    code, _, err = await hotline.rexian("account", "change", name, "--role", "lead", "--disabled")
    assert code == 0, err


DEVICES = """
const media = navigator.mediaDevices ?? {};  // none on an insecure page
const capture = media.getUserMedia?.bind(media), list = media.enumerateDevices?.bind(media);
media.getUserMedia = async (wanted) => {
  const errors = { missing: 'NotFoundError', denied: 'NotAllowedError', busy: 'NotReadableError' };
  const error = errors[sessionStorage.wrong ?? 'missing'];
  if (error) throw new DOMException('as a machine has it', error);
  return sessionStorage.wrong === 'unheard' ? new AudioContext().createMediaStreamDestination().stream : capture(wanted);
};
media.enumerateDevices = async () => (await list()).filter(({ kind }) => kind !== 'audiooutput');
"""
"""What a browser of a test has too much of."""


async def test_what_is_wrong_with_an_advisers_devices_is_told_with_its_mend(browser: Browser, hotline: Hotline) -> None:
    name, password = await account(hotline, ADVISER, "adviser")
    async with opened(browser, hotline) as desk:
        await desk.page.add_init_script(DEVICES)
        await desk.page.reload()
        await sign_in(desk, name, password)
        for wrong, said in (
            ("denied", "没有找到麦克风。请插好耳麦"),
            ("busy", "浏览器没有允许使用麦克风"),
            ("unheard", "别的程序正占着它"),
            ("", "麦克风里一点声音也没有"),
        ):
            await desk.says(said)
            await desk.page.evaluate(f"sessionStorage.wrong = '{wrong}'")
            again = desk.page.get_by_role("button", name="再试一次")
            await (again.click() if await again.count() else desk.page.reload())
        await desk.says("没有找到听筒")
        await desk.page.goto(f"http://{ELSEWHERE}:{hotline.settings.web_port}/desk/")
        await desk.page.get_by_label("账号").fill(name)
        await desk.page.get_by_label("密码", exact=True).fill(OWN)
        await desk.page.get_by_role("button", name="登录").click()
        await desk.says("请用 https 的网址打开")
        await desk.page.route_web_socket("**/feed", lambda socket: socket.close())
        await desk.page.reload()
        await desk.says("请网管放行这个网址的 websocket")
    code, _, err = await hotline.rexian("account", "change", name, "--role", "lead", "--disabled")
    assert code == 0, err


def stretches(sound: Sound, hz: float) -> int:
    """How often that tone begins."""
    seconds = [tone_dbfs(sound[at : at + RATE_HZ], hz) > LOUD_DBFS for at in range(0, len(sound), RATE_HZ)]
    return sum(here and not before for before, here in pairwise([False, *seconds]))
