"""How a call on the fake Asterisk comes to each of its steps, and where it stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from calls.facts import AdviserNumberSaid, NoticeHeard, QueueEntered, SeatAnswered
from calls.moments import RATING_MENU
from cti.asterisk.kept import KeptCall
from tests.contract.hotline_on_fake import ADVISER, CALLING, LINE, SEAT, Calls
from tests.eventually import eventually


async def in_notice(calls: Calls) -> str:
    calls.never_ends("notice")
    caller = calls.dial()
    await eventually(lambda: bool(calls.fake.legs[caller].playing))
    return caller


async def in_menu(calls: Calls) -> str:
    caller = calls.dial()
    await calls.until(lambda: "main" in calls.watch.asked)
    return caller


async def waiting(calls: Calls, key: str = "1", number: str = CALLING) -> str:
    """With an adviser who has a pause."""
    if not calls.fake.endpoints:
        calls.sit()
        calls.pause()
    before = len(calls.of(QueueEntered))
    caller = calls.dial(number=number)
    await calls.until(lambda: any(fact.call_id == caller and fact.whole for fact in calls.of(NoticeHeard)))
    calls.fake.dtmf(caller, key)
    await calls.told(QueueEntered, before + 1)
    await eventually(lambda: calls.fake.legs[caller].music)
    return caller


async def waiting_told(calls: Calls) -> str:
    """The word at the start of a wait, which lasts."""
    media = [*calls.sounds.media("queue.enter", LINE.language), calls.sounds.music]
    calls.fake.lasting.add(",".join(media))
    calls.sit()
    calls.pause()
    caller = await in_menu(calls)
    calls.fake.dtmf(caller, "1")
    await eventually(lambda: bool(calls.fake.legs[caller].playing))
    return caller


async def ringing(calls: Calls) -> str:
    calls.sit(phone="rings")
    caller = await in_menu(calls)
    calls.fake.dtmf(caller, "1")
    await eventually(lambda: any(leg.endpoint.endswith(SEAT) for leg in calls.fake.legs.values()))
    return caller


async def hearing_the_number(calls: Calls) -> str:
    """An adviser has answered, and the two do not hear each other yet; the sentence lasts."""
    calls.never_ends("seat.number", number=ADVISER)
    calls.sit()
    caller = await in_menu(calls)
    calls.fake.dtmf(caller, "1")
    await calls.told(SeatAnswered)
    await eventually(lambda: all(calls.fake.legs[name].playing for name in (caller, calls.leg())))
    return caller


async def talking(calls: Calls) -> str:
    calls.sit()
    caller = await in_menu(calls)
    calls.fake.dtmf(caller, "1")
    await calls.told(AdviserNumberSaid)
    return caller


async def rating(calls: Calls) -> str:
    caller = await talking(calls)
    calls.fake.hangup(calls.leg())
    await calls.until(lambda: RATING_MENU in calls.watch.asked)
    return caller


async def closing(calls: Calls) -> str:
    caller = await rating(calls)
    calls.fake.dtmf(caller, "5")
    await eventually(lambda: step(calls, caller) == "closing")
    return caller


def step(calls: Calls, caller: str) -> str | None:
    kept = calls.journal.get(f"call/{caller}", KeptCall)
    return kept.step if kept else None


def said_last(calls: Calls, prompt: str) -> bool:
    """Whether the last thing said to anybody was this."""
    media = [query["media"] for _, path, query in calls.fake.requests if "/play/" in path]
    return media[-1] == ",".join(calls.sounds.media(prompt, LINE.language))


STEPS: dict[str, tuple[Callable[[Calls], Awaitable[str]], str, str | None]] = {
    "notice": (in_notice, "abandoned_notice", None),
    "menu": (in_menu, "abandoned_menu", None),
    "queue": (waiting, "queued", "abandoned_waiting"),
    "ringing": (ringing, "queued", "abandoned_ringing"),
    "talking": (talking, "queued", "answered"),
    "rating": (rating, "queued", "answered"),
    "closing": (closing, "queued", "answered"),
}
"""Step -> how to come there, the call's outcome and its visit's, should the caller hang up there."""
