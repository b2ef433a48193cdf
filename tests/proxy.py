"""A proxy that stands before a server and fails as networks and servers do: it passes, refuses, freezes or swallows.

    async with Proxy(listen, target) as proxy:
        await proxy.swallow()      # bytes go nowhere, both ways, and nobody is told: these connections are lost
        await proxy.pass_on()      # connections made from now on work

In a process of its own, for a server that asks which user comes, it takes the words on standard input and answers
each on standard output once it is so:

    python -m tests.proxy LISTEN TARGET         # Unix sockets; `refuse`, `freeze`, `swallow`, `pass_on`
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

Address: TypeAlias = Path | int
"""A Unix socket, or a port of 127.0.0.1; port 0 to listen at is any free one (see `Proxy.port`)."""

AT_ONCE = 65536


class Proxy:
    """Listens at `listen` as long as the block lasts and connects each connection to `target`."""

    def __init__(self, listen: Address, target: Address) -> None:
        self._listen, self._target = listen, target
        self.lost = 0
        """Connections that were swallowed."""
        self._moving = asyncio.Event()
        self._moving.set()
        self._swallow_after: int | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pairs: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        assert isinstance(self._listen, int)
        return self._listen

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.refuse()
        for pair in self._pairs:
            pair.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def pass_on(self) -> None:
        """Work: what was frozen flows on, what was swallowed is gone, new connections are taken."""
        self._swallow_after = None
        self._moving.set()
        await self._open()

    async def refuse(self) -> None:
        """Cut every connection and take no new one."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def freeze(self) -> None:
        """Connections stay, new ones are taken, and not a byte moves until it passes again."""
        self._moving.clear()

    async def swallow(self, after: int = 0) -> None:
        """Lose all that is sent, both ways, once `after` more bytes have gone to the target."""
        self._swallow_after = after

    async def _open(self) -> None:
        if self._server is not None:
            return
        if isinstance(self._listen, Path):
            self._listen.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, self._listen)
            self._listen.chmod(0o777)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._listen)
            self._listen = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pairs.add(task)
        try:
            await self._join(reader, writer)
        except* (OSError, asyncio.CancelledError):
            pass  # one side is gone, or the proxy ends: the other side has learnt it by now
        finally:
            self._pairs.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        try:
            if isinstance(self._target, Path):
                far_reader, far_writer = await asyncio.open_unix_connection(self._target)
            else:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            ends.add(far_writer)
            self._writers |= ends
            lost = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, far_writer, lost, counted=True))
                group.create_task(self._carry(far_reader, writer, lost, counted=False))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event, *, counted: bool
    ) -> None:
        while data := await reader.read(AT_ONCE):
            await self._moving.wait()
            if self._swallow_after is not None and not lost.is_set():
                passing = data[: self._swallow_after] if counted else data
                if counted:
                    self._swallow_after -= len(passing)
                if self._swallow_after == 0:
                    lost.set()
                    self.lost += 1
                    writer.write(passing)
                    continue
            if not lost.is_set():
                writer.write(data)
                await writer.drain()
        if lost.is_set():  # the end of a lost connection is not heard at the other side either
            await asyncio.get_running_loop().create_future()
        writer.write_eof()


async def _obey(listen: Path, target: Path) -> None:
    """Do as standard input says, until it ends."""
    words = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    async with Proxy(listen, target) as proxy:
        sys.stdout.write("pass_on\n")
        sys.stdout.flush()
        orders = {"pass_on": proxy.pass_on, "refuse": proxy.refuse, "freeze": proxy.freeze, "swallow": proxy.swallow}
        while word := (await words.readline()).decode().strip():
            await orders[word]()
            sys.stdout.write(f"{word}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_obey(Path(sys.argv[1]), Path(sys.argv[2])))
