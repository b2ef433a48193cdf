"""What the gateway tells of texts: taken at the public door, where anybody may knock, so each report is signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from cti.sms.outbox import Outbox
from cti.sms.signing import Doorman


class _Report(msgspec.Struct, frozen=True):
    """The body of a report, as the contract has it."""

    key: str
    state: Literal["delivered", "undeliverable"]


class Reports:
    """Takes delivery reports for an outbox; without one nobody is let in."""

    def __init__(self, doorman: Doorman, outbox: Outbox | None) -> None:
        self._doorman, self._outbox = doorman, outbox

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """The HTTP status that answers it: 204, 400, or 401 for what is not signed, too old, or was taken already."""
        if self._outbox is None or not self._doorman.lets_in(headers, body):
            return 401
        try:
            report = msgspec.json.decode(body, type=_Report)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return 400
        self._outbox.reported(report.key, report.state)
        return 204
