"""What a call costs and how many a second go through, measured on whichever exchange is given.

A call is: INVITE, answer, welcome, notice, a key in the menu, queue, a seat that answers at once, talk, the caller's BYE.
It went well when the citizen saw every step as written and a seat had the conversation from INVITE to BYE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import msgspec

from benchmarks.hotlines import FEW, SEATS, Exchange
from benchmarks.load import Moment, Result, Seats, between, call, seats
from benchmarks.processes import spent
from benchmarks.scenarios import SEAT, citizen, hang_up, key, pause, seat, seat_hangs_up, wait_for_hang_up

KEY_MS, TALK_MS = 1000, 1000
"""From the answer to the key, when welcome and notice are over; from the key to the caller's BYE."""

SHORT_TALK_MS = 1250
"""Of the five seats for whom others wait: longer than it takes to say the adviser's number."""

RATES = (10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 165, 180, 200, 220, 240, 260)
"""Calls a second that are tried."""


class Cost(msgspec.Struct, frozen=True):
    """What calls took at one rate. Milliseconds."""

    rate: float
    cpu_ms: dict[str, float]
    """A call, by process."""
    answer_ms: list[float]
    """INVITE to 200."""
    seat_ms: list[float]
    """Key to the seat's INVITE."""
    problems: tuple[str, ...]
    """Why it was not clean."""


async def plain_calls(
    exchange: Exchange, staff: Seats, rate: float, lasting_s: float, *, stop_at_failure: bool = False
) -> Cost:
    """That many calls a second for so long, and what they cost."""
    number = round(rate * lasting_s)
    plain = citizen(pause(KEY_MS), key("1"), pause(TALK_MS), hang_up())
    staff.moments()
    before = exchange.processes().cpu_ms()
    result = await call(exchange, plain, rate=rate, calls=number, stop_at_failure=stop_at_failure)
    used = spent(before, exchange.processes().cpu_ms())
    await exchange.idle()
    moments = staff.moments()
    return Cost(
        rate,
        {name: ms / number for name, ms in used.items()},
        result.answer_ms(),
        between(result.moments, "KEY", moments, "INVITE"),
        _problems(result, moments),
    )


def all_seats(exchange: Exchange) -> AbstractAsyncContextManager[Seats]:
    """Every seat staffed; each answers at once and talks until the citizen leaves."""
    return seats(exchange, SEATS, seat(wait_for_hang_up(SEAT)))


def _problems(result: Result, seen: tuple[Moment, ...]) -> tuple[str, ...]:
    words = Counter(moment.word for moment in seen)
    problems = {
        f"{result.failed} of {result.created} calls failed": result.failed > 0,
        f"seats were called {words['INVITE']} times for {result.created} calls": words["INVITE"] != result.created,
        f"{words['BYE']} of {result.created} calls reached a seat's BYE": words["BYE"] != result.created,
    }
    return tuple(problem for problem, true in problems.items() if true)


async def most_calls_a_second(exchange: Exchange, lasting_s: float, tell: Callable[[str], None]) -> float:
    """The largest of `RATES` at which not one call fails, found by halving; 0 when none is clean."""
    low, high = -1, len(RATES)
    async with all_seats(exchange) as staff:
        while high - low > 1:
            middle = (low + high) // 2
            await exchange.staff(SEATS)  # whoever did not answer in time is not ready
            cost = await plain_calls(exchange, staff, RATES[middle], lasting_s, stop_at_failure=True)
            tell(f"  {RATES[middle]} calls/s: {', '.join(cost.problems) or 'clean'}")
            low, high = (low, middle) if cost.problems else (middle, high)
    return RATES[low] if low >= 0 else 0.0


async def freed_seat_ms(exchange: Exchange, number: int) -> list[float]:
    """From a seat's BYE to its next INVITE, while others wait: `number` callers for five seats."""
    async with seats(exchange, FEW, seat(pause(SHORT_TALK_MS), seat_hangs_up())) as staff:
        patient = citizen(pause(KEY_MS), key("1"), wait_for_hang_up())
        await call(exchange, patient, rate=20, calls=number)
        moments = staff.moments()
        await exchange.idle()
    gaps: list[float] = []
    freed: dict[str, float] = {}
    last = max(moment.at for moment in moments if moment.word == "INVITE")
    for moment in moments:
        if moment.word == "BYE":
            freed[moment.seat] = moment.at
        elif moment.seat in freed and moment.at < last:
            gaps.append(1000 * (moment.at - freed.pop(moment.seat)))
    return gaps
