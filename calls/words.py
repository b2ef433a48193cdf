"""The few words that several rooms share: what a call needs, and what its flow hands on."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

import msgspec

Language: TypeAlias = str
"""What a caller is spoken to in, by its tag (`zh-CN`, `yue`). Which there are, the files of the catalogue say."""

FIRST_LANGUAGE: Language = "zh-CN"
"""Spoken when nothing else is known: the law wants the notice in Mandarin first."""

ScreenLanguage = Literal["zh-CN", "en"]
SCREEN_LANGUAGES: tuple[ScreenLanguage, ...] = ("zh-CN", "en")
"""What those who run the hotline read, on screens and in terminals: its words are code."""

Role = Literal["adviser", "lead", "quality", "manager", "operator", "admin"]
"""Whoever signs in: adviser 咨询员, team lead 班长, quality officer 质检员, manager 主管, operator 运维, admin 管理员."""
ROLES: tuple[Role, ...] = get_args(Role)

WrapUpResult = Literal["answered", "to_call_back", "passed_on", "unresolved", "no_question"]
"""What came of a conversation: 已解答, 承诺回电, 已转办, 未能解答, 无效来电 (nothing was asked)."""

AskedState = Literal["ringing", "consulting", "conference"]
"""How far it is with somebody who is asked about a call: rung, with the adviser alone, or with both."""

SKILL_LEVELS = range(1, 6)
"""1 is a beginner, 5 an expert seat."""


Urgency = Literal["spare", "normal", "promised", "urgent", "crisis"]
"""How pressing a call is: `spare` somebody who gave up and is called back in the gaps, `promised` a call back that the hotline
owes, `urgent` a card being lost, `crisis` a life in danger."""


class Relax(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `after_s` seconds of waiting on, less is asked; until `until_s`, where that is given. Steps add up."""

    after_s: Annotated[float, msgspec.Meta(gt=0)]
    levels: Annotated[int, msgspec.Meta(ge=0, le=4)] = 0
    """Every skill may be so many levels lower, never below 1."""
    any_site: bool = False
    """Advisers of other sites may take the call, too."""
    until_s: float | None = None


class Keeps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service level: so large a part of the callers is answered within so many seconds."""

    within_s: Annotated[float, msgspec.Meta(gt=0, le=3600)]
    part: Annotated[float, msgspec.Meta(gt=0, le=1)]


class Needs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a call needs of the adviser who takes it: every skill at least at its level (1 to 5)."""

    skills: dict[str, int]
    queue: str
    """The queue's name in the figures: the menu choice that led here."""
    language: str | None = None
    """A language or dialect that the adviser must speak; None: Mandarin, which all do."""
    site: str | None = None
    """Where the adviser must sit; None: anywhere."""
    preferred: str | None = None
    """The adviser's number that the caller had last, or asked for: chosen where free, never waited for."""
    urgency: Urgency = "normal"
