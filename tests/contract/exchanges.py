"""The two exchanges that the ARI contract runs on, with the same few hands: a caller who calls, presses, hangs up.

`FakeExchange` is `tests/fakes/ari.py`; `RealExchange` is a small Asterisk of its own whose callers are Local channels,
far ends in the dialplan. What a test needs done to either must be done by a method here.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from uuid import uuid4

from cti.asterisk.client import Ari
from tests.asterisk_tree import TREE, Asterisk, asterisk, modules
from tests.eventually import PATIENCE_S, eventually
from tests.fakes.ari import FakeAri

HTTP_PORT, SIP_PORT = 21088, 21060
RESEND_S = 0.5
"""SIP's T1: what was not answered by then is said again."""

_SOUNDS = TREE / "usr/share/asterisk/sounds/en_US_f_Allison"

_ARI = ("applications", "asterisk", "bridges", "channels", "device_states", "endpoints", "events", "playbacks")
_MODULES = (
    *("codec_a_mu", "chan_bridge_media", "app_senddtmf", "res_clioriginate", "res_musiconhold"),
    *("res_http_websocket", "res_websocket_client", "res_stasis", "res_stasis_answer", "res_stasis_playback"),
    *("res_stasis_recording", "res_stasis_snoop", "res_stasis_device_state", "res_stasis_broadcast", "app_stasis"),
    *("res_ari_model", "res_ari", *(f"res_ari_{each}" for each in (*_ARI, "recordings", "sounds"))),
)

_FILES = {
    "modules.conf": modules(*_MODULES),
    "http.conf": f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={HTTP_PORT}\n",
    "ari.conf": "[general]\nenabled=yes\n[rexian]\ntype=user\npassword=secret\npassword_format=plain\n",
    "pjsip.conf": f"""
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{SIP_PORT}
[1001]
type=endpoint
aors=1001
disallow=all
allow=alaw
[1001]
type=aor
max_contacts=1
""",
    "sorcery.conf": "[res_pjsip]\nauth = memory\n",
    "extensions.conf": """
[in]
exten => _X.,1,Stasis(rexian,${EXTEN})
 same => n,Hangup()
[far]
exten => hold,1,Answer()
 same => n,Wait(600)
exten => elsewhere,1,Answer()
 same => n,Wait(600)
[through]
exten => _X.,1,Stasis(rexian,seat)
 same => n,Hangup()
[round]
exten => s,1,Stasis(rexian,back)
 same => n,Hangup()
[keys]
exten => _X,1,SendDTMF(${EXTEN})
 same => n,Wait(600)
""",
}


class Exchange(ABC):
    """An Asterisk, real or not, and what its callers and phones do."""

    user, password, app = "rexian", "secret", "rexian"
    url: str
    missing = "sound:missing"
    lasting: str
    # Endpoints that answer at once, and that nobody is registered on.
    phone = "Local/hold@far/n"
    absent = "PJSIP/1001"

    def client(self, password: str = password) -> Ari:
        """A client that is not opened yet."""
        return Ari(self.url, self.user, password, self.app)

    @abstractmethod
    async def call(self) -> str:
        """A caller dials in; the id of the channel that enters Stasis."""

    @abstractmethod
    async def elsewhere(self) -> str:
        """The id of a living channel that is not in Stasis."""

    @abstractmethod
    async def press(self, channel: str, digit: str) -> None:
        """The caller on `channel` presses a key."""

    @abstractmethod
    async def hang_up(self, channel: str) -> None:
        """The caller on `channel` hangs up."""

    @abstractmethod
    async def register(self) -> None:
        """A phone registers as PJSIP/1001."""

    @abstractmethod
    async def drop_sockets(self) -> None:
        """Asterisk closes its event sockets."""

    @abstractmethod
    async def socket_forgotten(self) -> None:
        """Nothing is left of an event socket that was closed: until then, it may still take the next one with it."""


class FakeExchange(Exchange):
    """The fake; its script is all there is to do."""

    lasting = "sound:lasting"

    def __init__(self, fake: FakeAri) -> None:
        self._fake = fake
        self._fake.phones[self.phone] = "answers"
        self._fake.contexts.update(through=("seat",), round=("back",))
        self.url = fake.url

    async def call(self) -> str:
        return self._fake.incoming()

    async def elsewhere(self) -> str:
        return self._fake.elsewhere()

    async def press(self, channel: str, digit: str) -> None:
        self._fake.dtmf(channel, digit)

    async def hang_up(self, channel: str) -> None:
        self._fake.hangup(channel)

    async def register(self) -> None:
        self._fake.register("1001")

    async def drop_sockets(self) -> None:
        await self._fake.drop()

    async def socket_forgotten(self) -> None:
        await eventually(lambda: not self._fake.sockets)


class RealExchange(Exchange):
    """Asterisk; each caller is a Local channel whose first half, the far end, is moved from outside Stasis."""

    lasting = f"sound:{_SOUNDS}/silence/10"
    url = f"http://127.0.0.1:{HTTP_PORT}/ari"

    def __init__(self, pbx: Asterisk, hands: Ari) -> None:
        self._pbx = pbx
        self._hands = hands
        self._far_ends: dict[str, str] = {}

    async def call(self) -> str:
        far, near = uuid4().hex, uuid4().hex
        self._far_ends[near] = far
        await self._hands.channels.originate(
            "Local/12333@in/n", context="far", extension="hold", channel_id=far, other_channel_id=near
        )
        return near

    async def elsewhere(self) -> str:
        far, near = uuid4().hex, uuid4().hex
        await self._hands.channels.originate(
            "Local/elsewhere@far/n", context="far", extension="hold", channel_id=far, other_channel_id=near
        )
        return near

    async def press(self, channel: str, digit: str) -> None:
        while (far := await self._hands.channels.get(self._far_ends[channel])).dialplan.app_name != "Wait":
            pass
        await self._pbx.cli(f"channel redirect {far.name} keys,{digit},1")

    async def hang_up(self, channel: str) -> None:
        await self._hands.channels.hangup(self._far_ends[channel])

    async def register(self) -> None:
        """Says it until it is answered, as everything that SIP sends by UDP."""
        loop = asyncio.get_running_loop()
        answered = asyncio.Event()

        class Telephone(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _: object) -> None:
                if data.startswith(b"SIP/2.0 200"):
                    answered.set()

        transport, _ = await loop.create_datagram_endpoint(Telephone, remote_addr=("127.0.0.1", SIP_PORT))
        host, port = transport.get_extra_info("sockname")
        lines = (
            f"REGISTER sip:127.0.0.1:{SIP_PORT} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{uuid4().hex}",
            "Max-Forwards: 70",
            f"From: <sip:1001@127.0.0.1>;tag={uuid4().hex}",
            "To: <sip:1001@127.0.0.1>",
            f"Call-ID: {uuid4().hex}",
            "CSeq: 1 REGISTER",
            f"Contact: <sip:1001@{host}:{port}>",
            "Expires: 60",
            "Content-Length: 0",
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not answered.is_set():
                    transport.sendto("\r\n".join([*lines, "", ""]).encode())
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(answered.wait(), RESEND_S)
        finally:
            transport.close()

    async def drop_sockets(self) -> None:
        await self._pbx.cli("ari shutdown websocket sessions")

    async def socket_forgotten(self) -> None:
        async def forgotten() -> bool:
            return self.app not in (await self._pbx.cli("ari show websocket sessions")).split()

        await eventually(forgotten)


@contextlib.asynccontextmanager
async def fake_exchange() -> AsyncIterator[Exchange]:
    """The fake, running."""
    async with FakeAri() as fake:
        yield FakeExchange(fake)


@contextlib.asynccontextmanager
async def real_exchange() -> AsyncIterator[Exchange]:
    """An Asterisk, running."""
    async with asterisk(_FILES) as pbx, Ari(RealExchange.url, Exchange.user, Exchange.password, "hands") as hands:
        yield RealExchange(pbx, hands)
