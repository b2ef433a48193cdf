"""The HTTP side of the gateway: an aiohttp application that takes texts, delivers them at once, and reports.

    POST /v1/texts    {"key", "to", "body"} -> {"id"}          POST /v1/inbox  {"number"} -> {"texts": [...]}
    GET  /health      {"ready": true}

    200 it is taken, now or before     400 not as the contract has it     401 not signed, or taken already
    403 this number gets no texts      409 the key was used otherwise     503 not now     500 nobody knows

Its telephones are lists in memory. A report is sent again, signed anew, until the hotline takes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

from texting.faults import KINDS, Faults, Kind
from texting.kept import Kept, KeyUsedOtherwise, Report
from texting.signing import Doorman, signed

NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
KEY = re.compile(r"[0-9A-Za-z._-]{1,100}")
LONGEST_TEXT = 1000
"""Characters, as carriers have it for a text of several parts."""

REPORT_AGAIN_S = 0.5
LONGEST_PAUSE_S = 30.0
REPORT_S = 5.0

log = logging.getLogger(__name__)


class Gateway:
    """One gateway. `reports_to` is where the hotline wants to be told what became of its texts."""

    def __init__(self, kept: Kept, key: bytes, reports_to: str, *, faulty: bool = False) -> None:
        self._kept, self._key, self._reports_to, self._faulty = kept, key, reports_to, faulty
        self._doorman = Doorman(key)
        self._faults = Faults()
        self._telephones: dict[str, list[str]] = defaultdict(list)
        self._news = asyncio.Event()

    def application(self) -> web.Application:
        """What is served."""
        application = web.Application(client_max_size=100_000)
        application.router.add_get("/health", self._health)
        application.router.add_post("/v1/texts", self._take)
        application.router.add_post("/v1/inbox", self._inbox)
        if self._faulty:
            application.router.add_post("/faults", self._switch)
            application.router.add_delete("/faults", self._switch)
        application.cleanup_ctx.append(self._reporting)
        return application

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"ready": True})

    # --- texts

    async def _take(self, request: web.Request) -> web.StreamResponse:
        asked = await self._read(request, "key", "to", "body")
        if not (
            KEY.fullmatch(asked["key"]) and NUMBER.fullmatch(asked["to"]) and 0 < len(asked["body"]) <= LONGEST_TEXT
        ):
            raise _refusal(web.HTTPBadRequest, "malformed")
        fault = self._faults.take()
        if fault in ("silent", "failed", "busy", "refused"):
            return await self._instead(request, fault)
        answer = self._deliver(asked, fault)
        if fault == "late":
            await self._faults.let_go.wait()
        elif fault in ("cut", "twice", "failed_after", "garbage"):
            return await self._instead(request, fault, answer)
        return web.json_response(answer)

    def _deliver(self, asked: dict[str, str], fault: Kind | None) -> dict[str, str]:
        try:
            given, new = self._kept.take(asked["key"], asked["to"], asked["body"], secrets.token_hex(8))
        except KeyUsedOtherwise:
            raise _refusal(web.HTTPConflict, "key_used_otherwise") from None
        if new:
            reaches = fault != "undeliverable"
            if reaches:
                self._telephones[asked["to"]].append(asked["body"])
            self._kept.became(asked["key"], "delivered" if reaches else "undeliverable")
            self._news.set()
            if fault == "again":
                asyncio.get_running_loop().call_later(REPORT_AGAIN_S, self._once_more, asked["key"])
        return {"id": given}

    def _once_more(self, key: str) -> None:
        self._kept.became(key, "delivered")
        self._news.set()

    async def _inbox(self, request: web.Request) -> web.Response:
        asked = await self._read(request, "number")
        return web.json_response({"texts": self._telephones.get(asked["number"], [])})

    # --- reports

    async def _reporting(self, _: web.Application) -> AsyncIterator[None]:
        reporting = asyncio.create_task(self._report_for_ever())
        yield
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        self._kept.close()

    async def _report_for_ever(self) -> None:
        pause_s = REPORT_AGAIN_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REPORT_S)) as session:
            while True:
                self._news.clear()
                open_before = [] if self._faults.mute else self._kept.unreported()
                told = [await self._report(session, report) for report in open_before]
                pause_s = REPORT_AGAIN_S if all(told) else min(2 * pause_s, LONGEST_PAUSE_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._news.wait()
                        pause_s = REPORT_AGAIN_S

    async def _report(self, session: aiohttp.ClientSession, report: Report) -> bool:
        """Whether the hotline took it."""
        body = json.dumps({"key": report.key, "state": report.state}).encode()
        headers = {"Content-Type": "application/json", **signed(self._key, body)}
        try:
            async with session.post(self._reports_to, data=body, headers=headers, allow_redirects=False) as answer:
                taken = answer.status in (200, 204)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        if taken:
            self._kept.reported(report.key)
        return taken

    # --- what goes wrong

    async def _switch(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            await self._read(request)
            self._faults.clear()
            self._news.set()
            return web.Response(status=204)
        asked = await self._read(request, "kind", "times")
        [kind] = [kind for kind in KINDS if kind == asked["kind"]]
        self._faults.set(kind, int(asked["times"]))
        return web.Response(status=204)

    async def _instead(
        self, request: web.Request, fault: Kind, answer: dict[str, str] | None = None
    ) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        if fault == "twice":
            body = json.dumps(answer).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            transport.write(2 * (head.encode() + body))
            transport.close()
        elif fault in ("silent", "cut"):
            transport.abort()
        return web.Response(
            status={"busy": 503, "refused": 403, "garbage": 200}.get(fault, 500),
            text="<html>"
            if fault == "garbage"
            else json.dumps({"code": "not_reachable" if fault == "refused" else fault}),
        )

    async def _read(self, request: web.Request, *names: str) -> dict[str, str]:
        """The signed body: these texts, and nothing else. Raises the refusal."""
        body = await request.read()
        if not self._doorman.lets_in(request.headers, body):
            raise _refusal(web.HTTPUnauthorized, "not_authorised")
        try:
            asked: Any = json.loads(body or b"{}")
        except ValueError:
            asked = None
        if not (
            isinstance(asked, dict)
            and sorted(asked) == sorted(names)
            and all(isinstance(value, str) for value in asked.values())
        ):
            raise _refusal(web.HTTPBadRequest, "malformed")
        return asked


def _refusal(kind: type[web.HTTPException], code: str) -> web.HTTPException:
    return kind(text=json.dumps({"code": code}), content_type="application/json")
