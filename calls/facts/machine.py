"""A caller and the machine: the notice, the menus, the services."""

from __future__ import annotations

from typing import Literal

from calls.facts.fact import Fact
from calls.words import Language

MenuOutcome = Literal["chosen", "wrong", "missing", "again", "back", "person", "gave_up"]

ServiceOutcome = Literal["done", "gave_up", "not_identified", "refused", "unavailable", "unknown", "hung_up"]
"""What came of a service of the machine. `gave_up`: the caller did not do what it takes; `not_identified`: could not show who
they are; `refused`: the business system says no; `unavailable`: it cannot be done now; `unknown`: nobody knows if it is."""


class NoticeHeard(Fact, frozen=True, kw_only=True, tag="notice_heard"):
    """The legal notice was played: which version, in which language, how much of it. Kept as evidence."""

    call_id: str
    notice: str
    notice_version: str
    language: Language
    heard_ms: int
    whole: bool


class MenuStepTaken(Fact, frozen=True, kw_only=True, tag="menu_step_taken"):
    """One answer, or none, to one menu. `choice` is the option's name, never the key."""

    call_id: str
    menu: str
    attempt: int
    outcome: MenuOutcome
    choice: str | None
    waited_ms: int


class SlowSpeechBegun(Fact, frozen=True, kw_only=True, tag="slow_speech_begun"):
    """A caller asked twice in a row to hear it again: from here on everything is said slowly, and keys have more time."""

    call_id: str
    asked_in: str
    """The menu, or what the caller was being served with."""


class ServiceUsed(Fact, frozen=True, kw_only=True, tag="service_used"):
    """A caller was with a service of the machine, to its end."""

    call_id: str
    service: str
    """The service's name; `say` for an announcement, `topic` for a topic of the day, `department` for a number, `region` for
    another region."""
    about: str
    """The choice or the queue that led there, or the name of the topic, department or region."""
    outcome: ServiceOutcome
    lasted_ms: int
