"""What a probe of a line found: for a timetable's exit status, for scripts (JSON), and for people. Times are seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from calls.words import ScreenLanguage
from cti.phone.walkreport import WORDS as WALK_WORDS
from cti.phone.walkreport import Stumble

ServiceClass = Literal[1, 2, 3, 4]
"""The ministry's, of how a person is reached: within 30 s, later, not after several tries, no service at all."""

GOOD_ENOUGH: tuple[ServiceClass, ...] = (1, 2)


class Walked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One branch."""

    name: str
    right: bool
    """Every sentence was the one to come."""
    reason: Stumble | None
    wanted: str
    heard: str
    """Of the last sentence: what was to come, and what came; of a branch that is right, where it ended."""
    lasted_s: float
    reached: tuple[str, ...]
    missed: tuple[str, ...]
    """Leaves that it was to reach, and did not."""
    sip_call_id: str


class Try(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call to reach a person."""

    answered: bool
    """The hotline took the call."""
    asked_s: float | None
    """From dialling until a person was asked for: notice and menus; None: it did not come to that."""
    waited_s: float | None
    """From then until the adviser's number was said; None: nobody was reached."""
    heard: str
    """The last sentence."""


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a person was reached."""

    tries: tuple[Try, ...]
    service_class: ServiceClass


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line at one moment."""

    line: str
    version: str
    at: datetime
    """UTC."""
    calling_numbers: str
    """What the numbers of its calls begin with."""
    walked: tuple[Walked, ...]
    not_now: tuple[str, ...]
    """Menus that no key leads to at this moment (night, day): not walked."""
    person: Person | None
    """None: it was not asked, or nobody works now."""

    @property
    def missed(self) -> tuple[str, ...]:
        """Leaves that nobody reached."""
        return tuple(sorted({leaf for walked in self.walked for leaf in walked.missed} - self._reached))

    @property
    def _reached(self) -> set[str]:
        return {leaf for walked in self.walked for leaf in walked.reached}

    @property
    def coverage(self) -> float:
        """Leaves that were reached, of all there are, 0 to 1."""
        reached, missed = len(self._reached), len(self.missed)
        return reached / (reached + missed) if reached + missed else 1.0

    @property
    def all_right(self) -> bool:
        """Every branch is as the line file has it, and a person can be reached, if that was asked."""
        reachable = self.person is None or self.person.service_class in GOOD_ENOUGH
        return reachable and not self.missed and all(walked.right for walked in self.walked)

    def told(self) -> dict[str, object]:
        """For JSON: with the verdicts."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return fields | {"coverage": round(self.coverage, 4), "missed": self.missed, "all_right": self.all_right}

    def text(self, language: ScreenLanguage) -> str:
        """For a person: what is wrong first, and how everything stands."""
        word = WORDS[language]
        lines = [self._branch(walked, language) for walked in sorted(self.walked, key=lambda one: one.right)]
        if self.not_now:
            lines.append(f"{word['not now']}: {' '.join(self.not_now)}")
        lines += self._tries(language)
        reached = len(self._reached)
        lines.append(f"{self.line}  {word['leaves']} {reached}/{reached + len(self.missed)}  {self.coverage:.0%}")
        if self.missed:
            lines.append(f"{word['missed']}: {', '.join(self.missed)}")
        lines.append(word["all right"] if self.all_right else word["not all right"])
        return "\n".join(lines)

    def _branch(self, walked: Walked, language: ScreenLanguage) -> str:
        word = WORDS[language]
        mark = word["right"] if walked.right else word["wrong"]
        told = f"{mark}  {walked.lasted_s:6.1f} s  {walked.name}: {walked.heard or '—'}"
        if walked.reason:
            told += (
                f"  ({word['wanted']} {walked.wanted}; {WALK_WORDS[language][walked.reason]}; SIP {walked.sip_call_id})"
            )
        return told

    def _tries(self, language: ScreenLanguage) -> list[str]:
        if self.person is None:
            return []
        word = WORDS[language]
        rows = [
            f"{word['reached']} {one.waited_s:.1f} s"
            if one.waited_s is not None
            else f"{word['not reached']} ({one.heard or WALK_WORDS[language]['not_answered']})"
            for one in self.person.tries
        ]
        return [f"{word['person']}: {'; '.join(rows)}  {word['class']} {self.person.service_class}"]


WORDS: dict[ScreenLanguage, dict[str, str]] = {
    "zh-CN": {
        "right": "对",
        "wrong": "错",
        "wanted": "应当是",
        "not now": "现在走不到的菜单",
        "leaves": "走到的分支",
        "missed": "没有走到",
        "person": "找人工",
        "reached": "接通，等候",
        "not reached": "没有接通",
        "class": "类别",
        "all right": "全部正常",
        "not all right": "有不正常的",
    },
    "en": {
        "right": "right",
        "wrong": "WRONG",
        "wanted": "wanted",
        "not now": "menus that cannot be reached now",
        "leaves": "leaves reached",
        "missed": "not reached",
        "person": "a person",
        "reached": "reached after",
        "not reached": "not reached",
        "class": "class",
        "all right": "all is right",
        "not all right": "not all is right",
    },
}
