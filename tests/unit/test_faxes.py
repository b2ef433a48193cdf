"""Pages: a document comes out as it went in, words are black on white, and what cannot be sent is told with its mend."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

import faxes.sheet
from calls.facts import FaxResult
from cti.asterisk.faxing import fax_sent
from cti.asterisk.kept import KeptCall, KeptFax
from cti.faxes import Faxes
from faxes import MOST_PAGES, NoFont, NotAPicture, Page, Sheet, lay_out, read, write
from faxes.pages import LONGEST, WIDTH

CALL = KeptCall(
    call_id="call-1",
    sip_call_id="sip-1",
    calling_number=None,
    line="12333",
    boot_id="boot-1",
    arrived_ms=0,
    arrived_at=datetime(2026, 11, 28, tzinfo=UTC),
)
ROWS = tuple((f"2026-{month:02}", "养老保险", "8,000.00", "1,920.00") for month in range(1, 13)) * 5
SHEET = Sheet(title="缴费记录", before=("热线",), head=("月份", "险种", "基数", "金额"), rows=ROWS, after=("合计",))


def striped(mode: str, size: tuple[int, int] = (WIDTH, 600)) -> Image.Image:
    picture = Image.new(mode, size, "white")
    for down in range(0, size[1], 40):
        ImageDraw.Draw(picture).rectangle((100, down, 700, down + 10), fill="black")
    return picture


def dots(pages: list[Page]) -> list[tuple[tuple[int, int], bytes]]:
    return [(page.size, page.tobytes()) for page in pages]


def blackness(page: Page) -> float:
    """The part of the page that is black."""
    return page.histogram()[0] / (page.width * page.height)


def test_pages_are_read_as_they_were_written_and_by_nobody_else(tmp_path: Path) -> None:
    pages, file = lay_out(SHEET), tmp_path / "page.tif"
    write(pages, file)
    assert dots(read(file)) == dots(pages)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    write(pages[:1], file)
    assert dots(read(file)) == dots(pages[:1]), "nothing of a longer one is left"


def test_a_page_of_the_right_width_is_sent_dot_by_dot(tmp_path: Path) -> None:
    striped("1").save(tmp_path / "form.png")
    assert dots(read(tmp_path / "form.png")) == dots([striped("1")])


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P"])
def test_other_pictures_are_fitted_to_the_paper_and_keep_their_shape(tmp_path: Path, mode: str) -> None:
    picture = striped("RGB", (864, 612)).convert(mode)
    picture.save(tmp_path / "form.png")
    [page] = read(tmp_path / "form.png")
    assert (page.mode, page.size) == ("1", (WIDTH, 1176)), "612 x 2 x 196 / 204"
    assert blackness(page) == pytest.approx(0.2, abs=0.02)


def test_what_can_be_seen_through_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (WIDTH, 300), (0, 0, 0, 0)).save(tmp_path / "empty.png")
    assert blackness(read(tmp_path / "empty.png")[0]) == 0


def test_a_long_table_goes_on_overleaf_under_its_head() -> None:
    pages = lay_out(SHEET)
    assert [page.size for page in pages] == [(WIDTH, LONGEST), (WIDTH, pages[1].height)]
    assert pages[1].height < LONGEST
    assert all(0.005 < blackness(page) < 0.1 for page in pages)
    assert dots(pages) == dots(lay_out(SHEET))


def test_nothing_is_written_outside_the_margins() -> None:
    for page in lay_out(SHEET):
        edges = [page.crop((0, 0, 100, page.height)), page.crop((WIDTH - 100, 0, WIDTH, page.height))]
        assert [blackness(edge) for edge in (*edges, page.crop((0, 0, WIDTH, 100)))] == [0, 0, 0]


def test_without_its_font_nothing_is_laid_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(faxes.sheet, "FONT", tmp_path / "none.ttc")
    with pytest.raises(NoFont, match="install Debian's package fonts-wqy-microhei"):
        lay_out(SHEET)


def wrong(folder: Path) -> dict[str, tuple[Path, str]]:
    """A file that cannot be sent, and what is said of it."""
    (folder / "form.pdf").write_bytes(b"%PDF-1.7")
    (folder / "words.png").write_text("not a picture")
    striped("1", (WIDTH, LONGEST + 1)).save(folder / "long.png")
    pages = [Image.new("1", (WIDTH, 10), 1) for _ in range(MOST_PAGES + 1)]
    write(pages, folder / "many.tif")
    (folder / "half.png").write_bytes((folder / "long.png").read_bytes()[:200])
    return {
        "a PDF": (folder / "form.pdf", "pdftoppm"),
        "not there": (folder / "none.png", "there is no file"),
        "no picture": (folder / "words.png", "cannot be read as a picture"),
        "cut off": (folder / "half.png", "cannot be read as a picture"),
        "too long": (folder / "long.png", "cut it into pages"),
        "too many": (folder / "many.tif", "leave 10 or fewer"),
    }


@pytest.mark.parametrize("kind", ["a PDF", "not there", "no picture", "cut off", "too long", "too many"])
def test_what_cannot_be_sent_is_told(tmp_path: Path, kind: str) -> None:
    file, reason = wrong(tmp_path)[kind]
    with pytest.raises(NotAPicture, match=reason):
        read(file)


def test_the_pages_of_a_call_are_there_until_its_fax_is_over(tmp_path: Path) -> None:
    being_sent = Faxes(tmp_path, most=1)
    assert being_sent.prepare("call-1", SHEET) == 2
    striped("1").save(tmp_path / "form.png")
    assert being_sent.prepare("call-2", tmp_path / "form.png") == 1
    being_sent.keep_only({"call-2"})
    assert [file.name for file in tmp_path.glob("call-*")] == ["call-2.tif"]
    being_sent.remove("call-2")
    being_sent.remove("call-2")
    assert list(tmp_path.glob("call-*")) == []


def test_there_are_never_more_faxes_than_may_be(tmp_path: Path) -> None:
    being_sent = Faxes(tmp_path, most=1)
    assert being_sent.has_room
    being_sent.begun()
    assert not being_sent.has_room
    being_sent.ended()
    assert being_sent.has_room
    assert not Faxes(tmp_path, most=0).has_room


@pytest.mark.parametrize(
    ("told", "hung_up", "result"),
    [
        ({"status": "SUCCESS", "pages": "2", "mode": "T38", "rate": "14400"}, False, "done"),
        ({"status": "SUCCESS", "pages": "2", "mode": "T38", "rate": "14400"}, True, "done"),
        ({"status": "FAILED", "pages": "1", "mode": "audio"}, True, "hung_up"),
        ({"status": "FAILED", "pages": "1", "mode": "audio"}, False, "broken_off"),
        ({"status": "FAILED", "pages": "0", "mode": "audio"}, False, "no_machine"),
        ({}, True, "hung_up"),
        ({}, False, "unknown"),
    ],
)
def test_what_came_of_a_fax(told: dict[str, str], hung_up: bool, result: FaxResult) -> None:
    fact = fax_sent(CALL, KeptFax("form", 1000, 2), told, 21_000, hung_up=hung_up)
    assert (fact.result, fact.document, fact.of, fact.lasted_ms) == (result, "form", 2, 20_000)
    assert fact.pages == int(told.get("pages", "0"))
    assert fact.way == {"T38": "t38", "audio": "audio"}.get(told.get("mode", ""))
