"""CPU time of processes, from /proc: what the kernel itself counted, to its hundredth of a second."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
BOX = "box"
"""Everything that the machine did, whoever asked for it."""


class Processes:
    """Some processes by name, each with its children: a PostgreSQL is many."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self.pids = dict(pids)

    def cpu_ms(self) -> dict[str, float]:
        """Milliseconds of CPU since each began, and the machine's since it booted, under `BOX`."""
        children = _children()
        used = {name: 1000 * _ticks(pid, children) / TICKS for name, pid in self.pids.items()}
        return used | {BOX: 1000 * _box_ticks() / TICKS}


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used between two looks."""
    return {name: after[name] - before[name] for name in before.keys() & after.keys()}


def _ticks(pid: int, children: Mapping[int, list[int]]) -> int:
    """Of a process, those of its children that ended, and those that live."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # a child that has just ended: its parent counts it from now on
        return 0
    own = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return own + sum(_ticks(child, children) for child in children.get(pid, ()))


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.setdefault(int(fields[1]), []).append(int(folder.name))
    return found


def _box_ticks() -> int:
    user, nice, system, _idle, _iowait, irq, softirq = map(int, (PROC / "stat").read_text().split()[1:8])
    return user + nice + system + irq + softirq
