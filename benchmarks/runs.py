"""One run: every measure on Rexian, then on the rival, then the figures. To add a measure, write it and add it here."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable

from benchmarks.calls import answered, freed_seat_ms, most_calls_a_second, plain_calls
from benchmarks.engine import decision_ms_p99
from benchmarks.figures import Figure, Target, percentile, save, table
from benchmarks.hotlines import rexian
from benchmarks.processes import BOX
from benchmarks.rival import app_queue
from cti.settings import load_settings

RIVAL = "app_queue"
REXIAN_OFFSET, RIVAL_OFFSET = 1000, 7000
COST_RATE = 30.0


class Bench:
    """One run of the benchmarks; the figures come out at its end."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.trial_s = 8.0 if quick else 20.0
        self.waiters = 120 if quick else 300

    async def run(self, wanted: list[str]) -> None:
        """Measure, print, keep."""
        began = time.monotonic()
        figures: list[Figure] = []
        for name in wanted:
            _say(f"measuring {name} ...")
            figures += await MEASURES[name](self)
        path = load_settings().state_dir / "bench" / "latest.json"
        save(figures, path)
        _say(f"\n{table(figures)}\n\n{time.monotonic() - began:.0f} s; kept in {path}")

    async def speed(self) -> list[Figure]:
        """Calls a second without one failure."""
        async with rexian(REXIAN_OFFSET) as mine:
            value = await most_calls_a_second(mine, self.trial_s)
        async with app_queue(RIVAL_OFFSET) as rival:
            rival_value = await most_calls_a_second(rival, self.trial_s)
        return [_beside("calls_per_s", value, "calls/s", rival_value, Target(1.0, "higher", "ratio"))]

    async def cost(self) -> list[Figure]:
        """CPU a call and INVITE to 200, at a rate that both carry."""
        async with rexian(REXIAN_OFFSET) as exchange:
            mine = await plain_calls(exchange, COST_RATE, self.trial_s)
        async with app_queue(RIVAL_OFFSET) as exchange:
            rival = await plain_calls(exchange, COST_RATE, self.trial_s)
        async with app_queue(RIVAL_OFFSET, recorded=False) as exchange:
            bare = await plain_calls(exchange, COST_RATE, self.trial_s)
        together = mine.cpu_ms["asterisk"] + mine.cpu_ms["controller"]
        figures = [
            _beside("cpu_ms_per_call", together, "ms", rival.cpu_ms["asterisk"], Target(1.25, "lower", "ratio")),
            Figure(
                name="cpu_ms_per_call_beside_no_recording",
                value=together,
                unit="ms",
                rival="app_queue that does not record",
                rival_value=bare.cpu_ms["asterisk"],
            ),
        ]
        for name in ("asterisk", "controller", "postgres", "mosquitto", BOX):
            figures.append(_beside(f"{name}_cpu_ms_per_call", mine.cpu_ms[name], "ms", rival.cpu_ms.get(name)))
        for percent in (50, 95):
            figures.append(
                _beside(f"invite_to_200_ms_p{percent}", answered(mine, percent), "ms", answered(rival, percent))
            )
        return figures

    async def freed(self) -> list[Figure]:
        """A seat becomes free, its next caller waits: how long until its telephone rings."""
        async with rexian(REXIAN_OFFSET) as exchange:
            mine = await freed_seat_ms(exchange, self.waiters)
        async with app_queue(RIVAL_OFFSET) as exchange:
            rival = await freed_seat_ms(exchange, self.waiters // 2)
        return [
            _beside("freed_seat_ms_p50", percentile(mine, 50), "ms", percentile(rival, 50), Target(5, "lower")),
            _beside("freed_seat_ms_p95", percentile(mine, 95), "ms", percentile(rival, 95)),
        ]

    async def engine(self) -> list[Figure]:
        """The pure engine's decision."""
        return [Figure(name="decision_ms_p99", value=decision_ms_p99(), unit="ms")]


def _beside(name: str, value: float, unit: str, rival_value: float | None, target: Target | None = None) -> Figure:
    rival = None if rival_value is None else RIVAL
    return Figure(name=name, value=value, unit=unit, rival=rival, rival_value=rival_value, target=target)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


MEASURES: dict[str, Callable[[Bench], Awaitable[list[Figure]]]] = {
    "engine": Bench.engine,
    "cost": Bench.cost,
    "freed": Bench.freed,
    "speed": Bench.speed,
}
"""By the name that `--only` takes."""
