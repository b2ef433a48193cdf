"""What team leads write to their advisers: shown on the adviser's page until they say that they have read it.

A notice (通知) goes to one adviser, or to everybody who sits at a seat at that moment. It is kept with the journal, so that
neither a page that is loaded anew nor a controller that dies loses one; its words go to the pages of those concerned, and
nowhere else. Who has read it, every lead sees.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec

from calls.clock import Clock
from calls.errors import NotPossible
from cti.desk.feed import Feed, Notice
from cti.store import Journal

KEPT_FOR = timedelta(days=1)
"""What everybody has read stands before the leads so long; what somebody has not, ten times as long: they may be on leave."""
MOST = 200
"""Kept at once; the oldest goes first."""


class Notices:
    """Those that stand."""

    def __init__(self, journal: Journal, clock: Clock, feed: Feed) -> None:
        self._journal, self._clock, self._feed = journal, clock, feed
        kept = journal.find("notice/", Notice).values()
        self._kept = {notice.notice: notice for notice in sorted(kept, key=lambda each: each.sent_at)}
        for notice in self._kept.values():
            feed.notice(notice)

    def send(self, by: str, text: str, to: Collection[str], *, everybody: bool) -> Notice:
        """Show it to these advisers, by number. Raises NotPossible when there is nobody, or nothing to read."""
        text = text.strip()
        if not text:
            raise NotPossible("there is nothing to read in it. Mend: write something")
        if not to:
            raise NotPossible("nobody sits at a seat. Mend: write to one adviser, who reads it on coming")
        self.look()
        self._forget(list(self._kept.values())[: max(0, len(self._kept) - MOST + 1)])
        now = self._clock.utc()
        notice = Notice(
            notice=uuid4().hex, by=by, to=tuple(sorted(to)), everybody=everybody, text=text, sent_at=now, read={}
        )
        self.keep(notice)
        return notice

    def read(self, name: str, adviser: str) -> None:
        """The adviser has read it; once more is no harm. Raises NotPossible when there is no such notice for them."""
        notice = self._kept.get(name)
        if notice is None or adviser not in notice.to:
            raise NotPossible("there is no such message for you")
        if adviser not in notice.read:
            self.keep(msgspec.structs.replace(notice, read=notice.read | {adviser: self._clock.utc()}))

    def keep(self, notice: Notice) -> None:
        """As it is from now on."""
        self._kept[notice.notice] = notice
        self._journal.put(f"notice/{notice.notice}", notice)
        self._feed.notice(notice)

    def look(self) -> None:
        """Let go of those that have stood long enough."""
        now = self._clock.utc()
        self._forget([each for each in self._kept.values() if _over(each, now)])

    def _forget(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            del self._kept[notice.notice]
            self._journal.forget(f"notice/{notice.notice}")
            self._feed.notice_gone(notice)


def _over(notice: Notice, now: datetime) -> bool:
    return now - notice.sent_at > (KEPT_FOR if notice.read.keys() == {*notice.to} else 10 * KEPT_FOR)
