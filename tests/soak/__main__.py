"""`python -m tests.soak`: see `tests.soak`."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import typer

from tests.asterisk.hotline import Hotline
from tests.invariants import Verdict
from tests.soak.plan import make_plan
from tests.soak.soak import SEATS, Soak
from tests.soak.table import print_table, say, soaked_hotline


def main(
    seconds: Annotated[float, typer.Option(help="How long calls come and parts break.")] = 3600,
    seed: Annotated[int, typer.Option(help="Of the whole plan.")] = 1,
    faults: Annotated[bool, typer.Option(help="Kill, freeze and stop its parts.")] = True,
    asterisk: Annotated[bool, typer.Option(help="Asterisk, too.")] = False,
) -> None:
    """A hotline of its own under random calls and faults; Ctrl-C ends it early. Exit code 1 when a law is broken."""
    with soaked_hotline() as hotline:
        verdicts = asyncio.run(_soak(hotline, seed, seconds, faults=faults, asterisk=asterisk))
        if print_table(verdicts):
            raise typer.Exit(1)


async def _soak(hotline: Hotline, seed: int, seconds: float, *, faults: bool, asterisk: bool) -> list[Verdict]:
    plan = make_plan(seed, seconds, list(SEATS), faults=faults, asterisk=asterisk)
    say(f"seed {seed}, {seconds:.0f} s: {len(plan.arrivals)} calls, {len(plan.faults)} faults")
    soak = Soak(hotline, seed, plan, seconds)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, soak.stop.set)
    return await soak.run()


if __name__ == "__main__":
    typer.run(main)
