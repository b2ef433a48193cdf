"""How long the pure engine takes to decide, with so many callers waiting and so many seats."""

from __future__ import annotations

import time
from collections.abc import Iterable

from benchmarks.figures import percentile
from calls.clock import Instant
from calls.words import Needs
from queues import (
    Accepted,
    Adviser,
    Answered,
    ConversationOver,
    Engine,
    Join,
    Output,
    PhoneSeen,
    Propose,
    QueueRules,
    SitDown,
    Tick,
)

SEATS, WAITING = 200, 500
WRAP_UP_S = 0.001
QUEUES = ("cards", "pension", "insurance", "labour")


def decision_ms(seats: int = SEATS, waiting: int = WAITING, turns: int = 2000) -> list[float]:
    """From a seat's becoming free to the proposal of its next caller, each of `turns` times.

    Callers of four queues wait; every fourth seat has the skill of one of them, the others have all four.
    """
    engine, now = _floor(seats), 1000.0
    busy: list[tuple[str, str]] = []
    took: list[float] = []
    for number in range(waiting + seats):
        busy += _carry_out(engine, engine.take(_join(number, now), Instant(now)), now)
    for number in range(waiting + seats, waiting + seats + turns):
        now += 1.0
        seat, visit = busy.pop(0)
        engine.take(ConversationOver(seat, visit, hung_up=True), Instant(now))
        now += WRAP_UP_S
        began = time.perf_counter()
        outputs = engine.take(Tick(), Instant(now))
        took.append(1000 * (time.perf_counter() - began))
        busy += _carry_out(engine, outputs, now)
        busy += _carry_out(engine, engine.take(_join(number, now), Instant(now)), now)
    return took


def decision_ms_p99() -> float:
    """The figure."""
    return percentile(decision_ms(), 99)


def _floor(seats: int) -> Engine:
    names = [str(1001 + index) for index in range(seats)]
    advisers = {name: Adviser(name, _skills(index)) for index, name in enumerate(names)}
    engine = Engine(names, advisers, {name: QueueRules(100_000) for name in QUEUES}, WRAP_UP_S)
    for name in names:
        engine.take(PhoneSeen(name, reachable=True), Instant(0.0))
        engine.take(SitDown(name, name), Instant(0.0))
    return engine


def _skills(index: int) -> dict[str, int]:
    return {QUEUES[index // 4 % 4]: 3} if index % 4 == 0 else dict.fromkeys(QUEUES, 2)


def _join(number: int, now: float) -> Join:
    queue = QUEUES[number % len(QUEUES)]
    return Join(f"call{number}.1", Needs(skills={queue: 1}, queue=queue), Instant(now))


def _carry_out(engine: Engine, outputs: Iterable[Output], now: float) -> list[tuple[str, str]]:
    """Every proposal is accepted and answered at once; the conversations that began."""
    begun = []
    for output in outputs:
        if isinstance(output, Propose):
            engine.take(Accepted(output.seat, output.generation), Instant(now))
            engine.take(Answered(output.seat, output.generation), Instant(now))
            begun.append((output.seat, output.visit))
    return begun
