"""The wallboard over HTTP: whole, and whole but for its figures while the database is away."""

from __future__ import annotations

import msgspec

from calls.errors import NotPossible
from cti.board import BoardNow
from cti.desk.watching import BOARD
from tests.board import LIVE
from tests.contract.served_desk import Desk


async def board(desk: Desk, name: str) -> BoardNow:
    async with desk.browser(desk.signed_in(name)[0]) as browser:
        answer = await browser.get(BOARD)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        return msgspec.json.decode(await answer.read(), type=BoardNow)


async def test_many_boards_are_one_question_to_the_database(desk: Desk) -> None:
    await desk.account("screen", "manager")
    await desk.account("lead", "lead")
    first, second = await board(desk, "screen"), await board(desk, "lead")
    assert first == second
    assert desk.house.days.asked == 1
    assert first.figures
    assert first.figures.service_level == 0.75
    assert first.figures.half_hours[0].begins == "09:30"


async def test_the_rest_is_told_while_the_database_is_away(desk: Desk) -> None:
    await desk.account("screen", "manager")
    desk.house.days.trouble = NotPossible("PostgreSQL does not tell: [Errno 2] /somewhere/.s.PGSQL.5432")
    told = await board(desk, "screen")
    assert (told.figures, told.why_no_figures) == (None, "database_away")
    assert (told.trunks, told.alarms, told.away, told.behind) == (LIVE.trunks, LIVE.alarms, LIVE.away, LIVE.behind)
