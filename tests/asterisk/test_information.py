"""What a city tells by itself, on real calls: its own words are heard, and new ones without anybody losing the old."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from bureau.places import OFFICES
from calls.errors import NotPossible
from calls.facts import ServiceUsed
from cti.control import Reload, ask
from cti.phone.sound import Samples
from cti.status import Done
from prompts import CATALOGUE, Catalogue, EspeakVoice, OwnWords
from recordings.listen import Samples as Sound
from tests.asterisk.ears import speaks
from tests.asterisk.hotline import PATIENCE_S, Caller, Hotline

pytestmark = pytest.mark.asterisk

LINE = "12346"
TITLE, OLD, NEW = "养老金调整", "每年一月起调整，七月底以前发放到位。", "没有收到的，请带身份证查询。"


def voice(folder: Path, words: str) -> Sound:
    """How these words sound."""
    folder.mkdir()
    assert OwnWords(folder, EspeakVoice()).render(Catalogue.load(CATALOGUE), "zh-CN", words) is None
    [file] = folder.glob("own/*.wav")
    samples, _ = soundfile.read(file)
    return np.asarray(samples, dtype=np.float64)


async def hears_voice(caller: Caller, words: Sound) -> None:
    """Wait until these words are heard. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not speaks(caller.phone.heard(), words):  # noqa: ASYNC110 - a growing file has no event
            await asyncio.sleep(0.2)


async def reload(hotline: Hotline) -> None:
    """As `rexian reload` does. Raises NotPossible with what is wrong."""
    await ask(hotline.settings.control_socket, Reload(), Done)


async def test_a_topic_is_changed_while_somebody_hears_it_and_nobody_hears_half_of_either(
    hotline: Hotline, tmp_path: Path
) -> None:
    title, old, new = (voice(tmp_path / name, words) for name, words in (("title", TITLE), ("old", OLD), ("new", NEW)))
    file = hotline.settings.lines_dir / f"{LINE}.line.yaml"
    before = file.read_text()
    try:
        async with hotline.caller("1", line=LINE) as first:
            await hears_voice(first, title)
            await first.hears("choose.one.1", "number.1")
            await first.phone.key("1")
            file.write_text(before.replace(OLD, NEW))
            await reload(hotline)
            async with hotline.caller("1", line=LINE) as second:
                await second.hears("choose.one.1", "number.1")
                await second.phone.key("1")
                await hears_voice(first, old)
                used = await first.saw(ServiceUsed)
                assert (used.service, used.about, used.outcome) == ("topic", "pension", "done")
                await hears_voice(second, new)
                await second.saw(ServiceUsed)
                await asyncio.gather(first.leave(), second.leave())
                heard: list[Samples] = [caller.phone.heard() for caller in (first, second)]
        assert [(speaks(sound, old), speaks(sound, new)) for sound in heard] == [(True, False), (False, True)]
        file.write_text(before.replace(OLD, "请带身份证♥"))
        with pytest.raises(NotPossible, match=r"line\.yaml:21:35: the voice cannot say '♥'"):
            await reload(hotline)
    finally:
        file.write_text(before)
        await reload(hotline)
    told = "SELECT about, outcome FROM service_uses WHERE service = 'topic' AND call_id = $1"
    assert await hotline.sql(told, first.call_id) == [("pension", "done")]


async def test_the_offices_that_the_business_system_knows_are_heard_one_after_the_other(
    hotline: Hotline, tmp_path: Path
) -> None:
    first, second = (office for office in OFFICES if office.area == "990101" and office.id[-2:] in ("01", "02"))
    async with hotline.caller("2", line=LINE) as caller:
        await caller.hears("choose.one.1", "number.1")
        await caller.phone.key("1")
        await hears_voice(caller, voice(tmp_path / "name", first.name))
        await caller.phone.key("1")
        await hears_voice(caller, voice(tmp_path / "address", second.address))
        await caller.leave()
    assert (await caller.saw(ServiceUsed)).service == "offices"
