"""The pages that are being sent by fax: one file a call, in a folder of the hotline's own user, gone with its fax.

What a page says about a citizen is on no disk longer than Asterisk reads it. A controller that dies leaves the files to the
next one: each belongs to a call that is kept.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

from faxes import Page, Sheet, lay_out, read, write

SUFFIX = ".tif"

BEGINS_S, A_PAGE_S = 90.0, 180.0
"""Until two machines have agreed, at most; and for a full page at the slowest speed, with a part of it sent anew."""


class Faxes:
    """The folder, and how many are being sent at once."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._sending = 0

    @property
    def has_room(self) -> bool:
        """Whether one more can be sent: each is a modem, made of arithmetic, and conversations come first."""
        return self._sending < self._most

    def begun(self) -> None:
        """One more is being sent."""
        self._sending += 1

    def ended(self) -> None:
        """One fewer is."""
        self._sending -= 1

    def prepare(self, call_id: str, what: Path | Sheet) -> int:
        """Write the pages for this call; how many they are. For a thread. Raises NotAPicture, NoFont, OSError."""
        pages: Sequence[Page] = lay_out(what) if isinstance(what, Sheet) else read(what)
        write(pages, self._file(call_id))
        return len(pages)

    def remove(self, call_id: str) -> None:
        """The pages of this call have been sent, or never will be."""
        self._file(call_id).unlink(missing_ok=True)

    def keep_only(self, calls: Container[str]) -> None:
        """Remove the pages of all other calls."""
        for file in self._folder.glob(f"*{SUFFIX}"):
            if file.name.removesuffix(SUFFIX) not in calls:
                file.unlink(missing_ok=True)

    def _file(self, call_id: str) -> Path:
        return self._folder / f"{call_id}{SUFFIX}"
