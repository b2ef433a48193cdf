"""`python -m benchmarks.hangzhou`: Hangzhou's day by three rules, on the same calls and the same advisers.

The centre's own figures: 9,254 calls on a day of 2011, 11,000 of 2015, the peak from 13:30 to 14:00, 82.94 % connected. How
many advisers were at work is not known: the forecast's groups are scaled by one factor until plain first-come-first-served
connects 82.94 %. Everything else that is assumed stands in the forecast's file and in docs/twin.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks.rules import app_queue, first_come_first_served
from queues.advisers import Adviser
from queues.cheapest import Target, cheapest
from queues.forecast import Callback, Day, Forecast, live_day, load_forecast, make_day, seconds
from queues.tally import tally
from queues.twin import Outcome, Shift

FORECAST = Path(__file__).parents[1] / "lines" / "hangzhou.forecast.yaml"
CONNECTED = 0.8294
SEEDS = (1, 2, 3)
BUSIER = 11_000
ADVISED = 0.90
"""The part of the calls that the seats connect which the twin itself advises."""
SPECIALIST = 3
"""The level from which on an adviser is one."""


def scaled(forecast: Forecast, factor: float) -> Forecast:
    """With so many times the advisers, each group rounded."""
    staff = tuple(msgspec.structs.replace(group, seats=max(1, round(group.seats * factor))) for group in forecast.staff)
    return msgspec.structs.replace(forecast, staff=staff)


def busier(forecast: Forecast, calls: int) -> Forecast:
    """With so many calls in all, in the same proportions."""
    factor = calls / sum(forecast.calls.values())
    return msgspec.structs.replace(
        forecast, calls={begin: round(number * factor) for begin, number in forecast.calls.items()}
    )


def calibrated(forecast: Forecast) -> Forecast:
    """The factor with which plain first-come-first-served comes nearest to the centre's own figure, by bisection."""
    low, high = 0.3, 3.0
    for _ in range(12):
        middle = (low + high) / 2
        if connected_by_fcfs(scaled(forecast, middle)) < CONNECTED:
            low = middle
        else:
            high = middle
    nearest = min((low, high), key=lambda each: abs(connected_by_fcfs(scaled(forecast, each)) - CONNECTED))
    return scaled(forecast, nearest)


def connected_by_fcfs(forecast: Forecast) -> float:
    """The part of the calls, over all seeds."""
    return statistics.fmean(
        tally(by_rule("first come, first served", make_day(forecast, seed), forecast), forecast.within_s).connected
        for seed in SEEDS
    )


def by_rule(rule: str, day: Day, forecast: Forecast) -> list[Outcome]:
    """The day lived through by the rule of this name."""
    if rule == "first come, first served":
        return first_come_first_served(day.calls, day.shifts, day.advisers, forecast.wrap_up_s)
    if rule == "app_queue":
        return app_queue(day.calls, day.shifts, day.advisers, forecast.wrap_up_s)
    return live_day(day)


RULES = ("first come, first served", "app_queue", "Rexian", "Rexian, calls back")
CALLBACK = Callback(accepts=0.5, answers=0.7, missed_after_s=0.0)
"""Assumed: half of those who are offered it accept, seven rings in ten are answered. Everybody who gives up is called, too."""

LATEST_S = seconds("21:00")
"""Those on the last shift stay until everybody is called back, but nobody is called later than this."""


def wasted(outcomes: Iterable[Outcome], advisers: Mapping[str, Adviser]) -> int:
    """Calls that a specialist took who is one in nothing that was asked."""
    found = 0
    for outcome in outcomes:
        if outcome.how == "answered":
            special = {skill for skill, level in advisers[outcome.adviser].skills.items() if level >= SPECIALIST}
            found += bool(special) and not special & outcome.call.needs.skills.keys()
    return found


def until_done(day: Day) -> Day:
    """Whoever is on the last shift stays on it until there is nobody left to call."""
    last = max(shift.end_s for shift in day.shifts)
    stay = [
        Shift(each.seat, each.adviser, each.begin_s, LATEST_S if each.end_s == last else each.end_s)
        for each in day.shifts
    ]
    return day._replace(shifts=stay)


def table(forecast: Forecast) -> list[str]:
    """A row a rule: the means over the seeds."""
    lines = [
        f"{sum(forecast.calls.values())} calls, seeds {', '.join(map(str, SEEDS))}",
        "| rule | connected | within 30 s | mean wait | P90 | gave up | called back | in vain | neither answered nor called"
        " | specialists wasted | adviser hours |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for rule in RULES:
        rows = [_figures(rule, forecast, seed) for seed in SEEDS]
        connected, within, mean, p90, *counts = (statistics.fmean(column) for column in zip(*rows, strict=True))
        figures = " | ".join(f"{count:.0f}" for count in counts)
        lines.append(
            f"| {rule} | {100 * connected:.2f} % | {100 * within:.1f} % | {mean:.1f} s | {p90:.0f} s | {figures} |"
        )
    return lines


def _figures(rule: str, forecast: Forecast, seed: int) -> Sequence[float]:
    if rule == "Rexian, calls back":
        forecast = msgspec.structs.replace(forecast, callback=CALLBACK)
    day = make_day(forecast, seed)
    hours = sum(shift.end_s - shift.begin_s for shift in day.shifts) / 3600
    outcomes = by_rule(rule, until_done(day) if day.calling_back else day, forecast)
    found = tally(outcomes, forecast.within_s)
    assert found.offered == len(day.calls), "every call has one end"
    return (
        found.connected,
        found.service_level,
        found.wait_mean_s,
        found.wait_p90_s,
        sum(outcome.how == "abandoned" for outcome in outcomes),
        found.called_back,
        found.not_reached,
        found.abandoned + found.turned_away,
        wasted(outcomes, day.advisers),
        hours + _overtime_h(outcomes, day),
    )


def _overtime_h(outcomes: Iterable[Outcome], day: Day) -> float:
    """What the last shift stays longer, all of it, until the last citizen was called."""
    last = max(shift.end_s for shift in day.shifts)
    done = max(
        (each.call.at_s + each.back_s + each.call.handling_s for each in outcomes if each.back == "reached"), default=0
    )
    return max(0.0, done - last) / 3600 * sum(shift.end_s == last for shift in day.shifts)


def main() -> int:
    """Print the two days, and the first with the seats that the twin advises."""
    argparse.ArgumentParser(prog="python -m benchmarks.hangzhou", description=__doc__).parse_args()
    forecast = calibrated(load_forecast(FORECAST))
    advised = cheapest(forecast, Target(connected=ADVISED))
    for day in (forecast, busier(forecast, BUSIER), advised):
        sys.stdout.write("\n".join((*table(day), "", "")))
    sys.stdout.write(f"first come, first served connects {100 * connected_by_fcfs(forecast):.2f} % of the first day\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
