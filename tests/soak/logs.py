"""What the daemons wrote that nothing explains: each line that looks like an error is either in `EXPECTED`, with the reason
and the fault that it takes, or breaks the law.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from tests.invariants import Verdict

BAD = {
    "controller.log": r'"level": "(error|critical)"|^(ERROR|CRITICAL)\b|^Traceback|Error: |never retrieved',
    "asterisk.log": r"\] ERROR\[|Assertion|FRACK|deadlock",
    "postgres.log": r"(ERROR|FATAL|PANIC):",
    "mosquitto.log": r"[Ee]rror",
    "nginx.log": r"\[(error|crit|alert|emerg)\]",
    "supervisord.log": r"CRIT|exited: .*not expected|FATAL",
}
"""What an error looks like in each log."""


class Expected(msgspec.Struct, frozen=True):
    """A line that a fault explains. `fault` is the beginning of its name; empty: always right."""

    log: str
    pattern: str
    fault: str
    why: str


EXPECTED = (
    Expected("supervisord.log", "without any HTTP authentication", "", "its socket is for its owner only"),
    *(
        Expected("supervisord.log", rf"exited: {program} \(terminated by SIGKILL", f"{program} killed", "we did that")
        for program in ("controller", "postgres", "mosquitto", "asterisk")
    ),
    Expected(
        "asterisk.log", "Stasis app 'rexian' not active", "controller", "a call came while no controller was there"
    ),
    Expected(
        "asterisk.log", "web ?socket", "controller", "the connection to a controller that was killed or is frozen"
    ),
)


def unexplained(folder: Path, faults: Collection[str]) -> Verdict:
    """Errors in the logs of `folder`, where faults of these names happened."""
    broken: Counter[str] = Counter()
    looked_at = explained = 0
    for name, pattern in BAD.items():
        for line in _lines(folder / name):
            looked_at += 1
            if not re.search(pattern, line):
                continue
            if any(_explains(known, name, line, faults) for known in EXPECTED):
                explained += 1
            else:
                broken[f"{name}: {_without_numbers(line)}"] += 1
    found = tuple(f"{times} x {line}" for line, times in broken.most_common())
    return Verdict("no unexplained error in a log", f"{looked_at} lines, {explained} explained by a fault", found)


def _explains(known: Expected, name: str, line: str, faults: Collection[str]) -> bool:
    happened = not known.fault or any(fault.startswith(known.fault) for fault in faults)
    return known.log == name and happened and re.search(known.pattern, line) is not None


def _lines(path: Path) -> Iterator[str]:
    """Of the log and of those that supervisor has put aside."""
    for file in (*sorted(path.parent.glob(f"{path.name}.[0-9]*")), path):
        if file.exists():
            with file.open(errors="replace") as log:
                yield from log


def _without_numbers(line: str) -> str:
    """What is said, without when and in which process, so that the same is counted once."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.,]+\S*", "", line.strip())
    return re.sub(r"\d+", "N", text)[:600]
