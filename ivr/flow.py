"""A line from the welcome to the choice.

Read `run_line` top to bottom: it is what a caller hears. The menus themselves are data, in the line file; the three
keys that work everywhere are here, because callers must be able to rely on them: 0 a person, * once more and then slowly,
# one menu back. Whatever a caller keys or does not key, the way ends: with a person, not with a hang-up.
"""

from __future__ import annotations

from datetime import datetime, time
from itertools import count
from typing import Literal

from calls.clock import ms_between
from calls.facts import MenuOutcome, MenuStepTaken, NoticeHeard, ServiceUsed
from ivr.caller import Caller, Heard, Value
from ivr.hours import Hours
from ivr.line import AGAIN, BACK, PERSON, Choice, Line, Menu, Notice
from ivr.next import Finished, JoinQueue, Next, Reached
from ivr.rating import MachineRating
from ivr.served import WantsPerson
from ivr.services import FOR_PEOPLE, VOICE_MESSAGE, use
from ivr.slowly import slower
from ivr.window import Window

MOST_AGAIN = 5
"""Whoever wants one menu a sixth time is not helped by it: a person is."""

MOST_VISITS = 20
"""Menus entered in one call before a person takes over: far more than a choice needs, and nobody goes round forever."""

LANGUAGE_WAIT_S = 3.0
"""For the key of a language: short, since most callers wait it out."""

Way = Literal["back", "person", "gave_up", "leaves"]


async def run_line(window: Window, reached: Reached | None = None) -> Next:
    """Welcome, legal notice, menus; what is to follow. What `window.now` is after the notice decides whether it is open.

    With `reached`, the notice was heard and a controller has died since: the caller goes on from there.
    """
    line, caller = window.line, window.caller
    await (caller.say("interrupted") if reached else _open(window))
    reached = reached or Reached()
    now = window.now()
    is_open = line.is_open(now)
    menu = line.menu if is_open else line.night
    if not is_open and not (menu and reached.menus):
        await _say_closed(window, line.hours, now, is_last=menu is None)
        if menu is None:
            return Finished("closed")
    queue = await _choose_queue(window, menu, reached) if menu else line.person
    if queue is None:
        return Finished("served")
    hours = line.staffed(queue)
    if is_open and (hours == "always" or hours.is_open(now)):
        return JoinQueue(line.needs(queue, caller.language))
    if is_open:
        await _say_closed(window, hours, now, is_last=False)
    await caller.say("message.night")
    await use(VOICE_MESSAGE, window.for_(queue))
    await caller.say("goodbye")
    return Finished("closed")


async def _open(window: Window) -> None:
    """Welcome and legal notice, in the language that the caller chooses."""
    line, caller = window.line, window.caller
    caller.language = line.language
    await caller.say(line.welcome)
    await give_notice(line.notice, caller)
    if line.languages and await _chose_another_language(window):
        await give_notice(line.notice, caller)


async def give_notice(notice: Notice, caller: Caller) -> None:
    """It must be heard: it cannot be skipped, and keys pressed meanwhile answer nothing. Evidence is kept always."""
    began = caller.clock.now()
    heard: Heard | None = None
    try:
        heard = await caller.say(notice.prompt, skippable=False)
    finally:
        caller.record(
            NoticeHeard(
                call_id=caller.call_id,
                notice=notice.prompt,
                notice_version=notice.version,
                language=caller.language,
                heard_ms=heard.ms if heard else ms_between(began, caller.clock.now()),
                whole=heard is not None and heard.whole,
            )
        )
    caller.forget_keys()


async def _chose_another_language(window: Window) -> bool:
    """Offer each in its own words; whoever keys none of them goes on as before."""
    line, caller = window.line, window.caller
    for key, offered in line.languages.items():
        caller.language = offered.language
        if (await caller.say("language.offer", key=key)).key:
            break
    caller.language = line.language
    chosen = line.languages.get(await caller.key(LANGUAGE_WAIT_S) or "")
    caller.forget_keys()
    if chosen is None:
        return False
    caller.language = chosen.language
    return True


async def _say_closed(window: Window, hours: Literal["always"] | Hours, now_utc: datetime, *, is_last: bool) -> None:
    """That nobody is there, and when somebody will be; all of it where it `is_last`, because no key leads on from here."""
    assert hours != "always", "what is always open is never closed"
    line, caller = window.line, window.caller
    when: tuple[str, ...] = ()
    opening = hours.next_opening(now_utc)
    if opening:
        days = (opening.date() - now_utc.astimezone(opening.tzinfo).date()).days
        later = ("closed.next", f"month.{opening.month}", "closed.day")
        when = {0: ("closed.today",), 1: ("closed.tomorrow",)}.get(days, later)
    words = (line.closed, *when, *(("goodbye",) if is_last else ()))
    day, opens = (opening.day, opening.time()) if opening else (0, time())
    await caller.say(*words, skippable=not is_last, day=day, opens=opens)


async def _choose_queue(window: Window, first: str, reached: Reached) -> str | None:
    """The queue that the caller's keys lead to, through as many menus and services as it takes; None: leaves, being served."""
    line, caller, rating = window.line, window.caller, MachineRating(window)
    trail, chosen = _still_there(line, reached) or ([first], None)
    for _ in range(MOST_VISITS):
        way: Choice | Way = chosen or await _visit(window, trail[-1], rating)
        chosen = None
        if way == "back" and len(trail) == 1 and rating.due:
            way = await rating.ask() or "back"
        match way:
            case Choice(queue=str() as queue):
                return queue
            case Choice(menu=str() as menu):
                trail.append(menu)
            case Choice(name=name, say=str() as announcement):
                await _announce(window.for_(name), announcement)
            case Choice(name=name, service=str() as service):
                window.reach(Reached(tuple(trail), name))
                if person := await _person_after(window.for_(name), service, rating):
                    return person
            case "back":
                trail = trail[:-1] or trail
            case "leaves":
                return None
            case _:
                return line.person
        window.reach(Reached(tuple(trail)))
    await _give_up(trail[-1], 1, caller)
    return line.person


def _still_there(line: Line, reached: Reached) -> tuple[list[str], Choice | None] | None:
    """What was reached, in the line as it is now; None when its file was changed and there is no such place any more."""
    if not reached.menus or not all(menu in line.menus for menu in reached.menus):
        return None
    choices = line.menus[reached.menus[-1]].choices.values()
    return list(reached.menus), next((choice for choice in choices if choice.name == reached.choice), None)


async def _person_after(window: Window, service: str, rating: MachineRating) -> str | None:
    """Serve; the queue where a person has to go on, since the caller asks for one, or the machine could not do it."""
    try:
        outcome = await use(service, window)
    except WantsPerson as wants:
        return wants.queue or window.line.person
    if outcome == "done" and service not in FOR_PEOPLE:
        rating.served(service)
    return window.line.person if outcome in ("unavailable", "unknown") else None


async def _announce(window: Window, announcement: str) -> None:
    heard = await window.caller.say(announcement)
    window.caller.record(
        ServiceUsed(
            call_id=window.caller.call_id,
            service="say",
            about=window.about,
            outcome="done" if heard.whole else "gave_up",
            lasted_ms=heard.ms,
        )
    )


async def _visit(window: Window, name: str, rating: MachineRating) -> Choice | Way:
    """One menu, until the caller has chosen, wants to leave it, or has run out of tries.

    Whoever says nothing more, being served, is asked for a rating in place of one try: a person comes no later for it.
    """
    line, caller = window.line, window.caller
    menu, failed, again, in_a_row = line.menus[name], 0, 0, 0
    prompt = menu.prompt or "menu.own"
    asked: dict[str, Value] = {"words": line.words(menu.words, caller.language)} if menu.words else {}
    excuse: tuple[str, ...] = ()
    for attempt in count(1):
        began = caller.clock.now()
        await caller.say(*excuse, prompt, skippable=True, **asked)
        outcome, choice = _meaning(menu, await caller.key(window.key_wait_s))
        waited_ms = ms_between(began, caller.clock.now())
        _record(caller, name, attempt, outcome, choice=choice, waited_ms=waited_ms)
        if choice:
            return choice
        if outcome in ("back", "person"):
            return outcome
        if outcome == "again":
            again, in_a_row = again + 1, in_a_row + 1
            excuse = slower(caller, in_a_row, name)
        else:
            failed, in_a_row = failed + 1, 0
            excuse = (f"key.{outcome}",)
            caller.forget_keys()
            if outcome == "missing" and rating.due and failed < line.tries:
                if answer := await rating.ask():
                    return answer
                failed += 1
        if failed == line.tries or again > MOST_AGAIN:
            await _give_up(name, attempt, caller)
            break
    return "gave_up"


def _meaning(menu: Menu, key: str | None) -> tuple[MenuOutcome, Choice | None]:
    """What a key says in this menu."""
    if key is None:
        return "missing", None
    if choice := menu.choices.get(key):
        return "chosen", choice
    everywhere: dict[str, MenuOutcome] = {PERSON: "person", AGAIN: "again", BACK: "back"}
    return everywhere.get(key, "wrong"), None


async def _give_up(menu: str, attempt: int, caller: Caller) -> None:
    _record(caller, menu, attempt, "gave_up")
    await caller.say("key.three_tries")


def _record(
    caller: Caller, menu: str, attempt: int, outcome: MenuOutcome, *, choice: Choice | None = None, waited_ms: int = 0
) -> None:
    caller.record(
        MenuStepTaken(
            call_id=caller.call_id,
            menu=menu,
            attempt=attempt,
            outcome=outcome,
            choice=choice.name if choice else None,
            waited_ms=waited_ms,
        )
    )
