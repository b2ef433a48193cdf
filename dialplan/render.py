"""From a `Plan` to the text of every file that Asterisk reads. Pure: who writes them, and where, is the edge's business."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

APP = "rexian"
"""The Stasis application, and the ARI user."""


class TrunkAccount(msgspec.Struct, frozen=True):
    """One trunk: by `match` (addresses), or registering as `user` at `server` with `password`."""

    name: str
    match: tuple[str, ...]
    keys: Literal["rfc4733", "inband", "auto"]
    codecs: tuple[str, ...]
    max_channels: int
    """Most callers that it may have here at once, with those who are only told that they will be called back."""
    user: str = ""
    server: str = ""
    password: str = ""
    dial: str | None = None
    """`host[:port]` that calls back are sent to."""
    t38: bool = False
    """Faxes may be sent as T.38."""


class SeatAccount(msgspec.Struct, frozen=True):
    """One seat: its telephone's SIP user is `seat` and the number, that of a page there `page` and the number.

    The page's password is made when somebody opens it, and given to Asterisk then (`sorcery.conf`).
    """

    number: str
    password: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that the files depend on. Paths are absolute; times in seconds."""

    node: str
    host: str
    sip_port: int
    ari_port: int
    ari_password: str
    rtp_start: int
    rtp_end: int
    etc: Path
    state: Path
    run: Path
    raw: Path
    faxes: Path
    modules: Path
    data: Path
    music: Path
    please_hold: tuple[str, ...]
    """Sound files, absolute and without extension, that a held caller hears once."""
    busy_apology: tuple[str, ...]
    trunks: tuple[TrunkAccount, ...]
    seats: tuple[SeatAccount, ...]
    trunk_rtp_timeout_s: int
    seat_rtp_timeout_s: int
    hold_loop_s: int
    max_channels: int
    """Most callers at once, of all trunks."""
    app: str = APP


ECHO_S = 20
"""Of the voice check: two sentences and their echo."""

MODULES = (
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    "res_timing_timerfd",
    # voice
    "codec_alaw",
    "codec_ulaw",
    "codec_a_mu",
    "codec_g722",
    "codec_opus_open_source",
    "res_format_attr_opus",
    "codec_resample",
    "format_pcm",
    "format_wav",
    "format_sln",
    "res_musiconhold",
    "bridge_simple",
    "bridge_softmix",
    "bridge_holding",  # the `dial` of ARI waits in one
    "bridge_native_rtp",
    # SIP
    "res_rtp_asterisk",
    "res_srtp",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_pubsub",
    "res_pjsip_session",
    "res_pjsip_transport_websocket",
    "res_pjsip_sdp_rtp",
    "res_pjsip_t38",
    "res_pjsip_authenticator_digest",
    "res_pjsip_outbound_authenticator_digest",
    "res_pjsip_outbound_registration",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_endpoint_identifier_user",
    "res_pjsip_registrar",
    "res_pjsip_caller_id",
    "res_pjsip_dtmf_info",
    "res_pjsip_nat",
    "res_pjsip_rfc3326",
    "res_pjsip_header_funcs",
    "res_pjsip_dlg_options",
    "res_pjsip_maintenance",
    "chan_pjsip",
    "chan_bridge_media",
    # the controller's door
    "res_http_websocket",
    "res_websocket_client",
    "res_stasis",
    "res_stasis_answer",
    "res_stasis_playback",
    "res_stasis_recording",
    "res_stasis_snoop",
    "res_stasis_device_state",  # never subscribed to (it deadlocks); but without it ARI leaves required fields out
    "res_ari_model",
    "res_ari",
    "res_ari_applications",
    "res_ari_asterisk",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_endpoints",
    "res_ari_events",
    "res_ari_playbacks",
    "res_ari_recordings",
    "app_stasis",
    # dialplan
    "pbx_config",
    "app_playback",
    "app_echo",  # the voice check of a page
    "app_mixmonitor",
    "res_fax",
    "res_fax_spandsp",
    "app_stack",
    "app_exec",
    "app_userevent",
    "func_cdr",
    "func_channel",
    "func_groupcount",
    "func_talkdetect",
    "func_logic",
    "func_strings",
    "func_timeout",
    "res_cdrel_custom",
    "cdr_custom",
)
"""The allow-list. res_pjsip_refer stays out: transfers are made by the controller, and REFER inside Stasis deadlocks
in 22.10.1."""

UNUSED_FILES = ("acl", "ccss", "cel", "features", "pjproject", "res_fax", "websocket_client")
"""Core parts read these at start and complain where one is missing; defaults are right for all of them."""

_templates = Environment(
    loader=PackageLoader("dialplan"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)
_templates.filters["conf"] = lambda text: text.replace(
    ";", "\\;"
)  # a carrier's password may hold Asterisk's comment sign


def render(plan: Plan) -> dict[str, str]:
    """File name -> text, for each file of Asterisk's configuration folder."""
    names = sorted(name for name in _templates.list_templates() if name.endswith(".j2"))
    files = {f"{name}.conf": "; Rendered by Rexian: defaults.\n" for name in UNUSED_FILES}
    for name in names:
        files[name.removesuffix(".j2")] = _templates.get_template(name).render(p=plan, modules=MODULES, echo_s=ECHO_S)
    return files
