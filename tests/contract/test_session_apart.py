"""The machine asks on an adviser's behalf, on the fake Asterisk: in which order, and when it will not."""

from __future__ import annotations

import pytest

from calls.errors import NotPossible
from calls.facts import AssistedIdentification
from tests.contract.hotline_on_fake import ADVISER, LINE, SEAT, Calls
from tests.contract.steps import talking
from tests.eventually import eventually

NUMBER, PIN = "990101195003070017", "246810"


@pytest.mark.parametrize("way", ["by command", "by keys"])
async def test_nothing_is_asked_before_both_are_apart_and_nothing_is_recorded(calls: Calls, way: str) -> None:
    caller = await talking(calls)
    seat = calls.leg()
    (bridge,) = calls.fake.bridges
    if way == "by command":
        calls.node.verify(SEAT)
    else:
        for key in "5*9":
            calls.fake.dtmf(seat, key)
    await _keys(calls, caller, "id.ask", NUMBER)
    await _keys(calls, caller, "pin.ask", PIN)
    told = await calls.told(AssistedIdentification)

    assert (told.outcome, told.seat, told.adviser) == ("unavailable", SEAT, ADVISER)  # there is no business system here
    done = _done(calls)
    apart, again = done[: done.index("assist.begin")], done[done.index("assist.back") :]
    stopped = {f"{leg} stop-recording s" for leg in (caller, seat)}
    assert stopped <= set(apart[apart.index("removeChannel") :])
    begun = {f"{leg} start-recording {caller}.1.{side}.2" for leg, side in ((caller, "caller"), (seat, "seat"))}
    assert begun <= set(again[: again.index("addChannel")])
    assert "assist.not_verified" in done
    assert set(calls.fake.bridges[bridge].channels) == {caller, seat}
    assert not calls.fake.legs[seat].music
    calls.fake.hangup(caller)
    await calls.ended()


async def test_who_talks_to_nobody_or_has_the_caller_on_hold_is_refused(calls: Calls) -> None:
    calls.sit()
    with pytest.raises(NotPossible, match=f"nobody is talking at seat {SEAT}"):
        calls.node.verify(SEAT)
    caller = await talking(calls)
    calls.fake.hold(calls.leg())
    await eventually(lambda: calls.floor.engine.seat(SEAT).state == "holding")
    with pytest.raises(NotPossible, match="the caller is on hold"):
        calls.node.verify(SEAT)
    calls.fake.hangup(caller)
    await calls.ended()
    assert calls.of(AssistedIdentification) == []


async def _keys(calls: Calls, caller: str, asked: str, digits: str) -> None:
    """Once this is asked: what was keyed before is no answer to it."""
    await eventually(lambda: asked in _done(calls))
    for digit in digits:
        calls.fake.dtmf(caller, digit)


def _done(calls: Calls) -> list[str]:
    """What was asked of Asterisk, in order, in short: what was said, sent through the dialplan, parted and joined."""
    words = ("id.ask", "pin.ask", "assist.begin", "assist.back", "assist.verified", "assist.not_verified")
    spoken = {",".join(calls.sounds.media(word, LINE.language)): word for word in words}
    found: list[str] = []
    for _, path, query in calls.fake.requests:
        if "/play/" in path:
            found.append(spoken.get(query["media"], "something else"))
        elif path.endswith("/continue"):
            found.append(f"{path.split('/')[2]} {query['context']} {query['extension']}")
        elif path.endswith(("/removeChannel", "/addChannel")):
            found.append(path.rpartition("/")[2])
    return found
