"""Many times the calls that can be carried, and what became of each of them while somebody talks.

    python -m tests.soak.overload --seconds 60 --times 3

The long form runs at the limits that settings have by themselves; `overload` is the same for the tests, with little room.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated

import msgspec
import typer

from calls.facts import SeatAnswered
from cti.settings import Settings
from recordings.listen import Samples, channels, dominant_hz, segments
from tests.asterisk.hotline import Caller, Hotline, running_hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, SippResult, hears, listen, sipp
from tests.figures import tell

FULL, TOO_FAST, NO_ROOM = "too many calls at once", "too many calls in one second", "too many calls"
TONE_HZ = 5.0
"""How far a recorded tone may be from the one that was said."""
LONGEST_GAP_MS = 500
"""In which a word is lost. What is less is a figure: the machine that calls may be as busy as the one that is called."""
GOODPUT = 0.9
STAY_MS = 9000


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the calls, and of the conversation."""

    sent: SippResult
    records: int
    """In Asterisk's own call records."""
    rows: int
    carried: int
    told: int
    """Heard that they are owed a call."""
    owed: int
    refused: int
    """By 503, with a row each."""
    turned_back: int
    """By 503 with Retry-After, before there was anything to make a row of."""
    goodput: float
    """How much of the places was taken, from when enough had come to take them all until the last one came."""
    gap_ms: int
    """The longest in the conversation's recording, of both sides."""
    heard_hz: tuple[float, float]
    """What the caller and the adviser said, in it."""

    @property
    def broken(self) -> list[str]:
        """What must not be so; empty when all is well."""
        counted = self.rows + self.turned_back
        laws = {
            f"{self.sent.failed} calls went otherwise than a call may: {self.sent.errors}": self.sent.failed == 0,
            f"{self.records} call records, {self.rows} rows": self.records == self.rows,
            f"{self.sent.created} calls, {counted} counted": 0
            <= counted - self.sent.created
            <= (self.sent.retransmitted if self.turned_back else 0),
            "a row of another kind": self.rows == self.carried + self.told + self.refused,
            f"{self.told} told, {self.owed} owed a call": self.told == self.owed,
            f"goodput {self.goodput:.3f}": self.goodput >= GOODPUT,
            f"a gap of {self.gap_ms} ms": self.gap_ms <= LONGEST_GAP_MS,
            f"heard {self.heard_hz}": all(
                abs(heard - said) < TONE_HZ for heard, said in zip(self.heard_hz, (CITIZEN_HZ, SEAT_HZ), strict=True)
            ),
        }
        return [law for law, kept in laws.items() if not kept]

    def figures(self, name: str) -> None:
        """Tell them."""
        tell(f"{name}: goodput", 100 * self.goodput, "% of capacity")
        kinds = f"{self.carried} carried, {self.told} told and owed a call, {self.refused} refused by 503"
        tell(f"{name}: of {self.sent.created} calls", f"{kinds}, {self.turned_back} by 503 with Retry-After")
        tell(f"{name}: longest gap in a conversation meanwhile", self.gap_ms, "ms")


async def overload(hotline: Hotline, *, times: float, seconds: float, stay_ms: int) -> Outcome:
    """So many times what can be carried, for so long, while one citizen and one adviser talk."""
    places = hotline.settings.max_calls - 1
    rate = times * places / (stay_ms / 1000)
    began = await now(hotline)
    async with hotline.adviser("1001", "8001") as seat, hotline.caller("1") as caller:
        await caller.saw(SeatAnswered)
        before = hotline.call_records()
        sent = await sipp(
            "tries", hotline.server, rate=rate, calls=round(rate * seconds), talk_ms=stay_ms, limit_s=seconds + 90
        )
        heard = await asyncio.gather(listen(caller.phone), listen(seat))
        assert [hears(*each) for each in zip(heard, (SEAT_HZ, CITIZEN_HZ), strict=True)] == [True, True]
        await caller.leave()
    await hotline.nothing_left()
    new = hotline.call_records() - before - {caller.call_id}
    return await _outcome(hotline, caller, sent, new, began, places)


async def now(hotline: Hotline) -> datetime:
    [(at,)] = await hotline.sql("SELECT now()")
    assert isinstance(at, datetime)
    return at


async def _outcome(
    hotline: Hotline, caller: Caller, sent: SippResult, new: set[str], began: datetime, places: int
) -> Outcome:
    rows = await hotline.sql(
        "SELECT outcome, refused_why, arrived_at, ended_at FROM calls WHERE call_id = ANY($1)", list(new)
    )
    refused = Counter(why for outcome, why, *_ in rows if outcome == "refused")
    carried = [(arrived, ended) for outcome, _, arrived, ended in rows if outcome != "refused"]
    [(owed,)] = await hotline.sql(
        "SELECT count(*) FROM callbacks_owed WHERE call_id = ANY($1) AND why = 'too_many_calls' AND promised", list(new)
    )
    [(turned_back,)] = await hotline.sql(
        "SELECT coalesce(sum((body->>'count')::int), 0) FROM facts WHERE kind = 'calls_turned_back' AND at > $1", began
    )
    [(path,)] = await hotline.sql("SELECT path FROM recordings WHERE call_id = $1", caller.call_id)
    (left, right), hz = channels(hotline.recording(path))
    return Outcome(
        sent=sent,
        records=len(new),
        rows=len(rows),
        carried=len(carried),
        told=refused[FULL] + refused[TOO_FAST],
        owed=owed,
        refused=refused[NO_ROOM],
        turned_back=turned_back,
        goodput=_goodput(carried, max(arrived for *_, arrived, _ in rows), places),
        gap_ms=max(_longest_gap_ms(track, hz) for track in (left, right)),
        heard_hz=(dominant_hz(left, hz), dominant_hz(right, hz)),
    )


def _goodput(carried: list[tuple[datetime, datetime]], last: datetime, places: int) -> float:
    first = sorted(arrived for arrived, _ in carried)[places - 1]
    taken = sum((max(timedelta(), min(ended, last) - max(arrived, first)) for arrived, ended in carried), timedelta())
    return taken / (places * (last - first))


def _longest_gap_ms(track: Samples, rate: int) -> int:
    """The longest time without sound between the first sound and the last."""
    heard = segments(track, rate, join_ms=0)
    return max((later - earlier for (_, earlier), (later, _) in pairwise(heard)), default=0)


def main(
    seconds: Annotated[float, typer.Option(help="how long callers come")] = 60,
    times: Annotated[float, typer.Option(help="how many times what can be carried")] = 3,
    port_offset: Annotated[int, typer.Option(help="of the hotline's ports")] = 4000,
) -> None:
    """Overload a hotline at the limits that settings have by themselves."""
    real = Settings()
    limits = {name: getattr(real, name) for name in ("max_calls", "max_channels", "max_calls_per_s")}
    with running_hotline(port_offset, **limits) as hotline:
        outcome = asyncio.run(overload(hotline, times=times, seconds=seconds, stay_ms=STAY_MS))
    outcome.figures(f"too many calls, {times:g} times the load")
    for law in outcome.broken:
        tell("broken", law)
    raise typer.Exit(bool(outcome.broken))


if __name__ == "__main__":
    typer.run(main)
