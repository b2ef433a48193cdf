"""The desk's way in for tests: accounts, sessions and the audit log on a journal, and whoever signs in."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyotp

from calls.clock import Clock
from calls.ports import FactSink
from cti.desk import Accounts, Audit, Doors, Sessions
from cti.store import Journal

AUDIT_KEY = "the key of the audit log"


def doors(facts: FactSink, journal: Journal, clock: Clock, folder: Path) -> Doors:
    """As the controller has it."""
    audit = Audit(facts, journal, clock, AUDIT_KEY)
    accounts = Accounts(journal, clock, audit, folder / "first-admin.json")
    return Doors(accounts, Sessions(journal, clock, accounts), audit, clock)


def code(secret: str, at: datetime) -> str:
    """What the authenticator app shows at that instant."""
    return pyotp.TOTP(secret).at(at)
