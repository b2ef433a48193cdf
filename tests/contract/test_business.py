"""The social-security system, as `ivr.business` promises it: one suite, on the fake and on the real service over HTTP.

Whoever connects a system of their own adds it to `system`, and is done when this is green.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from bureau.people import Person, contributions, generate
from calls.clock import SystemClock
from cti.breaker import Breaker
from cti.business import HttpBusiness
from cti.business.http import Asking
from ivr.business import Business, Citizen, Identity, NotAllowed, OutcomeUnknown
from tests.bureau import CITIZENS, TODAY, Bureau, Crowd
from tests.fakes.business import FakeBusiness

KINDS = ["pension", "medical", "injury", "unemployment", "maternity"]


class System:
    """A business system with citizens whom the tests know."""

    def __init__(self, business: Business, crowd: Crowd, bureau: Bureau | None = None) -> None:
        self.business, self.crowd, self._bureau = business, crowd, bureau

    async def events(self, one: Person) -> list[str]:
        """What was changed for this citizen while the test ran, and before."""
        if self._bureau is not None:
            return await self._bureau.events(one)
        assert isinstance(self.business, FakeBusiness)
        return [what for number, what in self.business.events if number == one.id_number]

    async def end_words(self) -> None:
        """Ten minutes pass."""
        if self._bureau is not None:
            await self._bureau.sql("UPDATE bureau.words SET until = now() - interval '1 second'")
        else:
            assert isinstance(self.business, FakeBusiness)
            self.business.forget()

    async def verified(self, one: Person) -> Citizen:
        """The word for somebody."""
        word = await self.business.verify(Identity("id_card", one.id_number), one.pin)
        assert word is not None
        return word


@pytest.fixture(params=["fake", "http"])
def served(request: pytest.FixtureRequest) -> Bureau | None:
    """The real service, or None for the fake."""
    if request.param == "fake":
        return None
    bureau: Bureau = request.getfixturevalue("bureau")
    return bureau


@pytest.fixture
async def system(served: Bureau | None) -> AsyncIterator[System]:
    """Each of them."""
    if served is None:
        people = list(generate(CITIZENS, TODAY))
        yield System(FakeBusiness(people), Crowd(people[:]))
        return
    await served.well()
    async with HttpBusiness(Asking(served.url, served.token, 10), Breaker(SystemClock())) as business:
        yield System(business, served.crowd, served)


@pytest.fixture(scope="module")
def keys() -> Iterator[str]:
    """Keys that nobody has used."""
    return (f"contract {number}" for number in count())


# --- who it is


async def test_the_right_pin_gives_a_word_and_no_two_are_the_same(system: System) -> None:
    one = system.crowd.someone()
    first, second = await system.verified(one), await system.verified(one)

    assert first != second
    assert one.id_number not in first


async def test_the_last_letter_of_an_id_number_may_be_small(system: System) -> None:
    demo = next(person for person in generate(8, TODAY) if person.id_number.endswith("X"))

    assert await system.business.verify(Identity("id_card", demo.id_number.lower()), demo.pin) is not None


async def test_a_wrong_pin_and_no_such_account_are_answered_alike(system: System) -> None:
    one = system.crowd.someone()
    other = "112358" if one.pin != "112358" else "314159"

    assert await system.business.verify(Identity("id_card", one.id_number), other) is None
    assert await system.business.verify(Identity("id_card", "990101190001010001"), other) is None
    assert await system.business.verify(Identity("card", "990000000"), other) is None
    assert await system.business.verify(Identity("card", one.id_number), one.pin) is None


@pytest.mark.parametrize(
    ("state", "known"),
    [
        ("active", True),
        ("issued", True),
        ("lost", True),
        ("ready", False),
        ("in_production", False),
        ("cancelled", False),
    ],
)
async def test_a_card_names_its_owner_once_it_is_in_hand(system: System, state: str, known: bool) -> None:
    one = system.crowd.someone(state)
    assert one.card is not None
    word = await system.business.verify(Identity("card", one.card.number), one.pin)

    assert (word is not None) == known


async def test_the_bound_number_is_told_and_verifies(system: System) -> None:
    one, other = system.crowd.someone(bound=True), system.crowd.someone(bound=False)
    of_one, of_other = Identity("id_card", one.id_number), Identity("id_card", other.id_number)
    nobody = Identity("id_card", "990101190001010001")

    assert await system.business.bound_number(of_one) == one.bound_number
    assert await system.business.bound_number(of_other) is None
    assert await system.business.bound_number(nobody) is None
    assert one.bound_number is not None
    assert await system.business.verify_by_number(of_one, one.bound_number) is not None
    for identity, number in ((of_one, "+8613900000000"), (of_other, one.bound_number), (nobody, one.bound_number)):
        assert await system.business.verify_by_number(identity, number) is None


async def test_a_word_that_is_none_or_has_ended_is_not_allowed(system: System) -> None:
    word = await system.verified(system.crowd.someone())
    await system.end_words()

    for wrong in (word, "made up"):
        with pytest.raises(NotAllowed):
            await system.business.card(wrong)
        with pytest.raises(NotAllowed):
            await system.business.report_loss(wrong, f"ended {wrong}")


# --- what they may know


async def test_a_card_is_told_by_its_last_digits(system: System) -> None:
    one = system.crowd.someone("ready")
    card = await system.business.card(await system.verified(one))

    assert card is not None
    assert one.card is not None
    assert (card.state, card.last_digits, card.ready_on, card.office) == (
        "ready",
        one.card.number[-4:],
        one.card.ready_on,
        one.card.office,
    )
    assert card.office is not None
    assert card.office in {office.id for office in await system.business.offices(one.area)}


async def test_somebody_without_a_card_has_none(system: System) -> None:
    assert await system.business.card(await system.verified(system.crowd.someone(None))) is None


async def test_the_insurances_are_those_of_the_citizen_in_order(system: System) -> None:
    one = system.crowd.someone()
    told = await system.business.insurances(await system.verified(one))

    assert [(row.kind, row.paying, row.months, row.balance_fen, row.last_paid_fen, row.last_month) for row in told] == [
        (row.kind, row.paying, row.months, row.balance_fen, row.last_paid_fen, row.last_month) for row in one.accounts
    ]
    assert [row.kind for row in told] == sorted((row.kind for row in told), key=KINDS.index)


async def test_only_the_retired_have_a_pension(system: System) -> None:
    retired, works = system.crowd.someone(retired=True), system.crowd.someone(retired=False)
    told = await system.business.pension(await system.verified(retired))

    assert told is not None
    assert (told.monthly_fen, told.paid_on) == (retired.pension_fen, retired.pension_paid_on)
    assert await system.business.pension(await system.verified(works)) is None


async def test_a_year_of_contributions(system: System) -> None:
    one = system.crowd.someone(retired=False)
    word = await system.verified(one)
    year = one.accounts[0].last_month.year
    told = await system.business.contributions(word, year)

    assert told
    assert [(row.month, row.kind, row.base_fen, row.paid_fen) for row in told] == [
        (row.month, row.kind, row.base_fen, row.paid_fen) for row in contributions(one.accounts, year)
    ]
    assert list(await system.business.contributions(word, 1950)) == []


async def test_offices_are_those_of_the_area(system: System) -> None:
    assert {office.area for office in await system.business.offices("990101")} == {"990101"}
    assert list(await system.business.offices("330100")) == []


# --- what they may change


async def test_a_lost_card_is_blocked_once_and_keeps_its_reference(system: System, keys: Iterator[str]) -> None:
    one = system.crowd.someone()
    word = await system.verified(one)
    first = await system.business.report_loss(word, next(keys))
    again = await system.business.report_loss(word, next(keys))

    assert first == again
    assert first.reference.isdecimal()
    assert (card := await system.business.card(word)) is not None
    assert card.state == "lost"
    assert await system.events(one) == ["loss_reported"]


@pytest.mark.parametrize("state", ["active", "issued"])
async def test_a_found_card_is_what_it_was(system: System, keys: Iterator[str], state: str) -> None:
    one = system.crowd.someone(state)
    word = await system.verified(one)
    await system.business.report_loss(word, next(keys))
    await system.business.undo_loss(word, next(keys))

    assert (card := await system.business.card(word)) is not None
    assert card.state == state
    with pytest.raises(NotAllowed):
        await system.business.undo_loss(word, next(keys))
    assert await system.events(one) == ["loss_reported", "loss_undone"]


@pytest.mark.parametrize("state", ["in_production", "ready", "cancelled", None])
async def test_a_card_that_nobody_holds_cannot_be_lost(system: System, keys: Iterator[str], state: str | None) -> None:
    one = system.crowd.someone(state)
    with pytest.raises(NotAllowed):
        await system.business.report_loss(await system.verified(one), next(keys))

    assert await system.events(one) == []


async def test_an_issued_card_is_activated_once(system: System, keys: Iterator[str]) -> None:
    one = system.crowd.someone("issued")
    word = await system.verified(one)
    await system.business.activate_card(word, next(keys))

    assert (card := await system.business.card(word)) is not None
    assert card.state == "active"
    with pytest.raises(NotAllowed):
        await system.business.activate_card(word, next(keys))
    assert await system.events(one) == ["card_activated"]


async def test_another_pin_is_the_pin_from_then_on(system: System, keys: Iterator[str]) -> None:
    one = system.crowd.someone()
    identity = Identity("id_card", one.id_number)
    await system.business.reset_pin(await system.verified(one), "271828", next(keys))

    assert await system.business.verify(identity, one.pin) is None
    assert await system.business.verify(identity, "271828") is not None


async def test_a_pin_that_is_easily_guessed_is_refused(system: System, keys: Iterator[str]) -> None:
    one = system.crowd.someone()
    word = await system.verified(one)
    for pin in (
        "111111",
        "123456",
        "654321",
        "121212",
        one.id_number[6:12],
        "12345",
        "1234567",
        "12345a",
        "２７１８２８",
    ):
        with pytest.raises(NotAllowed):
            await system.business.reset_pin(word, pin, next(keys))

    assert await system.business.verify(Identity("id_card", one.id_number), one.pin) is not None
    assert await system.events(one) == []


# --- once


async def test_the_same_key_has_the_same_answer_and_changes_nothing(system: System, keys: Iterator[str]) -> None:
    one, key = system.crowd.someone(), next(keys)
    word = await system.verified(one)
    first = await system.business.report_loss(word, key)
    await system.business.undo_loss(word, next(keys))

    assert await system.business.report_loss(word, key) == first  # though the card could be blocked again
    assert await system.business.report_loss(await system.verified(one), key) == first  # another word, the same citizen
    assert await system.events(one) == ["loss_reported", "loss_undone"]


async def test_the_same_key_with_another_question_is_refused(system: System, keys: Iterator[str]) -> None:
    one, other, key = system.crowd.someone(), system.crowd.someone(), next(keys)
    word = await system.verified(one)
    await system.business.reset_pin(word, "271828", key)

    with pytest.raises(NotAllowed):
        await system.business.reset_pin(word, "314159", key)
    with pytest.raises(NotAllowed):
        await system.business.report_loss(word, key)
    with pytest.raises(NotAllowed):
        await system.business.reset_pin(await system.verified(other), "271828", key)
    assert await system.events(one) == ["pin_reset"]
    assert await system.events(other) == []


async def test_the_same_key_at_once_from_many_is_one_change(system: System, keys: Iterator[str]) -> None:
    one, key = system.crowd.someone(), next(keys)
    word = await system.verified(one)
    answers = await asyncio.gather(*(system.business.report_loss(word, key) for _ in range(12)))

    assert len(set(answers)) == 1
    assert await system.events(one) == ["loss_reported"]


async def test_many_keys_at_once_block_a_card_once(system: System, keys: Iterator[str]) -> None:
    one = system.crowd.someone()
    word = await system.verified(one)
    answers = await asyncio.gather(*(system.business.report_loss(word, next(keys)) for _ in range(12)))

    assert len(set(answers)) == 1
    assert await system.events(one) == ["loss_reported"]


async def test_a_refusal_is_kept_as_an_answer(system: System, keys: Iterator[str]) -> None:
    """A question that arrives late must not do what the second was refused."""
    one, key = system.crowd.someone("active"), next(keys)
    word = await system.verified(one)
    with pytest.raises(NotAllowed):
        await system.business.undo_loss(word, key)
    await system.business.report_loss(word, next(keys))

    with pytest.raises(NotAllowed):
        await system.business.undo_loss(word, key)
    assert await system.events(one) == ["loss_reported"]


async def test_an_answer_outlives_the_word(system: System, keys: Iterator[str]) -> None:
    """Whoever asks again because an answer was lost must not be told "not allowed" of a thing that is done."""
    one, key = system.crowd.someone(), next(keys)
    word = await system.verified(one)
    done = await system.business.report_loss(word, key)
    await system.end_words()

    assert await system.business.report_loss(word, key) == done
    with pytest.raises(NotAllowed):
        await system.business.report_loss(word, next(keys))


async def test_the_fake_can_lose_an_answer_and_be_asked_again(keys: Iterator[str]) -> None:
    fake, key = FakeBusiness(), next(keys)
    [one] = [person for person in generate(8, TODAY) if person.name == "李建国"]
    word = await System(fake, Crowd([])).verified(one)
    fake.lose_answers(1)
    with pytest.raises(OutcomeUnknown):
        await fake.report_loss(word, key)

    assert (await fake.report_loss(word, key)).reference
    assert fake.events == [(one.id_number, "loss_reported")]
