"""Where a number is from, by a process that may be gone at any time."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from cti import whereabouts
from cti.whereabouts import Whereabouts
from tests.eventually import eventually


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("+8657187654321", "浙江省杭州市"),
        ("+8613800571234", "浙江省杭州市"),
        ("+861085551234", "北京市"),
        ("+8695588", ""),
    ],
)
async def test_where_a_number_is_from(number: str, place: str) -> None:
    places = Whereabouts("zh")
    try:
        assert await places.of(number) == place
    finally:
        await places.close()


async def test_many_questions_at_once_have_each_their_own_answer() -> None:
    places = Whereabouts("en")
    try:
        answers = await asyncio.gather(*(places.of(number) for number in ("+861085551234", "x", "+862155551234") * 5))
        assert answers == ["Beijing", "", "Shanghai"] * 5
    finally:
        await places.close()


async def test_it_is_begun_anew_when_it_was_killed() -> None:
    places = Whereabouts("zh")
    try:
        assert await places.of("+861085551234") == "北京市"
        process = places._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        await eventually(lambda: process.returncode is not None)
        assert await places.of("+861085551234") == "北京市"
    finally:
        await places.close()


async def test_one_that_does_not_answer_is_ended_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Whereabouts("zh")
    try:
        assert await places.of("+861085551234") == "北京市"
        process = places._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        monkeypatch.setattr(whereabouts, "ANSWER_S", 0.1)
        assert await places.of("+861085551234") == ""
        await eventually(lambda: process.returncode is not None)
    finally:
        await places.close()


async def test_it_ends_with_whoever_asks() -> None:
    places = Whereabouts("zh")
    await places.of("+861085551234")
    process = places._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    await eventually(lambda: process.returncode is not None)
    await places.close()
