"""docker/: never run where it was written, so what can be checked without an engine is checked here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from cti.settings import CHECKOUT, Settings
from cti.stack.programs import programs

COMPOSE: dict[str, Any] = YAML(typ="safe").load((CHECKOUT / "docker" / "compose.yaml").read_text())
DOCKERFILE = (CHECKOUT / "docker" / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_it_has_the_same_parts_as_the_stack() -> None:
    """But for the watchdog, which cannot reach into another container: `healthcheck` is the engine's own."""
    assert set(SERVICES) == {"prepare", *(program.name for program in programs(Settings()))} - {"watchdog"}
    assert SERVICES["controller"]["healthcheck"]


def test_every_built_image_is_a_stage_of_the_dockerfile() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
    copied_from = set(re.findall(r"--from=(\S+)", DOCKERFILE))
    built = {service["build"]["target"] for service in SERVICES.values() if "build" in service}
    assert built <= stages <= built | copied_from


def test_the_parts_are_of_the_versions_that_the_design_names() -> None:
    assert "FROM postgres:15 AS postgres" in DOCKERFILE
    assert SERVICES["mosquitto"]["image"] == "eclipse-mosquitto:2"
    assert "FROM debian:12-slim AS rexian" in DOCKERFILE


@pytest.mark.parametrize(("name", "port"), [("mosquitto", Settings().mqtt_port), ("nginx", Settings().web_port)])
def test_health_is_asked_at_the_port_of_the_settings(name: str, port: int) -> None:
    assert str(port) in " ".join(SERVICES[name]["healthcheck"]["test"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_one_user_one_volume_one_network(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10333:10333"
    assert service["network_mode"] == "host"
    assert "state:/var/lib/rexian" in service["volumes"]


def test_the_daemons_read_the_rendered_files() -> None:
    state = "/var/lib/rexian"
    rendered = {"postgresql.conf": DOCKERFILE, "asterisk/asterisk.conf": DOCKERFILE}
    rendered |= {f"{name}.conf": " ".join(SERVICES[name]["entrypoint"]) for name in ("mosquitto", "nginx")}
    for name, text in rendered.items():
        assert f"{state}/etc/{name}" in text
    assert f"REXIAN_STATE_DIR={state}" in DOCKERFILE


def test_it_says_that_it_was_not_run() -> None:
    for name in ("Dockerfile", "compose.yaml"):
        assert "Not run on the machine where it was written" in (CHECKOUT / "docker" / name).read_text()
