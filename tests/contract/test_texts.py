"""Texts by every way: a fake in memory, a file, and the real gateway over HTTP. Each reaches its telephone once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import cast

import msgspec
import pytest

from calls.clock import SystemClock
from calls.facts import AnyFact, TextEnded, TextOutcome, TextQueued, TextTaken
from cti.breaker import Breaker
from cti.desk.web import server
from cti.sms import Doorman, FileWay, GatewayWay, Outbox, Reports, Way
from cti.sms.file import read
from cti.sms.outbox import Owed
from cti.sms.signing import signed
from cti.store import Journal
from ivr.texts import Said, Text, Texts
from tests.desk import FakeHouse, doors
from tests.eventually import ended, eventually
from tests.fakes.texts import SENTENCES, FakeTexts
from tests.proxy import Proxy
from tests.texting import KEY, Texting, free_port, running_texting
from texting.faults import Kind

_NUMBERS = count(1)
PATIENT_S, IMPATIENT_S = 20.0, 0.3


class Site:
    """A hotline's side of it: its journal, its outbox on some way, and the door for reports."""

    def __init__(self, folder: Path, way: Way, port: int) -> None:
        self.facts: list[AnyFact] = []
        self.folder, self.way, self.clock = folder, way, SystemClock()
        self.journal = Journal(folder / "journal.db", "node", self.clock)
        self.texts = Outbox(self, self.journal, self.clock, way, KEY.encode(), write, "12333")
        self.reports = Reports(Doorman(KEY.encode(), self.clock), self.texts)
        self.port = port

    def record(self, fact: AnyFact) -> object:
        """A FactSink."""
        self.facts.append(fact)
        return self.journal.record(fact)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Inside, a controller runs; afterwards it is as if it had been killed."""
        house = FakeHouse(self, self.journal, self.clock, self.reports.take)
        door = server(self.port, house, doors(self, self.journal, self.clock, self.folder))
        serving, sending = asyncio.create_task(door.serve()), asyncio.create_task(self.texts.run())
        await eventually(lambda: door.started)
        try:
            yield
        finally:
            door.should_exit = True
            await serving
            await ended([sending])
            await self.journal.close()

    async def taken(self) -> TextTaken:
        """Wait until the gateway has the first text, as far as is known here."""
        await eventually(lambda: any(isinstance(fact, TextTaken) for fact in self.facts))
        return next(fact for fact in self.facts if isinstance(fact, TextTaken))

    async def became(self, *outcomes: TextOutcome) -> None:
        """Wait until this became of the texts, in order."""
        await eventually(lambda: [fact.outcome for fact in self.facts if isinstance(fact, TextEnded)] == list(outcomes))


def write(said: Said, language: str) -> str:
    return SENTENCES[language][said.key].written(said.values)


def text(number: str, call: str = "call", reference: str = "20261128001") -> Text:
    return Text(call, "card_loss", number, "bound", "zh-CN", (Said("loss.done", {"reference": reference}),))


def says(reference: str = "20261128001") -> str:
    return f"您的社会保障卡已经挂失。受理号是{reference}，请您记下。"


@pytest.fixture(scope="module")
def port() -> int:
    """Where the hotline's door is, whenever there is one."""
    return free_port()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Texting]:
    with running_texting(tmp_path_factory.mktemp("texting"), reports_to(port)) as running:
        yield running


@pytest.fixture
def number() -> str:
    """A telephone that no other test has."""
    return f"+86138{next(_NUMBERS):08}"


def reports_to(port: int) -> str:
    return f"http://127.0.0.1:{port}/api/texts/reports"


# --- the port, by every way

Inbox = Callable[[str], Awaitable[list[str]]]


@pytest.fixture(params=["fake", "file", "http"])
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Texts, Inbox]]:
    """Each way, and how to read what a telephone received."""
    async with AsyncExitStack() as stack:
        if request.param == "fake":
            fake = FakeTexts()

            async def in_memory(number: str) -> list[str]:
                return fake.inbox[number]

            yield fake, in_memory
        elif request.param == "file":
            path = tmp_path / "texts.jsonl"
            site = Site(tmp_path, FileWay(path), free_port())
            await stack.enter_async_context(site.at_work())

            async def in_file(number: str) -> list[str]:
                letters = read(path) if path.exists() else []
                return [letter.body.removeprefix("【12333】") for letter in letters if letter.number == number]

            yield site.texts, in_file
        else:
            real, port = request.getfixturevalue("gateway"), request.getfixturevalue("port")
            await real.well()
            site = await stack.enter_async_context(opened(tmp_path, real.url, port))

            async def at_the_gateway(number: str) -> list[str]:
                return [body.removeprefix("【12333】") for body in await real.inbox(number)]

            yield site.texts, at_the_gateway


async def test_a_text_arrives_once_however_often_it_is_queued(way: tuple[Texts, Inbox], number: str) -> None:
    texts, inbox = way
    for _ in range(3):
        texts.queue(text(number))
    texts.queue(text(number, reference="20261128002"))

    await eventually(lambda: _arrived(inbox, number, 2))
    assert sorted(await inbox(number)) == [says(), says("20261128002")]


async def test_each_call_has_texts_of_its_own_and_each_number(way: tuple[Texts, Inbox], number: str) -> None:
    texts, inbox = way
    texts.queue(text(number, "one"))
    texts.queue(text(number, "two"))
    texts.queue(text(f"{number}9", "two"))

    await eventually(lambda: _arrived(inbox, number, 2))
    await eventually(lambda: _arrived(inbox, f"{number}9", 1))
    assert await inbox(number) == [says(), says()]


async def test_a_secret_arrives_as_often_as_it_is_sent(way: tuple[Texts, Inbox], number: str) -> None:
    texts, inbox = way
    texts.send_secret(text(number))
    texts.send_secret(text(number))

    await eventually(lambda: _arrived(inbox, number, 2))
    assert await inbox(number) == [says(), says()]


async def test_a_way_that_works_is_offered(way: tuple[Texts, Inbox]) -> None:
    assert way[0].offered


async def _arrived(inbox: Inbox, number: str, texts: int) -> bool:
    return len(await inbox(number)) == texts


# --- what goes wrong between the hotline and the gateway


@pytest.fixture
async def texting(gateway: Texting) -> Texting:
    await gateway.well()
    return gateway


@pytest.fixture
async def site(tmp_path: Path, texting: Texting, port: int) -> AsyncIterator[Site]:
    async with opened(tmp_path, texting.url, port) as site:
        yield site


@asynccontextmanager
async def opened(folder: Path, url: str, port: int, whole_s: float = PATIENT_S) -> AsyncIterator[Site]:
    """A controller, until it is killed."""
    breaker = Breaker(SystemClock(), failures=3, rest_s=0.1)
    async with GatewayWay(url, KEY.encode(), SystemClock(), whole_s, breaker) as way:
        site = Site(folder, way, port)
        async with site.at_work():
            yield site


@pytest.mark.parametrize("kind", ["silent", "cut", "failed", "failed_after", "busy", "garbage", "twice", "again"])
async def test_whatever_becomes_of_the_answer_it_arrives_once(
    site: Site, texting: Texting, kind: Kind, number: str
) -> None:
    """However often it is handed over; no report comes before the answer, so that it is."""
    await texting.fault(kind, 2)
    site.texts.queue(text(number))
    taken = await site.taken()
    assert taken.tries == (1 if kind in ("twice", "again") else 3)
    await texting.well()
    await site.became("delivered")
    site.texts.queue(text(number, reference="2"))
    await site.became("delivered", "delivered")

    assert await texting.inbox(number) == [f"【12333】{says()}", f"【12333】{says('2')}"]
    assert len([fact for fact in site.facts if isinstance(fact, TextTaken)]) == 2


async def test_an_answer_that_does_not_come_in_time_is_no_second_text(
    tmp_path: Path, texting: Texting, port: int, number: str
) -> None:
    await texting.fault("late", 2)
    async with opened(tmp_path, texting.url, port, IMPATIENT_S) as site:
        site.texts.queue(text(number))
        assert (await site.taken()).tries == 3
        await texting.well()
        await site.became("delivered")
    assert await texting.inbox(number) == [f"【12333】{says()}"]


async def test_a_killed_controllers_texts_are_the_next_ones(
    tmp_path: Path, texting: Texting, port: int, number: str
) -> None:
    """The gateway is away when it is promised, and has it before the second controller dies between asking and hearing."""
    async with opened(tmp_path, f"http://127.0.0.1:{free_port()}", port) as first:
        first.texts.queue(text(number))
    await texting.fault("late")
    async with opened(tmp_path, texting.url, port) as second:
        await eventually(lambda: _arrived(texting.inbox, number, 1))
    await texting.well()
    async with opened(tmp_path, texting.url, port) as third:
        await third.became("delivered")
        third.texts.queue(text(number))
        assert not third.texts.waiting, "the same text of the same call"
    assert await texting.inbox(number) == [f"【12333】{says()}"]
    told = [fact for each in (first, second, third) for fact in each.facts]
    assert [type(fact) for fact in told] == [TextQueued, TextTaken, TextEnded]


def _name(site: Site) -> str:
    return next(fact.text for fact in site.facts if isinstance(fact, TextQueued))


async def test_a_gateway_that_starts_anew_knows_what_it_took(tmp_path: Path, port: int, number: str) -> None:
    at = free_port()
    async with Proxy(0, at) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        with running_texting(tmp_path, reports_to(free_port()), at) as before:
            await before.fault("late", 1)
            async with opened(tmp_path, url, port, IMPATIENT_S) as site:
                site.texts.queue(text(number))
                await eventually(lambda: _arrived(before.inbox, number, 1))
        with running_texting(tmp_path, reports_to(port), at) as after:
            async with opened(tmp_path, url, port) as site:
                await site.taken()
                await site.became("delivered")
            assert await after.inbox(number) == [], "its telephones are in memory: a second delivery would be seen"


async def test_what_is_refused_or_not_delivered_is_told_and_not_tried_again(
    site: Site, texting: Texting, number: str
) -> None:
    await texting.fault("refused")
    site.texts.queue(text(number))
    await site.became("refused")
    await texting.fault("undeliverable")
    site.texts.queue(text(number, reference="2"))
    await site.became("refused", "undeliverable")

    assert await texting.inbox(number) == []
    assert site.texts.waiting == 0


async def test_a_name_that_was_used_for_another_text_is_refused(site: Site, texting: Texting, number: str) -> None:
    site.texts.queue(text(number))
    await site.became("delivered")
    body = msgspec.json.encode({"key": _name(site), "to": number, "body": "another"})
    assert await texting.post("/v1/texts", body, signed(KEY.encode(), body, SystemClock())) == 409
    assert await texting.inbox(number) == [f"【12333】{says()}"]


async def test_a_report_that_is_held_back_comes_later(site: Site, texting: Texting, number: str) -> None:
    await texting.fault("mute")
    site.texts.queue(text(number))
    await eventually(lambda: _arrived(texting.inbox, number, 1))
    await site.taken()
    assert not any(isinstance(fact, TextEnded) for fact in site.facts)
    await texting.well()
    await site.became("delivered")


async def test_while_the_gateway_is_away_nothing_is_offered_and_what_was_promised_waits(
    tmp_path: Path, texting: Texting, port: int, number: str
) -> None:
    async with Proxy(0, int(texting.url.rpartition(":")[2])) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        await proxy.refuse()
        async with opened(tmp_path, url, port) as site:
            way = cast(GatewayWay, site.way)
            watching = asyncio.create_task(way.watch())
            site.texts.queue(text(number))
            await eventually(lambda: not site.texts.offered)
            await proxy.pass_on()
            await site.became("delivered")
            await eventually(lambda: site.texts.offered)
            await ended([watching])
    assert await texting.inbox(number) == [f"【12333】{says()}"]


# --- what is written down


async def test_a_secret_is_written_down_nowhere(tmp_path: Path, texting: Texting, port: int, number: str) -> None:
    await texting.fault("busy", 1)
    async with opened(tmp_path, texting.url, port) as site:
        site.texts.send_secret(text(number, reference="271828"))
        await site.taken()
        await texting.well()
        await site.became("delivered")
        await site.journal.flush()
    assert await texting.inbox(number) == [f"【12333】{says('271828')}"]
    assert holding(tmp_path, b"text/"), "the journal, at least"
    assert holding(tmp_path, b"271828") == []


def holding(folder: Path, what: bytes) -> list[Path]:
    """Files in which that is written."""
    return [path for path in folder.rglob("*") if path.is_file() and what in path.read_bytes()]


async def test_a_secret_dies_with_its_controller(tmp_path: Path, texting: Texting, port: int, number: str) -> None:
    async with opened(tmp_path, f"http://127.0.0.1:{free_port()}", port) as first:
        first.texts.send_secret(text(number))
    async with opened(tmp_path, texting.url, port) as second:
        await second.became("lost")
    assert await texting.inbox(number) == []


async def test_once_it_is_taken_the_journal_forgets_what_it_said_and_to_whom(
    site: Site, texting: Texting, number: str
) -> None:
    site.texts.queue(text(number))
    await site.became("delivered")
    [owed] = site.journal.find("text/", Owed).values()
    assert (owed.state, owed.number, owed.body) == ("ended", None, None)


# --- who is let in


@pytest.mark.parametrize("sender", ["nobody", "another key", "another body", "again", "long ago"])
async def test_a_report_that_is_not_the_gateways_or_not_new_is_not_taken(
    site: Site, texting: Texting, port: int, sender: str, number: str
) -> None:
    await texting.fault("mute")
    site.texts.queue(text(number))
    await site.taken()
    door = Texting(f"http://127.0.0.1:{port}", KEY)
    body = msgspec.json.encode({"key": _name(site), "state": "undeliverable"})
    headers = forged(sender, body)
    if sender == "again":
        other = msgspec.json.encode({"key": "of no text", "state": "delivered"})
        headers = signed(KEY.encode(), other, SystemClock())
        assert await door.post("/api/texts/reports", other, headers) == 204
        body = other
    assert await door.post("/api/texts/reports", body, headers) == 401
    assert not any(isinstance(fact, TextEnded) for fact in site.facts)
    await texting.well()
    await site.became("delivered")


@pytest.mark.parametrize("sender", ["nobody", "another key", "another body", "again", "long ago"])
async def test_the_gateway_takes_no_text_that_is_not_the_hotlines_or_not_new(
    texting: Texting, sender: str, number: str
) -> None:
    body = msgspec.json.encode({"key": number[1:], "to": number, "body": "forged"})
    headers = forged(sender, body)
    if sender == "again":
        headers = signed(KEY.encode(), body, SystemClock())
        assert await texting.post("/v1/texts", body, headers) == 200
    assert await texting.post("/v1/texts", body, headers) == 401
    assert len(await texting.inbox(number)) == (sender == "again")


def forged(sender: str, body: bytes) -> dict[str, str]:
    match sender:
        case "nobody" | "again":
            return {}
        case "another key":
            return signed(b"another", body, SystemClock())
        case "another body":
            return signed(KEY.encode(), b"{}", SystemClock())
    return signed(KEY.encode(), body, LongAgo())


class LongAgo(SystemClock):
    """Ten minutes ago."""

    def utc(self) -> datetime:
        return super().utc() - timedelta(minutes=10)


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"[]", b'{"key":"x","state":"read"}', b'{"state":"delivered"}', b"\xff"]
)
async def test_a_report_that_makes_no_sense_is_told_so(site: Site, port: int, body: bytes) -> None:
    door = Texting(f"http://127.0.0.1:{port}", KEY)
    assert await door.post("/api/texts/reports", body, signed(KEY.encode(), body, SystemClock())) == 400


@pytest.mark.parametrize(
    "asked",
    [
        {"key": "x", "to": "13800000002", "body": "no E.164"},
        {"key": "x", "to": "+8613800000001", "body": ""},
        {"key": "x", "to": "+8613800000001"},
        {"key": "x y", "to": "+8613800000001", "body": "hello"},
        {"key": "x", "to": "+8613800000001", "body": "hello", "more": "x"},
        {"key": "x", "to": "+8613800000001", "body": "x" * 1001},
        {"key": 1, "to": "+8613800000001", "body": "hello"},
        [],
    ],
)
async def test_a_text_that_is_none_is_told_so(texting: Texting, asked: object) -> None:
    body = msgspec.json.encode(asked)
    assert await texting.post("/v1/texts", body, signed(KEY.encode(), body, SystemClock())) == 400
