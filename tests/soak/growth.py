"""Whether a process grows: memory, open files, threads and tasks, sampled while it lives, and a line through the samples.

A process that is restarted by a fault begins a new life, and each life is judged by itself: the first part of it, in which
caches fill, is not counted.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import numpy as np

from tests.asterisk.hotline import Hotline
from tests.faults import pid_of
from tests.invariants import Verdict

WATCHED = ("controller", "asterisk")
SETTLED_S = 30.0
"""A process that has just begun is not yet as big as it has to be."""

SHORTEST_S = 600.0
"""A shorter life has no slope worth the name."""

MOST_MB = 50.0
"""In a life, however long. The controller keeps the last 20,000 facts and the stories of the last calls in memory, some
1.5 kB a fact: until that is full it grows, and not beyond."""

FILES_MORE = TASKS_MORE = 10
"""Between two moments without a call."""

MB = 1 << 20


class Sample(msgspec.Struct, frozen=True):
    """A process at one moment."""

    at: float
    memory_mb: float
    files: int
    threads: int
    born: int
    """When the process began, in ticks of the kernel: its number may have been another's an hour ago."""


class Life(msgspec.Struct):
    """One process from its start to its end."""

    program: str
    pid: int
    born: int
    samples: list[Sample] = msgspec.field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.samples[-1].at - self.samples[0].at

    @property
    def grown_mb(self) -> float:
        """From when it had settled to its end."""
        return self.samples[-1].memory_mb - self._settled[0].memory_mb

    @property
    def mb_per_hour(self) -> float:
        """The slope of the line through the second half of its life."""
        half = [sample for sample in self.samples if sample.at - self.samples[0].at >= self.seconds / 2]
        at = np.array([sample.at - half[0].at for sample in half])
        return float(np.polyfit(at, [sample.memory_mb for sample in half], 1)[0]) * 3600

    @property
    def _settled(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.at - self.samples[0].at >= SETTLED_S] or self.samples[-1:]


class Growth:
    """Every life of the watched programs."""

    def __init__(self, hotline: Hotline) -> None:
        self._hotline = hotline
        self.lives: list[Life] = []
        self._idle: dict[str, list[int]] = {}
        self._tasks: list[int] = []

    def look(self, now: float) -> None:
        """Take one sample of each."""
        for program in WATCHED:
            if not (pid := pid_of(self._hotline, program)) or (sample := _sample(pid, now)) is None:
                continue
            life = next((life for life in self.lives if (life.pid, life.born) == (pid, sample.born)), None)
            if life is None:
                life = Life(program, pid, sample.born)
                self.lives.append(life)
            life.samples.append(sample)

    async def look_idle(self, now: float) -> None:
        """Take a sample of each at a moment without a call: before the first, or after the last."""
        self.look(now)
        self._tasks.append((await self._hotline.status()).tasks)
        for life in self.lives:
            if life.samples[-1].at == now:
                self._idle.setdefault(life.program, []).append(life.samples[-1].files)

    def now(self) -> str:
        """The present sizes, for a line of progress."""
        latest = {life.program: life.samples[-1] for life in self.lives}
        return ", ".join(f"{program} {sample.memory_mb:.0f} MB" for program, sample in latest.items())

    def verdicts(self) -> list[Verdict]:
        """A law for each program."""
        return [*(self._verdict(program) for program in WATCHED), self._tasks_verdict()]

    def _tasks_verdict(self) -> Verdict:
        before, *_, after = self._tasks
        broken = (f"{after - before} more",) if after > before + TASKS_MORE else ()
        return Verdict("no task is left behind", f"{before} before the first call, {after} after the last one", broken)

    def _verdict(self, program: str) -> Verdict:
        law = f"{program} does not grow"
        lives = [life for life in self.lives if life.program == program]
        if not lives:
            return Verdict(law, "never seen", ("no process to look at",))
        last, most = lives[-1].samples[-1], max(life.grown_mb for life in lives)
        figure = f"{len(lives)} lives, none grew by more than {most:.1f} MB; at the end {last.memory_mb:.0f} MB, "
        figure += f"{last.files} files, {last.threads} threads"
        figure += "".join(
            f"; {life.mb_per_hour:+.1f} MB an hour at the end of {life.seconds:.0f} s"
            for life in lives
            if life.seconds >= SHORTEST_S
        )
        broken = [f"process {life.pid}: {life.grown_mb:+.1f} MB" for life in lives if life.grown_mb > MOST_MB]
        before, *_, after = self._idle[program]
        if after > before + FILES_MORE:
            broken.append(f"{before} open files before the first call, {after} after the last one")
        return Verdict(law, figure, tuple(broken))


def _sample(pid: int, now: float) -> Sample | None:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        born = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:  # it has ended
        return None
    return Sample(now, pages * os.sysconf("SC_PAGE_SIZE") / MB, files, threads, born)
