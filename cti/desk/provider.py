"""The OpenID Connect provider, over HTTP: where a browser is sent, and whom the code proves that it comes back with.

    the browser ──address──> the provider ──code──> the browser ──code──> us ──code, verifier, secret──> the provider
                                                                         us <────────── ID token ──────────┘

Where to ask, and the keys, are read when first needed (OpenID Connect Discovery 1.0), kept for an hour, and read again when a
token is signed by a key that is not among them; a key that the provider takes back is good for an hour at most. When the
provider is away, nobody waits for it: `cti.breaker`. Nothing here logs or quotes what was sent or answered.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from types import TracebackType
from typing import Annotated, Self, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit, urlunsplit

import msgspec
import structlog
from joserfc.jwk import KeySet

from calls.clock import Clock, Instant
from calls.errors import RexianError
from cti.breaker import Breaker
from cti.desk.flows import Flow
from cti.desk.tokens import NotProven, Proof, Reader, UnknownKey, keys_of
from cti.exchange import Exchange, Lost, NotSent
from cti.settingsrules import is_private

T = TypeVar("T")

WELL_KNOWN = "/.well-known/openid-configuration"
KEPT_S = 3600.0

GO, BACK = "/api/v1/session/oidc", "/api/v1/session/oidc/back"
"""Our routes: a browser sets out by the one, and comes back by the other."""

BASIC, POST = "client_secret_basic", "client_secret_post"

log = structlog.get_logger(__name__)


class Away(RexianError):
    """The provider does not answer, or not with sense: nobody can say who it is."""


@dataclass(frozen=True)
class Client:
    """What the provider knows us as."""

    id: str
    secret: str
    """Empty: none was given, and PKCE alone holds the code."""
    desk: str
    """The address at which browsers have the desk, such as `https://desk.city.example`."""

    @property
    def go(self) -> str:
        """Where a page sends the browser, on the host that the provider sends it back to: a cookie is one host's."""
        return self.desk.rstrip("/") + GO

    @property
    def back(self) -> str:
        """Where the provider sends it back to (`redirect_uri`)."""
        return self.desk.rstrip("/") + BACK

    @property
    def by_tls(self) -> bool:
        """Whether that is what browsers speak."""
        return self.desk.startswith("https:")

    def __repr__(self) -> str:
        return f"Client({self.id!r}, ...)"


class _Discovered(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = (BASIC,)
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str

    def __repr__(self) -> str:
        return "_Tokens(...)"


class _Refusal(msgspec.Struct, frozen=True):
    error: Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,40}$")]


@dataclass(frozen=True)
class _Known:
    """What was read, and when."""

    places: _Discovered
    keys: KeySet
    at: Instant


class Provider:
    """One provider. An async context manager. `whole_s` seconds are for a request with its answer."""

    def __init__(self, issuer: str, client: Client, reader: Reader, clock: Clock, whole_s: float) -> None:
        self.client = client
        self._issuer, self._reader, self._clock = issuer, reader, clock
        self._exchange = Exchange("", whole_s, {"Accept": "application/json"})
        self._breaker = Breaker(clock)
        self._known: _Known | None = None
        self._reading: asyncio.Task[_Known] | None = None

    async def __aenter__(self) -> Self:
        await self._exchange.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._exchange.__aexit__(kind, error, where)

    async def address(self, flow: Flow) -> str:
        """Where that browser shows who it is. Raises Away.

        It is asked for anew each time (`prompt=login`): a seat's machine is shared, and the last one's name may still be known.
        """
        places = (await self._look()).places
        asked = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": self.client.back,
            "scope": "openid profile",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
            "prompt": "login",
        }
        parts = urlsplit(places.authorization_endpoint)
        return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(asked))))))

    async def person(self, flow: Flow, code: str, issuer: str | None) -> Proof:
        """Whom the code proves; `issuer` is who sent the browser back, where that is told. Raises Away, NotProven."""
        known = await self._look()
        tells = issuer is not None or known.places.authorization_response_iss_parameter_supported
        if tells and issuer != self._issuer:  # RFC 9207
            raise NotProven("somebody else sent the browser back")
        token = await self._exchanged(known.places, code, flow.verifier)
        try:
            return self._reader.read(token, known.keys, flow.nonce, self._clock.utc())
        except UnknownKey:
            known = await self._look(anew=True)
            return self._reader.read(token, known.keys, flow.nonce, self._clock.utc())

    async def _exchanged(self, places: _Discovered, code: str, verifier: str) -> str:
        """The ID token for that code."""
        client = self.client
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.back,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if client.secret and BASIC in places.token_endpoint_auth_methods_supported:
            shown = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"  # RFC 6749, 2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(shown.encode()).decode()}"
        else:
            form |= {"client_id": client.id} | ({"client_secret": client.secret} if client.secret else {})
        status, body = await self._ask("POST", places.token_endpoint, urlencode(form).encode(), headers)
        if status == 200:
            return _decoded(body, _Tokens).id_token
        word = _error(body)
        if word == "invalid_grant":
            raise NotProven("the provider does not take the code")
        log.error("the provider does not serve us; see oidc_client_id, and its secret", status=status, error=word)
        raise Away("the provider does not serve us")

    async def _look(self, *, anew: bool = False) -> _Known:
        """Where to ask and the keys, not older than they may be; whoever comes while they are read waits for the same."""
        known = self._known
        if known is not None and not anew and self._clock.now() - known.at < KEPT_S:
            return known
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)

    async def _read(self) -> _Known:
        places = _decoded(await self._get(self._issuer.rstrip("/") + WELL_KNOWN), _Discovered)
        if places.issuer != self._issuer:
            log.error("the provider calls itself otherwise than oidc_issuer does", issuer=places.issuer)
            raise Away("the provider is another one")
        for place in (places.authorization_endpoint, places.token_endpoint, places.jwks_uri):
            if not is_private(place):
                log.error("the provider would have secrets sent for everybody to read")
                raise Away("the provider is not safe to ask")
        try:
            keys = keys_of(await self._get(places.jwks_uri))
        except NotProven as error:
            log.error("the provider's keys are of no use", reason=str(error))
            raise Away(str(error)) from None
        self._known = _Known(places, keys, self._clock.now())
        return self._known

    async def _get(self, url: str) -> bytes:
        status, body = await self._ask("GET", url)
        if status != 200:
            log.warning("the provider does not tell about itself", url=url, status=status)
            raise Away(f"the provider answers {status}")
        return body

    async def _ask(
        self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request, if it may be asked now. Raises Away when there is no answer, or only that it cannot."""
        if not self._breaker.may_ask():
            raise Away("the provider is left alone, having failed too often")
        try:
            status, answer = await self._exchange.request(method, url, body, headers)
        except (NotSent, Lost) as error:
            self._breaker.failed()
            log.warning("the provider does not answer", reason=str(error))
            raise Away("the provider does not answer") from None
        if status >= 500:
            self._breaker.failed()
            log.warning("the provider cannot now", url=url, status=status)
            raise Away(f"the provider answers {status}")
        self._breaker.worked()
        return status, answer


def _decoded(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):  # the message may quote the body
        log.warning("an answer of the provider makes no sense", shape=shape.__name__, length=len(body))
        raise Away("an answer of the provider makes no sense") from None


def _error(body: bytes) -> str:
    """The word for a refusal (RFC 6749, 5.2)."""
    try:
        return msgspec.json.decode(body, type=_Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
