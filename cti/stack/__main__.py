"""`python -m cti.stack run|up|down|prepare`: what the Makefile calls once everything is set up; `watchdog`: what runs in it."""

from __future__ import annotations

import argparse
import sys

from calls.errors import RexianError
from cti.settings import load_settings
from cti.stack.commands import down, prepare_only, run, up
from cti.stack.watchdog import watch

COMMANDS = {"run": run, "up": up, "down": down, "prepare": prepare_only, "watchdog": watch}


def main() -> int:
    """Exit codes: 0 done, 1 failed with one sentence on stderr, 2 wrong use, 130 interrupted before it was ready."""
    parser = argparse.ArgumentParser(prog="python -m cti.stack", description=run.__module__)
    parser.add_argument("command", choices=COMMANDS)
    command = COMMANDS[parser.parse_args().command]
    try:
        command(load_settings())
    except RexianError as error:
        sys.stderr.write(f"rexian: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"rexian: {error}. Mend: see that the state directory can be written and its disk has room.\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
