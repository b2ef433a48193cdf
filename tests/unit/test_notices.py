"""What leads write to advisers: to be read until it is, whatever is started anew meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from calls.clock import SystemClock
from calls.errors import NotPossible
from cti.desk.feed import Feed, Onlooker
from cti.notices import KEPT_FOR, MOST, Notices
from cti.store import Journal

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


class Clock(SystemClock):
    """Of the day, as it is told."""

    at = NOW

    def utc(self) -> datetime:
        return self.at


class Site:
    """One controller after the other on one journal."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.feed = Feed()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Notices]:
        journal = Journal(self.folder / "journal.db", "node", self.clock)
        self.feed = Feed()
        try:
            yield Notices(journal, self.clock, self.feed)
        finally:
            await journal.close()

    def sees(self, adviser: str | None = None, *, lead: bool = False) -> list[dict[str, Any]]:
        """What a page that is opened now is told."""
        with self.feed.opened(adviser, lead=lead) as page:
            return [msgspec.json.decode(message) for message in page.take()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_notice_is_on_the_pages_of_those_concerned_until_they_have_read_it(site: Site) -> None:
    async with site.opened() as notices:
        page, other, lead = Onlooker("8001", ()), Onlooker("8003", ()), Onlooker(None, (), lead=True)
        site.feed._onlookers.update({page, other, lead})
        sent = notices.send("li.na", " 三点开会 ", ["8002", "8001"], everybody=True)
        (told,) = [msgspec.json.decode(message) for message in page.take()]
        assert told == {
            "kind": "notice",
            "notice": sent.notice,
            "by": "li.na",
            "everybody": True,
            "text": "三点开会",
            "sent_at": "2026-01-05T01:00:00Z",
        }
        assert other.take() == []
    async with site.opened() as notices:
        assert [each["text"] for each in site.sees("8001")] == ["三点开会"], "under the next controller"
        notices.read(sent.notice, "8001")
        notices.read(sent.notice, "8001")
        assert site.sees("8001") == []
        assert len(site.sees("8002")) == 1
        (told,) = site.sees(lead=True)
        assert (told["sent"]["to"], [*told["sent"]["read"]]) == (["8001", "8002"], ["8001"])
        with pytest.raises(NotPossible, match="no such message for you"):
            notices.read(sent.notice, "8003")
        with pytest.raises(NotPossible, match="no such message for you"):
            notices.read("nothing", "8001")


@pytest.mark.parametrize(("text", "to", "why"), [(" \n", ["8001"], "nothing to read"), ("x", [], "nobody sits")])
async def test_what_nobody_could_read_is_not_sent(site: Site, text: str, to: list[str], why: str) -> None:
    async with site.opened() as notices:
        with pytest.raises(NotPossible, match=why):
            notices.send("li.na", text, to, everybody=True)
        assert site.sees(lead=True) == []


async def test_what_is_read_goes_after_a_day_and_what_is_not_stays(site: Site) -> None:
    async with site.opened() as notices:
        read = notices.send("li.na", "read", ["8001"], everybody=False)
        notices.send("li.na", "unread", ["8001"], everybody=False)
        notices.read(read.notice, "8001")
        site.clock.at = NOW + KEPT_FOR + timedelta(seconds=1)
        notices.look()
        assert [each["sent"]["text"] for each in site.sees(lead=True)] == ["unread"]
        notices.send("li.na", "new", ["8001"], everybody=False)
    async with site.opened():
        assert [each["sent"]["text"] for each in site.sees(lead=True)] == ["unread", "new"]


async def test_there_are_never_more_than_so_many(site: Site) -> None:
    async with site.opened() as notices:
        for number in range(MOST + 3):
            site.clock.at = NOW + timedelta(seconds=number)
            notices.send("li.na", str(number), ["8001"], everybody=False)
        told = [each["text"] for each in site.sees("8001")]
        assert told == [str(number) for number in range(3, MOST + 3)]
        assert "text" not in repr(notices.send("li.na", "text", ["8001"], everybody=False))
