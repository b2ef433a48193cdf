"""Pages as every fax machine of group 3 takes them: 1728 dots a line, 204 to the inch across and 196 down (ITU-T T.4, fine).

What is of that width already is sent dot by dot as it is; any other picture is fitted to the width of the paper, its dots
taken to be square.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageSequence

from calls.errors import RexianError

Page = Image.Image
"""One bit a dot, `WIDTH` wide."""

WIDTH = 1728
ACROSS_DPI, DOWN_DPI = 204, 196
LONGEST = 2300
"""Lines of an A4 sheet, 297 mm: what is longer comes out of some machines in pieces, and of others not at all."""

MOST_PAGES = 10
"""Of one document: the caller pays for the call, and the line is taken meanwhile."""

SUFFIXES = (".png", ".tif", ".tiff")
_DARK = 160
"""Of 255: what is darker becomes black. Somewhat above the middle, so that thin strokes survive."""


class NotAPicture(RexianError):
    """A file that cannot be sent: what is wrong, and the mend."""

    def __init__(self, reason: str, mend: str) -> None:
        self.reason, self.mend = reason, mend
        super().__init__(f"{reason}. Mend: {mend}.")


def read(path: Path) -> list[Page]:
    """The pages of a PNG or TIFF file. Raises NotAPicture."""
    if path.suffix.lower() not in SUFFIXES:
        mend = "make a TIFF of it, for a PDF by: pdftoppm -tiff -mono -r 204 FILE.pdf FILE; or a PNG"
        raise NotAPicture(f"{path.name} is neither a PNG nor a TIFF", mend)
    try:
        with Image.open(path, formats=("PNG", "TIFF")) as picture:
            count = getattr(picture, "n_frames", 1)
            if count > MOST_PAGES:
                raise NotAPicture(f"{path.name} has {count} pages", f"leave {MOST_PAGES} or fewer")
            pages = [_fitted(frame) for frame in ImageSequence.Iterator(picture)]
    except FileNotFoundError:
        raise NotAPicture(f"there is no file {path}", "correct its name, or put it there") from None
    except PermissionError:
        raise NotAPicture(f"{path} may not be read", "let the user rexian read it") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAPicture(f"{path.name} cannot be read as a picture: {error}", "save it anew") from error
    for number, page in enumerate(pages, start=1):
        if page.height > LONGEST:
            reason = f"page {number} of {path.name} is longer than A4: {page.height} lines of {LONGEST}"
            raise NotAPicture(reason, "cut it into pages")
    return pages


def write(pages: Sequence[Page], path: Path) -> None:
    """The TIFF file that Asterisk sends, for its own user alone to read. Raises OSError."""
    first, *others = pages
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
        first.save(
            file,
            "TIFF",
            compression="group4",
            dpi=(ACROSS_DPI, DOWN_DPI),
            save_all=True,
            append_images=list(others),
        )


def _fitted(picture: Image.Image) -> Page:
    if picture.mode == "1" and picture.width == WIDTH:
        return picture.copy()
    grey = _on_white(picture)
    down = round(picture.height * WIDTH / picture.width * DOWN_DPI / ACROSS_DPI)
    grey = grey.resize((WIDTH, max(1, down)), Image.Resampling.LANCZOS)
    return grey.point([0] * _DARK + [255] * (256 - _DARK), "1")


def _on_white(picture: Image.Image) -> Image.Image:
    """In greys; what can be seen through is white."""
    coloured = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("L")
