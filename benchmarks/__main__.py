"""`python -m benchmarks`: Rexian and app_queue beside each other, on this machine, with the same load. `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterable

from benchmarks.runs import FULL, MEASURES, QUICK, Pace, run
from calls.errors import RexianError


def main() -> int:
    """Exit codes: 0 measured, 1 could not be measured, 2 wrong use, 130 interrupted; nothing is left running."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter trials and fewer of them: rougher figures")
    parser.add_argument("--only", choices=MEASURES, action="append", help="this measure only; may be repeated")
    arguments = parser.parse_args()
    try:
        asyncio.run(_until_stopped(arguments.only or MEASURES, QUICK if arguments.quick else FULL))
    except RexianError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 1
    except asyncio.CancelledError:
        return 130
    return 0


async def _until_stopped(wanted: Iterable[str], pace: Pace) -> None:
    """The first signal ends the run in order; an impatient second one must not leave daemons behind."""
    running = asyncio.ensure_future(run(wanted, pace))
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(stop, lambda: running.cancelling() or running.cancel())
    await running


if __name__ == "__main__":
    sys.exit(main())
