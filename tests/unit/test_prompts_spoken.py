"""What callers hear of a number, an amount, a day: tables written by hand, `spoken/<language>.txt`, a language each.

They are for whoever speaks the language and no Python: a kind, a value and its words a line. To add a trap, add a line.
"""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from calls.words import Language
from prompts.catalogue import CATALOGUE, Catalogue
from prompts.reading import READINGS, Value

TABLES = Path(__file__).parent / "spoken"
SPOKEN = Catalogue.load(CATALOGUE)
WRITTEN_TOGETHER = ("zh-CN", "yue")


def rows() -> list[tuple[Language, str, str, str]]:
    """Language, kind, value and words of every line."""
    found = []
    for language in SPOKEN.tongues:
        for line in (TABLES / f"{language}.txt").read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                kind, value, words = line.split(maxsplit=2)
                found.append((language, kind, value, words))
    return found


def meant(kind: str, text: str) -> Value:
    """The value as a flow passes it."""
    if kind == "clock":
        return time.fromisoformat(text)
    if kind in ("date", "month"):
        return date.fromisoformat(text)
    if kind == "amount":
        return int(text.replace(".", ""))
    return text if kind in ("digits", "grouped") else int(text)


@pytest.mark.parametrize(("language", "kind", "value", "words"), rows())
def test_it_sounds_as_the_table_says(language: Language, kind: str, value: str, words: str) -> None:
    said = SPOKEN.pieces(language)
    keys = READINGS[SPOKEN.tongues[language].reads][kind](meant(kind, value))
    assert ("" if language in WRITTEN_TOGETHER else " ").join(said[key] for key in keys) == words


def test_the_tables_are_large_and_leave_no_kind_out() -> None:
    tables: dict[Language, list[str]] = {}
    for language, kind, _, _ in rows():
        tables.setdefault(language, []).append(kind)
    assert len(tables["zh-CN"]) >= 200
    assert len(tables["en"]) >= 60
    for language, kinds in tables.items():
        assert set(kinds) | {"words"} == set(READINGS[SPOKEN.tongues[language].reads])
