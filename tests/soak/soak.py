"""The soak itself: the plan carried out on a hotline, looked at while it runs, and judged by every law at the end."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import msgspec

from calls.errors import NotPossible
from tests.asterisk.hotline import Hotline
from tests.eventually import eventually
from tests.faults import frozen, kill, pid_of, stopped, supervisorctl, until_new_process, until_working
from tests.invariants import Excuses, Verdict, after_all, conservation, one_leg_each, one_reservation_each
from tests.soak.air import dead_air
from tests.soak.desk import Desk
from tests.soak.growth import Growth
from tests.soak.logs import Logs
from tests.soak.plan import ASTERISK_KILLED, Fault, Plan
from tests.soak.table import say
from tests.telephones.crowd import Crowd, chance_of
from tests.telephones.voice import Span

SEATS = {
    "1001": "8001",
    "1002": "8002",
    "1003": "8004",
    "1004": "8005",
    "1005": "8006",
    "1006": "8008",
    "1007": "8011",
    "1008": "8003",
}
"""Seats and who sits there: between them every queue is served."""

LOOK_EVERY_S = 1.0
SAMPLE_EVERY_S = 5.0
TELL_EVERY_S = 30.0
JUDGE_EVERY_S = 60.0


class Broken(msgspec.Struct, frozen=True):
    """A fault that was: from its beginning to the moment when everything worked again."""

    fault: Fault
    span: Span
    back_s: float | None
    """From its end to working again; None when that never came, or the soak ended before."""
    for_good: bool = False
    """It never worked again."""


class Soak:
    """One run. `stop` may be set from outside: it then ends as if its time were over."""

    def __init__(self, hotline: Hotline, seed: int, plan: Plan, seconds: float) -> None:
        self.stop = asyncio.Event()
        self.broken: list[Broken] = []
        self._hotline, self._plan, self._seconds = hotline, plan, seconds
        self._crowd = Crowd(hotline)
        self._desks = {
            seat: Desk(self._crowd, seat, number, chance_of(seed, f"seat {seat}")) for seat, number in SEATS.items()
        }
        self._growth, self._logs = Growth(hotline), Logs(hotline.settings.log_dir)
        self._live: dict[str, Verdict] = {}
        """Laws that were broken when they were looked at while it ran."""
        self._began = time.monotonic()
        self._rest_s = 0.0
        """From the end of the time to working again: of the fault that was cut short by it."""
        self._whole = asyncio.Lock()
        """Held by the fault of the moment, and by whoever wants to see the hotline without one."""

    async def run(self) -> list[Verdict]:
        """Everything; what came of each law."""
        self._began = time.monotonic()
        await self._growth.look_idle(self._began)
        async with _running(self._crowd.metronome.run(), self._look(), self._sample()):
            async with _running(*(desk.run() for desk in self._desks.values())):
                await self._act()
                self._rest_s = await until_working(self._hotline)
                await asyncio.gather(*(desk.leave() for desk in self._desks.values()))
                await self._all_over()
                await asyncio.gather(*(self._hotline.log_out(seat) for seat in self._desks))
            return await self._judge()

    async def _act(self) -> None:
        """Calls and faults, until the time is over, or the patience of whoever sits before it; or something of ours fails."""
        acting = [asyncio.create_task(work) for work in (self._call(), self._break(), self._tell(), self._judge_now())]
        stopping = asyncio.create_task(self.stop.wait())
        left_s = max(0.0, self._began + self._seconds - time.monotonic())
        done, _ = await asyncio.wait({stopping, *acting}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, *acting):
            task.cancel()
        await asyncio.gather(stopping, *acting, return_exceptions=True)
        for task in done - {stopping}:
            task.result()

    # --- what happens

    async def _call(self) -> None:
        async with asyncio.TaskGroup() as calls:
            for arrival in self._plan.arrivals:
                await asyncio.sleep(self._began + arrival.at_s - time.monotonic())
                calls.create_task(self._crowd.live(arrival.life))
        await self.stop.wait()

    async def _break(self) -> None:
        for fault in self._plan.faults:
            await asyncio.sleep(self._began + fault.at_s - time.monotonic())
            async with self._whole:
                await self._suffer(fault)
        await self.stop.wait()

    async def _suffer(self, fault: Fault) -> None:
        began = time.monotonic()
        back_s, for_good = None, False
        try:
            await self._carry_out(fault)
            back_s = await until_working(self._hotline)
        except TimeoutError:
            for_good = True
            self.stop.set()  # there is nothing more to be learnt
        finally:
            self.broken.append(Broken(fault, (began, time.monotonic()), back_s, for_good))

    async def _carry_out(self, fault: Fault) -> None:
        part, how = fault.name.split(" ", 1)
        if part == "phone":
            await self._desks[fault.seat].lose_phone(fault.for_s, silent=how == "silent")
        elif how == "killed":
            old = pid_of(self._hotline, part)
            kill(self._hotline, part)
            if fault.name == ASTERISK_KILLED:  # nobody will ever say goodbye to these
                for desk in self._desks.values():
                    desk.lose_call()
            await until_new_process(self._hotline, part, old)
        elif how == "upgraded":
            await supervisorctl(self._hotline, "restart", part)
        else:
            async with stopped(self._hotline, part) if how == "stopped" else frozen(self._hotline, part):
                await asyncio.sleep(fault.for_s)

    # --- what is looked at

    async def _look(self) -> None:
        """The states of the seats, for those who sit there."""
        while True:
            try:
                self._crowd.seats = (await self._hotline.status()).seats
            except NotPossible:
                self._crowd.seats = {}
            await asyncio.sleep(LOOK_EVERY_S)

    async def _sample(self) -> None:
        while True:
            self._growth.look(time.monotonic())
            await asyncio.sleep(SAMPLE_EVERY_S)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            spent = time.monotonic() - self._began
            say(
                f"{spent:5.0f} s  {self._crowd.begun} calls, {self._crowd.up} up; {len(self.broken)} faults; "
                f"{len(self._live)} laws broken; {self._growth.now()}; beat late {self._crowd.metronome.worst_late_s:.2f} s"
            )

    async def _judge_now(self) -> None:
        """The laws that must hold at any moment, at moments without a fault."""
        while True:
            await asyncio.sleep(JUDGE_EVERY_S)
            async with self._whole:
                for verdict in (await conservation(self._hotline), await one_leg_each(self._hotline)):
                    if verdict.broken:
                        self._live[verdict.law] = verdict

    async def _all_over(self) -> None:
        """Until the last call is up no more: those at seats end with those that they belong to."""
        await eventually(self._nobody)

    async def _nobody(self) -> bool:
        return (await self._hotline.status()).calls["up"] == 0

    # --- what came of it

    async def _judge(self) -> list[Verdict]:
        names = {broken.fault.name for broken in self.broken}
        excuses = Excuses(
            asterisk_died=ASTERISK_KILLED in names,
            late_ms=self._crowd.metronome.worst_late_s * 1000,
            away_ms=1000 * (self._rest_s + max((_length(broken) for broken in self.broken), default=0.0)),
        )
        dead = [broken.span for broken in self.broken if broken.fault.name == ASTERISK_KILLED]
        headless = [broken.span for broken in self.broken if broken.fault.name.startswith("controller")]
        phones = [broken for broken in self.broken if broken.fault.name.startswith("phone")]
        lost = [(broken.fault.seat, broken.span[0]) for broken in phones]
        doubled = tuple(f"{seat}: {desk.doubled}" for seat, desk in self._desks.items() if desk.doubled)
        laws = await after_all(self._hotline, self._crowd.sent, excuses)
        await self._growth.look_idle(time.monotonic())
        return [
            *laws,
            await one_reservation_each(self._hotline),
            Verdict("no telephone gets a second call", f"{len(self._desks)} telephones", doubled),
            await dead_air(self._hotline, self._crowd.notes, self._crowd.seat_notes, dead, headless, lost),
            *self._growth.verdicts(),
            self._logs.unexplained(names),
            *self._recoveries(),
            *(msgspec.structs.replace(verdict, law=f"{verdict.law}, meanwhile") for verdict in self._live.values()),
        ]

    def _recoveries(self) -> list[Verdict]:
        """For each kind of fault, how soon everything worked again."""
        by_name: dict[str, list[Broken]] = defaultdict(list)
        for broken in self.broken:
            by_name[broken.fault.name].append(broken)
        return [_recovery(name, by_name[name]) for name in sorted(by_name)]


def _recovery(name: str, broken: list[Broken]) -> Verdict:
    back_s = [each.back_s for each in broken if each.back_s is not None]
    figure = f"{len(broken)} times"
    if back_s:
        figure += f"; working again after {statistics.median(back_s):.1f} s, worst {max(back_s):.1f} s"
    return Verdict(name, figure, tuple("it never worked again" for each in broken if each.for_good))


def _length(broken: Broken) -> float:
    began, ended = broken.span
    return ended - began


@asynccontextmanager
async def _running(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Beside the block; ended with it. What failed in one of them is raised then."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ended:
        if isinstance(end, Exception):
            raise end
