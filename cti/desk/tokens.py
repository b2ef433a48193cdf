"""The provider's ID token: whether it is the provider's, for us, new, and of this sign-in; and what it says of the person.

Signature and times are joserfc's work (RFC 7515, 7519), told which algorithms count: those with a private key of the
provider's. `none` is not among them, nor HMAC, whose key would be one that we share. What OpenID Connect Core 1.0 asks
besides (3.1.3.7) is here. A token's own `jwk`, `jku` or `x5u` is never looked at. Nothing here quotes a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry

from calls.errors import RexianError

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
KEYS = ("RSA", "EC")
"""The kinds of key (`kty`) that these sign with."""

SHORTEST_RSA = 2048
"""Bits (NIST SP 800-131A); whoever has shorter keys is not whom we should believe."""

CLOCKS_APART = timedelta(minutes=1)
"""How far the provider's clock and ours may be."""

MULTIPLE, ONE_TIME = "mfa", "otp"
"""Of the `amr` of RFC 8176. A one-time code is a second factor beside another one; alone it is the first."""

_registry = JWSRegistry(
    algorithms=ALGORITHMS, strict_check_header=False
)  # a header that we do not know is none of ours

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class NotProven(RexianError):
    """What the provider or the browser showed proves nothing; the sentence holds nothing of it."""


class UnknownKey(NotProven):
    """It is signed by a key that we have not: the provider may have new ones."""


class Proof(msgspec.Struct, frozen=True):
    """Who somebody is, by the provider's word."""

    issuer: str
    subject: str
    """The person, whatever they are called: never another one's at this issuer."""
    name: str
    """What the chosen claim says."""
    second_factor: bool


class _Claims(msgspec.Struct, frozen=True):
    """What must be in a token, and what we make something of."""

    iss: Text
    sub: Text
    aud: str | list[str]
    exp: float
    iat: float
    nonce: str
    azp: str | None = None
    amr: list[str] = []
    acr: str | None = None


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class Reader:
    """Reads the tokens of one issuer for one client. `second_factor`: which `acr` mean one, besides `amr`."""

    def __init__(self, issuer: str, client: str, claim: str, second_factor: Sequence[str]) -> None:
        self._issuer, self._client, self._claim = issuer, client, claim
        self._second_factor = frozenset(second_factor)

    def read(self, token: str, keys: KeySet, nonce: str, now: datetime) -> Proof:
        """Whom it proves. Raises NotProven."""
        try:
            read = jwt.decode(token, keys, ALGORITHMS, _registry).claims
            times = jwt.JWTClaimsRegistry(int(now.timestamp()), int(CLOCKS_APART.total_seconds()))
            times.validate(read)
            claims = msgspec.convert(read, _Claims)
        except InvalidKeyIdError:
            raise UnknownKey("the token is signed by a key that the provider has not told of") from None
        except JoseError as error:  # its message may quote the token
            raise NotProven(f"the token is not good: {type(error).__name__}") from None
        except (msgspec.ValidationError, ValueError, TypeError):
            raise NotProven("the token is not as OpenID Connect has it") from None
        if claims.iss != self._issuer:
            raise NotProven("the token is another issuer's")
        audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if self._client not in audience:
            raise NotProven("the token is for somebody else")
        if claims.azp != self._client and (claims.azp is not None or len(audience) > 1):
            raise NotProven("the token was given to somebody else")
        if claims.nonce != nonce:
            raise NotProven("the token is of another sign-in")
        name = read.get(self._claim)
        if not isinstance(name, str):
            raise NotProven(f"the token has no {self._claim}")
        return Proof(claims.iss, claims.sub, name, self._two(claims))

    def _two(self, claims: _Claims) -> bool:
        factors = set(claims.amr)
        return MULTIPLE in factors or (ONE_TIME in factors and len(factors) > 1) or claims.acr in self._second_factor


def keys_of(body: bytes) -> KeySet:
    """The signing keys of a JWK set (RFC 7517); those that nobody here can use are left out. Raises NotProven."""
    try:
        told = msgspec.json.decode(body, type=_KeySet).keys
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotProven("the provider's keys make no sense") from None
    keys = [key for each in told if (key := _key(each)) is not None]
    if not keys:
        raise NotProven("the provider tells of no key that signs")
    return KeySet(keys)


def _key(told: dict[str, Any]) -> Key | None:
    if told.get("kty") not in KEYS or told.get("use") not in (None, "sig"):
        return None
    try:
        if told["kty"] == "RSA" and len(told["n"]) * 6 < SHORTEST_RSA:  # base64
            return None
        return JWKRegistry.import_key(told)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
