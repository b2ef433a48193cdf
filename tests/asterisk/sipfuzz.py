"""A fuzzer of SIP messages: valid ones, spoiled one to four times; the same seed spoils in the same ways.

    for message in mutations(server, random.Random(4475), 400):
        await wire.say(message)

The seeds are a call, its neighbours and the messages of RFC 4475. To add a way of spoiling: a function in `WAYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from tests.asterisk.malformed import invite, tolerated
from tests.asterisk.rfc4475 import tortures

LARGEST = 60_000
"""Bytes in a datagram; a little more and the machine refuses to send it."""

METHODS = (
    "INVITE",
    "OPTIONS",
    "REGISTER",
    "BYE",
    "CANCEL",
    "ACK",
    "UPDATE",
    "REFER",
    "SUBSCRIBE",
    "NOTIFY",
    "INFO",
    "PRACK",
)
WORDS = (
    b"%s%n",
    b"\x00",
    b"\xff",
    b"-1",
    b"4294967296",
    b"99999999999999999999",
    b";;",
    b"<<",
    b'"',
    b"${EXTEN}",
    b"\r\n ",
    b"\r\n",
)

Way = Callable[[bytes, Random], bytes]


def mutations(server: str, dice: Random, count: int) -> Iterator[bytes]:
    """So many messages, each another."""
    for _ in range(count):
        seeds = [invite(server, method=method) for method in METHODS]
        seeds += [each.raw for each in tortures(server)]
        seeds += tolerated(server).values()
        message = dice.choice(seeds)
        for _ in range(dice.randint(1, 4)):
            message = dice.choice(WAYS)(message, dice)
        yield message[:LARGEST]


def flipped(message: bytes, dice: Random) -> bytes:
    """A few bits are another."""
    spoiled = bytearray(message)
    for _ in range(dice.randint(1, 8) if spoiled else 0):
        spoiled[dice.randrange(len(spoiled))] ^= 1 << dice.randrange(8)
    return bytes(spoiled)


def dropped(message: bytes, dice: Random) -> bytes:
    """A line is missing."""
    lines = message.split(b"\r\n")
    del lines[dice.randrange(len(lines))]
    return b"\r\n".join(lines)


def repeated(message: bytes, dice: Random) -> bytes:
    """A line is there many times."""
    lines = message.split(b"\r\n")
    number = dice.randrange(len(lines))
    return b"\r\n".join([*lines[:number], *[lines[number]] * dice.choice((2, 3, 50, 500)), *lines[number + 1 :]])


def shuffled(message: bytes, dice: Random) -> bytes:
    """The lines stand in another order."""
    lines = message.split(b"\r\n")
    dice.shuffle(lines)
    return b"\r\n".join(lines)


def other_length(message: bytes, dice: Random) -> bytes:
    """The body is said to be longer or shorter than it is."""
    number = dice.choice((b"0", b"1", b"-1", b"65536", b"4294967295", b"1e9", b""))
    head, found, rest = message.partition(b"Content-Length: ")
    return head + found + number + rest.lstrip(b"0123456789-") if found else message


def swollen(message: bytes, dice: Random) -> bytes:
    """One place grows beyond all measure."""
    place = dice.randrange(len(message) + 1)
    return (
        message[:place]
        + dice.choice((b"A", b";", b"(", b"\x00", b"1", b"\r\n")) * dice.choice((300, 5000, 40_000))
        + message[place:]
    )


def cut(message: bytes, dice: Random) -> bytes:
    """The end is missing."""
    return message[: dice.randrange(len(message) + 1)]


def word(message: bytes, dice: Random) -> bytes:
    """Something that programs choke on stands in one place."""
    place = dice.randrange(len(message) + 1)
    return message[:place] + dice.choice(WORDS) + message[place:]


def spliced(message: bytes, dice: Random) -> bytes:
    """A piece of it stands in another place, too."""
    start, end = sorted(dice.randrange(len(message) + 1) for _ in range(2))
    place = dice.randrange(len(message) + 1)
    return message[:place] + message[start:end] + message[place:]


WAYS: tuple[Way, ...] = (flipped, dropped, repeated, shuffled, other_length, swollen, cut, word, spliced)
