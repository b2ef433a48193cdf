"""What the types of the settings cannot say: bounds, names, addresses. Each rule is a generator of what it finds wrong.

Much of what is checked here ends up in Asterisk's configuration, supervisor's, or a dialplan: what could mean something
else there is refused here, where the mend can be named. To add a rule, write a generator and add it to RULES.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from calls.numbers import REGIONS, normalise

if TYPE_CHECKING:
    from cti.settings import Settings, Trunk

LONGEST_SOCKET_PATH = 107
"""Bytes that Linux allows in the path of a Unix socket."""
SOCKET_NAME_ROOM = 28
"""What the longest of our sockets' names adds to the state folder: `/run/asterisk/asterisk.ctl`, and a little."""

TIMES = (
    "long_wait_s",
    "long_call_s",
    "dead_air_s",
    "ring_s",
    "wrap_up_s",
    "trunk_rtp_timeout_s",
    "seat_rtp_timeout_s",
    "hold_loop_s",
    "position_every_s",
    "place_kept_s",
    "same_adviser_s",
    "redial_within_s",
    "silence_before_close_s",
    "business_timeout_s",
    "texts_timeout_s",
    "oidc_timeout_s",
)
LONGEST_TIME_S = 24 * 3600
LONGEST_NAME = 20
"""Characters of whoever is outside: what a button holds."""
LEAST_REDIALS = 5
"""Fewer calls of one number within the window are what anybody makes whose line is bad."""
MAY_BE_NONE = ("wrap_up_s", "place_kept_s", "same_adviser_s", "dead_air_s")
"""Of these times, 0 means that there is none."""

_NAME = re.compile(r"[0-9A-Za-z-]{1,32}")
_ACCOUNT = re.compile(r"[0-9A-Za-z+._-]+@[0-9A-Za-z.-]+(:[0-9]{1,5})?")
_SIGNATURE = re.compile(r"\w{2,20}")
_CLAIM = re.compile(r"[^\s]{1,100}")
_DIALLED = re.compile(r"[0-9]{3,20}")
_SERVER = re.compile(r"[0-9A-Za-z.-]+(:[0-9]{1,5})?")
_NOT_IN_PATHS = re.compile(r"""[\s;,&|"'`$(){}\[\]%\\#=<>*?!]""")


class Problem(NamedTuple):
    """Something wrong: where it stands, setting first, why it is wrong, and the mend."""

    steps: tuple[str | int, ...]
    reason: str
    mend: str


def problems(settings: Settings) -> Iterator[Problem]:
    """Everything that is wrong, in the order of the rules."""
    for rule in RULES:
        yield from rule(settings)


def _names(settings: Settings) -> Iterator[Problem]:
    if not _NAME.fullmatch(settings.node):
        yield Problem(("node",), f"{settings.node!r} is no name for a node", "use up to 32 letters, digits and -")
    if settings.region not in REGIONS:
        reason = f"no region is called {settings.region!r}"
        yield Problem(("region",), reason, "write two capital letters, such as CN")
    try:
        ZoneInfo(settings.time_zone)
    except (KeyError, ValueError, OSError):  # KeyError: no such zone; OSError: a folder of zones, such as Asia
        reason = f"no zone is called {settings.time_zone!r}"
        yield Problem(("time_zone",), reason, "write one such as Asia/Shanghai")


def _network(settings: Settings) -> Iterator[Problem]:
    try:
        ipaddress.IPv4Address(settings.host)
    except ValueError:
        reason = f"{settings.host!r} is not an IPv4 address"
        yield Problem(("host",), reason, "write an address of this machine, such as 127.0.0.1")
    if not 0 <= settings.port_offset <= 50_000:
        reason = f"{settings.port_offset} is not between 0 and 50000"
        yield Problem(("port_offset",), reason, "choose one, such as 100")


def _times(settings: Settings) -> Iterator[Problem]:
    for name in TIMES:
        value = getattr(settings, name)
        none = value == 0 and name in MAY_BE_NONE
        if not none and not (math.isfinite(value) and 0 < value <= LONGEST_TIME_S):
            least = "0 seconds or more" if name in MAY_BE_NONE else "more than 0 seconds"
            yield Problem((name,), f"the time must be {least} and at most a day", "write seconds, such as 15")


def _room(settings: Settings) -> Iterator[Problem]:
    if settings.recording_reserve_mb < 1:
        reason = (
            f"{settings.recording_reserve_mb} MB would let recordings take the room of the journal and the database"
        )
        yield Problem(("recording_reserve_mb",), reason, "write megabytes, such as 1000")


def _limits(settings: Settings) -> Iterator[Problem]:
    if settings.max_calls < 1:
        yield Problem(("max_calls",), f"{settings.max_calls} calls are none", "write how many, such as 240")
    if settings.max_faxes < 0:
        yield Problem(
            ("max_faxes",), f"{settings.max_faxes} faxes cannot be sent", "write how many, such as 8; 0: none"
        )
    if settings.least_advisers < 0:
        reason = f"{settings.least_advisers} advisers cannot be signed in"
        yield Problem(("least_advisers",), reason, "write how many, such as 2; 0: no alarm")
    if settings.max_channels < settings.max_calls:
        reason = f"{settings.max_channels} channels cannot carry {settings.max_calls} calls"
        yield Problem(("max_channels",), reason, "write more than max_calls, so that there is room to tell the others")
    if not (math.isfinite(settings.max_calls_per_s) and settings.max_calls_per_s > 0):
        reason = f"{settings.max_calls_per_s:g} calls a second are none"
        yield Problem(("max_calls_per_s",), reason, "write how many, such as 30")


def _redials(settings: Settings) -> Iterator[Problem]:
    """A limit must not hit people."""
    if settings.most_redials != 0 and settings.most_redials < LEAST_REDIALS:
        reason = f"families and payphones call {settings.redial_most} times within minutes, too"
        yield Problem(("redial_most",), reason, f"write {LEAST_REDIALS} or more; 0: no limit")
    for index, number in enumerate(settings.redial_exempt):
        if normalise(number, settings.region).e164 is None:
            reason = f"{number!r} is no telephone number"
            yield Problem(("redial_exempt", index), reason, "write one such as 057188881234, in quotes")


def _business(settings: Settings) -> Iterator[Problem]:
    """Citizens' ID numbers and PINs go by this address."""
    if settings.business_address and not settings.has_bureau:
        mend = "write one such as https://business.city.example, embedded for the reference system, or nothing for none"
        yield from _address("business_url", settings.business_url, "a business system", "ID numbers and PINs", mend)


def _texts(settings: Settings) -> Iterator[Problem]:
    """Citizens' telephone numbers go by this address, and what they are told."""
    if settings.texts_address and not settings.has_texting:
        mend = (
            "write one such as https://sms.carrier.example, embedded for the reference gateway, "
            "file for a file, or nothing for none"
        )
        yield from _address("texts_url", settings.texts_url, "an SMS gateway", "numbers and texts", mend)
    if not _SIGNATURE.fullmatch(settings.texts_signature):
        reason = f"{settings.texts_signature!r} is no signature of a text"
        yield Problem(
            ("texts_signature",), reason, "write 2 to 20 letters or digits, as the carrier has registered them"
        )


def _provider(settings: Settings) -> Iterator[Problem]:
    """By these addresses go the codes and tokens that say who somebody is."""
    if not settings.oidc_issuer:
        for name in ("oidc_client_id", "oidc_desk_url"):
            if getattr(settings, name):
                yield Problem((name,), "there is no provider to sign in by", "write oidc_issuer, or leave this out")
        return
    mend = "write its issuer, such as https://login.city.example, or nothing for none"
    yield from _address("oidc_issuer", settings.oidc_issuer, "a provider to sign in by", "tokens", mend)
    if not settings.oidc_client_id.strip():
        reason = f"{settings.oidc_client_id!r} is not what the provider knows this hotline as"
        yield Problem(("oidc_client_id",), reason, "write the client ID that it was registered with there")
    mend = "write where browsers have it, such as https://desk.city.example"
    wrong = list(_address("oidc_desk_url", settings.oidc_desk_url, "the desk", "sessions", mend))
    if not wrong and urlsplit(settings.oidc_desk_url).path not in ("", "/"):
        wrong = [Problem(("oidc_desk_url",), "the desk is at the top of its host", "leave the path out")]
    yield from wrong
    if not _CLAIM.fullmatch(settings.oidc_claim):
        reason = f"{settings.oidc_claim!r} is no claim of a token"
        yield Problem(("oidc_claim",), reason, "write the one that has the account's name, such as preferred_username")
    for index, acr in enumerate(settings.oidc_second_factor):
        if not acr.strip():
            reason = f"{acr!r} is no acr of a provider"
            yield Problem(("oidc_second_factor", index), reason, "write what its tokens say after a second factor")


def is_private(url: str) -> bool:
    """Whether nobody on the way reads what is sent there: by TLS, or on this machine alone."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"))


def _address(name: str, url: str, whose: str, secrets: str, mend: str) -> Iterator[Problem]:
    """Nothing that is secret goes over a network for everybody to read."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is none
        host = port = None
    if (
        not host
        or parts.scheme not in ("http", "https")
        or parts.query
        or parts.fragment
        or parts.username
        or port == 0
    ):
        yield Problem((name,), f"{url!r} is no address of {whose}", mend)
    elif not is_private(url):
        reason = f"{secrets} would go over the network for everybody to read"
        yield Problem((name,), reason, "write an https:// address; http is for this machine alone")


def _door(settings: Settings) -> Iterator[Problem]:
    """The certificate of the web door and its key."""
    for name, other in (("web_certificate", "web_key"), ("web_key", "web_certificate")):
        path: Path | None = getattr(settings, name)
        if path is None:
            continue
        if strange := _NOT_IN_PATHS.search(str(path.absolute())):
            reason = f"the path holds {strange[0]!r}, which configuration files cannot hold"
            yield Problem((name,), reason, "put the file elsewhere")
        elif getattr(settings, other) is None:
            yield Problem((name,), f"{name} is of no use without {other}", "write both, or neither")


def _folders(settings: Settings) -> Iterator[Problem]:
    for name in ("state_dir", "asterisk_tree"):
        path: Path = getattr(settings, name)
        if strange := _NOT_IN_PATHS.search(str(path.absolute())):
            reason = f"the path holds {strange[0]!r}, which configuration files cannot hold"
            yield Problem((name,), reason, "choose a folder without spaces and punctuation")
    if len(os.fsencode(settings.state_dir.absolute())) + SOCKET_NAME_ROOM > LONGEST_SOCKET_PATH:
        reason = "the path is too long for Unix sockets"
        yield Problem(("state_dir",), reason, "choose a folder of fewer than 80 letters (a Chinese one counts as 3)")


def _seats(settings: Settings) -> Iterator[Problem]:
    for index, seat in enumerate(settings.seats):
        if not (seat.isdecimal() and seat.isascii()):
            yield Problem(("seats", index), f"{seat!r} is not a seat number", "write digits 0 to 9 only, in quotes")
        if seat in settings.seats[:index]:
            yield Problem(("seats", index), f"seat {seat} stands twice", "name each seat once")


def _trunks(settings: Settings) -> Iterator[Problem]:
    names = [trunk.name for trunk in settings.trunks]
    for index, trunk in enumerate(settings.trunks):
        here = ("trunks", index)
        if trunk.name in names[:index]:
            yield Problem(here, f"trunk {trunk.name} stands twice", "give each trunk a name of its own")
        if not _NAME.fullmatch(trunk.name):
            yield Problem((*here, "name"), f"{trunk.name!r} is no name for a trunk", "use letters, digits and -")
        if bool(trunk.match) == bool(trunk.register):
            yield Problem(here, f"trunk {trunk.name} needs one of match and register", "give just one of them")
        if not trunk.codecs:
            yield Problem((*here, "codecs"), f"trunk {trunk.name} has no codec", "write [alaw, ulaw], or leave it out")
        if trunk.max_calls is not None and trunk.max_calls < 1:
            yield Problem((*here, "max_calls"), f"{trunk.max_calls} calls are none", "write how many, or leave it out")
        yield from _ways_in(trunk, here)


def _ways_in(trunk: Trunk, here: tuple[str | int, ...]) -> Iterator[Problem]:
    for place, network in enumerate(trunk.match):
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            reason = f"{network!r} is not an address or a network"
            yield Problem((*here, "match", place), reason, "write one such as 10.0.0.0/24")
    if trunk.register and not _ACCOUNT.fullmatch(trunk.register):
        reason = f"{trunk.register!r} is nothing to register with"
        yield Problem((*here, "register"), reason, "write user@host or user@host:port")
    if trunk.dial is not None and not _SERVER.fullmatch(trunk.dial):
        yield Problem((*here, "dial"), f"{trunk.dial!r} is nowhere to send calls", "write host or host:port")


def _outside(settings: Settings) -> Iterator[Problem]:
    names = [one.name for one in settings.outside]
    for index, one in enumerate(settings.outside):
        here = ("outside", index)
        if not (one.name.strip() and one.name.isprintable() and len(one.name) <= LONGEST_NAME):
            yield Problem((*here, "name"), f"{one.name!r} is no name", f"write up to {LONGEST_NAME} characters")
        if one.name in names[:index]:
            yield Problem((*here, "name"), f"{one.name} stands twice", "give each a name of its own")
        if not _DIALLED.fullmatch(one.number):
            yield Problem((*here, "number"), f"{one.number!r} cannot be dialled", 'write digits alone, such as "12345"')
    if settings.outside and not any(trunk.dial for trunk in settings.trunks):
        yield Problem(("outside",), "nobody outside can be rung", "give a trunk its dial, or leave this out")


RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _names,
    _network,
    _times,
    _limits,
    _redials,
    _room,
    _business,
    _texts,
    _provider,
    _door,
    _folders,
    _seats,
    _trunks,
    _outside,
)
