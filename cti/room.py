"""Whether there is room to record, looked at in the background: a call asks a value that is there already.

Two folders count, often on one disk: the tracks that Asterisk writes during a conversation, and the sealed recordings.
New conversations stop being recorded while some room is left (the setting `recording_reserve_mb`): those that are being
recorded come to their end, and the journal and the database, which may lie on the same disk, go on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import structlog

from cti.alarms import Alarms

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0

ENOUGH = 1.1
"""Times the reserve: with less than this it is not told that there is room again, or it would be told every minute."""

FULL = "recording_disk_full"
"""The alarm; its subject is the folder's name, `recordings` or `raw`."""

MEGABYTE = 1_000_000


class Room:
    """The disks under `folders`, by the name that the alarm gives them."""

    def __init__(self, alarms: Alarms, folders: Mapping[str, Path], reserve_mb: int) -> None:
        self._alarms, self._folders, self._reserve = alarms, folders, reserve_mb * MEGABYTE
        self._troubles: dict[str, str] = {}

    @property
    def trouble(self) -> str | None:
        """Why nothing can be recorded at this moment, with the mend; None when there is room, or nobody has looked yet."""
        return next(iter(self._troubles.values()), None)

    async def watch(self) -> None:
        """Look, for ever."""
        while True:
            found = await asyncio.to_thread(self._look)
            self._take(found)
            await asyncio.sleep(LOOK_EVERY_S)

    def _take(self, found: dict[str, str]) -> None:
        for name in self._folders:
            if (trouble := found.get(name)) and name not in self._troubles:
                log.error("conversations are not recorded", why=trouble)
            self._alarms.tell(FULL, name, found.get(name))
        self._troubles = found

    def _look(self) -> dict[str, str]:
        """What is wrong, by the folder's name; a disk that holds both is told once, by the first."""
        found: dict[str, str] = {}
        seen: set[int] = set()
        for name, folder in self._folders.items():
            try:
                there = next(path for path in (folder, *folder.parents) if path.exists())
                if (disk := there.stat().st_dev) not in seen and (trouble := self._trouble(name, there)):
                    found[name] = trouble
                seen.add(disk)
            except OSError as error:
                found[name] = f"{folder}: nothing can be recorded there: {error.strerror}. Mend: check the disk."
        return found

    def _trouble(self, name: str, folder: Path) -> str | None:
        disk = os.statvfs(folder)
        if disk.f_flag & os.ST_RDONLY:
            return f"{folder}: the disk is read-only, nothing can be recorded. Mend: check the disk and mount it again."
        free, wanted = disk.f_bavail * disk.f_frsize, self._reserve * (ENOUGH if name in self._troubles else 1)
        if free >= wanted:
            return None
        return (
            f"{folder}: only {free // MEGABYTE} MB free where {wanted // MEGABYTE:.0f} are wanted: new conversations are "
            "not recorded. Mend: make room on that disk, or lower recording_reserve_mb."
        )
