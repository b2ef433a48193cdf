"""The few words that several rooms share: what a call needs, and what its flow hands on."""

from __future__ import annotations

from typing import Literal

import msgspec

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
FIRST_LANGUAGE: Language = "zh-CN"
"""Spoken when nothing else is known: the law wants the notice in Mandarin first."""

SKILL_LEVELS = range(1, 6)
"""1 is a beginner, 5 an expert seat."""


class Needs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a call needs of the adviser who takes it: every skill at least at its level (1 to 5)."""

    skills: dict[str, int]
    queue: str
    """The queue's name in the figures: the menu choice that led here."""
