"""sipp's own caller and our scenarios against a real exchange: any standard phone can do what ours do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.asterisk.exchange import PASSWORD, exchange
from tests.asterisk.malformed import invite, malformed, send
from tests.asterisk.phones import CITIZEN_HZ, Seat, hears, listen, sipp
from tests.asterisk_tree import Asterisk

pytestmark = pytest.mark.asyncio(loop_scope="module")
Exchange = tuple[Asterisk, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx() -> AsyncIterator[Exchange]:
    async with exchange() as running:
        yield running


@pytest.mark.parametrize(
    ("scenario", "number", "talk_ms", "answered"),
    [
        ("-uac", "100", 100, 3),
        ("waits", "103", 0, 3),
        ("leaves", "100", 100, 3),
        ("leaves", "103", 5000, 3),  # the far side hangs up first
        ("gives_up", "104", 100, 0),
        ("gives_up", "100", 100, 3),  # the answer is quicker
        ("speaks", "103", 0, 3),
    ],
)
async def test_a_scenario_goes_through(pbx: Exchange, scenario: str, number: str, talk_ms: int, answered: int) -> None:
    asterisk, server = pbx
    result = await sipp(scenario, server, service=number, calls=3, talk_ms=talk_ms)
    assert (result.created, result.succeeded, result.failed) == (3, 3, 0), result.errors
    assert len(result.answer_ms) == answered
    assert await asterisk.channels() == 0


async def test_sipp_speaks_440_hz(pbx: Exchange) -> None:
    async with Seat("201", PASSWORD, pbx[1]) as seat, asyncio.TaskGroup() as group:
        calling = group.create_task(sipp("speaks", pbx[1], service="201"))
        assert hears(await listen(seat), CITIZEN_HZ)
        await seat.hangup()
        assert (await calling).succeeded == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="sipp sends keys through a raw socket, which only root may open")
async def test_sipp_keys(pbx: Exchange) -> None:
    result = await sipp("keys", pbx[1], service="101", talk_ms=100, keys="159")
    assert result.succeeded == 1, result.errors
    assert "KEYS=159" in pbx[0].log()


async def test_a_call_that_fails_is_counted(pbx: Exchange) -> None:
    result = await sipp("-uac", pbx[1], service="999")
    assert (result.succeeded, result.failed) == (0, 1)
    assert "404" in result.errors


async def test_wrong_use_of_sipp_is_no_result(pbx: Exchange) -> None:
    with pytest.raises(RuntimeError, match="sipp ended"):
        await sipp("-no-such-scenario", pbx[1])


async def test_a_sipp_that_does_not_end_is_ended(pbx: Exchange) -> None:
    with pytest.raises(TimeoutError):
        await sipp("waits", pbx[1], service="100", limit_s=1)
    await pbx[0].cli("channel request hangup all")  # nobody is left to say goodbye for it
    async with asyncio.timeout(10):
        while await pbx[0].channels():
            pass


async def test_a_plain_invite_is_answered_and_malformed_ones_are_not(pbx: Exchange) -> None:
    asterisk, server = pbx
    assert (await send(server, invite(server, line="999")))[-1] == 404
    for name, message in malformed(server, line="100").items():
        statuses = await send(server, message)
        assert all(status == 100 or 400 <= status < 700 for status in statuses), (name, statuses)
    assert await asterisk.channels() == 0
    assert (await sipp("-uac", server, service="100", talk_ms=10)).succeeded == 1
