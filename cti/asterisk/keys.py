"""Each key once, however often Asterisk tells of it.

Asterisk 22 tells of a key when its end comes (`__ast_read` in main/channel.c), and again when it takes up an end that it had
put off: the same key, the same duration. It puts off an end that has no begin and comes while it still plays the key before,
or within 45 ms after that; it plays each key that has no begin itself; and the begin of a key that comes so soon is passed
over, so that one hasty key makes the next ones so. Keys by SIP INFO never have a begin, and a telephone that keys a stored
number leaves 40 to 60 ms between two: a little late on the way, and an ID number of 18 keys is 22.

Which ends may have been put off, and when they would be taken up, is therefore reckoned here as Asterisk reckons it; what
comes then, the same key for as long, is passed over. Who presses one key twice leaves more time than that.
"""

from __future__ import annotations

from datetime import datetime
from math import inf

import msgspec

from cti.asterisk.generated.messages import ChannelDtmfReceived

GAP_MS = 45
"""AST_MIN_DTMF_GAP of Asterisk: so long is nothing taken up after a key."""
SHORTEST_MS = 80
"""Its `mindtmfduration`: no key is played for less."""
DEFAULT_MS = 100
"""Its AST_DEFAULT_EMULATE_DTMF_DURATION: so long is a key played of which no duration is known."""
FRAME_MS = 22
"""Asterisk looks at its clock when sound comes, every 20 ms."""
LATE_MS = 80
"""Nor is sound in time, on a poor line or a busy machine."""
PAUSE_MS = 30
"""No key is pressed anew, for as long as before, less than this after it was let go of."""
EARLY_MS = 2
"""Asterisk and the event's timestamp each cut off the microseconds."""


class _PutOff(msgspec.Struct, frozen=True):
    """An end of which may be told again, and when. Times in ms."""

    digit: str
    duration_ms: int
    told: float
    earliest: float
    latest: float
    surely: bool
    """It was put off; else it may have been."""

    @property
    def until(self) -> float:
        """Later it is another press."""
        late = self.latest + LATE_MS
        return late if self.surely else min(late, self.told + (self.duration_ms or DEFAULT_MS) + PAUSE_MS)


class Keys:
    """What was told of one channel's keys. Times in ms since 1970, by Asterisk's clock."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._last = -inf
        self._put_off: list[_PutOff] = []
        # When the last key is over, as Asterisk plays it: at least, at most, and at least if it surely plays it.
        self._over = self._over_latest = self._over_surely = -inf

    def is_new(self, event: ChannelDtmfReceived) -> bool:
        """Whether a key was pressed; else it was told before. To be asked once for each event, in their order."""
        try:
            now = datetime.fromisoformat(event.timestamp).timestamp() * 1000
        except (ValueError, OverflowError):  # no time that anybody can read: nothing can be reckoned from it
            return True
        if now < self._last:  # the clock was set
            self._forget()
        self._last = now
        for place, one in enumerate(self._put_off):
            same = (one.digit, one.duration_ms) == (event.digit, event.duration_ms)
            if same and one.earliest - EARLY_MS <= now <= one.until:
                self._plays(now, one.duration_ms, self._put_off[place + 1 :], surely=True)
                return False
            if one.surely:  # they are taken up in their order
                break
        while self._put_off and self._put_off[0].until < now:  # it was not
            one, *later = self._put_off
            self._plays(one.told, one.duration_ms, later, surely=False)
        self._note(event.digit, event.duration_ms, now)
        return True

    def _plays(self, begun: float, duration_ms: int, later: list[_PutOff], *, surely: bool) -> None:
        """A key is played since then; reckon anew what follows it."""
        self._over = begun + _played_ms(duration_ms)
        self._over_latest = self._over + FRAME_MS
        self._over_surely = self._over if surely else -inf
        self._put_off = []
        for one in later:
            self._note(one.digit, one.duration_ms, one.told)

    def _note(self, digit: str, duration_ms: int, told: float) -> None:
        if surely := told < self._over_surely + GAP_MS:
            earliest, latest = self._over_surely + GAP_MS, self._over_latest + GAP_MS + FRAME_MS
        elif told < self._over_latest + GAP_MS + LATE_MS:
            earliest, latest = max(told, self._over + GAP_MS), max(told, self._over_latest + GAP_MS + FRAME_MS)
        else:
            self._plays(told, duration_ms, [], surely=False)
            return
        self._put_off.append(_PutOff(digit, duration_ms, told, earliest, latest, surely))
        self._over = (earliest if surely else told) + _played_ms(duration_ms)
        self._over_latest = latest + _played_ms(duration_ms) + FRAME_MS
        self._over_surely = self._over if surely else -inf


def _played_ms(duration_ms: int) -> int:
    return max(duration_ms or DEFAULT_MS, SHORTEST_MS)
