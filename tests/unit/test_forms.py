"""What an adviser writes down of a conversation: no word is lost, and it is told once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from calls.clock import SystemClock
from calls.errors import BadFile, NotPossible
from calls.facts import AnyFact, WrappedUp
from cti.categories import SHIPPED, load_categories
from cti.desk.feed import CallNow, Feed, Form, Onlooker
from cti.followups import FollowUps
from cti.forms import LONGEST_PROMISE, MOST_OPEN, Draft, Forms
from cti.messages import Messages
from cti.settings import CHECKOUT
from cti.store import Journal
from tests.desk import HOTLINE

CATEGORIES = load_categories(CHECKOUT / "lines")
NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
CALL = CallNow(
    call_id="c1",
    visit="c1.1",
    seat="1001",
    adviser="8001",
    state="talking",
    since=NOW,
    arrived_at=NOW,
    waited_ms=0,
    line="12333",
    queue="cards",
    urgency="normal",
    language=None,
    number="+8613800001111",
    place="",
    chosen=(),
    verified=None,
    callback=False,
    asking=None,
    history="looking",
    before=None,
)
DONE = Draft("社会保障卡", "社会保障卡激活", "answered", " 已告知 ")


class Site:
    """One controller after the other on one journal."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, SystemClock()
        self.facts: list[AnyFact] = []

    def record(self, fact: AnyFact, at: datetime | None = None) -> None:
        self.facts.append(fact)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Forms, Feed]]:
        journal = Journal(self.folder / "journal.db", "node", self.clock)
        feed = Feed()
        try:
            messages = Messages(self, journal, self.clock)
            self.follow_ups = FollowUps(self, journal, self.clock, lambda: messages, lambda: HOTLINE)
            yield Forms(self, journal, self.clock, feed, lambda: CATEGORIES, self.follow_ups), feed
        finally:
            await journal.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def forms_of(feed: Feed, adviser: str) -> list[Form]:
    """What a page that this adviser opens now has to write down."""
    with feed.opened(adviser) as page:
        messages = [msgspec.json.decode(message) for message in page.take()]
    return [msgspec.convert(each["form"], Form) for each in messages if each["kind"] == "form"]


async def test_what_is_written_is_there_for_the_next_page_and_the_next_controller(site: Site) -> None:
    async with site.opened() as (forms, feed):
        forms.begin(CALL)
        forms.begin(CALL)  # another turn of the same conversation
        forms.write("c1.1", "8001", Draft(note="问激活"))
        assert [form.note for form in forms_of(feed, "8001")] == ["问激活"]
        assert forms_of(feed, "8002") == []
    async with site.opened() as (forms, feed):
        forms.begin(CALL)  # found talking by the next controller
        [form] = forms_of(feed, "8001")
        assert (form.note, form.number, form.queue) == ("问激活", "+8613800001111", "cards")
        forms.save("c1.1", "8001", DONE)
        assert forms_of(feed, "8001") == []
    async with site.opened() as (_, feed):
        assert forms_of(feed, "8001") == []
    assert site.facts == [
        WrappedUp(
            call_id="c1",
            visit="c1.1",
            adviser="8001",
            category="社会保障卡",
            topic="社会保障卡激活",
            result="answered",
            note="已告知",
        )
    ]


async def test_the_page_that_writes_is_not_told_its_own_words(site: Site) -> None:
    async with site.opened() as (forms, feed):
        page = Onlooker("8001", ())
        feed._onlookers.add(page)
        forms.begin(CALL)
        forms.write("c1.1", "8001", Draft(note="问"))
        forms.save("c1.1", "8001", DONE)
        told = [msgspec.json.decode(message)["kind"] for message in page.take()]
        assert told == ["form", "form_gone"]


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"topic": ""}, "topic of the table"),
        ({"category": "养老保险"}, "topic of the table"),
        ({"result": ""}, "what came of it"),
        ({"result": "to_call_back"}, "by when"),
        ({"result": "to_call_back", "due_at": NOW}, "by when"),
        ({"result": "to_call_back", "due_at": datetime.now(UTC) + LONGEST_PROMISE * 2}, "by when"),
    ],
)
async def test_what_is_not_whole_is_not_saved_and_not_lost(site: Site, change: dict[str, object], missing: str) -> None:
    async with site.opened() as (forms, feed):
        forms.begin(CALL)
        with pytest.raises(NotPossible, match=missing):
            forms.save("c1.1", "8001", msgspec.structs.replace(DONE, **change))
        assert len(forms_of(feed, "8001")) == 1
    assert site.facts == []


async def test_a_promise_has_its_day_and_nothing_else_has(site: Site) -> None:
    due = datetime.now(UTC) + timedelta(days=3)
    async with site.opened() as (forms, _):
        for visit, result in (("c1.1", "to_call_back"), ("c1.2", "answered")):
            forms.begin(msgspec.structs.replace(CALL, visit=visit))
            forms.save(visit, "8001", msgspec.structs.replace(DONE, result=result, due_at=due))
    assert [fact.due_at for fact in site.facts if isinstance(fact, WrappedUp)] == [due, None]


async def test_whoever_never_writes_anything_down_does_not_fill_the_journal(site: Site) -> None:
    async with site.opened() as (forms, feed):
        for visit in range(MOST_OPEN):
            forms.begin(msgspec.structs.replace(CALL, visit=f"c1.{visit}"))
        forms.write("c1.0", "8001", Draft(note="问激活"))
        forms.begin(msgspec.structs.replace(CALL, visit="c1.new"))
        left = [form.visit for form in forms_of(feed, "8001")]
        assert len(left) == MOST_OPEN
        assert "c1.0" in left, "what is written is kept"
        assert "c1.1" not in left
        assert "c1.new" in left


async def test_a_form_is_its_advisers_and_nobody_elses(site: Site) -> None:
    async with site.opened() as (forms, _):
        forms.begin(CALL)
        for visit, adviser in (("c1.1", "8002"), ("c1.9", "8001")):
            with pytest.raises(NotPossible, match="no such form"):
                forms.write(visit, adviser, Draft())
            with pytest.raises(NotPossible, match="no such form"):
                forms.save(visit, adviser, DONE)


def test_what_is_written_is_in_no_log() -> None:
    assert "已告知" not in repr(DONE)
    form = Form(
        visit="v", call_id="c", adviser="8001", number="+8613800001111", queue=None, begun_at=NOW, note="已告知"
    )
    assert "已告知" not in repr(form)
    assert "1111" not in repr(form)


# The table of categories


def test_the_shipped_table_is_the_source_centres_own() -> None:
    """Baishan's, 2018: 13 categories and 31 topics that people choose."""
    assert len(CATEGORIES) == 13
    assert sum(len(category.topics) for category in CATEGORIES) == 31


def test_without_a_table_of_ones_own_it_is_the_shipped_one(tmp_path: Path) -> None:
    assert load_categories(tmp_path) == load_categories(SHIPPED.parent)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("categories: [{name: 养老, topics: [甲]}, {name: 养老, topics: [乙]}]", "category 养老 stands twice"),
        ("categories: [{name: 养老, topics: [甲, 甲]}]", "a topic of 养老 stands twice"),
        ("categories: [{name: 养老, topics: []}]", "category 养老 lacks a topic"),
        ("categories: [{name: 养老, topics: ['']}]", "category 养老 lacks a topic"),
        ("categories: []", "length >= 1"),
        ("categories: [{name: 养老}]", "topics"),
    ],
)
def test_a_table_that_is_wrong_says_where(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "categories.yaml").write_text(f'version: "1"\n{text}\n')
    with pytest.raises(BadFile, match=reason) as told:
        load_categories(tmp_path)
    assert told.value.line == 2
