"""A small OpenID Connect provider for tests, over real HTTP, and as strict as a real one.

It signs by `cryptography` alone and writes its tokens by hand, so that nothing here is wrong in the same way as what is tested.
Whoever comes is signed in as `person` at once. Where things go wrong, a test says so in the attributes.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from urllib.parse import quote_plus, urlencode

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT, SECRET = "the hotline", "a secret: with/signs"
SOMEBODY = {"sub": "248289761001", "preferred_username": "wang.li"}

Claims = dict[str, Any]


class Key:
    """A key that signs, and its name."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = _generated(kid)

    def signed(self, claims: Claims, **header: Any) -> str:
        """A token by RS256."""
        text = _text({"alg": "RS256", "typ": "JWT", "kid": self.kid, **header}, claims)
        return f"{text}.{_base64(self.private.sign(text.encode(), PKCS1v15(), SHA256()))}"

    def told(self) -> dict[str, str]:
        """As a JWK set has it."""
        numbers = self.private.public_key().public_numbers()
        n, e = (_base64(number.to_bytes((number.bit_length() + 7) // 8)) for number in (numbers.n, numbers.e))
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": n, "e": e}


def unsigned(claims: Claims) -> str:
    """A token by `none`."""
    return f"{_text({'alg': 'none', 'typ': 'JWT'}, claims)}."


def by_the_public_key(key: Key, claims: Claims) -> str:
    """A token by HS256, whose key everybody knows."""
    pem = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = _text({"alg": "HS256", "typ": "JWT", "kid": key.kid}, claims)
    return f"{text}.{_base64(hmac.new(pem, text.encode(), hashlib.sha256).digest())}"


class Idp:
    """The provider. `host` is what browsers know it by."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.issuer = f"http://{host}:{port}"
        self._port = port
        self.back = ""
        """The one address to which it sends browsers back."""
        self.secret: str | None = SECRET
        """None: the client has none."""
        self.key = Key("first")
        self.keys = [self.key]
        self.person: Claims = dict(SOMEBODY)
        self.changed: Claims = {}
        """Claims that are otherwise than they should be; None: they are not there."""
        self.token: Callable[[Claims], str] | None = None
        """What makes a token of claims, instead of the key."""
        self.told: dict[str, Any] = {}
        """What is told otherwise by discovery."""
        self.refuses: str | None = None
        """Sends whoever comes back with this error."""
        self.broken: dict[str, int] = {}
        """Paths that answer with a status and nothing else; 0: they never answer."""
        self.asked: list[str] = []
        """Every request's path."""
        self.arrived = asyncio.Event()
        """Somebody waits at what never answers."""
        self._codes: dict[str, dict[str, str]] = {}
        self._let_go = asyncio.Event()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        application = web.Application(middlewares=[self._counted])
        application.router.add_get("/.well-known/openid-configuration", self._configuration)
        application.router.add_get("/keys", self._told_keys)
        application.router.add_get("/authorize", self._authorize)
        application.router.add_post("/token", self._exchange)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        try:
            yield
        finally:
            self._let_go.set()
            await runner.cleanup()

    def turn(self, name: str) -> None:
        """From now on another key signs, and the one until now is not told of any more."""
        self.key = Key(name)
        self.keys = [self.key]

    @web.middleware
    async def _counted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path)
        status = self.broken.get(request.path)
        if status is not None:
            if status == 0:
                self.arrived.set()
                await self._let_go.wait()
            return web.Response(status=status or 503)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _configuration(self, _: web.Request) -> web.Response:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=city",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return web.json_response(told | self.told)

    async def _told_keys(self, _: web.Request) -> web.Response:
        others = [{"kty": "OKP", "crv": "X25519", "kid": "other", "x": "AA"}, {"kty": "EC", "kid": self.key.kid}]
        return web.json_response({"keys": [*others, *(key.told() for key in self.keys)]})

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        wanted = {"tenant": "city", "response_type": "code", "client_id": CLIENT, "redirect_uri": self.back}
        wanted |= {"code_challenge_method": "S256", "prompt": "login"}
        if wanted.items() - asked.items() or not asked.keys() >= {"state", "nonce", "code_challenge"}:
            return web.Response(status=400, text=f"not as it should be: {asked.keys()}")
        if "openid" not in asked["scope"].split():
            return web.Response(status=400, text="scope")
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        answer = {"error": self.refuses} if self.refuses else {"code": code}
        answer |= {"state": asked["state"], "iss": self.issuer}
        return web.Response(status=302, headers={"Location": f"{self.back}?{urlencode(answer)}"})

    async def _exchange(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        shown = f"{quote_plus(CLIENT)}:{quote_plus(SECRET)}".encode()
        by_header = request.headers.get("Authorization") == f"Basic {base64.b64encode(shown).decode()}"
        by_form = (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.secret)
        in_form = self.secret is None or "token_endpoint_auth_methods_supported" in self.told
        if not (by_form if in_form else by_header):
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self._codes.pop(form.get("code", ""), None)  # each is good once
        challenge = _base64(hashlib.sha256(form["code_verifier"].encode()).digest())
        right = form["grant_type"] == "authorization_code" and form["redirect_uri"] == self.back
        if asked is None or not right or challenge != asked["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = time.time()
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= self.person | self.changed
        claims = {name: value for name, value in claims.items() if value is not None}
        make = self.token or self.key.signed
        return web.json_response({"access_token": "unused", "token_type": "Bearer", "id_token": make(claims)})


@cache
def _generated(kid: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def _text(header: dict[str, Any], claims: Claims) -> str:
    return ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))


def _base64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
