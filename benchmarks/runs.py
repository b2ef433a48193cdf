"""One run: every measure on Rexian, the same on the rival, then the figures side by side.

To add a measure, write an async function that takes an exchange and a pace and answers with its figures by name; enter it in
MEASURES, and each of its figures in FIGURES.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks import engine
from benchmarks.desks import desks
from benchmarks.figures import Figure, Target, percentile, save, table, write
from benchmarks.hotlines import Exchange, Rexian, rexian
from benchmarks.media import Crowd, crowd
from benchmarks.mixed import mixed_calls
from benchmarks.processes import BOX
from benchmarks.profile import profile
from benchmarks.rival import app_queue
from benchmarks.speed import all_seats, freed_seat_ms, most_calls_a_second, plain_calls
from cti.settings import load_settings

REXIAN_OFFSET, RIVAL_OFFSET = 1000, 7000
COST_RATE = 30.0

CONVERSATIONS = (60, 100, 140, 170, 200)
BESIDE = 100
"""Callers who hear an announcement while others talk."""
ANNOUNCEMENTS = (200, 300, 400)


class Pace(NamedTuple):
    """How long to measure."""

    trial_s: float
    waiters: int
    window_s: float
    climb: bool
    """Whether to look for the most, or only at what was promised."""


FULL = Pace(trial_s=15.0, waiters=200, window_s=10.0, climb=True)
QUICK = Pace(trial_s=6.0, waiters=60, window_s=5.0, climb=False)

Values = dict[str, float]


async def cost(exchange: Exchange, pace: Pace) -> Values:
    """CPU a call by process, INVITE to 200, key to the seat's INVITE."""
    async with all_seats(exchange) as staff:
        cost = await plain_calls(exchange, staff, COST_RATE, pace.trial_s)
    values = {f"{name}_cpu_ms_per_call": ms for name, ms in cost.cpu_ms.items()}
    values["cpu_ms_per_call"] = cost.cpu_ms["asterisk"] + cost.cpu_ms.get("controller", 0.0)
    for percent in (50, 95):
        values[f"invite_to_200_ms_p{percent}"] = percentile(cost.answer_ms, percent)
        values[f"key_to_seat_ms_p{percent}"] = percentile(cost.seat_ms, percent)
    return values


async def freed(exchange: Exchange, pace: Pace) -> Values:
    """A seat becomes free, its next caller waits: how long until its telephone rings."""
    gaps = await freed_seat_ms(exchange, pace.waiters)
    return {f"freed_seat_ms_p{percent}": percentile(gaps, percent) for percent in (50, 95)}


async def mixed(exchange: Exchange, pace: Pace) -> Values:
    """The controller's share of a core at thirty mixed calls a second."""
    mixed = await mixed_calls(exchange, pace.trial_s)
    return {"controller_core_at_30_calls_per_s": mixed.controller_core, "failed_of_mixed_calls": mixed.failed}


async def media(exchange: Exchange, pace: Pace) -> Values:
    """The most recorded conversations at once, beside a hundred callers in the menu; the most callers in the menu."""
    promised = CONVERSATIONS.index(140)
    first = await _crowd(exchange, CONVERSATIONS[promised], BESIDE, pace)
    values = {"rtp_loss": 100 * first.loss}
    best = 0 if first.problems else CONVERSATIONS[promised]
    steps = CONVERSATIONS[promised - 1 :: -1] if first.problems else CONVERSATIONS[promised + 1 :]
    for step in steps if pace.climb else ():
        clean = not (await _crowd(exchange, step, BESIDE, pace)).problems
        best = step if clean else best
        if clean == bool(first.problems):  # the edge is found
            break
    values["recorded_calls_at_once"] = best
    if pace.climb:
        values["unrecorded_calls_at_once"] = 0
        for step in ANNOUNCEMENTS:
            if (await _crowd(exchange, 0, step, pace)).problems:
                break
            values["unrecorded_calls_at_once"] = step
    return values


async def _crowd(exchange: Exchange, conversations: int, announcements: int, pace: Pace) -> Crowd:
    found = await crowd(exchange, conversations, announcements, pace.window_s)
    how = ", ".join(found.problems) or f"clean, {found.loss:.3%} of the packets lost"
    _say(f"  {conversations} conversations and {announcements} announcements at once: {how}")
    return found


async def speed(exchange: Exchange, pace: Pace) -> Values:
    """Calls a second without one failure. Last, because it is the one that overloads."""
    return {"calls_per_s": await most_calls_a_second(exchange, pace.trial_s, _say)}


Measure = Callable[[Exchange, Pace], Awaitable[Values]]
ON_BOTH: dict[str, Measure] = {"cost": cost, "freed": freed, "media": media, "speed": speed}
MEASURES = ("engine", "cost", "freed", "mixed", "media", "desks", "profile", "speed")
"""By the name that `--only` takes, in their order."""


UNRECORDED = "cpu_ms_per_call_rival_unrecorded"


class Told(NamedTuple):
    """How a figure is told."""

    unit: str
    target: Target | None = None


FIGURES = {
    "calls_per_s": Told("calls/s", Target(1.0, "higher", "ratio")),
    "cpu_ms_per_call": Told("ms", Target(1.25, "lower", "ratio")),
    UNRECORDED: Told("ms"),
    "asterisk_cpu_ms_per_call": Told("ms"),
    "controller_cpu_ms_per_call": Told("ms"),
    "postgres_cpu_ms_per_call": Told("ms"),
    "mosquitto_cpu_ms_per_call": Told("ms"),
    f"{BOX}_cpu_ms_per_call": Told("ms"),
    "invite_to_200_ms_p50": Told("ms"),
    "invite_to_200_ms_p95": Told("ms"),
    "key_to_seat_ms_p50": Told("ms"),
    "key_to_seat_ms_p95": Told("ms"),
    "freed_seat_ms_p50": Told("ms", Target(5, "lower")),
    "freed_seat_ms_p95": Told("ms"),
    "controller_core_at_30_calls_per_s": Told("%", Target(60, "lower")),
    "failed_of_mixed_calls": Told("calls", Target(0, "lower")),
    "recorded_calls_at_once": Told("calls", Target(140, "higher")),
    "rtp_loss": Told("%", Target(0.1, "lower")),
    "unrecorded_calls_at_once": Told("calls"),
    "fact_to_browser_ms_p50": Told("ms"),
    "fact_to_browser_ms_p95": Told("ms", Target(250, "lower")),
    "fact_to_browser_ms_p95_one_stuck": Told("ms", Target(250, "lower")),
    "controller_core_at_100_desks": Told("%", Target(10, "lower")),
    "controller_core_at_100_desks_one_stuck": Told("%"),
    "decision_ms_p50": Told("ms"),
    "decision_ms_p99": Told("ms", Target(1, "lower")),
    "state_changes_per_s": Told("inputs/s"),
    "twin_calls_per_s": Told("calls/s", Target(100_000, "higher")),
}


async def run(wanted: Iterable[str], pace: Pace) -> None:
    """Measure, print, keep; a run that is broken off prints and keeps what it has measured by then."""
    began, wanted = time.monotonic(), set(wanted)
    kept = load_settings().state_dir / "bench"
    mine: Values = {}
    rival: Values = {}
    bare: Values = {}
    try:
        await _measure_all(wanted, pace, kept, mine, rival, bare)
    finally:
        if figures := side_by_side(mine, rival, bare):
            save(figures, kept / "latest.json")
            _say(f"\n{table(figures)}\n\n{time.monotonic() - began:.0f} s; kept in {kept / 'latest.json'}")


async def _measure_all(wanted: set[str], pace: Pace, kept: Path, mine: Values, rival: Values, bare: Values) -> None:
    """Each figure is in its place as soon as it is measured."""
    if "engine" in wanted:
        ours, theirs = engine.figures()
        mine |= ours
        rival |= theirs
        _say(f"engine: 1,000 seats, 5,000 waiting, 20 skills; growth:\n{engine.growth()}")
    if wanted - {"engine"}:
        async with rexian(REXIAN_OFFSET) as exchange:
            await _measure_rexian(exchange, wanted, pace, kept, mine, rival)
    if wanted & ON_BOTH.keys():
        async with app_queue(RIVAL_OFFSET) as other:
            await _measure(other, wanted, pace, rival)
    if "cost" in wanted:
        async with app_queue(RIVAL_OFFSET, recorded=False) as other:
            await _measure(other, {"cost"}, pace, bare)


async def _measure_rexian(
    exchange: Rexian, wanted: set[str], pace: Pace, kept: Path, values: Values, rival: Values
) -> None:
    await _measure(exchange, wanted - {"speed"}, pace, values)
    if "mixed" in wanted:
        _say("rexian: mixed")
        values |= await mixed(exchange, pace)
    if "desks" in wanted:
        _say("rexian: desks")
        ours, theirs = await desks(exchange, pace.window_s, _say)
        values |= ours
        rival |= theirs
    if "profile" in wanted:
        _say("rexian: profile")
        page = await profile(exchange, COST_RATE, pace.trial_s)
        write(kept / "profile.txt", page.encode())
        _say(page)
    await _measure(exchange, wanted & {"speed"}, pace, values)


async def _measure(exchange: Exchange, wanted: set[str], pace: Pace, values: Values) -> None:
    for name, measure in ON_BOTH.items():
        if name in wanted:
            _say(f"{exchange.name}: {name}")
            values |= await measure(exchange, pace)


def side_by_side(mine: Values, rival: Values, bare: Values) -> list[Figure]:
    """The figures in their order, each with the rival's of the same name."""
    figures = []
    if "cpu_ms_per_call" in bare:
        mine = {**mine, UNRECORDED: mine["cpu_ms_per_call"]}
        rival = {**rival, UNRECORDED: bare["cpu_ms_per_call"]}
    for name, told in FIGURES.items():
        if name in mine:
            figures.append(
                Figure(
                    name=name,
                    value=mine[name],
                    unit=told.unit,
                    rival=_rival(name) if name in rival else None,
                    rival_value=rival.get(name),
                    target=told.target,
                )
            )
    return figures


def _rival(name: str) -> str:
    if name.startswith("decision"):
        return "a scan of all who wait"
    if name.startswith(("fact_to_browser", "controller_core_at_100_desks")):
        return "Mosquitto, MQTT 5 at QoS 0"
    return "app_queue, which does not record" if name == UNRECORDED else "app_queue, which records"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
