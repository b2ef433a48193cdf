"""`rexian status`: whether citizens are answered, and what stands in the way. No secret is ever in it."""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from calls.facts import MessagePurpose
from cti import __version__
from cti.messages import Messages

if TYPE_CHECKING:
    from cti.server import Controller


class Done(msgspec.Struct, frozen=True):
    """A command was carried out; what is so now."""

    done: str


class OpenMessage(msgspec.Struct, frozen=True):
    """A voice message that waits for an answer."""

    message: str
    line: str
    about: str
    calling_number: str | None
    due_at: datetime
    length_ms: int
    purpose: MessagePurpose
    adviser: str | None
    """The adviser whom a complaint is about, where it is about one."""
    recording: str
    """Where its sound is; it comes there within seconds of the end of the call."""


class OpenMessages(msgspec.Struct, frozen=True):
    """The most pressing first."""

    messages: list[OpenMessage]


class SipAddress(msgspec.Struct, frozen=True):
    """Where citizens' calls and telephones come in."""

    host: str
    port: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The public face of the running hotline; its JSON form is stable."""

    ready: bool
    answering: bool
    """Calls are taken; some other part may still be away."""
    sip: SipAddress
    web: str
    mqtt: str
    postgres: str
    """DSN of the read-only role, by Unix socket."""
    ari: str
    versions: dict[str, str]
    calls: dict[str, int]
    seats: dict[str, str]
    skills_moved: dict[str, dict[str, int]]
    """By adviser, skills that a team lead moved for the rest of the day, and to which level; 0: none."""
    callbacks: int
    """Calls back that are owed and that we will make."""
    messages: int
    """Voice messages that wait for an answer."""
    business: Literal["closed", "open", "half_open", "none"]
    """The social-security system: it works, is left alone, is being tried; or there is none."""
    texts: Literal["closed", "open", "half_open", "file", "none"]
    """The SMS gateway: it works, is left alone, is being tried; or texts go into a file, or nowhere."""
    texts_waiting: int
    """Texts that are to be sent."""
    facts: dict[str, int]
    mailboxes: int
    """Objects of Asterisk that somebody waits on; 0 when no call is up and nobody is to be called back, or something leaks."""
    tasks: int
    """What the controller does at once, in its event loop: a few dozen, and some for each call."""
    problems: list[str]


def read_status(controller: Controller) -> Status:
    """Look at everything now. Ready: calls are taken, and every part does its work."""
    settings, node = controller.settings, controller.node
    problems = [
        problem
        for problem in (
            node.problem,
            controller.journal.problem,
            controller.shipper.problem,
            controller.bus.problem,
            controller.recorder.problem,
        )
        if problem is not None
    ]
    up = [session for session in node.sessions.values() if session.has_channel]
    steps = Counter(str(session.kept.step) for session in up)
    return Status(
        ready=not problems,
        answering=node.problem is None,
        sip=SipAddress(settings.host, settings.sip_port),
        web=settings.web_url,
        mqtt=f"mqtt://{settings.host}:{settings.mqtt_port}",
        postgres=settings.postgres_dsn("rexian_read"),
        ari=f"http://127.0.0.1:{settings.ari_port}/ari",
        versions={"rexian": __version__, "asterisk": node.asterisk_version, "python": platform.python_version()}
        | {f"line {number}": line.version for number, line in controller.hotline.lines.items()},
        calls={"up": len(up), **steps},
        callbacks=len(node.promises),
        messages=len(node.messages),
        seats={seat.number: seat.state for seat in controller.floor.engine.seats()},
        skills_moved=controller.skills.moved(),
        business=controller.business.breaker.state if controller.business else "none",
        texts=controller.texts_state,
        texts_waiting=controller.outbox.waiting if controller.outbox else 0,
        facts={
            "recorded": controller.journal.committed,
            "to_postgres": controller.shipper.behind,
            "to_mqtt": controller.bus.behind,
            "lost": controller.journal.lost,
            "recordings_to_seal": controller.recorder.waiting,
        },
        mailboxes=len(node.router),
        tasks=len(asyncio.all_tasks()),
        problems=[
            *problems,
            *_overdue(node.messages),
            *([node.blocklist.problem] if node.blocklist.problem else []),
            *([controller.business.problem] if controller.business and controller.business.problem else []),
            *_gateway_away(controller.texts_state),
            *controller.differences,
            *filter(None, controller.calendar_troubles.values()),
        ],
    )


def _gateway_away(state: str) -> list[str]:
    if state not in ("open", "half_open"):
        return []
    return [
        "the SMS gateway does not answer; no text is offered, what was promised is sent when it is back. "
        "Mend: see texts_url, and that gateway"
    ]


def _overdue(messages: Messages) -> list[str]:
    """What citizens were promised and nobody has done."""
    count = messages.overdue
    return [f"{count} voice messages were to be answered before now. Mend: rexian message list"] if count else []
