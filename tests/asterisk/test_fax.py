"""传真 Faxes on real calls: what comes out of the machine is dot by dot what was put in, as T.38 and in the voice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import cast

import pytest

from bureau.people import DEMO_PIN, contributions, demo
from calls.facts import CallEnded, FaxSent, MenuStepTaken, ServiceUsed
from cti.phone.baresip import Phone
from faxes import Page, lay_out, read
from ivr.business import Contribution
from ivr.lines import load_line
from ivr.services.contributions import sheet
from prompts.catalogue import CATALOGUE, Catalogue
from tests.asterisk.faxmachine import PATIENCE_S, FaxLine, FaxMachines, fax_machines
from tests.asterisk.hotline import DATA, Caller, Hotline
from tests.eventually import eventually
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

LINE = "12342"
LINE_FILE = DATA / "lines" / f"{LINE}.line.yaml"
CITIZEN, YEAR = min(
    (
        (person, year)
        for person in demo(datetime.now(UTC).date())
        for account in person.accounts
        for year in account.years
    ),
    key=lambda one: len(contributions(one[0].accounts, one[1])),
)
"""With the fewest lines on the page: it takes long enough."""

VOICE_TRUNK = "127.0.0.10"
"""Of a trunk that is not said to do T.38."""


def page_of_contributions() -> list[Page]:
    line = load_line(LINE_FILE, Catalogue.load(CATALOGUE).sentences["zh-CN"])
    paid = cast(Sequence[Contribution], contributions(CITIZEN.accounts, YEAR))
    return lay_out(sheet(paid, YEAR, line))


def dots(pages: list[Page]) -> list[tuple[tuple[int, int], bytes]]:
    return [(page.size, page.tobytes()) for page in pages]


@contextlib.asynccontextmanager
async def calling(
    hotline: Hotline, machines: FaxMachines, kind: str, keys: str
) -> AsyncIterator[tuple[FaxLine, Caller]]:
    """A machine that has called, and pressed the key of the first menu."""
    line = await machines.dial(kind, LINE)
    caller = Caller(cast(Phone, line), keys, None, barge=True)
    caller.sip_call_id = await line.sip_call_id()
    watching = asyncio.create_task(caller.watch(hotline.follow(caller.sip_call_id)))
    try:
        chosen = await caller.saw(MenuStepTaken)
        assert chosen.outcome == "chosen"
        yield line, caller
        await line.hangup()
        await caller.saw(CallEnded)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def sending(hotline: Hotline, caller: Caller) -> None:
    """Wait until Asterisk is sending, and see that meanwhile nothing of it is recorded."""
    await eventually(lambda: _sends(hotline, caller.call_id))
    assert list(hotline.settings.raw_dir.iterdir()) == []
    [pages] = hotline.settings.faxes_dir.glob(f"{caller.call_id}.*")
    assert pages.stat().st_mode & 0o077 == 0


async def _sends(hotline: Hotline, call_id: str) -> bool:
    async with hotline.ari() as ari:
        return (await ari.channels.get(call_id)).dialplan.app_name == "SendFAX"


async def sent(caller: Caller) -> FaxSent:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(TimeoutError):  # a page takes as long as other waits may in all
                return await caller.saw(FaxSent)


async def refused(hotline: Hotline) -> None:
    """Wait until a machine has refused T.38."""
    log = hotline.settings.log_dir / "asterisk.log"
    await eventually(lambda: "refused to negotiate T.38" in log.read_text())


async def by_t38(hotline: Hotline, machines: FaxMachines) -> None:
    async with calling(hotline, machines, "t38", "1") as (line, caller):
        await line.key("1")
        await sending(hotline, caller)
        await line.start()
        assert dots(await line.received()) == dots(read(LINE_FILE.parent / "faxes/two-pages.tif"))
        fact = await sent(caller)
        assert (fact.document, fact.result, fact.pages, fact.of, fact.way) == ("two_pages", "done", 2, 2, "t38")
        assert (await caller.saw(ServiceUsed)).outcome == "done"


async def refusing_t38(hotline: Hotline, machines: FaxMachines) -> None:
    async with calling(hotline, machines, "audio", "1") as (line, caller):
        await line.key("2")
        await refused(hotline)
        await line.start()
        assert dots(await line.received()) == dots(read(LINE_FILE.parent / "faxes/one-page.png"))
        fact = await sent(caller)
        assert (fact.document, fact.result, fact.pages, fact.of, fact.way) == ("one_page", "done", 1, 1, "audio")
        assert (await caller.saw(ServiceUsed)).outcome == "done"


async def hanging_up(hotline: Hotline, machines: FaxMachines) -> None:
    async with calling(hotline, machines, "leaves", "1") as (line, caller):
        await line.key("1")
        await sending(hotline, caller)
        await line.start()
        await line.receiving()
        await line.hangup()
        fact = await sent(caller)
        assert (fact.result, fact.pages, fact.of) == ("hung_up", 0, 2)


async def test_faxes_by_t38_in_the_voice_and_broken_off_at_the_same_time(hotline: Hotline) -> None:
    async with fax_machines(hotline.server) as machines, asyncio.TaskGroup() as calls:
        for call in (by_t38, refusing_t38, hanging_up):
            calls.create_task(call(hotline, machines))
    assert list(hotline.settings.faxes_dir.iterdir()) == []


async def test_a_citizens_contributions_come_though_the_controller_dies(hotline: Hotline) -> None:
    """In the voice from the start."""
    async with (
        fax_machines(hotline.server, VOICE_TRUNK) as machines,
        calling(hotline, machines, "audio", "2") as (line, caller),
    ):
        await line.key(CITIZEN.id_number.replace("X", "*"))
        await line.key(DEMO_PIN)
        await caller.hears("contributions.which_year")
        await line.key(f"3{YEAR}")
        await caller.hears("contributions.total.1")
        await line.key("1")  # cuts it short, and answers the question that follows
        await sending(hotline, caller)
        await line.start()
        await hotline.all_kept()
        kill(hotline, "controller")
        await until_working(hotline)
        pages = await line.received()
        fact = await sent(caller)
        await caller.hears("fax.start", "fax.done", "interrupted")
    assert (fact.document, fact.result, fact.pages, fact.way) == ("contributions", "done", fact.of, "audio")
    assert dots(pages) == dots(page_of_contributions())
    assert list(hotline.settings.faxes_dir.iterdir()) == []
    assert await hotline.sql("SELECT * FROM recordings WHERE call_id = $1", caller.call_id) == []
