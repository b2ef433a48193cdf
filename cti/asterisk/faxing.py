"""A fax on the call that is up: `ivr.window.Fax` by Asterisk's own modem, in the voice or by T.38.

The call is sent through a dialplan context, as for a recording, only for longer; so a fax goes on while no controller is
there, and what came of it is found in the channel's variables when the call comes back. Of a call that ends meanwhile the
dialplan tells it in an event, since nobody could ask any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from calls.errors import RexianError
from calls.facts import FaxResult, FaxSent, FaxWay
from cti.asterisk.errors import Unset
from cti.asterisk.kept import KeptCall, KeptFax
from cti.asterisk.staying import until_answered
from cti.faxes import A_PAGE_S, BEGINS_S
from faxes import Sheet

if TYPE_CHECKING:
    from cti.asterisk.session import Session

log = structlog.get_logger(__name__)

TOLD = {"status": "FAXSTATUS", "error": "FAXERROR", "pages": "FAXPAGES", "rate": "FAXBITRATE", "mode": "FAXMODE"}
"""What Asterisk knows of a fax, by the word that the dialplan's event has for it: the channel's variable."""

WAYS: dict[str, FaxWay] = {"T38": "t38", "audio": "audio"}

HELD_S = 5.0
"""More than the dialplan's own time limit, after which the call comes back by itself."""


class TelephoneFax:
    """One fax to whoever is on the line."""

    def __init__(self, call: Session) -> None:
        self._call = call

    async def send(self, document: str, what: Path | Sheet) -> FaxResult:
        call, faxes = self._call, self._call.node.faxes
        before = call.kept.step
        kept = KeptFax(document, call.now_ms())
        call.keep(step="fax", fax=kept)
        told: dict[str, str] = {}
        hung_up = False
        faxes.begun()
        try:
            kept = msgspec.structs.replace(kept, pages=await self._prepare(what))
            call.keep(fax=kept)
            limit_s = BEGINS_S + kept.pages * A_PAGE_S
            await call.ari.channels.set_channel_var(call.call_id, "FAX_S", value=f"{limit_s:.0f}")
            await call.through_dialplan("send-fax", call.call_id, limit_s + HELD_S)
            told = await _told(call)
        except (RexianError, OSError) as error:
            log.error("a document cannot be faxed", document=document, error=str(error))
        except asyncio.CancelledError:
            told, hung_up = call.fax_told, call.ended_by == "caller"
            raise
        finally:
            faxes.ended()
            sent = fax_sent(call.kept, kept, told, call.now_ms(), hung_up=hung_up)
            with call.node.journal.together():
                faxes.remove(call.call_id)
                call.keep(step=before, fax=None)
                call.record(sent)
        call.caller.forget_keys()  # a modem's tones may be taken for some
        return sent.result

    async def _prepare(self, what: Path | Sheet) -> int:
        """Stays until the file is written, also when the caller hangs up: or it would be there after its removal."""
        return await until_answered(asyncio.to_thread(self._call.node.faxes.prepare, self._call.call_id, what))


async def end_fax_left_behind(call: Session, kept: KeptFax) -> bool:
    """The fax went on while no controller was there: say what came of it; whether it is done."""
    sent = fax_sent(call.kept, kept, await _told(call), call.now_ms())
    with call.node.journal.together():
        call.node.faxes.remove(call.call_id)
        call.keep(step="menu", fax=None)
        call.record(sent)
    done = sent.result == "done"
    await call.caller.say("fax.done" if done else "fax.failed", skippable=False)
    return done


async def _told(call: Session) -> dict[str, str]:
    found: dict[str, str] = {}
    for word, variable in TOLD.items():
        with suppress(Unset):
            found[word] = (await call.ari.channels.get_channel_var(call.call_id, variable)).value
    return found


def fax_sent(call: KeptCall, fax: KeptFax, told: Mapping[str, str], now_ms: int, *, hung_up: bool = False) -> FaxSent:
    """The fact, out of what Asterisk told; `hung_up`: the call ended meanwhile, by the caller's wish."""
    return FaxSent(
        call_id=call.call_id,
        document=fax.document,
        result=_result(told, hung_up),
        pages=_number(told, "pages"),
        of=fax.pages,
        lasted_ms=max(0, now_ms - fax.begun_ms),
        way=WAYS.get(told.get("mode", "")),
        bits_per_s=_number(told, "rate"),
    )


def _result(told: Mapping[str, str], hung_up: bool) -> FaxResult:
    if told.get("status") == "SUCCESS":
        return "done"
    if hung_up:
        return "hung_up"
    if not told:
        return "unknown"
    return "broken_off" if _number(told, "pages") else "no_machine"


def _number(told: Mapping[str, str], word: str) -> int:
    text = told.get(word, "")
    return int(text) if text.isdecimal() else 0
