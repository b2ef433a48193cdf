"""A fuzzer at the door of a running hotline for as many messages as are wanted: `python -m tests.soak.fuzz_sip --help`.

    HOTLINE_PORT_OFFSET=6000 .venv/bin/python -m tests.soak.fuzz_sip --messages 50000 --seed 7

It starts a hotline of its own. While the messages come, an adviser and a citizen talk and are listened to again and again. It
ends with 1, naming the seed and the last messages, when Asterisk dies, falls silent or loses the conversation, or when a call
is in one book only. The messages are those of `tests/asterisk/sipfuzz.py`: the same seed spoils in the same ways.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice

from calls.facts import SeatAnswered
from cti.stack.supervisor import Supervisor
from tests.asterisk.hotline import PORT_OFFSET, Hotline, running_hotline
from tests.asterisk.malformed import peer
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.asterisk.sipfuzz import mutations
from tests.figures import tell

ROUND = 1000
"""Messages between two looks whether all is well; a call of baresip's lasts no longer than that takes."""

REMEMBERED = 20


class HarmDoneError(Exception):
    """What the fuzzer was looking for; the text says what, and with which messages."""


def asterisk_pid(hotline: Hotline) -> int:
    return next(program.pid for program in Supervisor(hotline.settings).programs() if program.name == "asterisk")


async def one_round(hotline: Hotline, messages: Iterator[bytes]) -> int:
    """One conversation, and the messages that came meanwhile. Raises HarmDoneError."""
    asterisk, sent = asterisk_pid(hotline), 0
    last: deque[bytes] = deque(maxlen=REMEMBERED)
    try:
        async with hotline.adviser("1004", "8004") as seat, hotline.caller("2") as caller, peer(hotline.server) as wire:
            await caller.saw(SeatAnswered)
            for message in messages:
                last.append(message)
                await wire.say(message)
                sent += 1
            heard = hears(await listen(caller.phone), SEAT_HZ), hears(await listen(seat), CITIZEN_HZ)
            await caller.leave()
        await hotline.nothing_left()
    except (TimeoutError, AssertionError) as error:
        raise HarmDoneError(f"{error!r}; the last messages were {list(last)}") from error
    if heard != (True, True) or asterisk_pid(hotline) != asterisk:
        raise HarmDoneError(
            f"heard by caller and seat: {heard}; Asterisk was {asterisk}, is {asterisk_pid(hotline)}; {list(last)}"
        )
    return sent


async def fuzz(hotline: Hotline, seed: int, count: int) -> None:
    """All rounds. Raises HarmDoneError."""
    messages, sent, began = mutations(hotline.server, random.Random(seed), count), 0, time.monotonic()
    while sent < count:
        sent += await one_round(hotline, islice(messages, min(ROUND, count - sent)))
        tell(f"SIP fuzzer, seed {seed}: messages sent", sent)
    tell("SIP fuzzer: calls in the books", len(hotline.call_records()))
    tell("SIP fuzzer: took", time.monotonic() - began, "s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with running_hotline(PORT_OFFSET) as hotline:
        try:
            asyncio.run(fuzz(hotline, asked.seed, asked.messages))
        except HarmDoneError as error:
            sys.stderr.write(f"seed {asked.seed}: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
