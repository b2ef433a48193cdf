"""Asterisk's configuration for this deployment: from settings and secrets to files and folders.

What the files say is the templates' business (`dialplan/`); which Asterisk reads them is found by `cti.stack.voice`.
"""

from __future__ import annotations

import os
from pathlib import Path

from calls.words import FIRST_LANGUAGE
from cti.secrets import Secrets
from cti.settings import Settings, Trunk
from cti.stack.voice import find_asterisk
from dialplan import Plan, SeatAccount, TrunkAccount, render
from prompts import Sounds

SEAT_USER, PAGE_USER = "seat", "page"
"""A seat's SIP users are these and its number: its telephone, and the page there. No caller id can be mistaken for one."""


def seat_endpoint(number: str) -> str:
    """The PJSIP endpoint of a seat's telephone."""
    return f"{SEAT_USER}{number}"


def page_endpoint(number: str) -> str:
    """The PJSIP endpoint of the page that an adviser has open at a seat."""
    return f"{PAGE_USER}{number}"


def trunk_endpoint(name: str) -> str:
    """The PJSIP endpoint of a trunk."""
    return f"trunk-{name}"


def seat_of_endpoint(resource: str) -> str | None:
    """The seat whose endpoint this is, by telephone or page; None for a trunk."""
    number = resource.removeprefix(SEAT_USER).removeprefix(PAGE_USER)
    return number if number.isdecimal() and resource in {seat_endpoint(number), page_endpoint(number)} else None


def write_config(settings: Settings, secrets: Secrets) -> Path:
    """Write every file Asterisk reads and make every folder it writes to; answers its main file."""
    plan = _plan(settings, secrets)
    folders = ("varlib", "spool/recording", "spool/tmp", "log/cdr-custom")
    plan.faxes.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (plan.etc, plan.run, plan.raw, plan.music, *(plan.state / name for name in folders)):
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in render(plan).items():
        _write_private(plan.etc / name, text)
    return plan.etc / "asterisk.conf"


def _etc(settings: Settings) -> Path:
    return settings.etc_dir / "asterisk"


def _plan(settings: Settings, secrets: Secrets) -> Plan:
    state = settings.state_dir / "asterisk"
    sounds, installed = Sounds(settings.prompts_dir), find_asterisk(settings)
    return Plan(
        node=settings.node,
        host=settings.host,
        sip_port=settings.sip_port,
        ari_port=settings.ari_port,
        ari_password=secrets.ari,
        rtp_start=settings.rtp_start,
        rtp_end=settings.rtp_end,
        etc=_etc(settings),
        state=state,
        run=settings.run_dir / "asterisk",
        raw=settings.raw_dir,
        faxes=settings.faxes_dir,
        modules=installed.modules,
        data=installed.data,
        music=settings.prompts_dir / "music",
        please_hold=_files(sounds, "please_hold"),
        busy_apology=_files(sounds, "busy_apology"),
        trunks=tuple(_trunk(trunk, settings, secrets) for trunk in settings.trunks),
        seats=tuple(SeatAccount(number, secrets.seats[number]) for number in settings.seats),
        trunk_rtp_timeout_s=settings.trunk_rtp_timeout_s,
        seat_rtp_timeout_s=settings.seat_rtp_timeout_s,
        hold_loop_s=settings.hold_loop_s,
        max_channels=settings.max_channels,
    )


def _trunk(trunk: Trunk, settings: Settings, secrets: Secrets) -> TrunkAccount:
    user, _, server = (trunk.register or "").rpartition("@")
    password = secrets.trunks.get(trunk.name, "")
    room_to_tell = settings.max_channels - settings.max_calls
    most = min(trunk.max_calls or settings.max_calls, settings.max_calls) + room_to_tell
    return TrunkAccount(
        trunk.name, trunk.match, trunk.keys, trunk.codecs, most, user, server, password, trunk.dial, trunk.t38
    )


def _files(sounds: Sounds, key: str) -> tuple[str, ...]:
    """The dialplan names sounds by their path; ARI by `sound:` and their path."""
    return tuple(media.removeprefix("sound:") for media in sounds.media(key, FIRST_LANGUAGE))


def _write_private(path: Path, text: str) -> None:
    """Several of these files hold passwords, so none may be read by others."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
