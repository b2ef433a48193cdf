"""Signing in by a provider, without one: who is on the way, and a token that may be anything."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from calls.clock import Instant
from cti.desk.flows import LASTS, MOST, MOST_OF_ONE, Flow, Flows
from cti.desk.tokens import NotProven, Reader, keys_of
from tests.oidc import CLIENT, Claims, Key

FROM, ELSEWHERE = "10.0.0.7", "10.0.0.8"


class SetClock:
    """A clock that a test sets."""

    after_s = 0.0

    def now(self) -> Instant:
        return Instant(self.after_s)

    def utc(self) -> datetime:
        raise AssertionError("nothing here depends on the wall clock")


# On the way


def taken(flows: Flows, *begun: Flow) -> list[bool]:
    """Which of these may come back."""
    return [flows.take(flow.state, flow.browser) is flow for flow in begun]


def test_who_went_comes_back_once_within_ten_minutes() -> None:
    flows = Flows(clock := SetClock())
    first, second, third = (flows.begin(FROM) for _ in range(3))
    assert len({first.state, first.nonce, first.verifier, first.browser, second.state}) == 5
    assert taken(flows, first, first) == [True, False]
    clock.after_s = LASTS.total_seconds() - 1
    assert taken(flows, second) == [True]
    clock.after_s += 1
    assert taken(flows, third) == [False]
    assert len(flows) == 0


def test_a_state_alone_and_a_cookie_alone_are_worth_nothing() -> None:
    flows = Flows(SetClock())
    one, other = flows.begin(FROM), flows.begin(FROM)
    for state, browser in ((one.state, other.browser), (one.state, ""), ("", one.browser), ("é", "é")):
        assert flows.take(state, browser) is None
    assert taken(flows, one, other) == [True, True], "and it ended nothing"


def test_who_begins_on_and_on_takes_their_own_places_first() -> None:
    flows = Flows(SetClock())
    others = flows.begin(ELSEWHERE)
    begun = [flows.begin(FROM) for _ in range(MOST_OF_ONE + 5)]
    assert len(flows) == MOST_OF_ONE + 1
    assert taken(flows, others, *begun[:6]) == [True, *[False] * 5, True]


def test_there_are_never_more_than_so_many() -> None:
    flows = Flows(SetClock())
    begun = [flows.begin(f"10.0.0.{number % 200}") for number in range(MOST + 1)]
    assert len(flows) == MOST
    assert taken(flows, begun[0], begun[1], begun[-1]) == [False, True, True]


def test_what_is_agreed_with_a_browser_is_in_no_log() -> None:
    flow = Flows(SetClock()).begin(FROM)
    for secret in (flow.state, flow.nonce, flow.verifier, flow.browser):
        assert secret not in repr(flow)


def test_the_challenge_is_that_of_rfc_7636() -> None:
    flow = Flow(FROM, Instant(0), verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert flow.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # its appendix B


# Tokens

ISSUER, NONCE = "https://login.city.example", "of this sign-in"
NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
KEY = Key("first")
KEYS = keys_of(json.dumps({"keys": [KEY.told()]}).encode())
GOOD: Claims = {
    "iss": ISSUER,
    "sub": "248289761001",
    "aud": CLIENT,
    "exp": NOW.timestamp() + 300,
    "iat": NOW.timestamp(),
    "nonce": NONCE,
    "preferred_username": "wang.li",
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
anything = json_values | st.sampled_from([float("nan"), float("inf"), -float("inf")])
"""Also what some take for JSON."""


def read(token: str) -> str:
    """Whom it proves."""
    return Reader(ISSUER, CLIENT, "preferred_username", ()).read(token, KEYS, NONCE, NOW).name


def test_the_token_that_others_are_made_of_is_good() -> None:
    assert read(KEY.signed(GOOD)) == "wang.li"


@pytest.mark.parametrize(("off_s", "good"), [(-361, False), (-359, True), (59, True), (61, False)])
def test_the_two_clocks_may_be_a_minute_apart(off_s: int, good: bool) -> None:
    """`off_s`: how far the provider's is ahead."""
    claims = GOOD | {name: GOOD[name] + off_s for name in ("iat", "exp")}
    if good:
        assert read(KEY.signed(claims)) == "wang.li"
    else:
        with pytest.raises(NotProven):
            read(KEY.signed(claims))


@given(claims=st.dictionaries(st.sampled_from([*GOOD, "azp", "amr", "acr", "nbf", "jti"]), anything, max_size=4))
def test_whatever_the_provider_signs_is_read_or_refused(claims: dict[str, Any]) -> None:
    try:
        read(KEY.signed(GOOD | claims))
    except NotProven:
        return
    for name in ("iss", "nonce"):
        assert claims.get(name, GOOD[name]) == GOOD[name]


@given(
    header=st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "zip"]), anything, min_size=1)
)
def test_whatever_its_header_says_it_is_read_or_refused(header: dict[str, Any]) -> None:
    try:
        read(KEY.signed(GOOD, **header))
    except NotProven:
        return
    assert header.get("alg", "RS256") == "RS256"
    assert header.get("kid") in (None, KEY.kid)


@given(st.text() | st.binary().map(lambda octets: base64.urlsafe_b64encode(octets).decode()))
def test_whatever_else_is_no_token(text: str) -> None:
    for token in (text, f"{text}.{text}.{text}", f"{KEY.signed(GOOD)}{text or '.'}", f"{text}{KEY.signed(GOOD)[1:]}"):
        if token != KEY.signed(GOOD):
            with pytest.raises(NotProven):
                read(token)


@given(st.binary() | anything.map(lambda told: json.dumps({"keys": told}).encode()))
def test_whatever_is_told_of_keys_is_read_or_refused(body: bytes) -> None:
    with pytest.raises(NotProven):
        keys_of(body)


@given(
    st.dictionaries(
        st.sampled_from(["kty", "n", "e", "d", "crv", "x", "y", "use", "alg", "kid", "key_ops"]), json_values
    )
)
def test_a_key_that_is_none_spoils_no_other(told: dict[str, Any]) -> None:
    for other in (told, {**KEY.told(), "kid": "other", **told}, {"kty": "EC", "crv": "P-256", **told}):
        keys = keys_of(json.dumps({"keys": [other, KEY.told()]}).encode())
        assert [key.kid for key in keys][-1] == KEY.kid


def test_a_key_that_would_be_a_common_secret_is_left_out() -> None:
    secret = {"kty": "oct", "kid": "first", "k": base64.urlsafe_b64encode(hashlib.sha256().digest()).decode()}
    with pytest.raises(NotProven, match="no key that signs"):
        keys_of(json.dumps({"keys": [secret]}).encode())


def test_a_key_that_is_too_short_is_left_out() -> None:
    numbers = generate_private_key(public_exponent=65537, key_size=1024).public_key().public_numbers()
    n = base64.urlsafe_b64encode(numbers.n.to_bytes(128)).decode().rstrip("=")
    with pytest.raises(NotProven, match="no key that signs"):
        keys_of(json.dumps({"keys": [{**KEY.told(), "n": n}]}).encode())
