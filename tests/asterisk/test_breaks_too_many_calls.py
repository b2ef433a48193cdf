"""Too many calls: as many are carried as can be, the others are told so or refused, and who talks hears no difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from calls.facts import SeatAnswered
from recordings.listen import Samples, channels, dominant_hz, segments
from tests.asterisk.hotline import Caller, Hotline, running_hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, SippResult, hears, listen, sipp
from tests.figures import tell

pytestmark = pytest.mark.asterisk

PORT_OFFSET = 4000
MAX_CALLS, MAX_CHANNELS = 13, 16
"""One of them talks, the others come, stay for `STAY_MS` and go."""
STAY_MS = 2000
CAPACITY_PER_S = (MAX_CALLS - 1) / (STAY_MS / 1000)
MAX_CALLS_PER_S = 12
LONGEST_GAP_MS = 200
FULL, NO_ROOM = "too many calls at once", "too many calls"


@pytest.fixture(scope="module")
def small() -> Iterator[Hotline]:
    """A hotline with little room."""
    limits = {"max_calls": MAX_CALLS, "max_channels": MAX_CHANNELS, "max_calls_per_s": MAX_CALLS_PER_S}
    with running_hotline(PORT_OFFSET, **limits) as hotline:
        yield hotline


def longest_gap_ms(track: Samples, rate: int) -> int:
    """The longest time without sound between the first sound and the last."""
    heard = segments(track, rate, join_ms=0)
    return max((later - earlier for (_, earlier), (later, _) in pairwise(heard)), default=0)


async def crowd(hotline: Hotline, times: float, seconds: float) -> SippResult:
    """So many times what can be carried, for so long."""
    rate = times * CAPACITY_PER_S
    return await sipp("tries", hotline.server, rate=rate, calls=round(rate * seconds), talk_ms=STAY_MS, limit_s=90)


def goodput(carried: list[tuple[datetime, datetime]], last: datetime, places: int) -> float:
    """How much of the places was taken, from when enough had come to take them all until the `last` one came."""
    first = sorted(arrived for arrived, _ in carried)[places - 1]
    taken = sum((max(timedelta(), min(ended, last) - max(arrived, first)) for arrived, ended in carried), timedelta())
    return taken / (places * (last - first))


async def recording(hotline: Hotline, caller: Caller) -> Path:
    [(path,)] = await hotline.sql("SELECT path FROM recordings WHERE call_id = $1", caller.call_id)
    return hotline.recording(path)


async def test_at_three_times_the_load_as_many_are_carried_as_can_be(small: Hotline) -> None:
    async with small.adviser("1001", "8001") as seat, small.caller("1") as caller:
        await caller.saw(SeatAnswered)
        before = small.call_records()
        result = await crowd(small, 3, 6)
        assert hears(await listen(caller.phone), SEAT_HZ)
        assert hears(await listen(seat), CITIZEN_HZ)
        await caller.leave()
    await small.nothing_left()

    new = small.call_records() - before - {caller.call_id}
    rows = await small.sql(
        "SELECT outcome, refused_why, arrived_at, ended_at FROM calls WHERE call_id = ANY($1)", list(new)
    )
    refused = Counter(why for outcome, why, *_ in rows if outcome == "refused")
    carried = [(arrived, ended) for outcome, _, arrived, ended in rows if outcome != "refused"]
    good = goodput(carried, max(arrived for *_, arrived, _ in rows), MAX_CALLS - 1)
    owed = await small.sql("SELECT why, promised FROM callbacks_owed WHERE call_id = ANY($1)", list(new))
    tell("too many calls, three times the load: goodput", 100 * good, "% of capacity")
    tell(
        "too many calls: carried, told and owed a call back, refused by 503",
        f"{len(carried)}, {refused[FULL]}, {refused[NO_ROOM]}",
    )
    assert result.failed == 0, result.errors
    assert result.created == len(new) == len(rows) == len(carried) + refused.total()
    assert refused.keys() == {FULL, NO_ROOM}
    assert owed == [("too_many_calls", True)] * refused[FULL]
    assert good >= 0.9

    tracks, rate = channels(await recording(small, caller))
    gaps = [longest_gap_ms(track, rate) for track in tracks]
    tell("too many calls: longest gap in a conversation meanwhile", max(gaps), "ms")
    assert max(gaps) <= LONGEST_GAP_MS
    heard = [dominant_hz(track, rate) for track in tracks]
    assert heard == pytest.approx([CITIZEN_HZ, SEAT_HZ], abs=5)


async def test_in_a_flood_the_trunk_is_shut_and_not_one_call_is_uncounted(small: Hotline) -> None:
    before = small.call_records()
    result = await crowd(small, 12, 4)
    await small.nothing_left()

    new = small.call_records() - before
    rows = await small.sql("SELECT outcome, arrived_at, ended_at FROM calls WHERE call_id = ANY($1)", list(new))
    carried = [(arrived, ended) for outcome, arrived, ended in rows if outcome != "refused"]
    good = goodput(carried, max(arrived for _, arrived, _ in rows), MAX_CALLS)
    [(shut, turned_back)] = await small.sql(
        "SELECT count(*), sum((body->>'count')::int) FROM facts WHERE kind = 'calls_turned_back'"
    )
    tell("too many calls, twelve times the load: goodput", 100 * good, "% of capacity")
    tell("too many calls: refused with Retry-After before a channel was made", f"{turned_back} of {result.created}")
    assert result.failed == 0, result.errors
    assert len(rows) == len(new)
    assert shut >= 1
    assert result.created <= len(rows) + turned_back <= result.created + result.retransmitted
    assert good >= 0.9
