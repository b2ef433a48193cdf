"""A fax machine: a small real Asterisk with a modem, that dials the hotline, keys, and receives when its start key is pressed.

    async with fax_machines(hotline.server) as machines:
        line = await machines.dial("t38", "12342")
        await line.key("1")
        await line.start()
        pages = await line.received()

`t38` agrees to T.38 when it is asked, `audio` refuses it, as a machine behind an old adapter does. `leaves` is another
that agrees, for a second call at once. To try another kind of machine, add it to KINDS.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import numpy as np

from cti.phone.places import free_ports
from cti.phone.sound import Samples
from faxes import Page, read
from tests.asterisk_tree import Asterisk, asterisk, modules
from tests.eventually import eventually

KINDS = {"t38": "yes", "leaves": "yes", "audio": "no"}
"""Whether each agrees to T.38."""

PJSIP = """[udp]
type=transport
protocol=udp
bind={address}
"""

MACHINE = """[{kind}]
type=endpoint
context=none
disallow=all
allow=alaw
dtmf_mode=rfc4733
direct_media=no
aors={kind}
t38_udptl={agrees}
t38_udptl_ec=redundancy
[{kind}]
type=aor
contact=sip:{server}
"""

EXTENSIONS = """[machine]
exten => idle,1,MixMonitor(,r(@VAR@/spool/${CUT(CHANNEL(name),/,2)}.sln))
 same => n,Set(SIP_CALL_ID=${CHANNEL(pjsip,call-id)})
 same => n(waits),Wait(3600)
exten => _key-.,1,SendDTMF(${EXTEN:4},80,120)
 same => n,Set(KEYED=${KEYED}x)
 same => n,Goto(idle,waits)
exten => _start-.,1,ReceiveFAX(@VAR@/spool/${EXTEN:6}.tif,f)
 same => n,Set(RECEIVED=${FAXSTATUS} ${FAXMODE} ${FAXERROR})
 same => n,Goto(idle,waits)
"""

PATIENCE_S, LOOKS_EVERY_S = 120.0, 0.5
"""A page takes some 20 s; its end is an event to the hotline, and here has to be asked for."""

UDPTL = "[general]\nudptlstart=15900\nudptlend=15999\n"


class FaxLine:
    """One machine's call to the hotline."""

    def __init__(self, exchange: Asterisk, channel: str, file: Path) -> None:
        self._exchange, self._channel, self._file = exchange, channel, file
        self._keyed = ""

    async def sip_call_id(self) -> str:
        """The Call-ID of its SIP dialog, once it is answered."""
        await eventually(lambda: self._knows("SIP_CALL_ID"))
        return await self._variable("SIP_CALL_ID")

    async def key(self, keys: str) -> None:
        """Press one key or several, and let go of the last."""
        self._keyed += "x"
        await self._goes_to(f"key-{keys}")
        await eventually(self._let_go)

    async def start(self) -> None:
        """Press the start key: from now on it receives."""
        await self._goes_to(f"start-{self._file.stem}")

    async def received(self) -> list[Page]:
        """Its pages, once it has received them."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self._knows("RECEIVED"):  # noqa: ASYNC110 - the other Asterisk has to be asked
                await asyncio.sleep(LOOKS_EVERY_S)
        assert (await self._variable("RECEIVED")).startswith("SUCCESS"), await self._variable("RECEIVED")
        return read(self._file)

    async def receiving(self) -> None:
        """Wait until the two machines are at it."""
        await eventually(self._receives)

    def heard(self) -> Samples:
        """What came out of its loudspeaker, but for the last two seconds of sound; while nothing is said, nothing comes."""
        file = self._file.with_name(f"{self._channel.partition('/')[2]}.sln")
        return np.fromfile(file, dtype=np.int16) if file.exists() else np.zeros(0, dtype=np.int16)

    async def hangup(self) -> None:
        """In the middle of whatever it does."""
        await self._exchange.cli(f"channel request hangup {self._channel}")

    async def _goes_to(self, extension: str) -> None:
        await self._exchange.cli(f"channel redirect {self._channel} machine,{extension},1")

    async def _receives(self) -> bool:
        shown = await self._exchange.cli("fax show sessions")
        return bool(re.search(rf"^{self._channel} .* receive +Active ", shown, re.MULTILINE))

    async def _let_go(self) -> bool:
        return await self._variable("KEYED") == self._keyed

    async def _knows(self, variable: str) -> bool:
        return bool(await self._variable(variable))

    async def _variable(self, name: str) -> str:
        shown = await self._exchange.cli(f"core show channel {self._channel}")
        found = re.search(rf"^{name}=(.*)$", shown, re.MULTILINE)
        return found[1].strip() if found else ""


class FaxMachines:
    """The exchange that they all are."""

    def __init__(self, exchange: Asterisk) -> None:
        self.exchange = exchange
        self._numbers = count(1)

    async def dial(self, kind: str, number: str) -> FaxLine:
        """A machine of that kind calls the hotline; one of each at a time."""
        await self.exchange.cli(f"channel originate PJSIP/{number}@{kind} extension idle@machine")
        await eventually(lambda: self._has(kind))
        file = self.exchange.var / "spool" / f"{kind}-{next(self._numbers)}.tif"
        return FaxLine(self.exchange, await self._channel(kind), file)

    async def _has(self, kind: str) -> bool:
        return bool(await self._channel(kind))

    async def _channel(self, kind: str) -> str:
        shown = await self.exchange.cli("core show channels concise")
        found = re.search(rf"^(PJSIP/{kind}-[0-9a-f]+)!.*!Up!", shown, re.MULTILINE)
        return found[1] if found else ""


@contextlib.asynccontextmanager
async def fax_machines(server: str, address: str = "127.0.0.1") -> AsyncIterator[FaxMachines]:
    """Machines that call the hotline at `server` (host:port) from `address`."""
    machines = "".join(MACHINE.format(kind=kind, agrees=agrees, server=server) for kind, agrees in KINDS.items())
    port = free_ports(address).sip
    files = {
        "pjsip.conf": PJSIP.format(address=f"{address}:{port}") + machines,
        "extensions.conf": EXTENSIONS,
        "udptl.conf": UDPTL,
        "modules.conf": modules(
            "res_fax",
            "res_fax_spandsp",
            "res_pjsip_t38",
            "res_clioriginate",
            "app_senddtmf",
            "app_mixmonitor",
            "func_cut",
        ),
    }
    async with asterisk(files) as exchange:
        yield FaxMachines(exchange)
