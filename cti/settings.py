"""The settings of one deployment: one file, `REXIAN_*` variables over it, read once at start, frozen.

`rexian.yaml` beside the checkout's README is read when `REXIAN_SETTINGS` names no other file. Each plain setting may be
overridden by a variable of its name in capitals: `REXIAN_PORT_OFFSET=100`. Secrets are not settings: see `secrets.py`.
What types cannot say is in `settingsrules.py`. A test proves that every setting is described in docs/operations.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from calls.errors import BadFile, BadSetting
from calls.misfit import explain
from calls.words import ScreenLanguage
from calls.yamlfile import Document, decode_path, load
from cti.settingsrules import Problem, problems

CHECKOUT = Path(__file__).resolve().parent.parent
EMBEDDED = "embedded"
TEXTS_FILE = "file"
REPORTS_PATH = "/api/texts/reports"
"""Where the SMS gateway tells what became of a text, behind the public door."""
REDIALS = 120
"""One call every 5 s for ten minutes: more than anybody can make at one telephone, and than come from a large company's
switchboard. Whoever tries a demo may well call from one number on and on."""
LISTS = ("seats", "redial_exempt", "oidc_second_factor")
"""Several values, which a variable separates by commas."""
PATHS = ("state_dir", "asterisk_tree", "lines_dir", "voices_dir", "web_certificate", "web_key")
"""Relative ones count from where the command is run; daemons run elsewhere, so they are made absolute at once."""


class Trunk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way by which citizens come in: known by its addresses, or one that we register with."""

    name: str
    match: tuple[str, ...] = ()
    """Addresses or networks whose SIP requests are this trunk's (a carrier's gateways)."""
    register: str | None = None
    """`user@host[:port]` to register with; the password stands in secrets.json under `trunks`."""
    dial: str | None = None
    """`host[:port]` to which calls back are sent; None: none go out by this trunk."""
    keys: Literal["rfc4733", "inband", "auto"] = "rfc4733"
    """How keys arrive: RFC 2833/4733 events, tones in the voice, or whichever the call's SDP offers."""
    codecs: tuple[Literal["alaw", "ulaw", "g722"], ...] = ("alaw", "ulaw")
    max_calls: int | None = None
    """Most of its calls that are carried at once; None: as many as the whole hotline carries."""
    t38: bool = False
    """Its gateways do T.38: a fax waits 10 s for them to ask for it, then offers it, and goes in the voice if refused."""
    retry_after: bool = True
    """In a flood its calls are answered 503 with Retry-After: 300, for two seconds at a time, before a channel is made."""


class Outside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody outside whom an adviser may ask about a call, or hand its caller over to."""

    name: str
    """What advisers know them as."""
    number: str
    """As it is dialled, digits alone."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that may differ between two deployments. Times are in seconds."""

    node: str = "node1"
    language: ScreenLanguage = "zh-CN"
    """Of the command line, alarms and pages; callers are spoken to as their line says."""
    region: str = "CN"
    time_zone: str = "Asia/Shanghai"
    host: str = "127.0.0.1"
    """The address on which SIP, the web door and MQTT listen."""
    port_offset: int = 0
    state_dir: Path = CHECKOUT / "var"
    asterisk_tree: Path = CHECKOUT / ".asterisk"
    lines_dir: Path = CHECKOUT / "lines"
    web_certificate: Path | None = None
    """For the web door, PEM, with those between it and a known authority. None: plain HTTP, which is for this machine alone:
    elsewhere a browser gives no page the microphone."""
    web_key: Path | None = None
    """Its key, PEM."""
    voices_dir: Path | None = None
    """A folder of recorded voices, `<language>/<key>.wav`, each of which replaces the built one."""
    demo: bool = True
    """Write var/demo.json and let loopback peers be the demo trunk."""
    trunks: tuple[Trunk, ...] = ()
    outside: tuple[Outside, ...] = ()
    seats: tuple[str, ...] = ("1001", "1002", "1003", "1004")
    max_calls: int = 240
    """Most calls that are carried at once: what two cores do with every conversation recorded, and a little left over."""
    max_channels: int = 300
    """Most callers at once, with those who are told that they will be called back; above it trunks are answered 503."""
    max_calls_per_s: float = 30.0
    """Most new calls a second, over some two seconds: what one controller begins without keeping anybody waiting."""
    max_faxes: int = 8
    """Most faxes that are sent at once."""
    least_advisers: int = 2
    """Fewer signed in while a line is open is an alarm: somebody must answer."""
    long_wait_s: float = 180.0
    """Whoever waits longer is an alarm."""
    long_call_s: float = 600.0
    """A conversation that lasts longer is an alarm before the team leads."""
    dead_air_s: float = 20.0
    """A conversation in which nobody is heard for so long is an alarm; 0: it is none."""
    ring_s: float = 15.0
    """Three rings, the field's rule; then the caller goes back to the head of the queue."""
    wrap_up_s: float = 30.0
    trunk_rtp_timeout_s: int = 60
    seat_rtp_timeout_s: int = 30
    hold_loop_s: int = 60
    """How long a call is held when no controller answers, before an honest apology."""
    position_every_s: float = 30.0
    place_kept_s: float = 600.0
    """Whoever is cut off while waiting and rings again within this time has the same place."""
    same_adviser_s: float = 86_400.0
    """Whoever rings again within this time has the same adviser, where free."""
    redial_most: int | None = None
    """Most calls of one calling number within `redial_within_s`; 0: any number. None: `REDIALS`, any number in a demo."""
    redial_within_s: float = 600.0
    redial_exempt: tuple[str, ...] = ()
    """Numbers that may call as often as they like: many people are behind them, as at a company or a payphone."""
    silence_before_close_s: float = 5.0
    """The line is kept this long after the goodbye, so that the caller hangs up first."""
    business_url: str = EMBEDDED
    """Where the social-security system answers; `embedded`: the reference system, run beside the hotline; empty: none."""
    business_timeout_s: float = 4.0
    """How long one of its answers may take."""
    texts_url: str = EMBEDDED
    """The SMS gateway; `embedded`: the reference gateway, run beside the hotline; `file`: into a file; empty: no texts."""
    texts_timeout_s: float = 4.0
    """How long its answer to one text may take."""
    texts_signature: str = "12333"
    """Stands in 【】 before each text, as the carrier has registered it."""
    oidc_issuer: str = ""
    """The OpenID Connect provider that also says who signs in at the desk, by its issuer; empty: none does."""
    oidc_client_id: str = ""
    """What it knows this hotline as; the secret stands in secrets.json."""
    oidc_desk_url: str = ""
    """Where browsers have the desk, as the provider has it registered: `https://desk.city.example`."""
    oidc_claim: str = "preferred_username"
    """What of its token is the account's name."""
    oidc_second_factor: tuple[str, ...] = ()
    """Values of `acr` that mean a second factor, besides what `amr` says."""
    oidc_timeout_s: float = 4.0
    """How long one of its answers may take."""
    unrecorded: Literal["goes_on", "refuse"] = "goes_on"
    """What becomes of conversations that cannot be recorded: they go on, or callers are told and turned away."""
    recording_reserve_mb: int = 1000
    """Below this much free room no further conversation is recorded: those under way end well, and so does the journal."""

    @property
    def most_redials(self) -> int:
        """Calls of one number within `redial_within_s`; 0: any number."""
        if self.redial_most is not None:
            return self.redial_most
        return 0 if self.demo else REDIALS

    @property
    def sip_port(self) -> int:
        return 5060 + self.port_offset

    @property
    def web_port(self) -> int:
        return 8080 + self.port_offset

    @property
    def web_url(self) -> str:
        """Where browsers find the door."""
        return f"{'https' if self.web_certificate else 'http'}://{self.host}:{self.web_port}"

    @property
    def api_port(self) -> int:
        return 8090 + self.port_offset

    @property
    def mqtt_port(self) -> int:
        return 1883 + self.port_offset

    @property
    def ari_port(self) -> int:
        return 8088 + self.port_offset

    @property
    def bureau_port(self) -> int:
        return 8091 + self.port_offset

    @property
    def has_bureau(self) -> bool:
        """Whether the reference system is run, since no real one is named."""
        return self.business_url == EMBEDDED

    @property
    def business_address(self) -> str | None:
        """Where to ask; None: there is nobody to ask."""
        return f"http://127.0.0.1:{self.bureau_port}" if self.has_bureau else self.business_url or None

    @property
    def bureau_token(self) -> Path:
        return self.etc_dir / "bureau.token"

    @property
    def texting_port(self) -> int:
        return 8092 + self.port_offset

    @property
    def has_texting(self) -> bool:
        """Whether the reference gateway is run, since no real one is named."""
        return self.texts_url == EMBEDDED

    @property
    def texts_address(self) -> str | None:
        """Where texts are handed over; None: into a file, or nowhere."""
        if self.has_texting:
            return f"http://127.0.0.1:{self.texting_port}"
        return self.texts_url if self.texts_url not in ("", TEXTS_FILE) else None

    @property
    def texts_key_file(self) -> Path:
        """The key for the reference gateway, which the hotline itself reads in secrets.json."""
        return self.etc_dir / "texting.key"

    @property
    def texts_path(self) -> Path:
        return self.state_dir / "texts.jsonl"

    @property
    def rtp_start(self) -> int:
        return 10000 + self.port_offset

    @property
    def rtp_end(self) -> int:
        return 14999 + self.port_offset

    @property
    def run_dir(self) -> Path:
        return self.state_dir / "run"

    @property
    def log_dir(self) -> Path:
        return self.state_dir / "log"

    @property
    def etc_dir(self) -> Path:
        return self.state_dir / "etc"

    @property
    def prompts_dir(self) -> Path:
        return self.state_dir / "prompts"

    @property
    def recordings_dir(self) -> Path:
        return self.state_dir / "recordings"

    @property
    def raw_dir(self) -> Path:
        return self.state_dir / "asterisk" / "spool" / "raw"

    @property
    def faxes_dir(self) -> Path:
        return self.state_dir / "asterisk" / "spool" / "faxes"

    @property
    def call_records(self) -> Path:
        return self.state_dir / "asterisk" / "log" / "cdr-custom" / "calls.csv"

    @property
    def journal_path(self) -> Path:
        return self.state_dir / "journal.db"

    @property
    def secrets_path(self) -> Path:
        return self.state_dir / "secrets.json"

    @property
    def first_admin_path(self) -> Path:
        """How to sign in for the first time; gone once the first admin has chosen a password."""
        return self.state_dir / "first-admin.json"

    @property
    def control_socket(self) -> Path:
        return self.run_dir / "control.sock"

    def postgres_dsn(self, role: str, database: str = "rexian") -> str:
        """libpq's address of the database for a role; peer authentication on the Unix socket, no password."""
        return f"postgresql:///{database}?host={self.postgres_socket_dir}&user={role}"

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which hours, half hours and days are told."""
        return ZoneInfo(self.time_zone)

    @property
    def postgres_socket_dir(self) -> Path:
        """Where PostgreSQL's Unix socket lies; it listens nowhere else."""
        return self.run_dir


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the file and the variables. Raises BadFile or BadSetting with the place and the mend."""
    named = environment.get("REXIAN_SETTINGS")
    path = Path(named) if named else CHECKOUT / "rexian.yaml"
    document: Document | None = None
    settings = Settings()
    if named or path.exists():
        settings, document = load(path, Settings)
    overrides = _from_environment(environment)
    settings = msgspec.structs.replace(settings, **overrides)
    for problem in problems(settings):
        raise _refusal(problem, document, overrides)
    folders = {name: getattr(settings, name) for name in PATHS}
    return msgspec.structs.replace(settings, **{name: path.absolute() for name, path in folders.items() if path})


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        if variable == "REXIAN_SETTINGS" or not variable.startswith("REXIAN_"):
            continue
        name = variable.removeprefix("REXIAN_").lower()
        if name not in Settings.__struct_fields__:
            raise BadSetting(variable, "there is no such setting", "see docs/operations.md for their names")
        if name in ("trunks", "outside"):
            raise BadSetting(variable, "it is a list of entries, not one value", "write them in rexian.yaml")
        value = [each.strip() for each in text.split(",")] if name in LISTS else text
        try:
            found[name] = getattr(_convert({name: value}), name)
        except msgspec.ValidationError as error:
            misfit = explain(error, {name: value}, _convert, Settings)
            raise BadSetting(variable, f"{misfit.reason} (it is {text!r})", misfit.mend) from error
    return found


def _convert(tree: Any) -> Settings:
    return msgspec.convert(tree, Settings, strict=False, dec_hook=decode_path)


def _refusal(problem: Problem, document: Document | None, overrides: Mapping[str, Any]) -> BadFile | BadSetting:
    """The problem with its place: the variable, or the line of the file."""
    name = str(problem.steps[0])
    if document is None or name in overrides:
        return BadSetting(f"REXIAN_{name.upper()}" if name in overrides else name, problem.reason, problem.mend)
    return document.wrong(*problem.steps, reason=problem.reason, mend=problem.mend)
