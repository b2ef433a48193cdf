"""How a generated operation reaches Asterisk: the one seam between the generated classes and the network.

The generated code depends on this Protocol and on nothing else, so that it can be driven by any carrier of requests.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar
from urllib.parse import quote

import msgspec

T = TypeVar("T")
Query = Mapping[str, str | int | bool | Sequence[str] | None]


class Transport(Protocol):
    """Carries one operation to Asterisk. Raises the words of `cti.asterisk.errors`."""

    async def send(
        self, operation: str, method: str, path: str, *, query: Query | None = None, body: object = None
    ) -> str:
        """Carry out `operation` (its name is for messages only) and return the bare answer, JSON or nothing."""
        ...

    async def fetch(
        self,
        decoder: msgspec.json.Decoder[T],
        operation: str,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
    ) -> T:
        """Like `send`, with the answer decoded."""
        ...


def segment(text: str) -> str:
    """One piece of a path, percent-encoded."""
    return quote(text, safe="")


def query_string(query: Query) -> str:
    """`?a=1&b=x,y`, or nothing; None means that Asterisk's default is wanted. ARI separates many values by commas."""
    pairs = [f"{name}={quote(_text(value), safe=',/:@')}" for name, value in query.items() if value is not None]
    return "?" + "&".join(pairs) if pairs else ""


def _text(value: str | int | bool | Sequence[str]) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else ",".join(value)
