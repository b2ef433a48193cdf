"""Callers and advisers at light telephones: what each does, and what each heard.

`Crowd` holds every telephone and remembers of each call what the laws ask for; its sound is forgotten when it is over.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count

import msgspec

from calls.errors import NotPossible
from cti.phone.program import NICE
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ
from tests.eventually import eventually
from tests.telephones.call import Call
from tests.telephones.phone import Telephone
from tests.telephones.voice import Heard, Metronome, Span, packets_of

NUMBERS = count(13900000001)
"""Of all crowds: a number that rings again has its place in the queue again, and its adviser."""


class Life(msgspec.Struct, frozen=True):
    """What a caller will do."""

    keys: tuple[tuple[float, str], ...] = ()
    """Which, and how many seconds after the answer."""
    patience_s: float = 60.0
    """Whoever is still there then hangs up, answered or not."""


class Manners(msgspec.Struct, frozen=True):
    """What an adviser will do with the next call."""

    answers: bool = True
    """Otherwise it rings in vain."""
    busy: bool = False
    rings_s: float = 0.0
    talk_s: float = 60.0
    """Hangs up first after this long."""


class Note(msgspec.Struct, frozen=True):
    """What is remembered of a call at a telephone."""

    sip_call_id: str
    heard_of: bool
    """The server said something to its INVITE."""
    status: int | None
    answered_at: float | None
    ended_at: float
    ended_by_peer: bool
    silences: tuple[Span, ...]


class Adviser:
    """Somebody at a seat's telephone, who does with each call what `manners` says at that moment."""

    def __init__(self, phone: Telephone, seat: str, number: str, crowd: Crowd) -> None:
        self.phone, self.seat, self.number, self._crowd = phone, seat, number, crowd
        self.manners = Manners()
        phone.on_call = self._rung
        self._working: set[asyncio.Task[None]] = set()

    def _rung(self, call: Call) -> None:
        task = asyncio.create_task(self._take(call, self.manners))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _take(self, call: Call, manners: Manners) -> None:
        if manners.busy:
            call.reject()
        elif manners.answers:
            await _or_over(call, manners.rings_s)
            await call.answer()
            await _or_over(call, manners.talk_s)
            await call.hang_up()
        await call.over.wait()
        self._crowd.seat_notes.append((self.seat, note_of(call)))


class Crowd:
    """Everybody on the telephone with one hotline. Run inside `on_the_phone`."""

    def __init__(self, hotline: Hotline) -> None:
        self.hotline = hotline
        self.metronome = Metronome()
        self.notes: dict[str, Note] = {}
        """Of the callers' calls that are over, by SIP Call-ID."""
        self.seat_notes: list[tuple[str, Note]] = []
        """Of the calls at seats that are over, with the seat's number."""
        self.seats: dict[str, str] = {}
        """Each seat's state, as last looked at by whoever runs the crowd."""
        self.begun = self.up = 0
        """Callers' calls, of all time and at this moment."""
        self._citizen, self._adviser = packets_of(CITIZEN_HZ), packets_of(SEAT_HZ)

    @property
    def sent(self) -> set[str]:
        """The calls that Asterisk heard of."""
        return {sip for sip, note in self.notes.items() if note.heard_of}

    @asynccontextmanager
    async def caller(self, line: str = "12333") -> AsyncIterator[Call]:
        """A call of which the server has heard; hung up at the end of the block if it still is up."""
        number = str(next(NUMBERS))
        async with Telephone(number, self.hotline.server, self.metronome, self._citizen) as phone:
            self.begun += 1
            self.up += 1
            call = await phone.dial(line)
            try:
                yield call
            finally:
                self.up -= 1
                await call.hang_up()
                self.notes[call.call_id] = note_of(call)

    async def live(self, life: Life, line: str = "12333") -> Note:
        """One call from beginning to end."""
        async with self.caller(line) as call:
            begun = asyncio.create_task(self._follow(call, life))
            try:
                await _or_over(call, life.patience_s)
            finally:
                begun.cancel()
                await asyncio.gather(begun, return_exceptions=True)
        return self.notes[call.call_id]

    async def _follow(self, call: Call, life: Life) -> None:
        await call.answered.wait()
        spent = 0.0
        for at_s, key in life.keys:
            await asyncio.sleep(at_s - spent)
            spent = at_s
            call.press(key)

    @asynccontextmanager
    async def adviser(self, seat: str, number: str, manners: Manners = Manners()) -> AsyncIterator[Adviser]:  # noqa: B008 - frozen
        """Somebody ready at a seat; logged out and gone at the end."""
        async with self.seat_phone(seat) as phone:
            adviser = Adviser(phone, seat, number, self)
            adviser.manners = manners
            await phone.registered.wait()
            await eventually(lambda: self.sits_down(seat, number))
            try:
                yield adviser
            finally:
                if phone.busy:
                    await phone.calls[-1].hang_up()
                await self.hotline.log_out(seat)

    def seat_phone(self, seat: str) -> Telephone:
        """The telephone of a seat; it registers, nobody is at it."""
        password = self.hotline.secrets.seats[seat]
        return Telephone(f"seat{seat}", self.hotline.server, self.metronome, self._adviser, password)

    async def sits_down(self, seat: str, number: str) -> bool:
        """False while the controller cannot grant it."""
        try:
            await self.hotline.ready(seat, number)
        except NotPossible:
            return False
        return True


@asynccontextmanager
async def on_the_phone(hotline: Hotline) -> AsyncIterator[Crowd]:
    """A crowd whose sound flows inside the block."""
    crowd = Crowd(hotline)
    with _before_all_else():
        beating = asyncio.create_task(crowd.metronome.run())
        try:
            yield crowd
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


@contextmanager
def _before_all_else() -> Iterator[None]:
    """This thread is all of the crowd's telephones, which in life share a processor with nobody."""
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)


def note_of(call: Call) -> Note:
    """What stays of a call that is over."""
    heard: Heard = call.voice.heard
    return Note(
        sip_call_id=call.call_id,
        heard_of=call.heard_of,
        status=call.status,
        answered_at=call.answered_at,
        ended_at=call.ended_at or 0.0,
        ended_by_peer=call.ended_by_peer,
        silences=tuple(heard.silences),
    )


async def _or_over(call: Call, seconds: float) -> None:
    """Wait, but not beyond the call's end."""
    try:
        async with asyncio.timeout(seconds):
            await call.over.wait()
    except TimeoutError:
        return


def chance_of(seed: int, what: str) -> random.Random:
    """A source of chance for one purpose, so that a change in one does not move all others."""
    return random.Random(f"{seed}/{what}")
