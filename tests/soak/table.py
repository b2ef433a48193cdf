"""How a soak ends: one table of laws and figures, and an exit code."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.asterisk.hotline import Hotline, running_hotline
from tests.invariants import Verdict

PORT_OFFSET = int(os.environ.get("HOTLINE_PORT_OFFSET", "5000"))
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


@contextmanager
def soaked_hotline() -> Iterator[Hotline]:
    """A hotline of the soak's own. What it wrote is kept when the block raises, `typer.Exit(1)` included."""
    with running_hotline(PORT_OFFSET) as hotline:
        try:
            yield hotline
        except BaseException:
            say(f"evidence: {_keep(hotline)}")
            raise


def _keep(hotline: Hotline) -> Path:
    """Logs, journal, call records and recordings (linked: an hour's are half a gigabyte), in a folder that stays."""
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    shutil.copytree(hotline.settings.log_dir, folder / "log")
    shutil.copytree(hotline.settings.recordings_dir, folder / "recordings", copy_function=os.link)
    for file in (*hotline.settings.state_dir.glob("journal.db*"), hotline.settings.call_records):
        shutil.copy(file, folder)
    return folder


def say(line: str) -> None:
    """A line for the person at the keyboard, at once."""
    print(line, flush=True)  # noqa: T201 - a program's output
