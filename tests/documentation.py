"""The documentation as data: its pages, the blocks of code in them, their headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cti.settings import CHECKOUT

PAGES = [*sorted(CHECKOUT.glob("*.md")), *sorted((CHECKOUT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def page(name: str) -> Path:
    """A page by its path in the checkout."""
    return CHECKOUT / name


def blocks(path: Path, language: str, after: str = "") -> list[str]:
    """The fenced blocks of a language (`sh`, `json`, or none), those that follow the text `after`."""
    _, found, text = path.read_text().partition(after) if after else ("", "", path.read_text())
    assert found == after, f"{path.name} no longer says: {after}"
    return [body for kind, body in _BLOCK.findall(text) if kind == language]


def block(path: Path, language: str, contains: str) -> str:
    """The one block that says this."""
    (found,) = [text for text in blocks(path, language) if contains in text]
    return found


def commands(path: Path) -> list[str]:
    """Every line that the page tells a person to run, without its comment."""
    return [re.sub(r"\s+# .*", "", line) for block in blocks(path, "sh") for line in block.splitlines() if line]


def links(path: Path) -> Iterator[str]:
    """Where the page points to, outside of code."""
    return (match[1] for match in _LINK.finditer(_BLOCK.sub("", path.read_text())))


def anchors(path: Path) -> set[str]:
    """The names by which a page's headings can be pointed to, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
