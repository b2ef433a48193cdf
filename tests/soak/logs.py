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


CONTINUES = re.compile(r"\s|handle: |Traceback|During handling|The above exception|\w+Error: |$")
"""A line that is no entry of its own."""


class Expected(msgspec.Struct, frozen=True):
    """A line that a fault explains. `fault` is the beginning of its name; empty: always right."""

    log: str
    pattern: str
    fault: str
    why: str


EXPECTED = (
    Expected("supervisord.log", "without any HTTP authentication", "", "its socket is for its owner only"),
    Expected(
        "supervisord.log", r"exited: postgres \(exit status 1;", "postgres killed", "its successor came too early"
    ),
    Expected(
        "controller.log",
        r"Loop\.add_writer[\s\S]*(Bad file descriptor|is used by transport)",
        "controller stalled",
        "the MQTT library asks late for a socket that it has closed meanwhile; the event loop refuses, nothing is lost",
    ),
    Expected("postgres.log", "connection to client lost", "postgres", "who asked gave up a server that did not answer"),
    Expected(
        "asterisk.log",
        r"Could not create dialog to invalid URI|Failed to create outgoing session",
        "phone",
        "a telephone is rung in the instant in which it is gone",
    ),
    Expected("asterisk.log", "Session already DISCONNECTED", "", "somebody left in the instant of the answer"),
    Expected(
        "asterisk.log", "sendfax_exec: error initializing channel", "", "somebody left in the instant the fax began"
    ),
    Expected(
        "asterisk.log",
        "error reading frame while generating CNG tone",
        "",
        "somebody left while their machine was called",
    ),
    Expected("controller.log", "the conversation has no length", "", "somebody left in the instant of the answer"),
    Expected("postgres.log", "idle-session timeout", "controller stalled", "the database gives up a silent client"),
    *(
        Expected("supervisord.log", rf"exited: {program} \(terminated by SIGKILL", f"{program} killed", "we did that")
        for program in ("controller", "postgres", "mosquitto", "asterisk")
    ),
    *(
        Expected("postgres.log", pattern, fault, why)
        for fault in ("postgres killed", "postgres stopped")
        for pattern, why in (
            ("unexpected postmaster exit", "its processes follow it"),
            ("terminating connection due to administrator command", "it ends its clients' connections"),
            ("the database system is (not yet accepting connections|starting up|shutting down)", "somebody asks early"),
            (
                "pre-existing shared memory block|lock file .* already exists",
                "the dead one's processes are not gone yet",
            ),
        )
    ),
    Expected(
        "asterisk.log", "Stasis app 'rexian' not active", "controller", "a call came while no controller was there"
    ),
    Expected(
        "asterisk.log", "web ?socket", "controller", "the connection to a controller that was killed or is frozen"
    ),
)


class Logs:
    """The logs of one folder from now on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begin = {name: (folder / name).stat().st_size for name in BAD if (folder / name).exists()}

    def unexplained(self, faults: Collection[str]) -> Verdict:
        """Errors since then that no fault of these names explains."""
        broken: Counter[str] = Counter()
        looked_at = explained = 0
        for name, pattern in BAD.items():
            for entry in _entries(self._lines(name)):
                looked_at += 1
                if not re.search(pattern, entry, re.MULTILINE):
                    continue
                if any(_explains(known, name, entry, faults) for known in EXPECTED):
                    explained += 1
                else:
                    broken[f"{name}: {_without_numbers(entry)}"] += 1
        found = tuple(f"{times} x {line}" for line, times in broken.most_common())
        return Verdict("no unexplained error in a log", f"{looked_at} entries, {explained} explained by a fault", found)

    def _lines(self, name: str) -> Iterator[str]:
        """The log's, and before them those of the files that supervisor has put aside meanwhile."""
        files = [*sorted(self._folder.glob(f"{name}.[0-9]*"), reverse=True), self._folder / name]
        begin = self._begin.get(name, 0)
        for file in files:
            if not file.exists():
                continue
            with file.open(errors="replace") as log:
                if file == files[0]:
                    log.seek(begin)
                yield from log


def _entries(lines: Iterator[str]) -> Iterator[str]:
    """A line with the traceback that belongs to it."""
    entry: list[str] = []
    for line in lines:
        if entry and not CONTINUES.match(line):
            yield "".join(entry)
            entry = []
        entry.append(line)
    if entry:
        yield "".join(entry)


def _explains(known: Expected, name: str, line: str, faults: Collection[str]) -> bool:
    happened = not known.fault or any(fault.startswith(known.fault) for fault in faults)
    return known.log == name and happened and re.search(known.pattern, line) is not None


def _without_numbers(line: str) -> str:
    """What is said, without when and in which process, so that the same is counted once."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.,]+\S*", "", line.strip())
    return re.sub(r"\d+", "N", text)[:600]
