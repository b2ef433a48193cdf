"""The rendered configuration: what every daemon is told, read back by the daemon itself where it has a way to."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from calls.errors import NotPossible
from cti.secrets import Secrets
from cti.settings import Settings
from cti.stack import files
from cti.stack.programs import installed, programs

SECRETS = Secrets(ari="ari-password", mqtt_controller="controller-password", mqtt_reader="reader-password")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(state_dir=tmp_path / "state", port_offset=100)
    files.render(settings, SECRETS)
    return settings


def test_supervisor_starts_each_daemon_in_order_and_ends_it_with_itself(settings: Settings) -> None:
    config = configparser.RawConfigParser()
    config.read(settings.etc_dir / "supervisord.conf")
    sections = [name.removeprefix("program:") for name in config.sections() if name.startswith("program:")]
    assert sections == ["postgres", "mosquitto", "asterisk", "nginx", "bureau", "texting", "controller", "watchdog"]
    for program in programs(settings):
        section = config[f"program:{program.name}"]
        command = shlex.split(section["command"].replace("%%", "%"))
        assert command == list(program.argv)
        assert command[:3] == ["/usr/bin/setpriv", "--pdeathsig", section["stopsignal"]]
        assert section["autorestart"] == "true"


def test_the_others_step_back_behind_asterisk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpriority", lambda which, who: -10)

    for program in programs(settings):
        assert (program.argv[4:8] == ("/usr/bin/nice", "-n", "10", "--")) is (program.name != "asterisk")


def test_where_the_voice_is_not_first_all_are_alike(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpriority", lambda which, who: 5)

    assert not any("/usr/bin/nice" in program.argv for program in programs(settings))


def test_where_there_is_a_real_business_system_ours_does_not_run(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state", business_url="https://business.city.example")
    files.render(settings, SECRETS)

    assert "bureau" not in [program.name for program in programs(settings)]
    assert not settings.bureau_token.exists()


def test_its_token_is_told_in_a_file_and_not_in_the_arguments(settings: Settings) -> None:
    assert settings.bureau_token.read_text().strip() == SECRETS.business_token
    assert SECRETS.business_token not in (settings.etc_dir / "supervisord.conf").read_text()


def test_where_there_is_a_real_gateway_ours_does_not_run_and_nobody_finds_its_key(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state", texts_url="https://sms.carrier.example")
    files.render(settings, SECRETS)

    assert "texting" not in [program.name for program in programs(settings)]
    assert not settings.texts_key_file.exists()


def test_the_gateways_key_is_told_in_a_file_and_not_in_the_arguments(settings: Settings) -> None:
    assert settings.texts_key_file.read_text().strip() == SECRETS.texts_key
    assert SECRETS.texts_key not in (settings.etc_dir / "supervisord.conf").read_text()


def test_nginx_accepts_its_file(settings: Settings) -> None:
    conf = settings.etc_dir / "nginx.conf"
    done = subprocess.run(
        [installed("nginx"), "-t", "-e", "stderr", "-p", str(settings.state_dir), "-c", str(conf)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_with_a_certificate_the_door_speaks_tls_alone(tmp_path: Path) -> None:
    certificate, key = tmp_path / "door.pem", tmp_path / "door.key"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=desk.city.example"
    subprocess.run([*make.split(), "-out", certificate, "-keyout", key], check=True, capture_output=True)
    settings = Settings(state_dir=tmp_path / "var", web_certificate=certificate, web_key=key)
    files.render(settings, SECRETS)
    test_nginx_accepts_its_file(settings)
    text = (settings.etc_dir / "nginx.conf").read_text()
    assert f"listen {settings.host}:{settings.web_port} ssl;" in text
    assert settings.web_url.startswith("https://")


def test_only_the_web_door_leads_anywhere(settings: Settings) -> None:
    text = (settings.etc_dir / "nginx.conf").read_text()
    assert f"listen {settings.host}:{settings.web_port};" in text
    assert f"proxy_pass http://127.0.0.1:{settings.api_port};" in text
    assert re.findall(rf"\S+:{settings.ari_port}\S*", text) == [f"http://127.0.0.1:{settings.ari_port}/ws;"], (
        "SIP alone"
    )


def test_passwords_are_hashed_and_private(settings: Settings) -> None:
    passwords = settings.etc_dir / "mosquitto.passwd"
    assert [line.partition(":")[0] for line in passwords.read_text().splitlines()] == ["controller", "reader"]
    for path in settings.etc_dir.iterdir():
        text = path.read_text()
        assert "controller-password" not in text
        assert "reader-password" not in text
        assert path.stat().st_mode & 0o077 == 0, path


def test_rendering_again_is_the_same_again(settings: Settings) -> None:
    before = {path.name: path.read_text() for path in settings.etc_dir.iterdir() if path.suffix != ".passwd"}
    files.render(settings, SECRETS)
    assert before == {path.name: path.read_text() for path in settings.etc_dir.iterdir() if path.suffix != ".passwd"}


@pytest.mark.parametrize("name", ["two words", "half;price", "100%", "it's"])
def test_a_path_that_daemons_cannot_be_told_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotPossible, match="REXIAN_STATE_DIR"):
        files.render(Settings(state_dir=tmp_path / name), SECRETS)


def test_a_missing_daemon_is_told_with_its_mend() -> None:
    with pytest.raises(NotPossible, match="apt-get install no-such-daemon"):
        installed("no-such-daemon")
