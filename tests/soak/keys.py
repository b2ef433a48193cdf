"""Callers who key anything at any moment, and hang up at any moment; and what must be true of the hotline all the same.

    python -m tests.soak.keys --calls 5000 --seed 1
    python -m tests.soak.keys --seed 1 --only 17        that caller alone

What each of them does is in `scripts.py`. Afterwards every law of tests/invariants.py is asked, and besides: nothing in any
log looks like an error, nothing that was keyed to show who calls is in any file, and the next caller is served as ever.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from bureau.people import Person, demo, generate
from cti.hotline import load_hotline
from cti.stack.postgres import cluster_dir
from tests.asterisk.hotline import Hotline
from tests.invariants import Excuses, Verdict, after_all, one_reservation_each
from tests.soak.kills import hears
from tests.soak.logs import Logs
from tests.soak.scripts import NOBODYS, WRONG_PINS, Script, script_of
from tests.soak.soak import SEATS
from tests.soak.table import print_table, say, soaked_hotline
from tests.telephones.call import Call
from tests.telephones.crowd import Adviser, Crowd, Manners, chance_of, on_the_phone

AT_ONCE = 25
MANY = 300
"""Callers: among so many there is everything."""
APART_S = 0.05
"""Between the first callers: more than the hotline lets in within a second would be turned away."""
PATIENCE_S = 45.0
"""Nobody stays longer: enough for two errands with a number and a PIN each."""

PEOPLE = 192
"""Citizens who are keyed, none of them a demo citizen: those are other tests'. So many that few are shut for the day."""

QUIET_S = 0.25
"""So long a silence is the end of what the machine says: a person notices it not much sooner."""
STILL_SAID_S = 0.1
"""What is heard so soon after a key belongs to what the key has cut off."""
LISTENED_EVERY_S = 0.05
LISTENS_S = 6.0
"""Whoever hears music does not wait for its end."""

TELL_EVERY_S = 30.0
SERVING, SERVED_KEY = ("1001", "8001"), "1"
TALK_S = 4.0
"""Long enough for the adviser's number to be said."""


class Fuzz:
    """Random callers on one hotline."""

    def __init__(self, hotline: Hotline, seed: int, patience_s: float = PATIENCE_S) -> None:
        today = datetime.now(UTC).date()
        demos = len(demo(today))
        self.people: list[Person] = list(islice(generate(demos + PEOPLE, today), demos, None))
        lines = load_hotline(hotline.settings).lines
        self.lines = {number: line for number, line in lines.items() if line.callback is None}
        """Those that promise to call back would do so for minutes after everybody has left."""
        self.scripts: dict[str, tuple[int, Script]] = {}
        """Of each call, by its SIP Call-ID: the caller's number and what it did."""
        self._hotline, self._seed, self._patience_s = hotline, seed, patience_s
        self._logs = Logs(hotline.settings.log_dir)

    async def run(self, callers: Sequence[int], at_once: int = AT_ONCE) -> list[Verdict]:
        """These callers, so many at once; then every law."""
        async with on_the_phone(self._hotline) as crowd:
            async with AsyncExitStack() as seats:
                advisers = [await seats.enter_async_context(crowd.adviser(*who)) for who in SEATS.items()]
                serving = [asyncio.create_task(self._vary(adviser)) for adviser in advisers]
                telling = asyncio.create_task(_tell(crowd))
                try:
                    await self._everybody(crowd, callers, at_once)
                finally:
                    for task in (*serving, telling):
                        task.cancel()
                    await asyncio.gather(*serving, telling, return_exceptions=True)
            served = await self._still_serves(crowd)
            return await self._judge(crowd, served)

    async def _everybody(self, crowd: Crowd, callers: Sequence[int], at_once: int) -> None:
        waiting = iter(callers)

        async def one_after_the_other() -> None:
            for number in waiting:
                await self._live(crowd, number)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(callers))):
                group.create_task(one_after_the_other())
                await asyncio.sleep(APART_S)

    async def _live(self, crowd: Crowd, number: int) -> None:
        script = script_of(self._seed, number, self.lines, self.people, self._patience_s)
        async with crowd.caller(script.line) as call:
            self.scripts[call.call_id] = (number, script)
            acting = asyncio.create_task(_act(call, script))
            over = asyncio.create_task(call.over.wait())
            await asyncio.wait({acting, over}, timeout=script.patience_s, return_when=asyncio.FIRST_COMPLETED)
            for task in (acting, over):
                task.cancel()
            await asyncio.gather(acting, over, return_exceptions=True)

    async def _vary(self, adviser: Adviser) -> None:
        """Answers sooner or later or never, talks longer or shorter, with each call."""
        chance = chance_of(self._seed, f"seat {adviser.seat}")
        while True:
            adviser.manners = Manners(
                answers=chance.random() > 0.05, rings_s=chance.uniform(0, 1.5), talk_s=chance.uniform(0.2, 4)
            )
            calls = len(adviser.phone.calls)
            while len(adviser.phone.calls) == calls:  # noqa: ASYNC110 - a telephone's list of calls has no event
                await asyncio.sleep(0.1)

    # --- what came of it

    async def _still_serves(self, crowd: Crowd) -> Verdict:
        """The next caller hears the menu, chooses, and talks to somebody."""
        law = "the next caller is served"
        try:
            async with crowd.adviser(*SERVING, Manners(talk_s=TALK_S)), crowd.caller() as call:
                await hears(call, "menu.main")
                call.press(SERVED_KEY)
                await hears(call, "seat.number.1")
                await hears(call, "rating.ask")
        except TimeoutError as error:
            return Verdict(law, "", (str(error),))
        return Verdict(law, "menu, adviser, rating")

    async def _judge(self, crowd: Crowd, served: Verdict) -> list[Verdict]:
        laws = await after_all(self._hotline, crowd.sent, Excuses(late_ms=crowd.metronome.worst_late_s * 1000))
        refused = tuple(
            f"caller {number}: {crowd.notes[sip].status}"
            for sip, (number, script) in self.scripts.items()
            if not crowd.notes[sip].heard_of or (script.steps and crowd.notes[sip].status != 200)
        )
        return [
            *laws,
            await one_reservation_each(self._hotline),
            Verdict("everybody is let in", f"{len(self.scripts)} callers", refused),
            await self._no_fault(),
            self._logs.unexplained(()),
            nothing_keyed(self._hotline, self.people),
            served,
            await self._reached(),
        ]

    async def _no_fault(self) -> Verdict:
        """No call ended by a fault of ours; with the script of each that did, so that it can be done again."""
        rows = await self._hotline.sql(
            "SELECT sip_call_id, call_id, outcome, ended_by FROM calls WHERE sip_call_id = ANY($1)", list(self.scripts)
        )
        broken = [
            f"caller {self.scripts[sip][0]}: {self.scripts[sip][1]}: {call_id} {outcome}"
            for sip, call_id, outcome, ended_by in rows
            if "fault" in (outcome, ended_by)
        ]
        return Verdict("no call ends by a fault", f"{len(rows)} calls", tuple(broken))

    async def _reached(self) -> Verdict:
        """How deep they came: a fuzz that never gets beyond the menus proves little."""
        rows = await self._hotline.sql(
            "SELECT body->>'service', body->>'outcome', count(*) FROM facts JOIN calls USING (call_id) "
            "WHERE kind = 'service_used' AND sip_call_id = ANY($1) GROUP BY 1, 2 ORDER BY 1, 2",
            list(self.scripts),
        )
        found = ", ".join(f"{service} {outcome} {times}" for service, outcome, times in rows)
        outcomes = {outcome for _, outcome, _ in rows}
        wanted = ("done", "not_identified", "hung_up") if len(self.scripts) >= MANY else ()
        missing = tuple(f"no service ended {how}" for how in wanted if how not in outcomes)
        return Verdict(
            "deep places are reached", found, missing or (() if rows or len(self.scripts) == 1 else ("none",))
        )


# --- what a caller does


async def _act(call: Call, script: Script) -> None:
    if script.steps:
        await call.answered.wait()
    for step in script.steps:
        if step.listens:
            await _listen(call)
        await asyncio.sleep(step.wait_s)
        for key in step.keys:
            call.press(key)
        while call.voice.keying:  # noqa: ASYNC110 - what the metronome has sent has no event
            await asyncio.sleep(0.01)
    await asyncio.sleep(script.leaves_s)


async def _listen(call: Call) -> None:
    """Until something more was said, and is over; but not for ever."""
    heard, began = call.voice.heard, time.monotonic()
    while (now := time.monotonic()) < began + LISTENS_S:
        if heard.loud_at > began + STILL_SAID_S and now - heard.loud_at > QUIET_S:
            return
        await asyncio.sleep(LISTENED_EVERY_S)


async def _tell(crowd: Crowd) -> None:
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        say(f"{crowd.begun} calls, {crowd.up} up; beat late {crowd.metronome.worst_late_s:.2f} s")


# --- what was keyed


def nothing_keyed(hotline: Hotline, people: Collection[Person]) -> Verdict:
    """No number that shows who somebody is, and no PIN, is in any file of the hotline.

    Citizens that exist are in the business system's own database, which lies with PostgreSQL's: there only those are looked
    for that are nobody's. What the hotline itself has in PostgreSQL it has from its journal, which is looked through.
    """
    everywhere = [*NOBODYS, *WRONG_PINS, *(number.replace("X", "*") for number in NOBODYS)]
    theirs = [secret for one in people for secret in (one.id_number, one.card.number if one.card else one.id_number)]
    begins = [secret[:12] for secret in theirs if secret.isdigit()]
    files = [path for path in hotline.settings.state_dir.rglob("*") if path.is_file()]
    found: list[str] = []
    for path in files:
        in_postgres = cluster_dir(hotline.settings) in path.parents
        wanted = everywhere if in_postgres else [*everywhere, *theirs, *begins]
        found += [f"{path}: {secret}" for secret in _held(path, wanted)]
    return Verdict("nothing keyed is in any file", f"{len(files)} files", tuple(found))


def _held(path: Path, secrets: Collection[str]) -> Iterator[str]:
    """Those that the file holds as a text of their own: not as part of a longer number, of a second, or of a JSON number."""
    try:
        body = path.read_bytes()
    except FileNotFoundError:  # a file of PostgreSQL's that came and went
        return
    for secret in secrets:
        if secret.encode() in body and re.search(
            rb"(?<![\d.:])(?<!: )" + re.escape(secret).encode() + rb"(?!\d)", body
        ):
            yield secret


def main(
    calls: Annotated[int, typer.Option(help="How many in all.")] = 5000,
    seed: Annotated[int, typer.Option(help="Of what they do.")] = 1,
    at_once: Annotated[int, typer.Option(help="How many at a time.")] = AT_ONCE,
    first: Annotated[
        int, typer.Option(help="The number of the first caller: the rest of a run that was broken off.")
    ] = 0,
    only: Annotated[int | None, typer.Option(help="One caller alone, by number.")] = None,
) -> None:
    """A hotline of its own. Exit code 1 when a law is broken."""
    callers = range(first, first + calls) if only is None else (only,)
    with soaked_hotline() as hotline:
        fuzz = Fuzz(hotline, seed)
        say(f"seed {seed}: {len(callers)} callers, {len(fuzz.lines)} lines")
        if print_table(asyncio.run(fuzz.run(callers, at_once))):
            raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
