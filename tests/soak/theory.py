"""`python -m tests.soak.theory`: the twin beside Erlang's formulas, over a million calls for each pair of load and seats."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from queues.erlang import Expected
from tests.invariants import Verdict
from tests.soak.table import print_table
from tests.theory import PAIRS, Compared, agrees, simulate


def main(
    calls: Annotated[int, typer.Option(help="For each pair.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="Of all of them.")] = 1,
) -> None:
    """Exit code 1 when one of them does not agree."""
    verdicts = []
    for load, seats, patience_s in PAIRS:
        began = time.monotonic()
        found = simulate(load, seats, patience_s, calls=calls, seed=seed)
        law = f"{load:g} erlangs, {seats} seats, patience {patience_s or 'endless'}"
        figure = f"{_told(found)}; {calls / (time.monotonic() - began):,.0f} calls/s"
        verdicts.append(Verdict(law, figure, () if agrees(found) else ("outside its interval",)))
    if print_table(verdicts):
        raise typer.Exit(1)


def _told(found: Compared) -> str:
    def one(name: str) -> str:
        each: tuple[Expected, ...] = (found.simulated, found.expected, found.interval)
        mine, theirs, interval = (getattr(values, name) for values in each)
        return f"{name} {mine:.4g} ~ {theirs:.4g} +- {interval:.2g}"

    return ", ".join(one(name) for name in Expected.__struct_fields__)


if __name__ == "__main__":
    typer.run(main)
