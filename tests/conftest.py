"""How hypothesis plays: without a clock, which a loaded machine would lose; in continuous integration by the same dice.

And numpy on one core: the tests run beside each other already, and its threads would wait for each other.
And the hotline that the tests of the whole call, by telephone (asterisk/) and by browser (browser/)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.asterisk.hotline import Hotline

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def running() -> Iterator[Hotline]:
    """One hotline for the session."""
    from tests.asterisk.hotline import running_hotline  # only those who call it wait for what that takes

    with running_hotline() as hotline:
        yield hotline


@pytest.fixture
async def hotline(running: Hotline) -> AsyncIterator[Hotline]:
    """The session's hotline; whatever the test did, nothing of it may be left."""
    yield running
    await running.nothing_left()
