"""All that lies between a browser and the hotline, which a test can cut: pages, feed, signalling, and the voice.

Chromium's own emulation of a network that is away leaves open websockets and the voice alone. So the page is opened at a proxy
(`tests.proxy`), and its voice goes through a relay: what browser and Asterisk tell each other of where they are is changed to
the relay's two ends. Nobody needs to be root for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain

from playwright.async_api import BrowserContext

from tests.asterisk.hotline import Hotline
from tests.proxy import Proxy

Address = tuple[str, int]

RELAYED = r"""
const Direct = window.RTCPeerConnection;
const ufrags = [];  // each search for a way has one of its own, and a pair of ends
const pair = (sdp) => {
  const [, ufrag] = /a=ice-ufrag:(.*)/.exec(sdp);
  if (!ufrags.includes(ufrag)) ufrags.push(ufrag);
  return (ufrags.length - 1) % @PAIRS@.length;
};
const at = (sdp, port) => {
  let first = true;
  return sdp.replace(/a=candidate:.*\r\n/g, (line) => {
    const [, host] = / udp \d+ (\d+\.\d+\.\d+\.\d+) \d+ typ host/i.exec(line) ?? [];
    if (!host || !first) return '';
    first = false;
    return `a=candidate:1 1 udp 2130706431 ${host} ${port} typ host\r\n`;
  });
};
window.RTCPeerConnection = class extends Direct {
  async setRemoteDescription({ type, sdp }) {
    const [, host, port] = / udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/i.exec(sdp);
    const own = super.localDescription;
    const used = own ? pair(own.sdp) : ufrags.length % @PAIRS@.length;
    await window.relayTo(used, host, Number(port));
    return super.setRemoteDescription({ type, sdp: at(sdp, @PAIRS@[used][0]) });
  }
  get localDescription() {
    const own = super.localDescription;
    return own && { type: own.type, sdp: at(own.sdp, @PAIRS@[pair(own.sdp)][1]) };
  }
};
"""
PAIRS = 6
"""How often a way may be looked for, before the first pair is taken again."""


class _End(asyncio.DatagramProtocol):
    """One end of the relay; what comes in goes out at the other."""

    def __init__(self) -> None:
        self.peer: Address | None = None
        """Who is at this end; None: nobody has been heard of yet."""
        self.other: _End
        self.cut = False
        self.transport: asyncio.DatagramTransport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.peer = addr
        if not self.cut and self.other.peer:
            self.other.transport.sendto(data, self.other.peer)

    @property
    def port(self) -> int:
        port: int = self.transport.get_extra_info("sockname")[1]
        return port


class Way:
    """One way, for one browser that talks to one at a time."""

    def __init__(self, web: Proxy, pairs: list[tuple[_End, _End]]) -> None:
        self._web, self._pairs = web, pairs
        self._used: set[int] = set()

    @property
    def port(self) -> int:
        """Where the web door is, by this way."""
        return self._web.port

    async def leads(self, context: BrowserContext) -> None:
        """Have this browser's voice go this way."""
        await context.expose_function("relayTo", self._relay_to)
        ports = [[browsers.port, asterisks.port] for browsers, asterisks in self._pairs]
        await context.add_init_script(RELAYED.replace("@PAIRS@", str(ports)))

    def _relay_to(self, pair: int, host: str, port: int) -> None:
        self._used.add(pair)
        self._pairs[pair][1].peer = host, port

    async def lose(self) -> None:
        """Cut it as a firewall does that forgets: what is open is lost, voice and all, and nobody is told, now or later."""
        await self._web.swallow()
        self._cut(self._pairs, on=True)

    async def hold_up(self) -> None:
        """Cut it as a cable that is pulled: once it is plugged in again, TCP brings what was sent meanwhile."""
        await self._web.freeze()
        self._cut(self._pairs, on=True)

    def lose_voice(self) -> None:
        """Cut it for the voice alone, as a firewall that lets no UDP through."""
        self._cut(self._pairs, on=True)

    async def mend(self, *, remembers: bool = True) -> None:
        """It leads there again; unless it `remembers`, by new ways alone."""
        await self._web.pass_on()
        self._cut([pair for number, pair in enumerate(self._pairs) if remembers or number not in self._used], on=False)

    def _cut(self, pairs: list[tuple[_End, _End]], *, on: bool) -> None:
        for one, other in pairs:
            one.cut = other.cut = on


@asynccontextmanager
async def way_to(hotline: Hotline) -> AsyncIterator[Way]:
    """Open as long as the block lasts."""
    pairs = [await _pair() for _ in range(PAIRS)]
    try:
        async with Proxy(0, hotline.settings.web_port) as web:
            yield Way(web, pairs)
    finally:
        for end in chain(*pairs):
            end.transport.close()
        await asyncio.sleep(0)  # one turn of the loop, in which they are closed


async def _pair() -> tuple[_End, _End]:
    loop = asyncio.get_running_loop()
    one, other = _End(), _End()
    one.other, other.other = other, one
    for end in (one, other):
        end.transport, _ = await loop.create_datagram_endpoint(lambda end=end: end, ("0.0.0.0", 0))  # type: ignore[misc]
    return one, other
