"""How long the pure engine takes to decide, with so many callers waiting and so many seats, beside a scan of all of them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable

import msgspec

from benchmarks.figures import percentile
from calls.clock import Instant
from calls.words import Needs
from queues import (
    Accepted,
    Adviser,
    Answered,
    ConversationOver,
    Engine,
    Input,
    Join,
    Output,
    PhoneSeen,
    Propose,
    QueueRules,
    SitDown,
    Tick,
)
from queues.policy import ask_of, fit
from queues.twin import Call, Shift, live

SEATS, WAITING, SKILLS = 1000, 5000, 20
GROWTH = ((100, 500), (1000, 5000), (10_000, 50_000))
"""Seats and callers waiting."""

WRAP_UP_S = 0.001
SCANNED_EVERY = 20
"""A scan takes a hundred times as long: every so many decisions are enough to compare."""

_QUEUES = tuple(f"topic{number:02d}" for number in range(SKILLS))


class Decisions(msgspec.Struct, frozen=True):
    """Milliseconds, each from a seat's becoming free to the proposal of its next caller."""

    engine_ms: list[float]
    scan_ms: list[float]
    """The same by looking at everybody who waits; of some of them."""
    inputs_ms: list[float]
    """Each input while the hall is full: a call that ends, a wrap-up, an offer that is accepted and answered, a new caller."""

    @property
    def state_changes_per_s(self) -> float:
        """Inputs that the engine takes in a second of its own time."""
        return 1000 * len(self.inputs_ms) / sum(self.inputs_ms)


class _Timed:
    """An engine whose every input is timed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.inputs_ms: list[float] = []

    def take(self, event: Input, now: float) -> list[Output]:
        began = time.perf_counter()
        outputs = self.engine.take(event, Instant(now))
        self.inputs_ms.append(1000 * (time.perf_counter() - began))
        return outputs


def decide(seats: int = SEATS, waiting: int = WAITING, turns: int = 2000) -> Decisions:
    """Callers of 20 topics, each at one of three levels, wait for seats with three to six skills. The same at every run.

    Raises AssertionError when the engine and the scan do not choose the same.
    """
    chance = random.Random(12333)
    advisers = {str(1001 + index): _adviser(str(1001 + index), chance) for index in range(seats)}
    engine, now = _Timed(_floor(advisers)), 1000.0
    busy: list[tuple[str, str]] = []
    for number in range(waiting + seats):
        busy += _carry_out(engine, engine.take(_join(number, now, chance), now), now)
    engine.inputs_ms.clear()  # of the hall as it filled
    found = Decisions([], [], engine.inputs_ms)
    for turn in range(turns):
        now += 1.0
        seat, visit = busy.pop(chance.randrange(len(busy)))
        engine.take(ConversationOver(seat, visit, hung_up=True), now)
        scanned = turn % SCANNED_EVERY == 0
        if scanned:
            began = time.perf_counter()
            expected = _scan(engine.engine, advisers[seat], now)
            found.scan_ms.append(1000 * (time.perf_counter() - began))
        now += WRAP_UP_S
        outputs = engine.take(Tick(), now)
        found.engine_ms.append(engine.inputs_ms[-1])
        proposed = [output.visit for output in outputs if isinstance(output, Propose)]
        assert not scanned or proposed == expected, f"the engine proposes {proposed}, the scan {expected}"
        busy += _carry_out(engine, outputs, now)
        busy += _carry_out(engine, engine.take(_join(waiting + seats + turn, now, chance), now), now)
    return found


def twin_calls_per_s(calls: int = 50_000) -> float:
    """Calls of one queue at twenty seats, from arrival to end, that the twin lives through in a second."""
    chance = random.Random(12333)
    at_s, made = 0.0, []
    for _ in range(calls):
        at_s += chance.expovariate(16 / 180)
        made.append(Call(at_s, Needs({}, "general"), chance.expovariate(1 / 180), chance.expovariate(1 / 120)))
    advisers = {str(number): Adviser(str(number), {}) for number in range(1001, 1021)}
    shifts = [Shift(number, number, 0.0, 2 * at_s) for number in advisers]
    began = time.perf_counter()
    live(made, shifts, advisers, {"general": QueueRules(calls)}, wrap_up_s=0.0)
    return calls / (time.perf_counter() - began)


def figures() -> tuple[dict[str, float], dict[str, float]]:
    """Ours, and the scan's."""
    found = decide()
    return (
        {
            "decision_ms_p50": percentile(found.engine_ms, 50),
            "decision_ms_p99": percentile(found.engine_ms, 99),
            "state_changes_per_s": found.state_changes_per_s,
            "twin_calls_per_s": twin_calls_per_s(),
        },
        {"decision_ms_p50": percentile(found.scan_ms, 50), "decision_ms_p99": percentile(found.scan_ms, 99)},
    )


def growth() -> str:
    """How the decision and the scan grow with the hall, a line each size."""
    lines = []
    for seats, waiting in GROWTH:
        found = decide(seats, waiting, turns=400)
        lines.append(
            f"  {seats:6d} seats, {waiting:6d} waiting: decision p50 {percentile(found.engine_ms, 50):.3f} ms, "
            f"p99 {percentile(found.engine_ms, 99):.3f} ms; scan p50 {percentile(found.scan_ms, 50):.1f} ms"
        )
    return "\n".join(lines)


def _scan(engine: Engine, adviser: Adviser, now: float) -> list[str]:
    """Whose turn it is, by asking the bare rule of everybody."""
    profile = adviser.profile
    for one in engine.waiting():
        if isinstance(fit(profile, ask_of(one.needs, (), one.since, Instant(now))), int):
            return [one.visit]
    return []


def _floor(advisers: dict[str, Adviser]) -> Engine:
    engine = Engine(advisers, advisers, {name: QueueRules(100_000) for name in _QUEUES}, WRAP_UP_S)
    for name in advisers:
        engine.take(PhoneSeen(name, reachable=True), Instant(0.0))
        engine.take(SitDown(name, name), Instant(0.0))
    return engine


def _adviser(number: str, chance: random.Random) -> Adviser:
    skills = chance.sample(_QUEUES, chance.randint(3, 6))
    return Adviser(number, {skill: chance.randint(1, 5) for skill in skills})


def _join(number: int, now: float, chance: random.Random) -> Join:
    queue = chance.choice(_QUEUES)
    return Join(f"call{number}.1", Needs(skills={queue: chance.randint(1, 3)}, queue=queue), Instant(now))


def _carry_out(engine: _Timed, outputs: Iterable[Output], now: float) -> list[tuple[str, str]]:
    """Every proposal is accepted and answered at once; the conversations that began."""
    begun = []
    for output in outputs:
        if isinstance(output, Propose):
            engine.take(Accepted(output.seat, output.generation), now)
            engine.take(Answered(output.seat, output.generation), now)
            begun.append((output.seat, output.visit))
    return begun
