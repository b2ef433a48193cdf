"""What other systems read on MQTT: topics, payloads, and what is left out of them.

    rexian/<node>/facts/<kind>    every fact once or more often, in order; (node, seq) tells repeats apart
    rexian/<node>/queue/<queue>   retained: who waits
    rexian/<node>/seat/<number>   retained: what the seat is doing
    rexian/<node>/status          retained: online, or offline by the broker's own knowledge (last will)

The calling number is personal data, and whoever reads a bus is not known one by one: it goes out masked. Who needs the
number asks the database, where reading is granted by name. docs/asyncapi.yaml is made from these classes (contract.py).
To publish another state: add its class here and to STATES.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from calls.facts import Audited, NumberBlocked, SeatState, Stamped, WrappedUp, kind_of

ROOT = "rexian"

Utc: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class QueueNow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who waits in a queue at `updated_at`, UTC. `longest_wait_ms` is the oldest wait, 0 when nobody waits.

    `callbacks`: who waits there to be called back, besides.
    """

    waiting: int
    longest_wait_ms: int
    callbacks: int = 0
    updated_at: Utc


class SeatNow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a seat has been doing since `since`, UTC, and why. `adviser` is the number of who is signed in; null for nobody."""

    state: SeatState
    adviser: str | None
    since: Utc
    reason: str = ""
    """What the adviser gave, or the hotline's own word; see seat_states.reason."""


class NodeNow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the node's controller publishes, since `at`, UTC; null when the broker noticed its end by itself."""

    state: Literal["online", "offline"]
    at: Utc | None


_CODES = {ord(sign): f"%{ord(sign):02X}" for sign in "%/+#\0"}

State: TypeAlias = QueueNow | SeatNow
"""What `Bus.state` takes."""

STATES: dict[str, type[State]] = {"queue": QueueNow, "seat": SeatNow}
"""The first level of a state's topic, and what is published there."""


def fact_topic(stamped: Stamped) -> str:
    """Where a fact is published."""
    return f"{ROOT}/{level(stamped.node)}/facts/{kind_of(stamped.fact)}"


def state_topic(node: str, suffix: str) -> str:
    """Where a state is published; `suffix` is `queue/<name>` or `seat/<number>`."""
    group, _, name = suffix.partition("/")
    return f"{ROOT}/{level(node)}/{group}/{level(name)}"


def status_topic(node: str) -> str:
    """Where a node says that it is there."""
    return f"{ROOT}/{level(node)}/status"


def level(name: str) -> str:
    """`name` as one level of a topic: what MQTT keeps for itself becomes a percent code, as in addresses."""
    return name.translate(_CODES)


def public(stamped: Stamped) -> Stamped:
    """The fact as other systems may see it: the calling number masked; left out, what somebody wrote about its owner, and
    all that the audit log tells of people."""
    hidden: dict[str, str | None] = {}
    if number := getattr(stamped.fact, "calling_number", None):
        hidden["calling_number"] = masked(number)
    if isinstance(stamped.fact, NumberBlocked):
        hidden["reason"] = ""
    if isinstance(stamped.fact, WrappedUp):
        hidden["note"] = ""
    if isinstance(stamped.fact, Audited):
        hidden |= {"account": None, "about": "", "address": None, "seal": ""}
    return msgspec.structs.replace(stamped, fact=msgspec.structs.replace(stamped.fact, **hidden)) if hidden else stamped


def masked(number: str) -> str:
    """Four digits before the last four are hidden, as the field does (+86138****1111); of a short number all but two."""
    if len(number) < 11:
        return "*" * max(0, len(number) - 2) + number[-2:]
    return f"{number[:-8]}****{number[-4:]}"
