"""A mystery caller: walks a script on a real call, and knows what it heard by its sound alone. Nobody at the hotline is asked.

    report = await walk(CallPlan(to="12333"), script, clips)

The call ends with the script, or at the first sentence that is not the one to come: what is heard from there on
would be judged by a place where the caller is not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from calls.clock import Clock, Instant, SystemClock, ms_between
from cti.phone.baresip import Phone
from cti.phone.ears import Ears, Sentence
from cti.phone.events import Closed, Established
from cti.phone.places import Identity
from cti.phone.plan import CallPlan
from cti.phone.script import ANY, Script, ScriptStep
from cti.phone.walkreport import Stumble, WalkReport, WalkStep
from cti.phone.wire import PhoneFailed
from prompts.hearing import Clips

LISTEN_S = 0.1
SAME_MS = 300
"""Two sentences never begin so near each other: it is one, known better by now."""


class Stumbled(Exception):
    """The script cannot be gone on with."""

    def __init__(self, why: Stumble, heard: Sentence | None = None) -> None:
        super().__init__(why)
        self.why, self.heard = why, heard


async def walk(plan: CallPlan, script: Script, clips: Clips, turn: Turn | None = None) -> WalkReport:
    """Place the call and walk the script. Of the plan: whom to call, from which number, and how long at most.

    Raises PhoneFailed when there is no baresip or it died."""
    identity = Identity(user=plan.calling_number, server=plan.server)
    async with Phone(identity, longest_call_s=plan.max_s) as phone:
        return await Walker(plan, phone, Ears(clips), SystemClock(), turn).walk(script)


class Turn:
    """What follows one step of a script is for a few callers at once: whoever comes there waits for a turn, and keeps it.

    So a hundred callers may walk through the menus, and no more than a few of them make a seat ring."""

    def __init__(self, turns: asyncio.Semaphore, at: int) -> None:
        self._turns, self._at = turns, at
        self._taken = False

    async def reached(self, place: int) -> None:
        """The caller is about to do the step at `place`."""
        if place == self._at:
            await self._turns.acquire()
            self._taken = True

    def over(self) -> None:
        """The caller has hung up."""
        if self._taken:
            self._turns.release()


class Walker:
    """One call as a mystery caller knows it."""

    def __init__(self, plan: CallPlan, phone: Phone, ears: Ears, clock: Clock, turn: Turn | None = None) -> None:
        self._plan, self._phone, self._ears, self._clock, self._turn = plan, phone, ears, clock, turn
        self._began = Instant(0)
        self._samples = 0
        self._connected_ms: int | None = None
        self._closed = ""
        self._news = asyncio.Event()
        self._steps: list[WalkStep] = []
        self._heard_until_ms = -2 * SAME_MS
        """When the last sentence began that a step has heard, or passed over."""

    async def walk(self, script: Script) -> WalkReport:
        """All of it, and the report."""
        self._began = self._clock.now()
        stumble: Stumble | None = None
        await self._phone.dial(f"sip:{self._plan.to}@{self._plan.server}")
        around = [asyncio.create_task(work) for work in (self._follow_phone(), self._listen())]
        try:
            async with asyncio.timeout(self._plan.max_s):
                await self._until_connected()
                for place, step in enumerate(script.steps):
                    await self._do(place, step)
        except Stumbled as stumbled:
            stumble = stumbled.why
        except TimeoutError:
            stumble = "too_long"
        finally:
            with contextlib.suppress(PhoneFailed):  # there is no call any more
                await self._phone.hangup()
            if self._turn:
                self._turn.over()
            for task in around:
                task.cancel()
            outcomes = await asyncio.gather(*around, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        self._hear()
        self._ears.finish()
        return self._report(stumble, script)

    # -- what the phone notices

    async def _follow_phone(self) -> None:
        async for event in self._phone.events():
            match event:
                case Established():
                    self._connected_ms = ms_between(self._began, event.at)
                case Closed(reason=reason):
                    self._closed = reason or "closed"
                case _:
                    continue
            self._tell()
        self._closed = self._closed or "the phone's program ended"
        self._tell()

    async def _listen(self) -> None:
        while True:
            self._hear()
            self._tell()
            await asyncio.sleep(LISTEN_S)

    def _hear(self) -> None:
        fresh = self._phone.heard(self._samples)
        self._samples += len(fresh)
        self._ears.hear(fresh, self._now_ms())

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    # -- what the caller does

    async def _until_connected(self) -> None:
        while self._connected_ms is None:
            if self._closed:
                raise Stumbled("not_answered")
            await self._news.wait()

    async def _do(self, place: int, step: ScriptStep) -> None:
        if self._turn:
            await self._turn.reached(place)
        began_ms = self._now_ms()
        done = WalkStep(at_ms=began_ms, took_ms=0)
        try:
            if step.key:
                await self._press(step.key)
                done = WalkStep(at_ms=began_ms, took_ms=0, keyed=step.key if len(step.key) == 1 else "…")
            elif step.wait_s:
                await asyncio.sleep(step.wait_s)
                done = WalkStep(at_ms=began_ms, took_ms=0, waited=True)
            else:
                done = _heard(await self._next(step), began_ms, step.wanted)
        except Stumbled as stumbled:
            done = _heard(stumbled.heard, began_ms, step.wanted, self._now_ms())
            raise
        finally:
            self._steps.append(done)

    async def _press(self, keys: str) -> None:
        try:
            for key in keys:
                await self._phone.key(key)
        except PhoneFailed:
            raise Stumbled("hung_up") from None  # there are no keys without a call

    async def _next(self, step: ScriptStep) -> Sentence:
        """The sentence that the step waits for. Raises Stumbled, with what was heard instead if anything was."""
        try:
            async with asyncio.timeout(step.within_s):
                while (sentence := self._fitting(step)) is None:
                    if self._closed:
                        raise Stumbled("hung_up")
                    await self._news.wait()
        except TimeoutError:
            raise Stumbled("not_heard") from None
        while step.to_end and not self._closed and _same(sentence, self._ears.hearing):
            await self._news.wait()
        return next((each for each in self._ears.heard if _same(each, sentence)), sentence)

    def _fitting(self, step: ScriptStep) -> Sentence | None:
        """The first new sentence that fits the step. Raises Stumbled when one comes before that does not belong there."""
        for sentence in (*self._ears.heard, *filter(None, [self._ears.hearing])):
            if sentence.began_ms <= self._heard_until_ms + SAME_MS:
                continue
            self._heard_until_ms = sentence.began_ms
            if (ANY in step.wanted or _is_one_of(sentence, step.wanted)) and step.language in (None, sentence.language):
                return sentence
            if not (_is_one_of(sentence, step.passing) or ANY in step.passing):
                raise Stumbled("other_words", sentence)
        return None

    def _now_ms(self) -> int:
        return ms_between(self._began, self._clock.now())

    # -- what is told afterwards

    def _report(self, stumble: Stumble | None, script: Script) -> WalkReport:
        return WalkReport(
            completed=stumble is None,
            reason=stumble,
            to=self._plan.to,
            calling_number=self._plan.calling_number,
            sip_call_id=self._phone.call_id,
            connected_ms=self._connected_ms,
            lasted_ms=self._now_ms(),
            closed=self._closed,
            steps=tuple(self._steps),
            steps_left=len(script.steps) - len(self._steps),
            heard=tuple(self._ears.heard),
        )


def _is_one_of(sentence: Sentence, keys: Iterable[str]) -> bool:
    return not set(sentence.keys).isdisjoint(keys)


def _same(one: Sentence, other: Sentence | None) -> bool:
    return other is not None and one.keys == other.keys and abs(one.began_ms - other.began_ms) < SAME_MS


def _heard(sentence: Sentence | None, began_ms: int, wanted: tuple[str, ...], gave_up_ms: int = 0) -> WalkStep:
    """A step that waited for a sentence, from `began_ms` until it began, or nothing came until `gave_up_ms`."""
    at_ms = sentence.began_ms if sentence else gave_up_ms
    return WalkStep(at_ms=at_ms, took_ms=max(0, at_ms - began_ms), wanted=wanted, heard=sentence)
