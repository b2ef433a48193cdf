"""A mystery caller on the line that ships, which speaks its words: what is heard is known by its sound alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from calls.words import FIRST_LANGUAGE
from cti.hotline import vocabulary
from cti.phone.baresip import AnswerAfter, Phone
from cti.phone.places import Identity
from cti.settings import CHECKOUT
from ivr.lines import load_line
from ivr.walks import QUEUE
from tests.asterisk.hotline import PORT_OFFSET
from tests.deployment import CommandFailed, Deployment, deployed
from tests.documentation import blocks, page
from tests.eventually import eventually

pytestmark = pytest.mark.asterisk

PAGE = page("docs/probe.md")


@pytest.fixture(scope="module")
def hotline() -> Iterator[Deployment]:
    with deployed(PORT_OFFSET + 1900, spoken=[FIRST_LANGUAGE]) as deployment:
        yield deployment


@asynccontextmanager
async def adviser(hotline: Deployment) -> AsyncIterator[None]:
    """Somebody at seat 1001, who answers at once."""
    demo = json.loads((hotline.settings.state_dir / "demo.json").read_text())
    password = next(seat["password"] for seat in demo["seats"] if seat["user"] == "seat1001")
    server = f"{hotline.settings.host}:{hotline.settings.sip_port}"
    async with Phone(Identity(user="seat1001", password=password, server=server), answers=AnswerAfter()):
        await eventually(lambda: sits_down(hotline))
        yield


async def sits_down(hotline: Deployment) -> bool:
    """False while the controller has not heard that the telephone is there."""
    try:
        await asyncio.to_thread(hotline.sh, ".venv/bin/rexian seat ready 1001 --adviser 8001")
    except CommandFailed:
        return False
    return True


async def test_what_the_page_types(hotline: Deployment) -> None:
    """Every branch of the line that ships, a person first; and beside that the script of the page."""
    (script,), (call, probe) = blocks(PAGE, "yaml"), [block.strip() for block in blocks(PAGE, "sh")]
    (hotline.folder / "script.yaml").write_text(script)
    async with adviser(hotline):
        probing = asyncio.create_task(asyncio.to_thread(hotline.sh, f"{probe} --json", 400))
        told = await asyncio.to_thread(hotline.sh, call)
        (found,) = json.loads(await probing)
    heard = [line.split()[5] for line in told.splitlines() if "听到" in line]
    assert heard[:-1] == ["welcome", "notice", "menu.main", "menu.other"]
    assert heard[-1] in QUEUE
    assert told.rstrip().endswith("脚本走完")
    wrong = [walked for walked in found["walked"] if not walked["right"]]
    assert (wrong, found["missed"], found["coverage"]) == ([], [], 1.0)
    line = load_line(CHECKOUT / "lines/12333.line.yaml", *vocabulary())
    choices = {
        f"{name} {key} {choice.name}" for name, menu in line.menus.items() for key, choice in menu.choices.items()
    }
    assert choices <= {leaf for walked in found["walked"] for leaf in walked["reached"]}
    assert found["person"]["service_class"] in (1, 2)
    assert found["all_right"]
    assert await numbers_called(hotline) >= len(found["walked"])


async def numbers_called(hotline: Deployment) -> int:
    """How many calls of the probe are in the books: what figures leave out."""
    connection = await asyncpg.connect(hotline.settings.postgres_dsn("rexian_read"))
    try:
        query = "SELECT count(*) FROM calls WHERE calling_number LIKE '+86100000%'"
        assert await connection.fetchval("SELECT count(*) FROM voice_messages") == 0
        return int(await connection.fetchval(query))
    finally:
        await connection.close()
