"""Words laid out on pages: a title, sentences, a table, sentences. Chinese, in a font of the system's.

Black letters of 4 mm are read after the worst line; nothing is grey, and nothing depends on a thin rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from PIL import Image, ImageDraw, ImageFont

from calls.errors import RexianError
from faxes.pages import LONGEST, WIDTH, Page

FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
"""Debian's package fonts-wqy-microhei."""

TITLE, WORDS = 56, 34
"""Heights of letters, in lines."""

LEADING = 1.5
MARGIN, FOOT = 120, 90
"""White at the sides and above, and below, where the number of the page stands; many machines cut off some 5 mm."""


class NoFont(RexianError):
    """There is no font to write with."""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What is to stand on the pages. The table's head is repeated on each page."""

    title: str
    before: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    """Each with as many columns as the head has."""
    after: tuple[str, ...] = ()


def lay_out(sheet: Sheet) -> list[Page]:
    """As many pages as it takes; the last one is cut off below its words. Raises NoFont."""
    title, words = _font(TITLE), _font(WORDS)
    pages = list(_filled(sheet, title, words))
    for number, page in enumerate(pages, start=1):
        page.number(f"{number} / {len(pages)}", words)
    return [page.cut() for page in pages]


class _Paper:
    """One page being written, downwards."""

    def __init__(self) -> None:
        self._image = Image.new("1", (WIDTH, LONGEST), 1)
        self._pen = ImageDraw.Draw(self._image)
        self._pen.fontmode = "1"
        self._down = MARGIN

    def has_room(self, lines: int = 1) -> bool:
        return self._down + lines * round(WORDS * LEADING) <= LONGEST - FOOT

    def write(self, columns: tuple[str, ...], font: ImageFont.FreeTypeFont) -> None:
        """One line, each column beginning in its own place."""
        wide = (WIDTH - 2 * MARGIN) // len(columns)
        for place, text in enumerate(columns):
            self._pen.text((MARGIN + place * wide, self._down), text, font=font, fill=0)
        self._down += round(font.size * LEADING)

    def rule(self) -> None:
        """A line across, over what follows."""
        self._pen.rectangle((MARGIN, self._down - 6, WIDTH - MARGIN, self._down - 4), fill=0)

    def number(self, text: str, font: ImageFont.FreeTypeFont) -> None:
        self._pen.text((WIDTH // 2, self._down + WORDS), text, font=font, fill=0, anchor="ma")
        self._down += 2 * WORDS

    def cut(self) -> Page:
        return self._image.crop((0, 0, WIDTH, min(LONGEST, self._down + FOOT)))


def _filled(sheet: Sheet, title: ImageFont.FreeTypeFont, words: ImageFont.FreeTypeFont) -> Iterator[_Paper]:
    paper = _Paper()
    paper.write((sheet.title,), title)
    for line in sheet.before:
        paper.write((line,), words)
    if sheet.rows:
        _write_head(paper, sheet, words)
    for row in sheet.rows:
        if not paper.has_room():
            yield paper
            paper = _Paper()
            _write_head(paper, sheet, words)
        paper.write(row, words)
    if not paper.has_room(len(sheet.after) + 1):
        yield paper
        paper = _Paper()
    paper.rule()
    for line in sheet.after:
        paper.write((line,), words)
    yield paper


def _write_head(paper: _Paper, sheet: Sheet, words: ImageFont.FreeTypeFont) -> None:
    paper.write(("",), words)
    paper.write(sheet.head, words)
    paper.rule()


def _font(height: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(str(FONT), height)
    except OSError as error:
        raise NoFont(f"{FONT} cannot be read: {error}. Mend: install Debian's package fonts-wqy-microhei.") from error
