"""A voice message being taken down: `ivr.window.Dictation` on a telephone line.

The track is that of a conversation, the caller's own receive direction by MixMonitor, so it outlives a dead controller and
is sealed as the others are. Asterisk tells when somebody speaks; how loud is loud enough is its affair, so a bad line that
is never quiet ends with a key or the time.
"""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from calls.facts import VoiceMessageLeft
from cti.asterisk.kept import KeptCall, KeptDictation
from cti.recorder import Pending
from ivr.hours import end_of_working_day
from ivr.line import PERSON
from ivr.window import DictationEnded, Matter

if TYPE_CHECKING:
    from cti.asterisk.session import Session

PAUSE_MS, VOICE = 1000, 256
"""Asterisk's TALK_DETECT: so long a pause is silence; so large a mean magnitude of a frame (of 32768) is a voice."""


class TelephoneDictation:
    """Of one call, the message of this name."""

    def __init__(self, call: Session, message: str, matter: Matter) -> None:
        self._call, self._message, self._matter = call, message, matter
        now_ms = call.now_ms()
        track = call.node.recorder.raw_file(message)
        self._pending = Pending(
            call_id=call.call_id,
            visit=message,
            day=call.clock.utc(),
            caller_file=track,
            caller_started_ms=now_ms,
            begin_ms=now_ms,
        )
        self._spoken_ms = 0
        self._speaks_since_ms: int | None = None
        self._quiet_since_ms = now_ms
        self._changed = asyncio.Event()
        self._before = call.kept.step

    @property
    def message(self) -> str:
        return self._message

    @property
    def begun_at(self) -> datetime:
        return self._pending.day

    @property
    def length_ms(self) -> int:
        end_ms = self._pending.end_ms
        return (self._call.now_ms() if end_ms is None else end_ms) - self._pending.begin_ms

    @property
    def spoken_ms(self) -> int:
        speaks = self._speaks_since_ms
        return self._spoken_ms + (0 if speaks is None else self._call.now_ms() - speaks)

    def speaks(self, on: bool) -> None:
        """Asterisk hears a voice, or has heard none for `PAUSE_MS`."""
        now_ms = self._call.now_ms()
        if on and self._speaks_since_ms is None:
            self._speaks_since_ms = now_ms
        elif not on:
            self._quiet_since_ms = now_ms - PAUSE_MS
            if self._speaks_since_ms is not None:
                self._spoken_ms += max(0, self._quiet_since_ms - self._speaks_since_ms)
            self._speaks_since_ms = None
        self._changed.set()

    async def take(self, most_s: float, quiet_s: float) -> DictationEnded:
        call = self._call
        kept = KeptDictation(
            message=self._message,
            begun_at=self.begun_at,
            begun_ms=self._pending.begin_ms,
            **structs.asdict(self._matter),
        )
        with call.node.journal.together():
            call.node.recorder.keep(self._pending)
            call.keep(step="message", dictation=kept, dictations=call.kept.dictations + 1)
        try:
            await call.through_dialplan("start-recording", self._message)
            began_ms = self._quiet_since_ms = call.now_ms()
            self._pending = msgspec.structs.replace(self._pending, caller_started_ms=began_ms, begin_ms=began_ms)
            call.node.recorder.keep(self._pending)
            await call.ari.channels.set_channel_var(call.call_id, "TALK_DETECT(set)", value=f"{PAUSE_MS},{VOICE}")
            ended = await self._until_ended(began_ms + round(most_s * 1000), round(quiet_s * 1000))
        finally:
            self._spoken_ms, self._speaks_since_ms = self.spoken_ms, None
            self._pending = msgspec.structs.replace(self._pending, end_ms=call.now_ms())
            call.node.recorder.keep(self._pending)
        await call.ari.channels.set_channel_var(call.call_id, "TALK_DETECT(remove)", value="")
        await call.through_dialplan("stop-recording", "s")
        return ended

    async def _until_ended(self, limit_ms: int, quiet_ms: int) -> DictationEnded:
        caller = self._call.caller
        while True:
            now_ms, speaks = self._call.now_ms(), self._speaks_since_ms is not None
            until_ms = limit_ms if speaks else min(limit_ms, self._quiet_since_ms + quiet_ms)
            if now_ms >= until_ms:
                return "limit" if now_ms >= limit_ms else "quiet"
            self._changed.clear()
            key = asyncio.create_task(caller.key((until_ms - now_ms) / 1000))
            changed = asyncio.create_task(self._changed.wait())
            try:
                await asyncio.wait({key, changed}, return_when=FIRST_COMPLETED)
                if key.done() and key.result() is not None:
                    return "person" if key.result() == PERSON else "key"
            finally:
                key.cancel()
                changed.cancel()

    def drop(self) -> None:
        self._settle(msgspec.structs.replace(self._pending, settled=True))

    def left(self, fact: VoiceMessageLeft) -> None:
        """It is a message, to be answered."""
        self._call.node.messages.left(fact)
        self._settle(self._pending)

    def _settle(self, pending: Pending) -> None:
        """Sealed or removed with the end of the call; a controller that dies before leaves it to the next one."""
        call = self._call
        with call.node.journal.together():
            call.node.recorder.keep(pending)
            if call.kept.dictation and call.kept.dictation.message == self._message:
                call.keep(step=self._before, dictation=None)
        call.recordings.append((pending, None))


async def end_left_behind(call: Session, dictation: KeptDictation) -> None:
    """What a caller was saying while the controller died is a message: nobody knows how much of it was spoken."""
    await call.ari.channels.set_channel_var(call.call_id, "TALK_DETECT(remove)", value="")
    await call.through_dialplan("stop-recording", "s")
    now_ms = call.now_ms()
    pending = call.node.recorder.find(dictation.message)
    if pending.end_ms is None:
        pending = msgspec.structs.replace(pending, end_ms=now_ms)
    with call.node.journal.together():
        call.node.messages.left(left_behind(call.kept, dictation, now_ms - dictation.begun_ms, call.clock.utc()))
        call.node.recorder.keep(pending)
        call.keep(step="closing", dictation=None, served=True)
    call.recordings.append((pending, None))
    kept = await call.on_disk()
    words = f"{dictation.purpose}.kept" if kept else "message.unavailable"
    await call.caller.say(words, skippable=False, days=dictation.within_days)


def left_behind(kept: KeptCall, dictation: KeptDictation, length_ms: int, at: datetime) -> VoiceMessageLeft:
    """The message of a caller who was saying it when the controller died; it ended `at` (UTC)."""
    return VoiceMessageLeft(
        call_id=kept.call_id,
        message=dictation.message,
        line=kept.line,
        about=dictation.about,
        calling_number=kept.calling_number,
        begun_at=dictation.begun_at,
        length_ms=max(0, length_ms),
        spoken_ms=0,
        due_at=end_of_working_day(at, dictation.within_days),
        purpose=dictation.purpose,
        visit=dictation.visit,
        adviser=dictation.adviser,
    )
