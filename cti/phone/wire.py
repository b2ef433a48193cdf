"""baresip's control connection: one JSON object a netstring (`12:{"a":"bcde"},`) over TCP.

A command carries a token and its answer carries it back; everything else is an event. The bytes are cut by
`Netstrings`, which knows no socket; the connection is `Control`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from calls.errors import RexianError

COMMAND_S = 5.0
"""A phone answers within a millisecond; one that has not by now is frozen or dead."""

MAX_NETSTRING = 1_000_000


class PhoneFailed(RexianError):
    """The phone's program cannot be started, has ended, or refuses a command; the sentence says which and the mend."""


class Netstrings:
    """Cuts a stream of bytes into netstrings."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The netstrings that `data` completes. Raises PhoneFailed when the stream holds anything else."""
        self._buffer += data
        found = []
        while (colon := self._buffer.find(b":")) != -1:
            digits = bytes(self._buffer[:colon])
            if not digits.isdigit() or int(digits) > MAX_NETSTRING:
                raise PhoneFailed(f"a netstring cannot begin with {digits[:20]!r}")
            end = colon + 1 + int(digits)
            if len(self._buffer) <= end:
                break
            if self._buffer[end : end + 1] != b",":
                raise PhoneFailed("a netstring must end with a comma")
            found.append(bytes(self._buffer[colon + 1 : end]))
            del self._buffer[: end + 1]
        return found


def netstring(payload: bytes) -> bytes:
    """`payload` with its length before it and a comma behind."""
    return b"%d:%s," % (len(payload), payload)


class Control:
    """The connection to one baresip. Events go to `on_event` as they come; `lost` is done when the program is gone."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_event: Callable[[dict[str, Any]], None]
    ) -> None:
        self._reader, self._writer, self._on_event = reader, writer, on_event
        self._tokens = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def run(self) -> None:
        """Read until the program closes the connection; then every command still waiting fails."""
        netstrings = Netstrings()
        try:
            while data := await self._reader.read(65536):
                for payload in netstrings.feed(data):
                    self._dispatch(msgspec.json.decode(payload))
        except ConnectionError:
            pass  # a killed phone resets the connection: the same end as a closed one
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(PhoneFailed("the phone's program ended before it answered a command"))

    async def command(self, name: str, parameters: str = "") -> str:
        """What the program answers to a command. Raises PhoneFailed when it refuses, ends or does not answer."""
        token = str(next(self._tokens))
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[token] = answer
        request = {"command": name, "params": parameters, "token": token}
        try:
            self._writer.write(netstring(msgspec.json.encode(request)))
            # Not wait_for: before Python 3.12 it forgets a cancellation that comes at the moment of the answer.
            async with asyncio.timeout(COMMAND_S):
                reply = await answer
        except (TimeoutError, ConnectionError) as error:
            raise PhoneFailed(f"the phone's program did not answer to {name!r} within {COMMAND_S:.0f} s") from error
        finally:
            del self._waiting[token]
        if not reply.get("ok"):
            raise PhoneFailed(f"the phone refused {name!r}: {str(reply.get('data', '')).strip()}")
        return str(reply.get("data", ""))

    def close(self) -> None:
        """Close the connection; the program goes on."""
        self._writer.close()

    def _dispatch(self, message: dict[str, Any]) -> None:
        if message.get("event"):
            self._on_event(message)
        elif (answer := self._waiting.get(str(message.get("token")))) and not answer.done():
            answer.set_result(message)
