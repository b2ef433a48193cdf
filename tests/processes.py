"""What a process holds on to: files, tasks, children. For tests that do something often and look whether anything stays."""

from __future__ import annotations

import asyncio
from pathlib import Path


def held() -> tuple[int, int]:
    """Open files and running tasks of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir()), len(asyncio.all_tasks())


def family(pid: int) -> list[int]:
    """A process and its children, as PostgreSQL's server has its sessions."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
