"""How a soak ends: one table of laws and figures, and an exit code."""

from __future__ import annotations

from collections.abc import Sequence

from tests.invariants import Verdict

PORT_OFFSET = 5000
"""Of the soak's own hotline: a `make up` on the same machine is not disturbed."""

SHOWN = 20
"""Of what breaks one law."""


def print_table(verdicts: Sequence[Verdict]) -> int:
    """Print it; 0 when every law holds, else 1."""
    width = max(len(verdict.law) for verdict in verdicts)
    for verdict in verdicts:
        word = "broken" if verdict.broken else "holds"
        say(f"{word:6}  {verdict.law:{width}}  {verdict.figure}")
        for what in verdict.broken[:SHOWN]:
            say(f"{'':{width + 10}}{what}")
        if len(verdict.broken) > SHOWN:
            say(f"{'':{width + 10}}... and {len(verdict.broken) - SHOWN} more")
    return int(any(verdict.broken for verdict in verdicts))


def say(line: str) -> None:
    """A line for the person at the keyboard, at once."""
    print(line, flush=True)  # noqa: T201 - a program's output
