"""A synthetic citizen: one whole call to a hotline over real SIP, by a plan, and the report of it.

A person keys when a prompt has ended, and a script cannot hear that. So the controller is watched beside the call
(`plan.Watch`). What was heard is measured at the phone all the same: the controller's word is never taken for sound.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import msgspec

from calls.clock import Clock, Instant, SystemClock, ms_between
from calls.errors import RexianError
from calls.facts import AnyFact, CallArrived, CallEnded, CallRefused, EndedBy, Fact, RatingKeyed, SeatAnswered, Stamped
from calls.moments import RATING_MENU, AwaitingKey, MenuStarted, Observation
from cti.phone.baresip import Packets, Phone
from cti.phone.events import Closed, Established, Ringing
from cti.phone.places import RATE_HZ, Identity
from cti.phone.plan import CallPlan, Watch
from cti.phone.report import CallReport, Shortfall, Sound, Step
from cti.phone.sound import Timeline, from_file, silence
from cti.phone.wire import PhoneFailed
from recordings.listen import dominant_hz, level_dbfs, segments

F = TypeVar("F", bound=Fact)

LISTEN_S = 0.05
COUNT_PACKETS_EVERY = 10
"""Listenings; so the last half second may be missing."""

SETTLE_S = 3.0
"""How long after the hang-up the controller may take to tell the end of the call."""


async def call(plan: CallPlan, watch: Watch) -> CallReport:
    """Place the call and see it through.

    Raises PhoneFailed (no baresip, it died), NotPossible (unreadable WAV), and what `watch` raises of our own errors.
    """
    microphone = from_file(plan.say) if plan.say else silence(1)
    identity = Identity(user=plan.calling_number, server=plan.server)
    async with Phone(identity, microphone=microphone, longest_call_s=plan.max_s + SETTLE_S) as phone:
        citizen = Citizen(plan, phone, SystemClock())
        try:
            await citizen.call(watch)
        except ExceptionGroup as failures:
            if ours := failures.subgroup(RexianError):
                raise ours.exceptions[0] from None
            raise
        return citizen.report()


class Citizen:
    """One call as the citizen knows it. `call` places it and returns when it is over; then `report` is whole."""

    def __init__(self, plan: CallPlan, phone: Phone, clock: Clock) -> None:
        self._plan, self._phone, self._clock = plan, phone, clock
        self._began = self._ended = Instant(0)
        self._steps: list[Step] = []
        self._facts: list[AnyFact] = []
        self._ears = Timeline()
        self._samples = 0
        self._packets = Packets(0, 0)
        self._keyed = 0
        self._rated = False
        self._wants_to_leave = False
        self._too_long = False
        self._connected, self._closed, self._leave, self._told = (asyncio.Event() for _ in range(4))
        self._timers: list[asyncio.TimerHandle] = []

    async def call(self, watch: Watch) -> None:
        """Dial, do what the plan says, hang up or be hung up on, and hear the controller out."""
        plan = self._plan
        self._began = self._clock.now()
        sip_call_id = await self._phone.dial(f"sip:{plan.to}@{plan.server}")
        try:
            self._later(plan.max_s, self._give_up)
            if plan.hang_up_after_s is not None:
                self._later(plan.hang_up_after_s, self._say_goodbye)
            async with asyncio.TaskGroup() as group:
                work = (
                    self._follow_phone(),
                    self._watch(watch(sip_call_id)),
                    self._listen(),
                    self._hang_up_when_told(),
                )
                tasks = [group.create_task(part) for part in work]
                await self._over()
                for task in tasks:
                    task.cancel()
        finally:
            for timer in self._timers:
                timer.cancel()

    async def _over(self) -> None:
        await self._closed.wait()
        self._hear()
        try:
            async with asyncio.timeout(SETTLE_S):
                await self._told.wait()
        except TimeoutError:
            pass  # the report says so

    # -- what the phone notices

    async def _follow_phone(self) -> None:
        async for event in self._phone.events():
            at_ms = ms_between(self._began, event.at)
            match event:
                case Ringing():
                    self._steps.append(Step(kind="ringing", at_ms=at_ms))
                case Established():
                    self._steps.append(Step(kind="connected", at_ms=at_ms))
                    self._connected.set()
                case Closed(reason=reason):
                    self._ended = event.at
                    self._steps.append(Step(kind="closed", at_ms=at_ms, detail={"reason": reason}))
                    self._closed.set()
        if not self._closed.is_set():
            raise PhoneFailed("the phone's program ended in mid-call")

    async def _listen(self) -> None:
        for turn in itertools.count():
            self._hear()
            if turn % COUNT_PACKETS_EVERY == 0 and self._connected.is_set() and not self._closed.is_set():
                with contextlib.suppress(PhoneFailed):  # the call may end between the look and the question
                    self._packets = await self._phone.packets()
            await asyncio.sleep(LISTEN_S)

    def _hear(self) -> None:
        fresh = self._phone.heard(self._samples)
        self._samples += len(fresh)
        self._ears.add(fresh, ms_between(self._began, self._clock.now()))

    # -- what the controller tells

    async def _watch(self, observations: AsyncIterator[Observation]) -> None:
        async for seen in observations:
            match seen:
                case Stamped():
                    self._note(seen)
                case MenuStarted(menu=menu) if self._plan.barge:
                    await self._press(menu)
                case AwaitingKey(menu=menu) if not self._plan.barge:
                    await self._press(menu)

    def _note(self, stamped: Stamped) -> None:
        fact = stamped.fact
        self._facts.append(fact)
        detail: dict[str, Any] = msgspec.to_builtins(fact)
        kind = detail.pop("kind")
        # Facts are stamped by the same monotonic clock: controller and citizen share the machine.
        self._steps.append(Step(kind=kind, at_ms=max(0, stamped.mono_ms - round(self._began * 1000)), detail=detail))
        match fact:
            case SeatAnswered() if self._plan.hold_s is not None:
                self._later(self._plan.hold_s, self._say_goodbye)
            case RatingKeyed():  # by the rules the caller hangs up first
                self._say_goodbye()
            case CallEnded() | CallRefused():
                self._told.set()

    # -- what the citizen does

    async def _press(self, menu: str) -> None:
        await self._connected.wait()
        if menu == RATING_MENU and self._plan.rate is None:
            self._say_goodbye()
        elif menu == RATING_MENU:
            self._rated = self._rated or await self._key(menu, self._plan.rate or "")
        elif self._keyed < len(self._plan.keys):
            self._keyed += await self._key(menu, self._plan.keys[self._keyed])

    async def _key(self, menu: str, key: str) -> bool:
        at_ms = self._now_ms()
        try:
            await self._phone.key(key)
        except PhoneFailed:
            return False  # there are no keys without a call: it has just ended
        self._steps.append(Step(kind="key_sent", at_ms=at_ms, detail={"menu": menu, "key": key}))
        return True

    def _say_goodbye(self) -> None:
        self._wants_to_leave = True
        self._leave.set()

    def _give_up(self) -> None:
        self._too_long = True
        self._leave.set()

    async def _hang_up_when_told(self) -> None:
        await self._leave.wait()
        if not self._closed.is_set():
            await self._phone.hangup()

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, what))

    def _now_ms(self) -> int:
        return ms_between(self._began, self._clock.now())

    # -- what is told afterwards

    def report(self) -> CallReport:
        """The whole call. Only of use when `call` has returned."""
        shortfall = self._shortfall()
        seat = self._last(SeatAnswered)
        rating, arrived = self._last(RatingKeyed), self._last(CallArrived)
        connected = [step.at_ms for step in self._steps if step.kind == "connected"]
        return CallReport(
            completed=shortfall is None,
            reason=shortfall,
            to=self._plan.to,
            calling_number=self._plan.calling_number,
            sip_call_id=self._phone.call_id,
            call_id=arrived.call_id if arrived else None,
            connected_ms=connected[0] if connected else None,
            lasted_ms=ms_between(self._began, self._ended),
            seat=seat.seat if seat else None,
            adviser=seat.adviser if seat else None,
            score=rating.score if rating else None,
            ended_by=self._ended_by(),
            packets_sent=self._packets.sent,
            packets_received=self._packets.received,
            steps=tuple(sorted(self._steps, key=lambda step: step.at_ms)),
            heard=self._sounds(),
        )

    def _shortfall(self) -> Shortfall | None:
        as_planned = self._wants_to_leave and self._plan.hang_up_after_s is not None
        failures: dict[Shortfall, bool] = {
            "too_long": self._too_long,
            "not_answered": not self._connected.is_set() and not as_planned,
            "keys_left": self._keyed < len(self._plan.keys) and not as_planned,
            "not_rated": self._plan.rate is not None and not self._rated and not as_planned,
            "end_not_told": not self._told.is_set(),
        }
        return next((name for name, failed in failures.items() if failed), None)

    def _ended_by(self) -> EndedBy:
        told = self._last(CallEnded)
        if told:
            return told.ended_by
        return "caller" if self._leave.is_set() else "system"

    def _sounds(self) -> tuple[Sound, ...]:
        heard = self._ears.samples() / 32768
        found = []
        for start, end in segments(heard, RATE_HZ):
            piece = heard[start * RATE_HZ // 1000 : end * RATE_HZ // 1000]
            found.append(
                Sound(
                    start_ms=start,
                    end_ms=end,
                    dbfs=round(level_dbfs(piece), 1),
                    hz=round(dominant_hz(piece, RATE_HZ), 1),
                )
            )
        return tuple(found)

    def _last(self, kind: type[F]) -> F | None:
        return next((fact for fact in reversed(self._facts) if isinstance(fact, kind)), None)
