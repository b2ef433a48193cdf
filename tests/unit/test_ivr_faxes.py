"""传真 What callers hear of faxes, what is sent, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from calls.facts import FaxResult
from faxes import Sheet
from ivr.business import Business, Contribution
from ivr.flow import run_line
from ivr.line import Choice, Menu
from ivr.next import Next
from ivr.services.contributions import sheet
from tests.fakes.caller import HANG_UP, ScriptedCaller
from tests.unit.test_ivr_services import LOGIN, PERSON, SHIPPED, WORDS, Bureau, came_of_it

OFFER = ["fax.choose", "fax.card_application", "fax.key", "fax.leave"]
SENT = ["fax.start", "fax.done"]
YEAR = "contributions.which_year"
SUM = ["contributions.total", "contributions.fax"]
PAID = [Contribution(date(2026, month, 1), "pension", 800_000, 192_000) for month in (1, 2, 3)]
PAID += [Contribution(date(1998, 12, 1), "medical", 100_000, 11_505)]


async def uses(
    service: str, *keys: str | None, faxes: Iterable[FaxResult] | None = (), bureau: Bureau | None = None
) -> tuple[ScriptedCaller, Next]:
    """A caller who chooses this service, keys this, and at last asks for a person."""
    menu = Menu("menu.main", {"1": Choice(name="it", service=service)})
    line = replace(SHIPPED, menu="main", menus={"main": menu})
    caller = ScriptedCaller(["1", *keys, "0"], faxes=faxes)
    went_on = await run_line(caller.window(line, business=cast(Business, bureau)))
    for sentence in caller.said:
        WORDS[sentence].render(caller.values)
    return caller, went_on


async def test_the_document_that_is_chosen_is_sent() -> None:
    caller, _ = await uses("fax_documents", "1", faxes=["done"])
    assert caller.said[3:] == [*OFFER, *SENT, "menu.main"]
    assert caller.faxed == [("card_application", Path(SHIPPED.faxes["1"].file))]
    assert Path(SHIPPED.faxes["1"].file).is_absolute()
    assert came_of_it(caller) == ["done"]


async def test_keys_that_choose_nothing_are_told_and_lead_back() -> None:
    caller, _ = await uses("fax_documents", "7", None, "*")
    assert caller.said[3:] == [*OFFER, "key.wrong", *OFFER, "key.missing", *OFFER, "menu.main"]
    assert came_of_it(caller) == ["gave_up"]
    caller, _ = await uses("fax_documents", "#")
    assert caller.said[3:] == [*OFFER, "menu.main"]
    assert caller.faxed == []


async def test_who_asks_twice_hears_the_documents_slowly() -> None:
    caller, _ = await uses("fax_documents", "*", "*", "1", faxes=["done"])
    assert caller.said[3:] == [*OFFER, *OFFER, "slow.begun", *OFFER, *SENT, "menu.main"]


async def test_0_is_a_person_wherever_a_key_is_asked_for() -> None:
    for keys in ([], ["1"]):
        caller, went_on = await uses("fax_documents", *keys, faxes=["no_machine"])
        assert (went_on, caller.said[-1]) == (PERSON, "fax.again" if keys else "fax.leave")


@pytest.mark.parametrize("result", ["no_machine", "broken_off", "unknown"])
async def test_a_fax_that_failed_is_said_to_have_and_tried_once_more(result: FaxResult) -> None:
    caller, _ = await uses("fax_documents", "1", "1", faxes=[result, "done"])
    assert caller.said[7:] == ["fax.start", "fax.failed", "fax.again", *SENT, "menu.main"]
    assert came_of_it(caller) == ["done"]
    caller, _ = await uses("fax_documents", "1", "1", faxes=[result, result])
    assert caller.said[-4:] == ["fax.again", "fax.start", "fax.failed", "menu.main"]
    assert came_of_it(caller) == ["gave_up"]
    caller, _ = await uses("fax_documents", "1", "#", faxes=[result])
    assert caller.said[-2:] == ["fax.again", "menu.main"]
    assert came_of_it(caller) == ["gave_up"]


async def test_while_no_fax_can_be_sent_a_person_goes_on() -> None:
    caller, went_on = await uses("fax_documents", "1", faxes=None)
    assert (went_on, caller.said[-1]) == (PERSON, "fax.unavailable")
    assert came_of_it(caller) == ["unavailable"]


@pytest.mark.parametrize(
    ("keys", "year", "rows", "total"),
    [
        (["1"], 2026, 3, 576_000),
        (["3", *"1998"], 1998, 1, 11_505),
    ],
    ids=["this year", "another year"],
)
async def test_the_contributions_of_a_year_are_summed_and_sent(
    keys: list[str], year: int, rows: int, total: int
) -> None:
    caller, _ = await uses("contributions", *LOGIN, *keys, "*", "1", faxes=["done"], bureau=Bureau(contributions=PAID))
    asked = [YEAR, *(["contributions.year"] if len(keys) > 1 else [])]
    assert caller.said[3:] == ["id.ask", "pin.ask", "id.passed", *asked, *SUM, *SUM, *SENT, "menu.main"]
    assert (caller.values["total"], caller.values["first"].year) == (total, year)  # type: ignore[union-attr] # a date
    [(document, page)] = caller.faxed
    assert (document, page) == ("contributions", sheet([one for one in PAID if one.month.year == year], year, SHIPPED))
    assert isinstance(page, Sheet)
    assert len(page.rows) == rows
    assert came_of_it(caller) == ["done"]


async def test_the_sum_is_enough_for_whoever_wants_no_fax() -> None:
    caller, _ = await uses("contributions", *LOGIN, "1", "#", bureau=Bureau(contributions=PAID))
    assert (caller.said[-3:], caller.faxed) == ([*SUM, "menu.main"], [])
    assert came_of_it(caller) == ["done"]


async def test_a_year_without_contributions() -> None:
    caller, _ = await uses("contributions", *LOGIN, "2", bureau=Bureau(contributions=PAID))
    assert caller.said[-2:] == ["contributions.none", "menu.main"]


async def test_a_year_that_cannot_be_is_asked_for_again_and_then_given_up() -> None:
    keys = ["3", *"1912", "3", *"2999", "8"]
    caller, _ = await uses("contributions", *LOGIN, *keys, bureau=Bureau(contributions=PAID))
    again = [YEAR, "contributions.year", "key.wrong"]
    assert caller.said[6:] == [*again, *again, YEAR, "key.wrong", "menu.main"]
    assert came_of_it(caller) == ["gave_up"]


async def test_who_hangs_up_after_a_fax_that_failed_has_hung_up() -> None:
    menu = Menu("menu.main", {"1": Choice(name="it", service="fax_documents")})
    line = replace(SHIPPED, menu="main", menus={"main": menu})
    caller = ScriptedCaller(["1", "1", HANG_UP], faxes=["no_machine"])
    with pytest.raises(asyncio.CancelledError):
        await run_line(caller.window(line))
    assert came_of_it(caller) == ["hung_up"]


def test_the_page_tells_what_was_paid_and_names_nobody() -> None:
    page = sheet(PAID[:3], 2026, SHIPPED)
    assert page.title == "2026年社会保险缴费记录"
    assert page.rows[0] == ("2026-01", "养老保险", "8,000.00", "1,920.00")
    assert page.after[0] == "合计：5,760.00 元"
    assert all(len(row) == len(page.head) for row in page.rows)
