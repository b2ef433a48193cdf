"""`python -m benchmarks`: Rexian and app_queue beside each other, on this machine, with the same load. `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from types import FrameType

from benchmarks.runs import FULL, MEASURES, QUICK, run
from calls.errors import RexianError


def main() -> int:
    """Exit codes: 0 measured, 1 could not be measured, 2 wrong use, 130 interrupted; nothing is left running."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes: shorter trials, rougher figures")
    parser.add_argument("--only", choices=MEASURES, action="append", help="this measure only; may be repeated")
    arguments = parser.parse_args()
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _interrupt)
    try:
        asyncio.run(run(arguments.only or MEASURES, QUICK if arguments.quick else FULL))
    except RexianError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
