"""`python -m tests.soak.histories`: the laws of the engine over a million steps of random history, made by hypothesis."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak.table import say
from tests.unit.test_queues_properties import AnyHistory

STEPS_EACH = 50


def main(steps: Annotated[int, typer.Option(help="In all, in histories of 50.")] = 1_000_000) -> None:
    """Exit code 1, and the shortest history that shows it, when a law is broken."""
    began = time.monotonic()
    wanted = settings(
        max_examples=steps // STEPS_EACH,
        stateful_step_count=STEPS_EACH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(AnyHistory, settings=wanted)
    say(f"holds  every law of the engine over {steps:,} steps  {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    typer.run(main)
