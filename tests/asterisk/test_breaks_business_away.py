"""The social-security system is away: the hotline starts, takes calls, says so, and finds it again."""

from __future__ import annotations

import asyncpg
import pytest

from tests.asterisk.hotline import Hotline
from tests.eventually import eventually
from tests.faults import kill, pid_of, stopped, until_new_process, until_working

pytestmark = pytest.mark.asterisk


async def test_the_hotline_starts_and_takes_calls_without_it(hotline: Hotline) -> None:
    await eventually(lambda: _business_is(hotline, "closed"))
    async with stopped(hotline, "bureau"):
        controller = pid_of(hotline, "controller")
        kill(hotline, "controller")
        await until_new_process(hotline, "controller", controller)
        await until_working(hotline)
        async with hotline.adviser("1001", "8001"), hotline.caller("1") as caller:
            await caller.connected()
            await caller.leave()
        await eventually(lambda: _business_is(hotline, "open"))
        status = await hotline.status()
        assert status.ready
        assert any("the social-security system does not answer" in problem for problem in status.problems)

    await eventually(lambda: _business_is(hotline, "closed"))
    assert (await hotline.status()).problems == []


async def test_the_hotlines_roles_may_not_read_it(hotline: Hotline) -> None:
    """A database of its own, to which they may not even connect."""
    await eventually(lambda: _business_is(hotline, "closed"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await asyncpg.connect(hotline.settings.postgres_dsn("rexian_read", "bureau"))


async def _business_is(hotline: Hotline, state: str) -> bool:
    return (await hotline.status()).business == state
