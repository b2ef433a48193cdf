"""The ARI client of one Asterisk node.

    async with Ari("http://127.0.0.1:8088/ari", "rexian", password, app="rexian") as ari:
        await ari.channels.answer(channel_id)

Operations are generated (`generated/`, decision 0002), one attribute a kind of object, and go by `rest.py`. Events come by
`socket.py` and are handed to whoever waits for them by `router.py`. `apidocs.py` compares the running Asterisk with the
vendored files.
"""

from types import TracebackType
from typing import Self

from cti.asterisk.generated import Resources
from cti.asterisk.http import Http
from cti.asterisk.rest import Rest


class Ari(Resources):
    """Every ARI operation on one node, for the Stasis application `app`. An async context manager."""

    def __init__(self, url: str, user: str, password: str, app: str) -> None:
        self.http = Http(url, user, password)
        self.app = app
        self._rest = Rest(self.http, app)
        super().__init__(self._rest)

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        await self._rest.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rest.__aexit__(kind, error, trace)
        await self.http.__aexit__(kind, error, trace)
