"""How many calls with real sound at once: every leg sends and receives 50 packets a second, and none may be lost.

Packets are counted by Asterisk itself, twice, some seconds apart: what was missing between two sequence numbers that arrived,
what arrived on one side of a bridge and did not leave on the other, and what an announcement should have sent and did not.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict

import msgspec

from benchmarks.hotlines import SEATS, Exchange
from benchmarks.load import call, seats
from benchmarks.scenarios import SEAT, citizen, hang_up, key, pause, seat, speak, wait_for_hang_up
from benchmarks.speed import KEY_MS

RAMP = 20.0
"""New calls a second, of each kind."""

SETTLE_S = 3.0
PACKETS_A_SECOND = 50
HIGHEST_LOSS = 0.001

LEAST_SENT = 0.98
"""Of what so many speakers should send; with less, the load was not what it says."""

_ROW = re.compile(r"^\s(\S{8}|\s{8}) (\S+)\s+\d\d:\d\d:\d\d \S+\s+(\d+)\s+(\d+)\s+\d+\s+\S+\s+(\d+)", re.MULTILINE)


class Leg(msgspec.Struct, frozen=True):
    """RTP packets of one channel; `bridge` is empty while it is in none."""

    bridge: str
    received: int
    missing: int
    sent: int


class Crowd(msgspec.Struct, frozen=True):
    """What came of so many conversations and announcements at once."""

    loss: float
    """Share of the packets, 0 to 1."""
    problems: tuple[str, ...]
    """Why it was not clean: calls that failed, people who were not there, packets lost."""


def legs(channelstats: str) -> dict[str, Leg]:
    """By channel, from what `pjsip show channelstats` prints."""
    found = {}
    for bridge, channel, received, missing, sent in _ROW.findall(channelstats):
        found[channel] = Leg(bridge.strip(), int(received), int(missing), int(sent))
    return found


def lost(before: dict[str, Leg], after: dict[str, Leg], seconds: float) -> float:
    """Share of the packets that were lost between two looks, so many seconds apart."""
    grown = {
        name: Leg(
            leg.bridge,
            leg.received - before[name].received,
            leg.missing - before[name].missing,
            leg.sent - before[name].sent,
        )
        for name, leg in after.items()
        if name in before
    }
    missing = sum(leg.missing for leg in grown.values())
    arrived = sum(leg.received for leg in grown.values())
    bridges: dict[str, list[Leg]] = defaultdict(list)
    for leg in grown.values():
        bridges[leg.bridge].append(leg)
    alone = bridges.pop("", [])
    passed_on = sum(leg.received - leg.sent for both in bridges.values() for leg in both)
    announced = sum(round(seconds * PACKETS_A_SECOND) - leg.sent for leg in alone)
    expected = arrived + missing + round(seconds * PACKETS_A_SECOND) * len(alone)
    return (missing + max(0, passed_on) + max(0, announced)) / expected if expected else 1.0


async def crowd(exchange: Exchange, conversations: int, announcements: int, window_s: float) -> Crowd:
    """So many conversations, recorded, and callers who hear an announcement, all at once and all speaking."""
    ramp_s = max(conversations, announcements) / RAMP + KEY_MS / 1000
    stay_ms = round(1000 * (ramp_s + 2 * SETTLE_S + window_s))
    before = await exchange.recordings()
    async with (
        seats(exchange, SEATS[: max(1, conversations)], seat(speak(), wait_for_hang_up(SEAT))),
        asyncio.TaskGroup() as group,
    ):
        calls = [
            group.create_task(
                call(
                    exchange,
                    citizen(speak(), pause(KEY_MS), key(digit), pause(stay_ms), hang_up()),
                    rate=RAMP,
                    calls=number,
                    place=place,
                )
            )
            for place, (digit, number) in enumerate((("1", conversations), ("2", announcements)))
            if number
        ]
        await asyncio.sleep(ramp_s + SETTLE_S)
        first, began = legs(await exchange.cli("pjsip show channelstats")), asyncio.get_running_loop().time()
        await asyncio.sleep(window_s)
        second, ended = legs(await exchange.cli("pjsip show channelstats")), asyncio.get_running_loop().time()
    await exchange.idle()
    made = await exchange.recordings() - before
    there = min(len(first), len(second))
    loss = lost(first, second, ended - began)
    failed = sum(task.result().failed for task in calls)
    heard = sum(leg.received - first[name].received for name, leg in second.items() if name in first)
    wanted = (2 * conversations + announcements) * (ended - began) * PACKETS_A_SECOND
    problems = {
        f"only {heard / wanted:.1%} of the packets were sent to Asterisk": heard < LEAST_SENT * wanted,
        f"{failed} calls failed": failed > 0,
        f"{there} legs instead of {2 * conversations + announcements}": there != 2 * conversations + announcements,
        f"{made} good recordings instead of {conversations}": made != conversations,
        f"{loss:.2%} of the packets lost": loss > HIGHEST_LOSS,
    }
    return Crowd(loss, tuple(problem for problem, true in problems.items() if true))
