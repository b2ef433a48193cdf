"""骚扰来电 Numbers that are refused for a while, on real calls: the list, the limit, and the key that always leads to help."""

from __future__ import annotations

import json

import pytest

from calls.facts import CallArrived, CallRefused, QueueEntered
from cti.blocklist import Blocks
from cti.control import BlockNumber, ListBlocks, ask
from cti.status import Done
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import sipp
from tests.eventually import eventually

pytestmark = pytest.mark.asterisk

LINE = "12361"
BLOCKED, SHORTLY, REDIALLER = "13700000001", "13700000002", "13700000003"
TOLD = ("refused.blocked", "refused.crisis")
MOST = 8
"""`redial_most` of data/hotline.yaml."""


async def refused_why(hotline: Hotline, caller: Caller) -> list[tuple[str, str]]:
    return await hotline.sql("SELECT outcome, refused_why FROM calls WHERE call_id = $1", caller.call_id)


async def test_a_blocked_number_is_told_so_and_whoever_is_in_danger_is_put_through(hotline: Hotline) -> None:
    words = ("--days", "7", "--reason", "rings and hangs up", "--by", "8001")
    code, out, _ = await hotline.rexian("block", "add", BLOCKED, *words)
    assert (code, out.startswith(f"+86{BLOCKED} blocked until ")) == (0, True)
    code, out, _ = await hotline.rexian("block", "list", "--json")
    [entry] = [one for one in json.loads(out)["blocks"] if one["calling_number"] == f"+86{BLOCKED}"]
    assert (entry["reason"], entry["by"], entry["until"]) == ("rings and hangs up", "8001", entry["review_at"])

    async with hotline.adviser("1005", "8061"), hotline.caller(line=LINE, number=BLOCKED) as caller:
        await caller.hears(*TOLD)
        await caller.phone.key("1")
        await caller.hears(*TOLD, "notice")
        assert (await caller.connected()).seat == "1005"
        assert (await caller.saw(QueueEntered)).queue == "crisis"
        await caller.leave()
    assert await refused_why(hotline, caller) == [("queued", "this number is blocked")]

    assert (await hotline.rexian("block", "review", BLOCKED, "--days", "1", "--by", "8002"))[0] == 0
    assert (await hotline.rexian("block", "lift", BLOCKED, "--by", "8002"))[0] == 0
    told = "SELECT kind FROM facts WHERE body->>'calling_number' = $1 AND kind ~ 'block' ORDER BY seq"
    kinds = [kind for (kind,) in await hotline.sql(told, f"+86{BLOCKED}")]
    assert kinds == ["number_blocked", "block_reviewed", "block_ended"]


async def test_a_block_that_is_over_lets_the_number_through(hotline: Hotline) -> None:
    second = 1 / 86_400
    await ask(hotline.settings.control_socket, BlockNumber(SHORTLY, second, "rude", "8001"), Done)
    await eventually(lambda: _may_call(hotline, f"+86{SHORTLY}"))
    async with hotline.caller(line=LINE, number=SHORTLY) as caller:
        await caller.saw(CallArrived)
        await caller.leave()


async def _may_call(hotline: Hotline, number: str) -> bool:
    found = await ask(hotline.settings.control_socket, ListBlocks(), Blocks)
    return number not in [block.calling_number for block in found.blocks]


async def test_a_machine_that_dials_on_and_on_is_refused_for_a_while_and_people_are_not(hotline: Hotline) -> None:
    result = await sipp("leaves", hotline.server, service=LINE, calls=MOST, rate=10, caller=REDIALLER, talk_ms=100)
    assert result.succeeded == MOST
    async with hotline.caller(line=LINE, number=REDIALLER) as caller:
        await caller.hears("refused.redials", "refused.crisis", "goodbye")
        await caller.over()
    assert (await caller.saw(CallRefused)).reason == "too many calls from this number"
    assert await refused_why(hotline, caller) == [("refused", "too many calls from this number")]
    async with hotline.caller(line=LINE) as somebody_else:
        await somebody_else.saw(CallArrived)
        await somebody_else.leave()
