"""Who looks at the wall clock, and why: it may jump, so no wait, no order and no length may depend on it."""

from __future__ import annotations

import re

from cti.settings import CHECKOUT

ROOMS = ("calls", "cti", "ivr", "queues", "recordings", "prompts", "dialplan", "bureau", "texting")
LOOKS = re.compile(
    r"\.utc\(\)|datetime\.(?:now|utcnow|today)\(|date\.today\(|time\.(?:time|localtime|gmtime)\(|EPOCH|STRFTIME"
)

RIGHT = {
    "calls/clock.py": "the clock itself",
    "cti/board.py": "a stamp, for readers; and which day it is whose figures are shown",
    "cti/bus/bus.py": "a stamp, for readers",
    "cti/store/journal.py": "the stamp of a fact; facts are pruned after seven days, an hour more or less",
    "cti/server.py": "the calendar's end; and which day it is whose figures an adviser is shown",
    "cti/standing.py": "a stamp, for readers",
    "cti/staffing.py": "opening hours: an alarm about a line that is closed would be none",
    "cti/stack/watchdog.py": "the stamp of a line in its log",
    "cti/asterisk/dictation.py": "the day by which a voice message is to be answered, and whose folder it is put into",
    "cti/identification.py": "five tries a day: which day it is",
    "cti/sms/signing.py": "the stamp of a signature; the two clocks may be five minutes apart",
    "cti/sms/outbox.py": "a text that nobody took, or nobody reported on, for a day or so",
    "texting/signing.py": "as cti/sms/signing.py",
    "texting/kept.py": "a stamp; what is a week old is forgotten",
    "cti/blocklist.py": "the days for which a number is refused, and when somebody looks again",
    "cti/probe/line.py": "which of a line's branches are open now: an hour later it is probed again",
    "cti/desk/accounts.py": "when an account that was locked opens again",
    "cti/desk/audit.py": "the stamp of an entry",
    "cti/desk/sessions.py": "the end of an idle session, and of a shift: it must hold over a boot of the machine",
    "cti/desk/provider.py": "whether a token is still good; the provider's clock and ours may be a minute apart",
    "cti/forms.py": "a stamp; and whether a promised day is in the next month",
    "cti/screens.py": "a stamp, for readers",
    "cti/notices.py": "a stamp, for readers; and which notices are a day old",
    "cti/skills.py": "which day it is, to whose end a skill is moved",
    "cti/whowaits.py": "a stamp, for readers",
    "cti/asterisk/session.py": "a stamp, for readers: since when a call is known to be a crisis",
    "cti/followups.py": "when a call back was promised: for so long after it, people are rung at night, too",
    "cti/messages.py": "whether that day is over",
    "cti/asterisk/node.py": "the stamp of an arrival, for a machine that is started anew before the call's end is told",
    "cti/asterisk/reconcile.py": "the day whose folder a recording is discarded from",
    "cti/asterisk/promises.py": "when people are called, and after a day or so no more; a place across a boot of the machine",
    "cti/asterisk/callback.py": "the stamp of an attempt's beginning, as node.py of an arrival's",
    "cti/asterisk/conversation.py": "the day whose folder a recording is put into",
    "cti/asterisk/books.py": "ends that nobody saw, compared with Asterisk's call records, which know no other clock",
}
"""Every file that looks, and what for. To add one, be sure that an hour more or less is nobody's loss."""


def test_every_look_at_the_wall_clock_has_its_reason() -> None:
    files = [path for room in ROOMS for path in (CHECKOUT / room).rglob("*") if path.suffix in (".py", ".j2")]
    looking = {str(path.relative_to(CHECKOUT)) for path in files if LOOKS.search(path.read_text())}
    assert looking == set(RIGHT)
