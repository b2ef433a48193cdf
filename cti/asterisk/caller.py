"""A caller on a real telephone line: `ivr.caller.Caller` on an Asterisk channel.

Keys arrive by themselves and wait in order until a flow asks for one. Which key it was is known to the flow alone: it is
in no log line and no fact.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import TypeVar

import structlog

from calls.clock import Clock, ms_between
from calls.facts import AnyFact
from calls.moments import RATING_MENU, AwaitingKey, MenuStarted
from calls.words import FIRST_LANGUAGE, Language
from cti.asterisk.client import Ari
from cti.asterisk.errors import Gone, NotInStasis
from cti.asterisk.generated.messages import PlaybackFinished
from cti.asterisk.playing import begin, hush, sentences
from cti.asterisk.router import Router
from cti.watch import Watch
from ivr.caller import Heard, Value
from prompts import Sounds

log = structlog.get_logger(__name__)

PLAYBACK_GRACE_S = 3.0
"""A playback may never say that it ended (a medium that Asterisk does not know): it is given up this long after its time."""

PLAYBACK_BEGINS_S = 0.1
"""From asking for a playback to its first sound, at most."""

PATIENT_S = 1.0
"""So long after the last sound or key a business system may think unnoticed: two seconds of silence make people hang up, and
the silence at the end of a sentence and the way to the telephone take their part of them."""

MENU = "menu."

KEYS = frozenset("0123456789*#")
"""What a flow may be given. A telephone can send A to D as well; nothing here means them, and no other system need."""

T = TypeVar("T")


class TelephoneCaller:
    """Somebody on the line `channel`. See `ivr.caller.Caller` for what each method promises."""

    def __init__(
        self,
        channel: str,
        ari: Ari,
        router: Router,
        sounds: Sounds,
        clock: Clock,
        watch: Watch,
        record: Callable[[AnyFact], None],
        safe: Callable[[], Awaitable[bool]],
    ) -> None:
        self.language: Language = FIRST_LANGUAGE
        self.slow = False
        self.clock = clock
        self._channel, self._ari, self._router, self._sounds, self._watch = channel, ari, router, sounds, watch
        self._record, self._safe = record, safe
        self._sentences = cycle(sentences(channel))
        self._keys: deque[str] = deque()
        self._pressed = asyncio.Event()
        self._question: str | None = None
        self._quiet_since = clock.now()
        """When the caller last heard something end, or pressed a key."""

    @property
    def call_id(self) -> str:
        return self._channel

    def press(self, key: str) -> None:
        """A key arrived; the session's pump calls this. What no telephone of a citizen has is none."""
        if key not in KEYS:
            return
        self._keys.append(key)
        self._pressed.set()
        self._quiet_since = self.clock.now()

    async def say(self, *keys: str, skippable: bool = True, **values: Value) -> Heard:
        self._note_question(keys[-1])
        if skippable and self._keys:
            return Heard(0, whole=False, key=self._keys[0])
        media, length_ms = self._spoken(keys, values)
        began = self.clock.now()
        playback = next(self._sentences)
        with self._router.mailbox(playback) as box:
            await begin(self._ari, self._channel, playback, media)
            finished = asyncio.create_task(box.get())
            interrupted = asyncio.create_task(self._pressed.wait()) if skippable else None
            tasks = {finished, interrupted} if interrupted else {finished}
            try:
                done, _ = await asyncio.wait(
                    tasks, timeout=length_ms / 1000 + PLAYBACK_GRACE_S, return_when=asyncio.FIRST_COMPLETED
                )
            except asyncio.CancelledError:
                await hush(self._ari, playback)
                raise
            finally:
                self._quiet_since = self.clock.now()
                for task in tasks:
                    task.cancel()
            if finished not in done:
                await hush(self._ari, playback)
            else:
                event = finished.result()
                whole = isinstance(event, PlaybackFinished) and event.playback.state == "done"
                if not whole:
                    self._tell_missing(media)
                return Heard(min(length_ms, ms_between(began, self.clock.now())), whole=whole)
        if interrupted is None or interrupted not in done:
            log.warning("a prompt did not end in time", call_id=self._channel, prompts=keys)
        return Heard(
            min(length_ms, ms_between(began, self.clock.now())), whole=False, key=self._keys[0] if self._keys else None
        )

    async def say_into_music(self, *keys: str, skippable: bool = False, **values: Value) -> None:
        """Say this to somebody who waits, and let the channel's music begin; a key may cut it off.

        Music follows in the same playback until the channel's own takes over: a controller that dies in mid-sentence leaves
        no silence, and the next one ends it (`silence`).
        """
        media, length_ms = self._spoken(keys, values)
        media.append(self._sounds.music)
        playback = next(self._sentences)
        self._question = None
        with self._router.mailbox(playback) as box:
            await begin(self._ari, self._channel, playback, media)
            finished = asyncio.create_task(box.get())
            tasks = [finished, *([asyncio.create_task(self._pressed.wait())] if skippable else [])]
            try:  # not finished is as it should be: it is said, and the music has begun
                spoken_s = length_ms / 1000 + PLAYBACK_BEGINS_S
                done, _ = await asyncio.wait(tasks, timeout=spoken_s, return_when=asyncio.FIRST_COMPLETED)
                if finished in done:
                    self._tell_missing(media)
            finally:
                for task in tasks:
                    task.cancel()
                await hush(self._ari, playback)
                with suppress(Gone, NotInStasis):  # the caller left in this instant
                    await self._ari.channels.start_moh(self._channel)

    def _spoken(self, keys: Iterable[str], values: Mapping[str, Value]) -> tuple[list[str], int]:
        """What to play for these sentences, at this caller's pace, and how long it lasts, in ms."""
        sounds = self._sounds.slowly if self.slow else self._sounds
        media = [piece for key in keys for piece in sounds.media(key, self.language, **values)]
        return media, sum(sounds.length_ms(key, self.language, **values) for key in keys)

    async def hear(self, medium: str) -> None:
        """Play a medium of Asterisk's own, such as a tone, until cancelled. Raises AriError."""
        playback = next(self._sentences)
        with self._router.mailbox(playback) as box:
            await begin(self._ari, self._channel, playback, [medium])
            try:
                await box.get()
            finally:
                await hush(self._ari, playback)

    async def key(self, wait_s: float) -> str | None:
        if self._question and not self._keys:
            self._watch.moment(self._channel, AwaitingKey(self._question))
        try:
            async with asyncio.timeout(wait_s):
                await self._pressed.wait()
        except TimeoutError:
            return None
        key = self._keys.popleft()
        if not self._keys:
            self._pressed.clear()
        return key

    def forget_keys(self) -> None:
        self._keys.clear()
        self._pressed.clear()

    @asynccontextmanager
    async def private(self) -> AsyncIterator[None]:
        """Nothing of a caller who is with the machine is recorded, and no key of theirs goes further than to the flow."""
        self.forget_keys()
        self._question = None
        try:
            yield
        finally:
            self.forget_keys()

    async def while_waiting(self, work: Awaitable[T]) -> T:
        working = asyncio.ensure_future(work)
        try:
            quiet_s = self.clock.now() - self._quiet_since  # another question may have been asked since the last sound
            await asyncio.wait({working}, timeout=max(0.0, PATIENT_S - quiet_s))
            if not working.done():
                await self._wait_with_music(working)
            return await working
        finally:
            working.cancel()

    async def _wait_with_music(self, working: asyncio.Future[T]) -> None:
        await self.say_into_music("wait.moment")
        await asyncio.wait({working})
        with suppress(Gone, NotInStasis):
            await self._ari.channels.stop_moh(self._channel)
        self._quiet_since = self.clock.now()

    async def safe(self) -> bool:
        return await self._safe()

    def record(self, fact: AnyFact) -> None:
        self._record(fact)

    def _note_question(self, prompt: str) -> None:
        """Tell onlookers that a question begins, by the menu's word."""
        self._question = None
        if prompt.startswith(MENU):
            self._question = prompt.removeprefix(MENU)
        elif prompt in ("rating.ask", "rating.wrong", "rating.machine"):
            self._question = RATING_MENU
        if self._question:
            self._watch.moment(self._channel, MenuStarted(self._question))

    def _tell_missing(self, media: list[str]) -> None:
        """A prompt fails when the caller hangs up, which is nobody's fault, or when its file is not there."""
        files = [Path(f"{piece.removeprefix('sound:')}.wav") for piece in media]
        for missing in (file for file in files if not os.access(file, os.R_OK)):
            log.error("a prompt cannot be read: rexian prompts build mends it", file=str(missing))
