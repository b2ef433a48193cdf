"""The hotline that the tests call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.asterisk.hotline import Hotline, running_hotline


@pytest.fixture(scope="session")
def running() -> Iterator[Hotline]:
    """One hotline for the session."""
    with running_hotline() as hotline:
        yield hotline


@pytest.fixture
async def hotline(running: Hotline) -> AsyncIterator[Hotline]:
    """The session's hotline; whatever the test did, nothing of it may be left."""
    yield running
    await running.nothing_left()
