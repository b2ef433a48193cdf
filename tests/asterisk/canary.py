"""Looking for what must be nowhere: in every file below the hotline's folder, and in every message on MQTT."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt

from cti.settings import Settings


@asynccontextmanager
async def listening(settings: Settings, password: str) -> AsyncIterator[list[bytes]]:
    """Every message on MQTT inside the block: topic, blank, body."""
    heard: list[bytes] = []
    async with aiomqtt.Client(settings.host, settings.mqtt_port, username="reader", password=password) as client:
        await client.subscribe("rexian/#", qos=1)
        task = asyncio.create_task(_listen(client, heard))
        try:
            yield heard
        finally:
            task.cancel()


async def _listen(client: aiomqtt.Client, heard: list[bytes]) -> None:
    async for message in client.messages:
        heard.append(f"{message.topic} ".encode() + bytes(message.payload))


async def told_of(heard: list[bytes], call_id: str) -> bool:
    """Whether the end of that call was told."""
    return any(call_id.encode() in body and b"call_ended" in body for body in heard)


def in_messages(heard: list[bytes], secrets: re.Pattern[bytes]) -> list[bytes]:
    """The messages that hold one of them."""
    return [body for body in heard if secrets.search(body)]


def files_holding(settings: Settings, secrets: re.Pattern[bytes]) -> list[Path]:
    """The files that hold one of them: logs, journal, database, recordings, whatever there is."""
    files = [path for path in settings.state_dir.rglob("*") if path.is_file()]
    assert len(files) > 100, "this is not the hotline's folder"
    return [path for path in files if _holds(path, secrets)]


def _holds(path: Path, secrets: re.Pattern[bytes]) -> bool:
    try:
        return secrets.search(path.read_bytes()) is not None
    except FileNotFoundError:  # a file of PostgreSQL's that came and went
        return False
