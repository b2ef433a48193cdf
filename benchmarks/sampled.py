"""Where the controller's time goes: `rexian serve` with a sampler inside. `profile.py` starts it and reads what it wrote.

    python -m benchmarks.sampled FILE

A timer of the kernel that counts this process's own CPU time interrupts the main thread every few milliseconds of it; the
handler notes the stack, weighed by the CPU time that the thread has used since the last note. SIGUSR2 writes everything
to FILE. Time in a C function counts for the Python function that called it.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

import msgspec

from cti.server import serve
from cti.settings import CHECKOUT, load_settings

EVERY_S = 0.002


class Samples(msgspec.Struct, kw_only=True):
    """CPU milliseconds. `own`: in the function itself; `total`: with all that it called. Keys: `file:function`."""

    main_thread_ms: float
    other_threads_ms: float
    own: dict[str, float]
    total: dict[str, float]


class Sampler:
    """Notes of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        signal.signal(signal.SIGPROF, self._note)
        signal.signal(signal.SIGUSR2, self._write)
        self._begin()

    def _begin(self) -> None:
        self._own: Counter[CodeType] = Counter()
        self._total: Counter[CodeType] = Counter()
        self._began_thread = self._last = time.thread_time()
        self._began_process = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def _note(self, _number: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        weight, self._last = (now - self._last) * 1e6, now
        seen = set()
        if frame:
            self._own[frame.f_code] += round(weight)
        while frame:
            if frame.f_code not in seen:
                seen.add(frame.f_code)
                self._total[frame.f_code] += round(weight)
            frame = frame.f_back

    def _write(self, _number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        main = time.thread_time() - self._began_thread
        other = time.process_time() - self._began_process - main
        samples = Samples(
            main_thread_ms=1000 * main,
            other_threads_ms=1000 * other,
            own=_named(self._own),
            total=_named(self._total),
        )
        aside = self._path.with_suffix(".new")
        aside.write_bytes(msgspec.json.encode(samples))
        aside.rename(self._path)
        self._begin()


def _named(counted: Counter[CodeType]) -> dict[str, float]:
    named: Counter[str] = Counter()
    for code, micros in counted.items():
        path = code.co_filename.removeprefix(f"{CHECKOUT}/").rpartition("site-packages/")[2]
        named[f"{path}:{code.co_qualname}"] += micros
    return {name: micros / 1000 for name, micros in named.most_common()}


if __name__ == "__main__":
    sampler = Sampler(Path(sys.argv[1]))
    serve(load_settings())
