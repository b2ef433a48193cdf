"""The settings: where they come from, what is refused and in which words, and that each is described."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from calls.errors import BadFile, BadSetting, RexianError
from cti.settings import CHECKOUT, Settings, Trunk, load_settings

OPERATIONS = CHECKOUT / "docs" / "operations.md"


def written(tmp_path: Path, text: str) -> dict[str, str]:
    """The variables of somebody whose file says `text`."""
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return {"REXIAN_SETTINGS": str(path)}


# Where they come from


def test_the_shipped_file_is_right_and_says_what_the_defaults_say() -> None:
    shipped = load_settings({})

    assert shipped.trunks == (Trunk("demo", match=("127.0.0.0/8",)),)
    assert {name: getattr(shipped, name) for name in Settings.__struct_fields__ if name != "trunks"} == {
        name: getattr(Settings(), name) for name in Settings.__struct_fields__ if name != "trunks"
    }


def test_a_variable_beats_the_file_which_beats_the_default(tmp_path: Path) -> None:
    file = written(tmp_path, "ring_s: 12\nwrap_up_s: 2.5\n")
    settings = load_settings(file | {"REXIAN_RING_S": "9", "PATH": "/bin", "OTHER_RING_S": "1"})

    assert (settings.ring_s, settings.wrap_up_s, settings.hold_loop_s) == (9.0, 2.5, 60)


def test_variables_are_read_as_what_they_are_for() -> None:
    settings = load_settings(
        {
            "REXIAN_DEMO": "false",
            "REXIAN_SEATS": "2001, 2002",
            "REXIAN_REDIAL_EXEMPT": "057188881234, 13800001111",
            "REXIAN_PORT_OFFSET": "100",
            "REXIAN_STATE_DIR": "/srv/rexian",
            "REXIAN_VOICES_DIR": "voices",
            "REXIAN_LANGUAGE": "en",
        }
    )

    assert settings.demo is False
    assert settings.seats == ("2001", "2002")
    assert settings.redial_exempt == ("057188881234", "13800001111")
    assert settings.voices_dir == Path.cwd() / "voices"  # daemons run elsewhere
    assert settings.language == "en"
    assert settings.control_socket == Path("/srv/rexian/run/control.sock")
    assert (settings.sip_port, settings.web_port, settings.mqtt_port, settings.ari_port) == (5160, 8180, 1983, 8188)
    assert (settings.api_port, settings.rtp_start, settings.rtp_end) == (8190, 10100, 15099)


def test_every_port_fits_at_the_highest_offset() -> None:
    settings = load_settings({"REXIAN_PORT_OFFSET": "50000"})

    assert max(getattr(settings, name) for name in dir(settings) if name.endswith(("_port", "_end"))) < 65536


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("embedded", "http://127.0.0.1:8191"),
        ("", None),
        ("https://business.city.example:8443/hotline", "https://business.city.example:8443/hotline"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_the_business_system_is_ours_theirs_or_none(url: str, address: str | None) -> None:
    settings = load_settings({"REXIAN_BUSINESS_URL": url, "REXIAN_PORT_OFFSET": "100"})

    assert settings.business_address == address
    assert settings.has_bureau == (url == "embedded")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("embedded", "http://127.0.0.1:8192"),
        ("file", None),
        ("", None),
        ("https://sms.carrier.example/hotline", "https://sms.carrier.example/hotline"),
    ],
)
def test_the_gateway_is_ours_theirs_a_file_or_none(url: str, address: str | None) -> None:
    settings = load_settings({"REXIAN_TEXTS_URL": url, "REXIAN_PORT_OFFSET": "100"})

    assert settings.texts_address == address
    assert settings.has_texting == (url == "embedded")


def test_places_follow_the_state_folder() -> None:
    settings = load_settings({"REXIAN_STATE_DIR": "/srv/rexian"})
    places = [
        getattr(settings, name) for name in dir(Settings) if name.endswith(("_dir", "_path", "_socket", "_records"))
    ]
    own = {settings.lines_dir, settings.voices_dir}

    assert all(place.is_relative_to("/srv/rexian") for place in places if place not in own)
    assert settings.postgres_dsn("rexian") == "postgresql:///rexian?host=/srv/rexian/run&user=rexian"
    assert settings.zone == ZoneInfo("Asia/Shanghai")


# What is refused

VARIABLES = [
    *(
        ("REXIAN_BUSINESS_URL", url, f"{url!r} is no address of a business system. Mend: write one such as https://")
        for url in (
            "business.city.example",
            "ftp://city.example",
            "https://",
            "https://u:p@city.example",
            "https://a:99999",
        )
    ),
    ("REXIAN_BUSINESS_URL", "https://city.example/?key=1", "is no address of a business system"),
    (
        "REXIAN_BUSINESS_URL",
        "http://city.example",
        "ID numbers and PINs would go over the network for everybody to read",
    ),
    ("REXIAN_WEB_CERTIFICATE", "/etc/door.pem", "web_certificate is of no use without web_key. Mend: write both"),
    ("REXIAN_WEB_KEY", "/etc/door.key", "web_key is of no use without web_certificate. Mend: write both"),
    ("REXIAN_WEB_KEY", "/etc/do;or.key", "the path holds ';', which configuration files cannot hold"),
    ("REXIAN_TEXTS_URL", "sms.carrier.example", "is no address of an SMS gateway. Mend: write one such as https://"),
    ("REXIAN_TEXTS_URL", "http://carrier.example", "numbers and texts would go over the network for everybody to read"),
    ("REXIAN_TEXTS_TIMEOUT_S", "0", "the time must be more than 0 seconds"),
    ("REXIAN_TEXTS_SIGNATURE", "】", "'】' is no signature of a text"),
    *(
        (
            "REXIAN_OIDC_ISSUER",
            url,
            f"{url!r} is no address of a provider to sign in by. Mend: write its issuer, such as",
        )
        for url in ("login.city.example", "ldap://city.example", "https://", "https://u:p@city.example", "https://a/?b")
    ),
    ("REXIAN_OIDC_ISSUER", "http://login.city.example", "tokens would go over the network for everybody to read"),
    ("REXIAN_OIDC_TIMEOUT_S", "0", "the time must be more than 0 seconds"),
    *(
        (f"REXIAN_{name}", "x", "there is no provider to sign in by. Mend: write oidc_issuer, or leave this out")
        for name in ("OIDC_CLIENT_ID", "OIDC_DESK_URL")
    ),
    ("REXIAN_BUSINESS_TIMEOUT_S", "0", "the time must be more than 0 seconds"),
    ("REXIAN_RINGS", "3", "REXIAN_RINGS: there is no such setting. Mend: see docs/operations.md for their names."),
    ("REXIAN_TRUNKS", "x", "REXIAN_TRUNKS: it is a list of entries, not one value. Mend: write them in rexian.yaml."),
    ("REXIAN_OUTSIDE", "x", "REXIAN_OUTSIDE: it is a list of entries, not one value. Mend: write them in rexian.yaml."),
    (
        "REXIAN_DEMO",
        "maybe",
        "true or false is expected here, this is text (it is 'maybe'). Mend: write true or false.",
    ),
    ("REXIAN_RING_S", "long", "a number is expected here, this is text (it is 'long'). Mend: write a number."),
    ("REXIAN_HOLD_LOOP_S", "1.5", "a whole number is expected here"),
    ("REXIAN_LANGUAGE", "fr", "fr cannot stand here (it is 'fr'). Mend: write one of: en, zh-CN."),
    ("REXIAN_NODE", "", "'' is no name for a node"),
    ("REXIAN_NODE", "a/b", "'a/b' is no name for a node. Mend: use up to 32 letters, digits and -."),
    ("REXIAN_REGION", "China", "no region is called 'China'. Mend: write two capital letters, such as CN."),
    ("REXIAN_TIME_ZONE", "Beijing", "no zone is called 'Beijing'. Mend: write one such as Asia/Shanghai."),
    ("REXIAN_TIME_ZONE", "Asia", "no zone is called 'Asia'"),
    ("REXIAN_TIME_ZONE", "../localtime", "no zone is called '../localtime'"),
    ("REXIAN_HOST", "pbx.example", "'pbx.example' is not an IPv4 address. Mend: write an address of this machine"),
    ("REXIAN_HOST", "::1", "'::1' is not an IPv4 address"),
    ("REXIAN_PORT_OFFSET", "-1", "-1 is not between 0 and 50000. Mend: choose one, such as 100."),
    ("REXIAN_PORT_OFFSET", "50001", "50001 is not between 0 and 50000"),
    *(
        (f"REXIAN_{name}", value, "the time must be more than 0 seconds and at most a day. Mend: write seconds")
        for name in ("RING_S", "POSITION_EVERY_S", "SILENCE_BEFORE_CLOSE_S")
        for value in ("0", "-1", "nan", "inf", "86401")
    ),
    *(
        ("REXIAN_WRAP_UP_S", value, "the time must be 0 seconds or more and at most a day")
        for value in ("-1", "nan", "86401")
    ),
    *((f"REXIAN_{name}", "0", "the time must be") for name in ("TRUNK_RTP_TIMEOUT_S", "SEAT_RTP_TIMEOUT_S")),
    ("REXIAN_HOLD_LOOP_S", "-1", "the time must be"),
    ("REXIAN_MAX_CALLS", "0", "0 calls are none. Mend: write how many, such as 240."),
    ("REXIAN_MAX_CHANNELS", "200", "200 channels cannot carry 240 calls. Mend: write more than max_calls"),
    (
        "REXIAN_REDIAL_MOST",
        "4",
        "families and payphones call 4 times within minutes, too. Mend: write 5 or more; 0: no",
    ),
    ("REXIAN_REDIAL_MOST", "-1", "families and payphones call -1 times"),
    ("REXIAN_REDIAL_EXEMPT", "057188881234,switchboard", "'switchboard' is no telephone number. Mend: write one such"),
    ("REXIAN_REDIAL_WITHIN_S", "0", "the time must be more than 0 seconds"),
    ("REXIAN_LEAST_ADVISERS", "-1", "-1 advisers cannot be signed in. Mend: write how many, such as 2; 0: no alarm"),
    *(
        ("REXIAN_MAX_CALLS_PER_S", rate, f"{rate} calls a second are none. Mend: write how many")
        for rate in ("0", "nan")
    ),
    ("REXIAN_STATE_DIR", "/srv/" + "x" * 75, "too long for Unix sockets. Mend: choose a folder of fewer than 80"),
    ("REXIAN_STATE_DIR", "/srv/" + "热" * 25, "too long for Unix sockets"),
    ("REXIAN_STATE_DIR", "/srv/my calls", "holds ' ', which configuration files cannot hold. Mend: choose a folder"),
    ("REXIAN_STATE_DIR", "/srv/a;b", "holds ';'"),
    ("REXIAN_ASTERISK_TREE", "/srv/a&b", "holds '&'"),
    ("REXIAN_SEATS", "", "'' is not a seat number"),
    ("REXIAN_SEATS", "1001,10a", "'10a' is not a seat number. Mend: write digits 0 to 9 only, in quotes."),
    ("REXIAN_SEATS", "１００１", "'１００１' is not a seat number"),
    ("REXIAN_SEATS", "1001,1002,1001", "seat 1001 stands twice. Mend: name each seat once."),
]


@pytest.mark.parametrize(("variable", "value", "sentence"), VARIABLES)
def test_a_wrong_variable_is_named_with_its_mend(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load_settings({variable: value})

    assert refused.value.name == variable
    assert sentence in str(refused.value)
    assert re.fullmatch(r"[^\n]+\. Mend: [^\n]+\.", str(refused.value)), "one sentence, and its mend"


PROVIDER = {
    "REXIAN_OIDC_ISSUER": "https://login.city.example/realms/hotline",
    "REXIAN_OIDC_CLIENT_ID": "hotline",
    "REXIAN_OIDC_DESK_URL": "https://desk.city.example/",
    "REXIAN_OIDC_SECOND_FACTOR": "gold, 2",
}


def test_a_provider_to_sign_in_by() -> None:
    settings = load_settings(PROVIDER)

    assert settings.oidc_second_factor == ("gold", "2")
    assert load_settings({}).oidc_issuer == "", "nobody is asked unless somebody says whom"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CLIENT_ID", "", "'' is not what the provider knows this hotline as. Mend: write the client ID"),
        ("CLIENT_ID", " ", "' ' is not what the provider knows this hotline as"),
        ("DESK_URL", "", "'' is no address of the desk. Mend: write where browsers have it"),
        ("DESK_URL", "desk.city.example", "is no address of the desk"),
        ("DESK_URL", "http://desk.city.example", "sessions would go over the network for everybody to read"),
        ("DESK_URL", "https://city.example/desk/", "the desk is at the top of its host. Mend: leave the path out"),
        ("CLAIM", "", "'' is no claim of a token. Mend: write the one that has the account's name"),
        ("CLAIM", "two words", "'two words' is no claim of a token"),
        ("SECOND_FACTOR", "gold,", "'' is no acr of a provider. Mend: write what its tokens say"),
    ],
)
def test_a_provider_that_is_told_of_wrongly(name: str, value: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load_settings(PROVIDER | {f"REXIAN_OIDC_{name}": value})

    assert refused.value.name == f"REXIAN_OIDC_{name}"
    assert sentence in str(refused.value)


def test_a_provider_without_a_client_is_told_of_where_it_stands(tmp_path: Path) -> None:
    file = written(tmp_path, "node: node1\noidc_issuer: https://login.city.example\n")
    with pytest.raises(BadFile, match="is not what the provider knows this hotline as"):
        load_settings(file)


WAY = "trunks:\n  - name: one\n    match: [10.0.0.1]\n    dial: 10.0.0.1\n"
ONE = "trunks:\n  - name: one\n    "
FILE = [
    ("ring: 3\n", 1, 1, "unknown key ring. Mend: write ring_s, or remove it"),
    ("node: node1\nring_s: long\n", 2, 1, "a number is expected here, this is text"),
    ("node: node1\nring_s: .nan\n", 2, 1, "the time must be more than 0 seconds"),
    ("language: fr\n", 1, 1, "fr cannot stand here. Mend: write one of: en, zh-CN"),
    ("seats:\n  - '1001'\n  - 10 02\n", 3, 5, "'10 02' is not a seat number"),
    ("seats:\n  - '1001'\n  - '1001'\n", 3, 5, "seat 1001 stands twice"),
    ("seats: [\n", 2, 1, "correct the YAML"),
    ("", 1, 1, "the file is empty"),
    ("node: a\nnode: b\n", 2, 1, "node"),
    ("trunks:\n  - match: [10.0.0.1]\n", 2, 5, "missing key name. Mend: add a line `name: ...` here"),
    (ONE, 2, 5, "trunk one needs one of match and register. Mend: give just one of them"),
    (ONE + "match: [10.0.0.1]\n    register: u@h\n", 2, 5, "trunk one needs one of match and register"),
    (ONE + "match: [10.0.0.1, gateway]\n", 3, 23, "'gateway' is not an address or a network"),
    (ONE + "match: [10.0.0.256]\n", 3, 13, "'10.0.0.256' is not an address or a network"),
    (ONE + "register: sip.example\n", 3, 5, "'sip.example' is nothing to register with. Mend: write user@host"),
    (ONE + "register: a;b@sip.example\n", 3, 5, "'a;b@sip.example' is nothing to register with"),
    (ONE + "register: a@sip.example:port\n", 3, 5, "nothing to register with"),
    (ONE + "match: [10.0.0.1]\n    keys: info\n", 4, 5, "info cannot stand here. Mend: write one of: "),
    (ONE + "match: [10.0.0.1]\n    codecs: [g729]\n", 4, 14, "g729 cannot stand here. Mend: write "),
    (ONE + "match: [10.0.0.1]\n    codecs: []\n", 4, 5, "trunk one has no codec"),
    (ONE + "match: [10.0.0.1]\n    max_calls: 0\n", 4, 5, "0 calls are none. Mend: write how many, or leave it out"),
    (
        "trunks:\n  - name: a b\n    match: [10.0.0.1]\n",
        2,
        5,
        "'a b' is no name for a trunk. Mend: use letters, digits",
    ),
    (ONE + "match: [10.0.0.1]\n  - name: one\n    match: [10.0.0.2]\n", 4, 5, "trunk one stands twice"),
    (
        WAY + "outside:\n  - {name: a, number: '+12345'}\n",
        6,
        15,
        "'+12345' cannot be dialled. Mend: write digits alone",
    ),
    (WAY + "outside:\n  - {name: ' ', number: '12345'}\n", 6, 6, "' ' is no name. Mend: write up to 20 characters"),
    (WAY + "outside:\n  - {name: a, number: '123'}\n  - {name: a, number: '456'}\n", 7, 6, "a stands twice"),
    ("outside:\n  - {name: a, number: '12345'}\n", 1, 1, "nobody outside can be rung. Mend: give a trunk its dial"),
]


@pytest.mark.parametrize(("text", "line", "column", "sentence"), FILE)
def test_a_wrong_file_is_refused_with_its_place(
    tmp_path: Path, text: str, line: int, column: int, sentence: str
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(BadFile) as refused:
        load_settings(file)

    assert sentence in str(refused.value)
    assert str(refused.value).startswith(f"{file['REXIAN_SETTINGS']}:{line}:{column}: ")
    assert re.fullmatch(r"[^\n]+\. Mend: [^\n]+\.", str(refused.value)), "one sentence, and its mend"


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"No such file or directory\. Mend: check that the file is there"):
        load_settings({"REXIAN_SETTINGS": str(tmp_path / "none.yaml")})


def test_the_variable_is_blamed_when_it_overrides_a_file_that_is_right(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="REXIAN_RING_S"):
        load_settings(written(tmp_path, "ring_s: 12\n") | {"REXIAN_RING_S": "0"})


def test_a_longest_folder_still_works() -> None:
    assert load_settings({"REXIAN_STATE_DIR": "/" + "x" * 78})
    with pytest.raises(RexianError):
        load_settings({"REXIAN_STATE_DIR": "/" + "x" * 79})


def test_trunks_of_both_kinds(tmp_path: Path) -> None:
    text = (
        "trunks:\n  - {name: a, match: [10.0.0.0/24, 10.1.0.1]}\n  - {name: b, register: '+86571@sip.example:5080'}\n"
    )
    first, second = load_settings(written(tmp_path, text)).trunks

    assert first == Trunk("a", match=("10.0.0.0/24", "10.1.0.1"))
    assert second == Trunk("b", register="+86571@sip.example:5080")


# Described


@pytest.mark.parametrize("name", [*Settings.__struct_fields__, *Trunk.__struct_fields__])
def test_every_setting_is_described_for_operators(name: str) -> None:
    rows = [line for line in OPERATIONS.read_text(encoding="utf-8").splitlines() if line.startswith("|")]

    assert any(f"`{name}`" in row.split("|")[1] for row in rows), f"docs/operations.md has no row for `{name}`"
