"""Twenty calls in mixed states, and the controller killed under them again and again, at instants from a seed.

    python -m tests.soak.kills --kills 25 --seed 1

Some talk and some wait through every kill, and each of these is looked at afterwards, packet by packet; the rest come and
go in every other state. `broken_again_and_again` is the same for the tests, with fewer kills.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack

import msgspec
import typer

from cti.phone.places import RATE_HZ
from tests.asterisk.ears import said
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ
from tests.asterisk.phones import hears as tone_is_heard
from tests.eventually import PATIENCE_S
from tests.faults import frozen, kill, supervisorctl, until_working
from tests.figures import tell
from tests.invariants import Excuses, Verdict, after_all
from tests.soak.table import print_table, soaked_hotline
from tests.telephones.call import Call
from tests.telephones.crowd import Adviser, Crowd, Life, Manners, chance_of, on_the_phone
from tests.telephones.voice import Span, longest_hole_s

TALKERS = (("1001", "8004", "2"), ("1002", "8005", "2"), ("1003", "8006", "3"), ("1004", "8007", "3"))
"""Seat, adviser, and the key that leads to somebody like that."""

WAITED_FOR = ("1005", "8008")
WAITERS, WAITERS_KEY = 6, "4"

SERVING = (("1006", "8002"), ("1007", "8003"), ("1008", "8011"))
COMERS = 10
"""Callers who come and go meanwhile: with those who talk and those who wait, twenty."""

MENU_AFTER_S = 2.0
"""Welcome and notice are over: a key counts."""

HOLE_S = 1.0
"""A controller is away for two or three: a voice that needed it would be missing for as long. What is less is a figure."""

LISTENED_EVERY_S = 0.2
LATELY = 2 * RATE_HZ
"""Samples: all that must be listened to when one listens so often. Listening to more would hold up the beat."""

RESTED_S = (0.0, 3.0)
"""Between one recovery and the next kill."""

SETTLED_S = 1.0
"""A controller that is killed sooner after it works again may leave what it found to the next one."""


class Break(msgspec.Struct, frozen=True):
    """One way to lose the controller, and its name in the figures. Over when `do` returns; then it must work again."""

    name: str
    do: Callable[[Hotline], Coroutine[None, None, None]]
    lasts_s: float = 0.0
    """As long as this nobody can be let in."""


class Outcome(msgspec.Struct, kw_only=True):
    """What the breaks did. The lists are by the break's name."""

    states: Counter[str]
    """What the calls were at when it happened, summed over all."""
    back_s: dict[str, list[float]]
    """From the break to working again, each."""
    welcome_s: dict[str, list[float]]
    """From dialling at that moment to the welcome, each."""
    longest_s: float = 0.0
    """From a break's beginning to working again; breaks that follow each other within `SETTLED_S` are one."""
    away: Span = (0.0, 0.0)
    """The last of these."""
    worst_hole_s: float = 0.0
    """Of all who talked, both ways, over all of it."""
    beat_late_s: float = 0.0
    """How late this process ever was with a packet: holes up to that are its own."""
    verdicts: list[Verdict]

    @property
    def broken(self) -> list[str]:
        return [f"{verdict.law}: {what}" for verdict in self.verdicts for what in verdict.broken]


async def _kill(hotline: Hotline) -> None:
    kill(hotline, "controller")


async def _upgrade(hotline: Hotline) -> None:
    await supervisorctl(hotline, "restart", "controller")


KILLED = Break("controller killed", _kill)
UPGRADED = Break("controller upgraded", _upgrade)


def stalled(seconds: float) -> Break:
    """Frozen for so long, with its sockets open."""

    async def stall(hotline: Hotline) -> None:
        async with frozen(hotline, "controller"):
            await asyncio.sleep(seconds)

    return Break(f"controller stalled for {seconds:.0f} s", stall, seconds)


async def broken_again_and_again(hotline: Hotline, seed: int, breaks: Sequence[Break]) -> Outcome:
    """The scene, and the breaks one after the other."""
    outcome = Outcome(states=Counter(), back_s=defaultdict(list), welcome_s=defaultdict(list), verdicts=[])
    async with on_the_phone(hotline) as crowd, AsyncExitStack() as stack:
        talking = await asyncio.gather(*(_talk(crowd, stack, *who) for who in TALKERS))
        waited_for = await stack.enter_async_context(crowd.adviser(*WAITED_FOR, Manners(talk_s=6)))
        await hotline.not_ready(waited_for.seat)
        waiting = await asyncio.gather(*(_wait(crowd, stack) for _ in range(WAITERS)))
        coming = await _come_and_go(crowd, stack, seed)

        began = time.monotonic()
        chance = chance_of(seed, "breaks")
        for how in breaks:
            await asyncio.sleep(chance.uniform(*RESTED_S))
            await _break(crowd, how, outcome)
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)

        lost = _lost(talking)
        until = time.monotonic()
        outcome.verdicts.append(await _kept_their_turn(crowd, waited_for, waiting))
        await asyncio.gather(*(adviser.phone.calls[-1].hang_up() for adviser, _ in talking))
        await asyncio.gather(*(_leaves(call) for _, call in talking))
    outcome.beat_late_s = crowd.metronome.worst_late_s
    outcome.verdicts.append(_talked_on(talking, lost, (began, until), outcome))
    excuses = Excuses(late_ms=outcome.beat_late_s * 1000, away_ms=outcome.longest_s * 1000)
    outcome.verdicts += await after_all(hotline, crowd.sent, excuses)
    return outcome


# --- the scene


async def _talk(crowd: Crowd, stack: AsyncExitStack, seat: str, number: str, key: str) -> tuple[Adviser, Call]:
    adviser = await stack.enter_async_context(crowd.adviser(seat, number, Manners(talk_s=3600)))
    call = await _choose(crowd, stack, key)
    await hears(call, "seat.number.1")
    async with asyncio.timeout(PATIENCE_S):
        while not tone_is_heard(call.voice.heard.samples(-LATELY), SEAT_HZ):  # noqa: ASYNC110 - sound has no event
            await asyncio.sleep(LISTENED_EVERY_S)
    return adviser, call


async def _wait(crowd: Crowd, stack: AsyncExitStack) -> Call:
    call = await _choose(crowd, stack, WAITERS_KEY)
    await hears(call, "queue.enter")
    return call


async def _choose(crowd: Crowd, stack: AsyncExitStack, key: str) -> Call:
    """Somebody who dials and presses the key as the menu begins."""
    call = await stack.enter_async_context(crowd.caller())
    await hears(call, "menu.main")
    call.press(key)
    return call


async def _come_and_go(crowd: Crowd, stack: AsyncExitStack, seed: int) -> list[asyncio.Task[None]]:
    chance = chance_of(seed, "advisers")
    advisers = [await stack.enter_async_context(crowd.adviser(*who)) for who in SERVING]
    tasks = [asyncio.create_task(_vary(adviser, chance)) for adviser in advisers]
    return tasks + [asyncio.create_task(_comer(crowd, chance_of(seed, f"comer {n}"))) for n in range(COMERS)]


async def _vary(adviser: Adviser, chance: random.Random) -> None:
    """Rings longer or shorter, talks longer or shorter, with each call."""
    while True:
        adviser.manners = Manners(rings_s=chance.uniform(0, 2), talk_s=chance.uniform(0.5, 6))
        calls = len(adviser.phone.calls)
        while len(adviser.phone.calls) == calls:  # noqa: ASYNC110 - a telephone's list of calls has no event
            await asyncio.sleep(0.1)


async def _comer(crowd: Crowd, chance: random.Random) -> None:
    """One call after another, to the end of the scene."""
    while True:
        keys = ((chance.uniform(1.5, 3), chance.choice("11105")), (chance.uniform(8, 12), chance.choice("12345")))
        await crowd.live(Life(keys, chance.choice((chance.uniform(0, 3), chance.uniform(3, 15), 30.0))))


# --- the kill


async def _break(crowd: Crowd, how: Break, outcome: Outcome) -> None:
    """Break it, dial at once, and wait until all is well."""
    outcome.states.update((await crowd.hotline.status()).calls)
    began = time.monotonic()
    first = outcome.away[0] if began - outcome.away[1] < SETTLED_S else began
    breaking = asyncio.create_task(how.do(crowd.hotline))
    welcome = asyncio.create_task(_welcome(crowd, how.lasts_s))
    await breaking
    outcome.back_s[how.name].append(await until_working(crowd.hotline))
    outcome.away = (first, time.monotonic())
    outcome.longest_s = max(outcome.longest_s, outcome.away[1] - first)
    outcome.welcome_s[how.name].append(await welcome - began)


async def _welcome(crowd: Crowd, nobody_s: float) -> float:
    """A new caller during the gap: asked for patience where nobody is there, and let in; when (monotonic)."""
    async with crowd.caller() as call:
        await hears(call, "welcome", PATIENCE_S + nobody_s)
        return time.monotonic()


async def hears(call: Call, piece: str, patience_s: float = PATIENCE_S) -> None:
    """Wait until this is said. Raises TimeoutError naming what was said instead."""
    try:
        async with asyncio.timeout(patience_s):
            while piece not in said(call.voice.heard.samples(-LATELY)):  # noqa: ASYNC110 - sound has no event
                await asyncio.sleep(LISTENED_EVERY_S)
    except TimeoutError as error:
        raise TimeoutError(f"{piece} was not said, but {said(call.voice.heard.samples())} in {call.call_id}") from error


# --- what came of it


def _lost(talking: Sequence[tuple[Adviser, Call]]) -> list[str]:
    return [
        f"{adviser.seat}: a talking call was lost"
        for adviser, call in talking
        if call.over.is_set() or not adviser.phone.busy
    ]


def _talked_on(talking: Sequence[tuple[Adviser, Call]], lost: list[str], window: Span, outcome: Outcome) -> Verdict:
    """0 talking calls lost: tones both ways, without a hole, from before the first kill on."""
    broken = list(lost)
    for adviser, call in talking if not lost else ():
        for side, at, hz in (("caller", call, SEAT_HZ), ("adviser", adviser.phone.calls[-1], CITIZEN_HZ)):
            hole = longest_hole_s(at.voice.heard, hz, window)
            outcome.worst_hole_s = max(outcome.worst_hole_s, hole)
            if hole > HOLE_S + outcome.beat_late_s:
                broken.append(f"{adviser.seat}: the {side} heard nothing for {hole:.2f} s")
    figure = f"longest hole {outcome.worst_hole_s * 1000:.0f} ms, own lateness {outcome.beat_late_s * 1000:.0f} ms"
    return Verdict("talking calls go on", figure, tuple(broken))


async def _kept_their_turn(crowd: Crowd, adviser: Adviser, waiting: Sequence[Call]) -> Verdict:
    """Those who waited through it all are served in the order in which they came."""
    broken = [f"{call.call_id}: whoever waited was lost" for call in waiting if call.over.is_set()]
    leaving = [asyncio.create_task(_leaves(call)) for call in waiting]
    await crowd.hotline.ready(adviser.seat, adviser.number)
    await asyncio.gather(*leaving)
    served = await crowd.hotline.sql(
        "SELECT since_ms, sip_call_id FROM queue_visits JOIN calls USING (call_id) "
        "WHERE sip_call_id = ANY($1) AND queue_visits.outcome = 'answered' ORDER BY answered_at",
        [call.call_id for call in waiting],
    )
    turns = [since_ms for since_ms, _ in served]
    if len(served) != len(waiting) or turns != sorted(turns):
        broken.append(f"of {len(waiting)} these were served, in this order: {served}")
    return Verdict("waiting calls keep their place", f"{len(served)} served in their order", tuple(broken))


async def _leaves(call: Call) -> None:
    """Hangs up when the satisfaction question is asked."""
    while not call.over.is_set() and "rating.ask" not in said(call.voice.heard.samples(-LATELY)):  # noqa: ASYNC110
        await asyncio.sleep(LISTENED_EVERY_S)
    await call.hang_up()


def figures(outcome: Outcome) -> list[tuple[str, float | str, str]]:
    """What is told of it: name, value, unit."""
    found: list[tuple[str, float | str, str]] = []
    for name, back_s in outcome.back_s.items():
        found.append((f"{name}: working again after, median of {len(back_s)}", statistics.median(back_s), "s"))
        found.append((f"{name}: working again after, worst", max(back_s), "s"))
        found.append((f"{name}: dialled in that moment, welcome after, worst", max(outcome.welcome_s[name]), "s"))
    states = ", ".join(f"{number} {step}" for step, number in sorted(outcome.states.items()) if step != "up")
    return [
        *found,
        ("controller away: longest hole in a conversation", outcome.worst_hole_s * 1000, "ms"),
        ("controller away: of which the phones' own lateness may be", outcome.beat_late_s * 1000, "ms"),
        ("controller away: calls at those moments", states, ""),
    ]


def main(seed: int = 1, kills: int = 25) -> None:
    """A hotline of its own; `kills` kills, stalls of 1, 10 and 60 s, an upgrade; exit code 1 when a law is broken."""
    breaks = [*[KILLED] * kills, stalled(1), stalled(10), stalled(60), UPGRADED]
    with soaked_hotline() as hotline:
        outcome = asyncio.run(broken_again_and_again(hotline, seed, breaks))
        for figure in figures(outcome):
            tell(*figure)
        if print_table(outcome.verdicts):
            raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
