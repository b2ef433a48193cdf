"""The audit log of the desk: who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from calls.facts.fact import Fact

AuditedAct = Literal[
    "account_added",
    "account_changed",
    "account_helped",
    "caller_pulled",
    "caller_shown",
    "conversation_joined",
    "crisis_marked",
    "locked_out",
    "message_sent",
    "password_chosen",
    "seat_changed",
    "sign_in_refused",
    "signed_in",
    "signed_out",
    "skill_moved",
]
"""What the audit log tells of."""


class Audited(Fact, frozen=True, kw_only=True, tag="audited"):
    """An entry of the audit log: who did what at the desk, sealed together with the entry before it."""

    number: int
    """In the chain, from 1, without gaps."""
    at: datetime
    """UTC, as the seal has it."""
    did: AuditedAct
    account: str | None
    """Who did it; None: somebody who showed no account or, without an address, somebody at the command line."""
    about: str
    """What it was done to, by its name or number: no data of a person."""
    address: str | None
    """Of the browser, where somebody showed who they are, or tried to."""
    seal: str
    """HMAC-SHA256 over this entry and the seal before it, 64 hexadecimal digits."""
