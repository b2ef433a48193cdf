"""Advisers (咨询员): people, known by number, with skills; another thing than the seat they sit at today."""

from __future__ import annotations

from pathlib import Path

import msgspec

from calls.words import SKILL_LEVELS
from calls.yamlfile import load
from queues.policy import Profile


class Adviser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An adviser's own number (工号), which callers hear, a level of 1 to 5 for each skill, and where the adviser sits."""

    number: str
    skills: dict[str, int]
    languages: tuple[str, ...] = ()
    """Beside Mandarin, which all speak."""
    site: str = ""

    @property
    def profile(self) -> Profile:
        """What the rule knows of the adviser."""
        return Profile(tuple(sorted(self.skills.items())), tuple(sorted(self.languages)), self.site)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    advisers: tuple[Adviser, ...]


def load_advisers(path: Path) -> dict[str, Adviser]:
    """Number -> adviser. Raises BadFile with line, column, reason and mend."""
    file, document = load(path, _File)
    found: dict[str, Adviser] = {}
    for index, adviser in enumerate(file.advisers):
        if not (adviser.number.isdecimal() and adviser.number.isascii()):
            raise document.wrong(
                "advisers",
                index,
                "number",
                reason=f"{adviser.number!r} is not a number",
                mend="write digits 0 to 9 only, in quotes",
            )
        if adviser.number in found:
            raise document.wrong(
                "advisers", index, "number", reason=f"adviser {adviser.number} stands twice", mend="name each once"
            )
        for skill, level in adviser.skills.items():
            if level not in SKILL_LEVELS:
                raise document.wrong(
                    "advisers", index, "skills", skill, reason=f"level {level} is not 1 to 5", mend="write 1 to 5"
                )
        found[adviser.number] = adviser
    return found
