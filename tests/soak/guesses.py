"""Guessing at accounts by telephone: what a guesser hears, and how long it takes, whatever is behind the number.

    python -m tests.soak.guesses --rounds 60 --seed 1

Three guessers call in each round, in an order drawn by lot, each from a number of his own: one keys the number of an account
and a wrong PIN, one a number that is nobody's, one the number and the right PIN of an account that is shut for the day. What
they hear must be the same; the time from their last key to the first sound of the answer is told as it was measured, since
no law of time would hold on a busy machine. Before that, a hundred numbers guess at one account.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import msgspec
import typer

from bureau.numbers import id_number
from bureau.people import Person, demo, generate
from tests.asterisk.ears import said
from tests.asterisk.hotline import Hotline
from tests.eventually import PATIENCE_S, eventually
from tests.invariants import Verdict
from tests.soak.keys import PEOPLE
from tests.soak.kills import LATELY, LISTENED_EVERY_S
from tests.soak.scripts import WRONG_PINS
from tests.soak.table import print_table, say, soaked_hotline
from tests.telephones.call import Call
from tests.telephones.crowd import Crowd, chance_of, on_the_phone

LINE, KEY = "12341", "6"
"""Where who calls is asked for, and the key that leads there."""

WRONG_PIN = WRONG_PINS[0]
ANSWERS = {"id.failed", "id.passed"}

GUESSERS = 100
TRIES_A_DAY = 5
AT_ONCE = 8
CALLS = 3

KINDS = ("an account, a wrong PIN", "nobody's number", "a shut account, its right PIN")


class Guess(msgspec.Struct, frozen=True):
    """What came of one."""

    heard: tuple[str, ...]
    """From the last key of the PIN to the next question."""
    answered_ms: float
    """From the end of that key to the first sound."""


def accounts() -> list[Person]:
    """Citizens whom no other test has, in an order that stays."""
    today = datetime.now(UTC).date()
    others = len(demo(today)) + PEOPLE
    return list(islice(generate(others + 1000, today), others, None))


def nobodys(number: int) -> str:
    """A number that can be right and is no citizen's: nobody is born that late."""
    return id_number("990101", datetime(2025, 1 + number % 12, 1 + number // 12 % 28, tzinfo=UTC).date(), number)


async def guess(crowd: Crowd, number: str, pin: str) -> Guess:
    """One guess, from a telephone number of its own; called again where a busy machine has lost a key of the number, and
    so nothing was tried. Raises TimeoutError when no answer is heard."""
    for _ in range(CALLS - 1):
        with suppress(TimeoutError):
            return await _guess(crowd, number, pin)
    return await _guess(crowd, number, pin)


async def _guess(crowd: Crowd, number: str, pin: str) -> Guess:
    async with crowd.caller(LINE) as call:
        await _keys(call, ("menu.main", "key.missing"), KEY)
        await _keys(call, ("id.ask", "id.wrong"), number.replace("X", "*"))
        await _keys(call, ("pin.ask", "pin.wrong"), pin)
        await _hears(call, ANSWERS, lambda: _since_keyed(call)[:-1])
        sound_at = call.voice.heard.sound_after(call.voice.keyed_at)
        assert sound_at is not None, "an answer was heard, and no sound came"
        return Guess(tuple(_since_keyed(call)[:2]), 1000 * (sound_at - call.voice.keyed_at))


async def _keys(call: Call, questions: Collection[str], keys: str) -> None:
    """Key this once it is asked for, in the question's first words or, where a busy machine has garbled those, its next."""
    await _hears(call, questions, lambda: said(call.voice.heard.samples(-LATELY)))
    for key in keys:
        call.press(key)
    await eventually(lambda: not call.voice.keying)


async def _hears(call: Call, pieces: Collection[str], heard: Callable[[], Sequence[str]]) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not set(pieces) & set(heard()):  # noqa: ASYNC110 - sound has no event
                await asyncio.sleep(LISTENED_EVERY_S)
    except TimeoutError as error:
        raise TimeoutError(f"{pieces}: not said, but {said(call.voice.heard.samples())} in {call.call_id}") from error


def _since_keyed(call: Call) -> list[str]:
    """What was said after the last key."""
    heard = call.voice.heard
    later = (begin for begin, at in zip(heard.begins, heard.arrivals, strict=True) if at > call.voice.keyed_at)
    return said(heard.samples(next(later, len(heard.sound))))


async def shut(crowd: Crowd, account: Person, guessers: int = TRIES_A_DAY) -> list[Guess]:
    """Wrong PINs for one account, each from another telephone number."""
    return await _all(crowd, [(account.id_number, WRONG_PIN)] * guessers)


async def _all(crowd: Crowd, guesses: Sequence[tuple[str, str]]) -> list[Guess]:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(number: str, pin: str) -> Guess:
        async with at_once:
            return await guess(crowd, number, pin)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(*each)) for each in guesses]
    return [task.result() for task in tasks]


def same_words(guesses: Sequence[Guess]) -> Verdict:
    """Nobody hears anything that another one does not."""
    heard = {each.heard for each in guesses}
    ways = tuple(" ".join(words) for words in sorted(heard)) if len(heard) != 1 else ()
    return Verdict("every wrong guess sounds the same", f"{len(guesses)} guesses", ways)


async def rounds(hotline: Hotline, number: int, seed: int) -> tuple[list[Verdict], Mapping[str, list[Guess]]]:
    """The hundred, and then so many rounds of three."""
    chance = chance_of(seed, "guesses")
    [besieged, shut_one, *others] = accounts()
    found: dict[str, list[Guess]] = defaultdict(list)
    async with on_the_phone(hotline) as crowd:
        siege = await shut(crowd, besieged, GUESSERS)
        siege += await _all(crowd, [(besieged.id_number, besieged.pin)])
        await shut(crowd, shut_one)
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one_round(place: int) -> None:
            three = [
                (KINDS[0], others[place].id_number, WRONG_PIN),
                (KINDS[1], nobodys(place), WRONG_PIN),
                (KINDS[2], shut_one.id_number, shut_one.pin),
            ]
            chance.shuffle(three)
            async with at_once:
                heard = {kind: await guess(crowd, who, pin) for kind, who, pin in three}
            for kind, each in heard.items():
                found[kind].append(each)

        async with asyncio.TaskGroup() as group:
            for place in range(number):
                group.create_task(one_round(place))
    everybody = [*siege, *(each for kind in KINDS for each in found[kind])]
    return [same_words(everybody)], found


def tell(found: Mapping[str, list[Guess]]) -> None:
    """The times of each kind, ms, and how often a kind was slower than the first in the same round."""
    first = [each.answered_ms for each in found[KINDS[0]]]
    for kind in KINDS:
        times = [each.answered_ms for each in found[kind]]
        tenths = statistics.quantiles(times, n=10)
        figure = f"p10 {tenths[0]:.1f}, median {statistics.median(times):.1f}, p90 {tenths[-1]:.1f} ms"
        if kind != KINDS[0]:
            slower = statistics.mean(one > other for one, other in zip(times, first, strict=True))
            figure += f"; later than the first kind in {slower:.0%} of the rounds"
        say(f"{kind:30} {len(times)} calls: {figure}")


def main(
    rounds_: Annotated[int, typer.Option("--rounds", help="Of three calls.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the order within a round.")] = 1,
) -> None:
    """A hotline of its own. Exit code 1 when a guess sounds otherwise than the others."""
    with soaked_hotline() as hotline:
        verdicts, found = asyncio.run(rounds(hotline, rounds_, seed))
        tell(found)
        if print_table(verdicts):
            raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
