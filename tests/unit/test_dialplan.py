"""Asterisk's configuration as rendered: what must never be open is closed, and data stays data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cti.asterisk.config import seat_of_endpoint, write_config
from cti.secrets import Secrets
from cti.settings import Settings, Trunk
from dialplan import Plan, SeatAccount, TrunkAccount, render
from dialplan.render import MODULES, UNUSED_FILES
from prompts import CATALOGUE, Catalogue, build
from tests.fakes.voice import Whistle

GATEWAY = TrunkAccount("city", ("192.0.2.0/24", "198.51.100.7"), "inband", ("g722", "alaw"), 90)
CARRIER = TrunkAccount("carrier", (), "rfc4733", ("alaw",), 300, "057112333", "sip.example:5070", "se;cret\\;--x")

PLAN = Plan(
    node="node1",
    host="192.0.2.1",
    sip_port=18060,
    ari_port=18088,
    ari_password="ari-password",
    rtp_start=18100,
    rtp_end=18199,
    etc=Path("/srv/etc"),
    state=Path("/srv/state"),
    run=Path("/srv/run"),
    raw=Path("/srv/raw"),
    faxes=Path("/srv/faxes"),
    modules=Path("/tree/modules"),
    data=Path("/tree/data"),
    music=Path("/srv/music"),
    please_hold=("/srv/prompts/a", "/srv/prompts/b"),
    busy_apology=("/srv/prompts/c",),
    trunks=(GATEWAY, CARRIER),
    seats=(SeatAccount("1001", "pass-1001"), SeatAccount("1002", "pass-1002")),
    trunk_rtp_timeout_s=61,
    seat_rtp_timeout_s=31,
    hold_loop_s=62,
    max_channels=300,
)


class Section(NamedTuple):
    """`[name](flag)` and its lines, those of the template it names first."""

    name: str
    options: dict[str, str]


def sections(text: str) -> list[Section]:
    """A configuration file as Asterisk reads it: comments gone, `\\;` a semicolon, templates filled in."""
    templates: dict[str, dict[str, str]] = {}
    found: list[Section] = []
    options: dict[str, str] = {}
    for raw in text.splitlines():
        line = re.sub(r"(?<!\\);.*", "", raw).replace("\\;", ";").strip()
        if header := re.fullmatch(r"\[([^]]+)\](?:\(([^)]*)\))?", line):
            name, flag = header[1], header[2] or ""
            options = dict(templates.get(flag, {}))
            if flag == "!":
                templates[name] = options
            else:
                found.append(Section(name, options))
        elif line:
            key, _, value = line.partition("=")
            options[key.strip()] = value.removeprefix(">").strip()
    return found


def of_type(kind: str, text: str) -> dict[str, dict[str, str]]:
    """The PJSIP objects of one type, by name."""
    return {section.name: section.options for section in sections(text) if section.options.get("type") == kind}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return render(PLAN)


def options_of(text: str, name: str = "general") -> dict[str, str]:
    return next(section.options for section in sections(text) if section.name == name)


# What is closed


def test_ari_listens_on_this_machine_alone_and_serves_no_files(files: dict[str, str]) -> None:
    http = options_of(files["http.conf"])

    assert (http["bindaddr"], http["bindport"]) == ("127.0.0.1", "18088")
    assert (http["enable_static"], http["enable_status"]) == ("no", "no")
    assert not [option for option in http if option.startswith("tls")]


def test_a_dialplan_cannot_reach_the_shell(files: dict[str, str]) -> None:
    assert options_of(files["asterisk.conf"], "options")["live_dangerously"] == "no"


def test_keyed_digits_are_in_no_log(files: dict[str, str]) -> None:
    levels = {
        level
        for target in options_of(files["logger.conf"], "logfiles").values()
        for level in re.split(r"[, ]+", target)
    }

    assert levels == {"notice", "warning", "error"}
    assert options_of(files["asterisk.conf"], "options")["verbose"] == "0"


def test_sound_is_taken_from_whom_the_call_is_with(files: dict[str, str]) -> None:
    rtp = options_of(files["rtp.conf"])

    assert (rtp["strictrtp"], rtp["rtpstart"], rtp["rtpend"]) == ("yes", "18100", "18199")


FORBIDDEN = (
    *(
        "res_pjsip_refer",
        "res_pjsip_endpoint_identifier_anonymous",
        "res_pjsip_messaging",
        "res_pjsip_publish_asterisk",
    ),
    *("app_system", "app_originate", "app_externalivr", "func_shell", "func_curl", "func_env", "func_db", "res_curl"),
    *("res_agi", "res_clialiases", "res_clioriginate", "res_snmp", "res_phoneprov", "res_http_post", "res_xmpp"),
    *("chan_iax2", "chan_sip", "chan_audiosocket", "chan_websocket", "chan_rtp", "pbx_dundi", "pbx_spool"),
    *("res_ari_device_states", "res_ari_sounds", "res_ari_mailboxes"),
)


def test_what_is_not_needed_is_not_loaded(files: dict[str, str]) -> None:
    lines = files["modules.conf"].splitlines()
    loaded = [match[1] for line in lines if (match := re.fullmatch(r"(?:pre)?load = (\w+)\.so", line))]

    assert options_of(files["modules.conf"], "modules")["autoload"] == "no"
    assert loaded == list(MODULES)
    assert not set(loaded) & set(FORBIDDEN)
    assert len(set(loaded)) == len(loaded)


def test_asterisks_manager_gets_no_configuration(files: dict[str, str]) -> None:
    """Without one it is off; so are the CLI's aliases, the web pages and the rest that nobody asked for."""
    wanted = {"ari", "asterisk", "cdr", "cdr_custom", "extensions", "http", "indications", "logger", "modules"}
    wanted |= {"musiconhold", "pjsip", "rtp", "sorcery", "stasis", "udptl", *UNUSED_FILES}

    assert set(files) == {f"{name}.conf" for name in wanted}


def test_what_calls_and_their_records_live_by_is_made(files: dict[str, str]) -> None:
    declined = set(re.findall(r"^decline = (\w+)$", files["stasis.conf"], re.MULTILINE))
    for_events = {"ast_channel_snapshot_type", "ast_channel_dtmf_end_type", "ast_multi_user_event_type"}
    for_events |= {"ast_channel_hangup_request_type"}
    for_events |= {"stasis_app_playback_snapshot_type", "ast_endpoint_snapshot_type", "ast_endpoint_state_type"}
    for_records = {"ast_channel_dial_type", "ast_channel_entered_bridge_type", "ast_channel_left_bridge_type"}
    assert declined
    assert not declined & (
        for_events | for_records | {"ast_security_event_type"}
    )  # a decline of it is told as an error


def test_nobody_is_anonymous(files: dict[str, str]) -> None:
    pjsip = files["pjsip.conf"]
    endpoints = of_type("endpoint", pjsip)
    order = of_type("global", pjsip)["global"]["endpoint_identifier_order"]

    assert set(endpoints) == {"trunk-city", "trunk-carrier", "seat1001", "seat1002", "page1001", "page1002"}
    assert "anonymous" not in order
    assert not [name for name in endpoints if "anonymous" in name]
    for endpoint in endpoints.values():
        assert endpoint["allow_transfer"] == "no"
        assert endpoint["direct_media"] == "no"
        assert endpoint["disallow"] == "all"


def test_silent_peers_are_given_up_after_their_time(files: dict[str, str]) -> None:
    endpoints = of_type("endpoint", files["pjsip.conf"])
    times = {name: (each["rtp_timeout"], each["rtp_timeout_hold"]) for name, each in endpoints.items()}

    assert times == {
        "trunk-city": ("61", "61"),
        "trunk-carrier": ("61", "61"),
        "seat1001": ("31", "0"),
        "seat1002": ("31", "0"),
        "page1001": ("31", "0"),
        "page1002": ("31", "0"),
    }


def test_seats_dial_nowhere_and_trunks_only_reach_the_controller(files: dict[str, str]) -> None:
    endpoints = of_type("endpoint", files["pjsip.conf"])
    contexts = {name: each["context"] for name, each in endpoints.items()}

    assert {contexts["trunk-city"], contexts["trunk-carrier"]} == {"from-trunk"}
    assert {contexts["seat1001"], contexts["seat1002"]} == {"from-seat"}
    assert {contexts["page1001"], contexts["page1002"]} == {"from-page"}
    assert _steps(files["extensions.conf"], "from-seat") == ["Hangup(21)"]
    assert _steps(files["extensions.conf"], "from-page") == [
        "Set(GROUP(echo)=${CHANNEL(endpoint)})",
        "GotoIf($[${GROUP_COUNT(${CHANNEL(endpoint)}@echo)} > 1]?enough)",
        "Set(TIMEOUT(absolute)=20)",
        "Answer()",
        "Echo()",
        "Hangup(17)",
        "Hangup(21)",
        "NoOp()",
        "Hangup()",
    ]
    assert not re.findall(r"\b(Dial|System|AGI|Originate|Macro|DISA)\(", files["extensions.conf"])


def test_what_was_dialled_reaches_applications_filtered_only(files: dict[str, str]) -> None:
    """A number such as `1&SIP/x` or `${SHELL()}` would otherwise add arguments."""
    text = files["extensions.conf"]
    uses = [use.start() for use in re.finditer(r"\$\{(?:EXTEN|CHANNEL\(pjsip,call-id\))\}", text)]

    assert len(uses) == 6
    assert all(re.search(r"\$\{FILTER\([^,]+,$", text[:use]) for use in uses)


def _steps(text: str, context: str) -> list[str]:
    """The applications of a context, in order."""
    body = text.partition(f"[{context}]")[2].partition("\n[")[0]
    return re.findall(r"^(?:exten => [^,]+,1| same => n(?:\(\w+\))?),(.+)$", body, re.MULTILINE)


# Trunks and seats


def test_a_trunk_by_address(files: dict[str, str]) -> None:
    pjsip = files["pjsip.conf"]
    endpoint = of_type("endpoint", pjsip)["trunk-city"]

    assert (endpoint["allow"], endpoint["dtmf_mode"], endpoint["identify_by"]) == ("g722,alaw", "inband", "ip")
    assert "set_var = REXIAN_TRUNK=city\n" in pjsip
    assert of_type("identify", pjsip)["trunk-city"]["match"] == "192.0.2.0/24,198.51.100.7"
    assert "trunk-city" not in of_type("registration", pjsip)


def test_a_trunk_that_registers(files: dict[str, str]) -> None:
    pjsip = files["pjsip.conf"]
    registration, auth = of_type("registration", pjsip)["trunk-carrier"], of_type("auth", pjsip)["trunk-carrier"]

    assert registration["server_uri"] == "sip:sip.example:5070"
    assert registration["client_uri"] == "sip:057112333@sip.example:5070"
    assert registration["outbound_auth"] == "trunk-carrier"
    assert (auth["username"], auth["password"]) == ("057112333", CARRIER.password)
    assert of_type("identify", pjsip)["trunk-carrier"]["match"] == "sip.example"


def test_a_hang_up_is_no_number_that_somebody_dialled() -> None:
    """Asterisk runs `h` at a hang-up, and the pattern for numbers would match it."""
    from_trunk = render(PLAN)["extensions.conf"].split("[from-trunk]")[1].split("\n[")[0]

    assert "\nexten => h,1,NoOp()" in from_trunk


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_carriers_password_is_read_as_it_was_written(password: str) -> None:
    trunk = TrunkAccount("carrier", (), "auto", ("alaw",), 300, "user", "sip.example", password)
    plan = Plan(**{name: getattr(PLAN, name) for name in Plan.__struct_fields__} | {"trunks": (trunk,)})

    assert of_type("auth", render(plan)["pjsip.conf"])["trunk-carrier"]["password"] == password


def test_every_seat_has_its_own_account(files: dict[str, str]) -> None:
    pjsip = files["pjsip.conf"]
    endpoints, auths, contacts = (of_type(kind, pjsip) for kind in ("endpoint", "auth", "aor"))

    for seat in PLAN.seats:
        name = f"seat{seat.number}"
        assert (endpoints[name]["auth"], endpoints[name]["aors"]) == (name, name)
        assert (auths[name]["username"], auths[name]["password"]) == (name, seat.password)
        assert contacts[name]["max_contacts"] == "1"
        assert seat_of_endpoint(name) == seat.number


def test_a_page_has_no_password_until_somebody_opens_it(files: dict[str, str]) -> None:
    pjsip, sorcery = files["pjsip.conf"], files["sorcery.conf"]

    for seat in PLAN.seats:
        name = f"page{seat.number}"
        page = of_type("endpoint", pjsip)[name]
        assert (page["auth"], page["aors"], page["webrtc"]) == (name, name, "yes")
        assert name not in of_type("auth", pjsip)
        assert seat_of_endpoint(name) == seat.number
    assert re.findall(r"^auth = (.+)$", sorcery, re.MULTILINE) == ["config,pjsip.conf,criteria=type=auth", "memory"]


@pytest.mark.parametrize("resource", ["trunk-city", "seat", "seat-1", "seat1001x", "1001", "page", "seatpage1001"])
def test_a_trunk_is_never_taken_for_a_seat(resource: str) -> None:
    assert seat_of_endpoint(resource) is None


# The way of a call


def test_a_call_is_held_while_no_controller_is_there(files: dict[str, str]) -> None:
    hold = _steps(files["extensions.conf"], "please-hold")

    assert any("Playback(/srv/prompts/a&/srv/prompts/b)" in step for step in hold)
    assert any("> 62]?sorry" in step for step in hold)
    assert hold[-3:] == ["Playback(/srv/prompts/c)", "Set(CDR(step)=apology)", "Hangup(42)"]
    steps = _steps(files["extensions.conf"], "to-controller")
    tries = [number for number, step in enumerate(steps) if step.startswith("Stasis(rexian,")]
    assert [step for number, step in enumerate(steps) if number - 1 in tries] == [
        'GotoIf($["${STASISSTATUS}" != "FAILED"]?end)',
        'GotoIf($["${STASISSTATUS}" = "FAILED"]?again)',
    ] * 2


def test_one_caller_more_than_there_are_channels_is_refused_by_asterisk_itself(files: dict[str, str]) -> None:
    steps = _steps(files["extensions.conf"], "from-trunk")
    guards = [step for step in steps if "no-room" in step]

    assert guards == [
        "GotoIf($[${GROUP_COUNT(all@calls)} > 300]?no-room,s,1)",
        "GotoIf($[${GROUP_COUNT(${REXIAN_TRUNK}@trunk)} > ${REXIAN_CHANNELS}]?no-room,s,1:to-controller,in,1)",
    ]
    assert steps[1:3] == guards  # after the one in which the call is counted
    assert _steps(files["extensions.conf"], "no-room") == ["Set(CDR(step)=refused)", "Hangup(34)"]
    assert re.findall("set_var = REXIAN_CHANNELS=(.+)", files["pjsip.conf"]) == ["90", "300"]


def test_a_trunk_has_its_calls_and_the_room_to_tell_the_others(prompts: Path) -> None:
    trunks = (Trunk("large", match=("192.0.2.1",)), Trunk("small", match=("192.0.2.2",), max_calls=30))
    settings = Settings(state_dir=prompts.parent, trunks=trunks, max_calls=100, max_channels=120)
    main = write_config(settings, Secrets(seats=dict.fromkeys(settings.seats, "p")))

    assert re.findall("set_var = REXIAN_CHANNELS=(.+)", (main.parent / "pjsip.conf").read_text()) == ["120", "50"]


def test_both_legs_are_recorded_by_what_they_say_themselves(files: dict[str, str]) -> None:
    for context in ("start-recording", "to-seat"):
        assert any(
            re.fullmatch(r"MixMonitor\(,r\(/srv/raw/.*\.wav\)\)", step)
            for step in _steps(files["extensions.conf"], context)
        )


def test_a_fax_ends_by_itself_and_comes_back_and_a_hang_up_in_it_is_told(files: dict[str, str]) -> None:
    """No controller need be there: the time limit is the channel's own, and taken off again before it goes on."""
    assert _steps(files["extensions.conf"], "send-fax") == [
        "Set(FAXOPT(localstationid)=${DIALLED})",
        "Set(TIMEOUT(absolute)=${FAX_S})",
        "SendFAX(/srv/faxes/${FILTER(0-9.a-z,${EXTEN})}.tif,fz)",
        "Set(TIMEOUT(absolute)=0)",
        "Goto(to-controller,back,1)",
        "Goto(to-controller,back,1)",
        "UserEvent(fax,status: ${FAXSTATUS},error: ${FAXERROR},pages: ${FAXPAGES},rate: ${FAXBITRATE},mode: ${FAXMODE})",
    ]


def test_t38_is_offered_where_the_trunk_is_said_to_do_it_and_has_the_ports_of_the_voice() -> None:
    files = render(replace(PLAN, trunks=(replace(GATEWAY, t38=True), CARRIER)))
    assert re.findall("t38_udptl = (.+)", files["pjsip.conf"]) == ["yes", "no"]
    assert re.findall("udptl(?:start|end) = (.+)", files["udptl.conf"]) == ["18100", "18199"]


# Written


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state") / "prompts"
    build(Catalogue.load(CATALOGUE), None, folder, Whistle())
    return folder


def test_what_is_written_is_its_owners_alone(prompts: Path) -> None:
    trunk = Trunk("carrier", register="057112333@sip.example")
    settings = Settings(state_dir=prompts.parent, trunks=(trunk,), seats=("1001", "1002", "1003"))
    secrets = Secrets(seats={seat: f"p{seat}" for seat in settings.seats}, trunks={"carrier": "a;b"})
    write_config(settings, secrets)  # twice: what is there already is replaced
    main = write_config(settings, secrets)

    written = sorted(main.parent.iterdir())
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    assert {path.name for path in written} == set(render(PLAN))
    auths = of_type("auth", (main.parent / "pjsip.conf").read_text())
    assert {name: auth["password"] for name, auth in auths.items()} == {
        "trunk-carrier": "a;b",
        **{f"seat{seat}": f"p{seat}" for seat in settings.seats},
    }
    assert options_of((main.parent / "ari.conf").read_text(), "rexian")["password"] == secrets.ari
    assert str(settings.raw_dir) in (main.parent / "extensions.conf").read_text()
    assert settings.raw_dir.is_dir()
