"""缴费记录 What was paid in a year: in all by word of mouth, month by month by fax.

The page names nobody: fax machines stand in corridors. Who asked knows whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from zoneinfo import ZoneInfo

from calls.facts import ServiceOutcome
from faxes import Sheet
from ivr.business import Citizen, Contribution, InsuranceKind
from ivr.hours import STATUTORY_DAYS
from ivr.keying import key_number
from ivr.line import AGAIN, PERSON, Line
from ivr.served import MOST_AGAIN, WantsPerson, faxed, personally
from ivr.slowly import slower
from ivr.window import Window

THIS_YEAR, LAST_YEAR, ANOTHER_YEAR = "1", "2", "3"
FAX = "1"

FIRST_YEAR = 1951
"""劳动保险条例: nothing was paid before."""

KINDS: dict[InsuranceKind, str] = {
    "pension": "养老保险",
    "medical": "医疗保险",
    "injury": "工伤保险",
    "unemployment": "失业保险",
    "maternity": "生育保险",
}


async def serve(window: Window) -> ServiceOutcome:
    """Ask for the year, say the sum, and offer the page."""
    return await personally(window, partial(_tell, window))


async def _tell(window: Window, citizen: Citizen) -> ServiceOutcome:
    year = await _year(window)
    if year is None:
        return "gave_up"
    paid = await window.caller.while_waiting(window.business.contributions(citizen, year))
    if not paid:
        await window.caller.say("contributions.none")
        return "done"
    if not await _wants_fax(window, paid):
        return "done"
    return await faxed(window, "contributions", sheet(paid, year, window.line))


async def _year(window: Window) -> int | None:
    """None: none of those that there can be was keyed. Raises WantsPerson."""
    line, caller = window.line, window.caller
    this_year = window.now().astimezone(ZoneInfo(STATUTORY_DAYS.zone)).year
    for _ in range(line.tries):
        await caller.say("contributions.which_year")
        keyed = await caller.key(window.key_wait_s)
        if keyed == PERSON:
            raise WantsPerson(served=False)
        if keyed == THIS_YEAR:
            return this_year
        if keyed == LAST_YEAR:
            return this_year - 1
        if keyed == ANOTHER_YEAR:
            await caller.say("contributions.year")
            number = await key_number(caller, 4, window.key_wait_s)
            if number and FIRST_YEAR <= int(number) <= this_year:
                return int(number)
        caller.forget_keys()
        await caller.say("key.missing" if keyed is None else "key.wrong")
    return None


async def _wants_fax(window: Window, paid: Sequence[Contribution]) -> bool:
    """Say the sum, as often as it is asked for. Raises WantsPerson."""
    caller = window.caller
    months = [one.month for one in paid]
    total = sum(one.paid_fen for one in paid)
    excuse: tuple[str, ...] = ()
    for asked in range(1, MOST_AGAIN + 1):
        await caller.say(*excuse, "contributions.total", first=min(months), last=max(months), total=total)
        await caller.say("contributions.fax")
        key = await caller.key(window.key_wait_s)
        if key == PERSON:
            raise WantsPerson
        if key != AGAIN:
            return key == FAX
        excuse = slower(caller, asked, window.about)
    return False


def sheet(paid: Sequence[Contribution], year: int, line: Line) -> Sheet:
    """The page: what was paid in that year, month by month."""
    total = sum(one.paid_fen for one in paid)
    return Sheet(
        title=f"{year}年社会保险缴费记录",
        before=(f"{line.name}（{line.number}）自助传真",),
        head=("月份", "险种", "缴费基数（元）", "缴费金额（元）"),
        rows=tuple((f"{one.month:%Y-%m}", KINDS[one.kind], _yuan(one.base_fen), _yuan(one.paid_fen)) for one in paid),
        after=(f"合计：{_yuan(total)} 元", "本记录仅供参考，不具有法律效力，不作为缴费凭证。"),
    )


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02}"
