"""Whether a process grows: memory, open files and threads, sampled while it lives, and a line through the samples.

A process that is restarted by a fault begins a new life, and each life is judged by itself: the first part of it, in which
caches fill, is not counted.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import numpy as np

from tests.asterisk.hotline import Hotline
from tests.invariants import Verdict
from tests.soak.faults import pid_of

WATCHED = ("controller", "asterisk")
WARM_UP = 0.4
"""Of a life."""

SHORTEST_S = 240.0
"""A shorter life says nothing of growth."""

MEMORY_MB_PER_H = 30.0
FILES_PER_H = 30.0
FILES_MORE = 10
"""Between two moments without a call."""

MB = 1 << 20


class Sample(msgspec.Struct, frozen=True):
    """A process at one moment."""

    at: float
    memory_mb: float
    files: int
    threads: int


class Life(msgspec.Struct):
    """One process from its start to its end."""

    program: str
    pid: int
    samples: list[Sample] = msgspec.field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.samples[-1].at - self.samples[0].at

    def per_hour(self, of: str) -> float:
        """The slope of the line through what came after the warm-up."""
        warm = [sample for sample in self.samples if sample.at - self.samples[0].at >= WARM_UP * self.seconds]
        at = np.array([sample.at for sample in warm])
        values = np.array([getattr(sample, of) for sample in warm])
        return float(np.polyfit(at - at[0], values, 1)[0]) * 3600


class Growth:
    """Every life of the watched programs."""

    def __init__(self, hotline: Hotline) -> None:
        self._hotline = hotline
        self.lives: list[Life] = []
        self._idle: dict[str, list[int]] = {}

    def look(self, now: float) -> None:
        """Take one sample of each."""
        for program in WATCHED:
            if not (pid := pid_of(self._hotline, program)) or (sample := _sample(pid, now)) is None:
                continue
            life = next((life for life in self.lives if life.pid == pid), None)
            if life is None:
                life = Life(program, pid)
                self.lives.append(life)
            life.samples.append(sample)

    def look_idle(self, now: float) -> None:
        """Take a sample of each at a moment without a call: before the first, or after the last."""
        self.look(now)
        for life in self.lives:
            if life.samples[-1].at == now:
                self._idle.setdefault(life.program, []).append(life.samples[-1].files)

    def now(self) -> str:
        """The present sizes, for a line of progress."""
        latest = {life.program: life.samples[-1] for life in self.lives}
        return ", ".join(f"{program} {sample.memory_mb:.0f} MB" for program, sample in latest.items())

    def verdicts(self) -> list[Verdict]:
        """A law for each program."""
        return [self._verdict(program) for program in WATCHED]

    def _verdict(self, program: str) -> Verdict:
        law = f"{program} does not grow"
        lives = [life for life in self.lives if life.program == program]
        judged = [life for life in lives if life.seconds >= SHORTEST_S]
        if not lives:
            return Verdict(law, "never seen", ("no process to look at",))
        last = lives[-1].samples[-1]
        size = f"{last.memory_mb:.0f} MB, {last.files} files, {last.threads} threads"
        figure = f"{len(lives)} lives; the last one ends with {size}"
        broken: list[str] = []
        before, *_, after = self._idle[program]
        if after > before + FILES_MORE:
            broken.append(f"{before} open files before the first call, {after} after the last one")
        for life in judged:
            memory, files = life.per_hour("memory_mb"), life.per_hour("files")
            figure += f"; {life.seconds:.0f} s: {memory:+.1f} MB/h, {files:+.1f} files/h"
            if memory > MEMORY_MB_PER_H:
                broken.append(f"process {life.pid}: {memory:+.1f} MB an hour over {life.seconds:.0f} s")
            if files > FILES_PER_H:
                broken.append(f"process {life.pid}: {files:+.1f} open files an hour over {life.seconds:.0f} s")
        return Verdict(law, figure, tuple(broken))


def _sample(pid: int, now: float) -> Sample | None:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:  # it has ended
        return None
    return Sample(now, pages * os.sysconf("SC_PAGE_SIZE") / MB, files, threads)
