"""What goes wrong between the hotline and the business system: the real service, misbehaving, and how often a card is blocked.

Whatever happens to the answer, there is one change, or none and everybody knows it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest
import structlog
from structlog.testing import capture_logs

from bureau.faults import Kind
from bureau.people import Person
from calls.clock import SystemClock
from cti.breaker import Breaker
from cti.business import HttpBusiness
from cti.business.http import Asking
from ivr.business import Citizen, Done, Identity, NotAllowed, NotAvailable, OutcomeUnknown
from tests.bureau import Bureau
from tests.eventually import eventually
from tests.postgres import Cluster
from tests.proxy import Proxy

WHOLE_S = 20.0
"""Only a failing test waits so long; tests of lateness bring a limit of their own."""
IMPATIENT_S = 0.3
NO_PAUSES = (0.0, 0.0)
LOSS = "/v1/card/report-loss"


def client(bureau: Bureau, port: int | None = None, whole_s: float = WHOLE_S, token: str | None = None) -> HttpBusiness:
    """A hotline's way to the service, or to a proxy before it."""
    url = f"http://127.0.0.1:{port or bureau.port}"
    return HttpBusiness(
        Asking(url, bureau.token if token is None else token, whole_s),
        Breaker(SystemClock(), failures=1000),
        pauses_s=NO_PAUSES,
    )


@pytest.fixture
async def business(bureau: Bureau) -> AsyncIterator[HttpBusiness]:
    await bureau.well()
    async with client(bureau) as business:
        yield business
    await bureau.well()


@pytest.fixture
async def one(bureau: Bureau) -> Person:
    return bureau.crowd.someone()


@pytest.fixture
async def word(business: HttpBusiness, one: Person) -> Citizen:
    word = await business.verify(Identity("id_card", one.id_number), one.pin)
    assert word is not None
    return word


@pytest.fixture(scope="module")
def keys() -> Iterator[str]:
    return (f"fault {number}" for number in count())


# --- a change


@pytest.mark.parametrize("kind", ["silent", "cut", "failed", "failed_after", "garbage", "wrong"])
@pytest.mark.parametrize("times", [1, 2])
async def test_an_answer_that_does_not_come_is_asked_for_again(
    business: HttpBusiness, bureau: Bureau, one: Person, word: Citizen, keys: Iterator[str], kind: Kind, times: int
) -> None:
    await bureau.fault(kind, times, LOSS)
    done = await business.report_loss(word, next(keys))

    assert await bureau.events(one) == ["loss_reported"]
    [(reference,)] = await bureau.sql("SELECT loss_reference FROM bureau.cards WHERE number = $1", number(one))
    assert done.reference == reference


@pytest.mark.parametrize(
    ("kind", "events"), [("silent", []), ("cut", ["loss_reported"]), ("failed_after", ["loss_reported"])]
)
async def test_when_no_answer_comes_at_all_it_is_said_to_be_unknown(
    business: HttpBusiness,
    bureau: Bureau,
    one: Person,
    word: Citizen,
    keys: Iterator[str],
    kind: Kind,
    events: list[str],
) -> None:
    key = next(keys)
    await bureau.fault(kind, 99, LOSS)
    with pytest.raises(OutcomeUnknown):
        await business.report_loss(word, key)
    assert await bureau.events(one) == events
    await bureau.well()

    assert await business.report_loss(word, key)
    assert await bureau.events(one) == ["loss_reported"]


async def test_an_answer_that_is_late_is_asked_for_again(
    bureau: Bureau, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    await bureau.fault("late", 1, LOSS)
    async with client(bureau, whole_s=IMPATIENT_S) as impatient:
        await persistently(impatient, word, next(keys))
    await bureau.well()

    assert await bureau.events(one) == ["loss_reported"]


async def test_a_question_that_arrives_after_its_repetition_changes_nothing(
    bureau: Bureau, business: HttpBusiness, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    """Blocked and found again meanwhile: the first question, let go only now, must not block it once more."""
    await bureau.fault("held", 1, LOSS)
    async with client(bureau, whole_s=IMPATIENT_S) as impatient:
        await persistently(impatient, word, next(keys))
    await business.undo_loss(word, next(keys))
    await bureau.well()
    await eventually(lambda: "what was held is done" in bureau.log.read_text())

    assert await bureau.events(one) == ["loss_reported", "loss_undone"]
    assert (card := await business.card(word)) is not None
    assert card.state == "active"


async def test_an_answer_that_comes_twice_is_nobody_elses(
    bureau: Bureau, business: HttpBusiness, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    await bureau.fault("twice", 1, LOSS)
    done = await business.report_loss(word, next(keys))
    found = await business.undo_loss(word, next(keys))

    assert done.reference != found.reference
    assert await bureau.events(one) == ["loss_reported", "loss_undone"]


async def test_the_next_controller_asks_again_with_the_key_of_one_that_died(
    bureau: Bureau, business: HttpBusiness, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    """It died between question and answer; the next one verifies the caller anew, so it has another word."""
    key = next(keys)
    await bureau.fault("late", 1, LOSS)
    async with client(bureau) as dying:
        question = asyncio.create_task(dying.report_loss(word, key))
        await eventually(lambda: changed(bureau, one))
        question.cancel()
        await asyncio.gather(question, return_exceptions=True)
    await bureau.well()
    other = await business.verify(Identity("id_card", one.id_number), one.pin)
    assert other is not None

    assert (await business.report_loss(other, key)).reference
    assert await bureau.events(one) == ["loss_reported"]


async def test_a_key_that_comes_many_times_at_once_waits_and_is_answered_each_time(
    bureau: Bureau, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    """By the service itself, without anybody asking again."""
    key = next(keys)
    way = Asking(bureau.url, bureau.token, WHOLE_S)
    async with HttpBusiness(way, Breaker(SystemClock()), pauses_s=()) as business:
        async with bureau.busy_with(one):
            questions = [asyncio.create_task(business.report_loss(word, key)) for _ in range(6)]
            await eventually(lambda: waiting(bureau, 6))
        answers = await asyncio.gather(*questions)

    assert len(set(answers)) == 1
    assert await bureau.events(one) == ["loss_reported"]


async def test_nobody_is_reached_so_nothing_was_changed(
    bureau: Bureau, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    async with Proxy(0, bureau.port) as proxy:
        port = proxy.port
        await proxy.refuse()
        async with client(bureau, port) as business:
            with pytest.raises(NotAvailable):
                await business.report_loss(word, next(keys))

    assert await bureau.events(one) == []


async def test_once_it_is_in_doubt_a_refused_connection_does_not_end_the_doubt(
    bureau: Bureau, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    """The change was made, its answer cut off, and then the system is away: "nothing was changed" would be a lie."""
    async with Proxy(0, bureau.port) as proxy:
        await bureau.fault("late", 1, LOSS)
        async with client(bureau, proxy.port) as business:
            question = asyncio.create_task(business.report_loss(word, next(keys)))
            await eventually(lambda: changed(bureau, one))
            await proxy.refuse()
            with pytest.raises(OutcomeUnknown):
                await question
    await bureau.well()

    assert await bureau.events(one) == ["loss_reported"]


async def test_not_now_is_no_doubt(
    bureau: Bureau, business: HttpBusiness, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    await bureau.fault("busy", 1, LOSS)
    with pytest.raises(NotAvailable):
        await business.report_loss(word, next(keys))

    assert await bureau.events(one) == []


async def test_a_refusal_whose_answer_is_lost_is_a_refusal(
    bureau: Bureau, business: HttpBusiness, word: Citizen, keys: Iterator[str]
) -> None:
    await bureau.fault("cut", 1, "/v1/card/undo-loss")
    with pytest.raises(NotAllowed, match="not_in_this_state"):
        await business.undo_loss(word, next(keys))


# --- a read


@pytest.mark.parametrize("kind", ["silent", "cut", "failed", "busy", "garbage", "wrong", "twice"])
async def test_a_read_is_asked_again(bureau: Bureau, business: HttpBusiness, word: Citizen, kind: Kind) -> None:
    before = await business.card(word)
    await bureau.fault(kind, 2, "/v1/card")

    assert await business.card(word) == before


@pytest.mark.parametrize("kind", ["silent", "cut", "failed", "busy", "garbage", "wrong"])
async def test_a_read_that_never_works_is_not_available(
    bureau: Bureau, business: HttpBusiness, word: Citizen, kind: Kind
) -> None:
    await bureau.fault(kind, 99, "/v1/card")
    with pytest.raises(NotAvailable):
        await business.card(word)


async def test_a_wrong_token_is_not_available_and_asked_once(
    bureau: Bureau, business: HttpBusiness, word: Citizen
) -> None:
    answered = answers(bureau)
    async with client(bureau, token="wrong") as stranger:
        with pytest.raises(NotAvailable, match="401"):
            await stranger.card(word)

    assert answers(bureau) == answered + 1


async def test_a_redirection_is_not_followed(bureau: Bureau, word: Citizen) -> None:
    """Nobody leads an ID number elsewhere."""
    asked: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        where = f"http://127.0.0.1:{bureau.port}/v1/card"
        writer.write(f"HTTP/1.1 307 Elsewhere\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with (
        await asyncio.start_server(elsewhere, "127.0.0.1", 0) as server,
        client(bureau, server.sockets[0].getsockname()[1]) as business,
    ):
        with pytest.raises(NotAvailable):
            await business.card(word)

    assert len(asked) == 3


async def test_an_answer_without_end_is_not_read_for_ever(bureau: Bureau, word: Citizen) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b" " * 65_536)
                await writer.drain()
        except OSError:
            writer.close()

    async with (
        await asyncio.start_server(endless, "127.0.0.1", 0) as server,
        client(bureau, server.sockets[0].getsockname()[1]) as business,
    ):
        with pytest.raises(NotAvailable):
            await business.card(word)


# --- the breaker, the logs, the service itself


async def test_a_system_that_is_away_is_left_alone_and_found_again(bureau: Bureau, word: Citizen) -> None:
    await bureau.well()
    async with Proxy(0, bureau.port) as proxy:
        asking = Asking(f"http://127.0.0.1:{proxy.port}", bureau.token, WHOLE_S)
        breaker = Breaker(SystemClock(), failures=3, rest_s=0)
        async with HttpBusiness(asking, breaker, pauses_s=NO_PAUSES) as business:
            await proxy.refuse()
            with pytest.raises(NotAvailable):
                await business.card(word)
            assert business.problem is not None
            await business.look()
            assert business.problem is not None
            await proxy.pass_on()
            await business.look()
            assert business.problem is None
            assert await business.card(word) is not None


async def test_an_open_breaker_asks_nothing(
    bureau: Bureau, business: HttpBusiness, word: Citizen, keys: Iterator[str]
) -> None:
    for _ in range(1000):
        business.breaker.failed()
    answered = answers(bureau)
    with pytest.raises(NotAvailable):
        await business.card(word)
    with pytest.raises(NotAvailable):
        await business.report_loss(word, next(keys))

    assert answers(bureau) == answered


async def test_logs_name_nobody(
    bureau: Bureau, business: HttpBusiness, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    """Neither side's, whatever goes wrong: no ID number, no PIN, no word, no key, no body."""
    structlog.contextvars.clear_contextvars()
    with capture_logs() as logged:
        for kind in ("silent", "cut", "failed", "busy", "garbage", "wrong"):
            await bureau.fault(kind, 99)
            with pytest.raises(NotAvailable):
                await business.verify(Identity("id_card", one.id_number), one.pin)
            with pytest.raises((OutcomeUnknown, NotAvailable)):
                await business.reset_pin(word, "271828", f"secret {next(keys)}")
        await bureau.well()
    ours, theirs = json.dumps(logged), bureau.log.read_text()

    assert len(logged) > 10
    assert '"$.reference"' in ours  # where it was wrong, and not what stood there
    for told in (ours, theirs):
        for personal in (one.id_number, one.pin, word, "271828", "secret fault", "<html>", '"reference":990101'):
            assert personal not in told


async def test_the_service_outlives_its_database(
    bureau: Bureau, business: HttpBusiness, cluster: Cluster, one: Person, word: Citizen, keys: Iterator[str]
) -> None:
    key = next(keys)
    await asyncio.to_thread(cluster.stop, "fast")
    try:
        with pytest.raises(NotAvailable):
            await business.card(word)
        with pytest.raises((NotAvailable, OutcomeUnknown)):
            await business.report_loss(word, key)
        await business.look()
        assert "bureau.web unavailable: " in bureau.log.read_text()  # by its kind and place, not by its words
    finally:
        await asyncio.to_thread(cluster.start)

    assert await business.card(word) is not None
    assert await business.report_loss(word, key)
    assert await bureau.events(one) == ["loss_reported"]


# --- hands


async def persistently(business: HttpBusiness, word: Citizen, key: str) -> Done:
    """Ask until it is known, as a caller's flow may: a busy machine may be late more than once by itself."""
    while True:
        try:
            return await business.report_loss(word, key)
        except OutcomeUnknown:
            continue


async def changed(bureau: Bureau, one: Person) -> bool:
    return bool(await bureau.events(one))


async def waiting(bureau: Bureau, many: int) -> bool:
    """Whether so many sessions of it wait for a lock."""
    [(found,)] = await bureau.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = 'bureau' AND wait_event_type = 'Lock'"
    )
    return found == many


def answers(bureau: Bureau) -> int:
    """Questions that it has answered, by its access log."""
    return bureau.log.read_text().count('"POST /v1/')


def number(one: Person) -> str:
    assert one.card is not None
    return one.card.number
