"""A mystery caller on the line that ships, which speaks its words: what is heard is known by its sound alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calls.words import FIRST_LANGUAGE
from tests.asterisk.hotline import PORT_OFFSET
from tests.deployment import Deployment, deployed
from tests.documentation import blocks, page

pytestmark = pytest.mark.asterisk

PAGE = page("docs/probe.md")


@pytest.fixture(scope="module")
def hotline() -> Iterator[Deployment]:
    """Nobody is signed in: whoever asks for a person is told so."""
    with deployed(PORT_OFFSET + 1900, spoken=[FIRST_LANGUAGE]) as deployment:
        yield deployment


def test_what_the_page_types(hotline: Deployment) -> None:
    (script,), (command, *_) = blocks(PAGE, "yaml"), blocks(PAGE, "sh")
    (hotline.folder / "script.yaml").write_text(script)
    told = hotline.sh(command)
    assert told.rstrip().endswith("脚本走完")
    heard = [line.split()[5] for line in told.splitlines() if "听到" in line]
    assert heard == ["welcome", "notice", "menu.main", "menu.other", "queue.no_seat"]
