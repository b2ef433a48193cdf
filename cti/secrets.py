"""The secrets of one deployment, made at first start, in one file that only its owner reads (0600).

People never choose them; a new seat gets its own at the next start. Nothing here is ever logged.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from calls.errors import BadFile

PASSWORD_BYTES = 18


def _password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every password of the deployment; people are given only those of the seats and of the MQTT reader."""

    ari: str = msgspec.field(default_factory=_password)
    mqtt_controller: str = msgspec.field(default_factory=_password)
    mqtt_reader: str = msgspec.field(default_factory=_password)
    tries: str = msgspec.field(default_factory=_password)
    """Hides in the journal whose account somebody tried."""
    business_token: str = msgspec.field(default_factory=_password)
    """Shown to the social-security system; for one that is not ours, written here by hand."""
    texts_key: str = msgspec.field(default_factory=_password)
    """Signs what goes to the SMS gateway and comes from it; for one that is not ours, written here by hand."""
    oidc_client_secret: str = ""
    """Shown to the provider by which people sign in: it chooses the secret, which is written here by hand."""
    audit: str = msgspec.field(default_factory=_password)
    """Seals the audit log."""
    demo: str = msgspec.field(default_factory=lambda: secrets.token_hex(6))
    """Typed by whoever tries the desk of a demonstration."""
    seats: dict[str, str] = {}
    trunks: dict[str, str] = {}
    """By trunk name, for trunks that we register with: written here by hand, since the carrier chooses them."""

    def __repr__(self) -> str:
        return "Secrets(...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What the `rich` package prints instead of `repr`."""
        return []


def load_or_create(path: Path, seats: Iterable[str]) -> Secrets:
    """Read the file, adding what is missing. Raises BadFile when it is damaged, may not be read, or others may read it."""
    try:
        body = _read(path)
        known = msgspec.json.decode(body, type=Secrets) if body is not None else Secrets()
        full = msgspec.structs.replace(known, seats={seat: known.seats.get(seat) or _password() for seat in seats})
        wanted = msgspec.json.format(msgspec.json.encode(full))
        if wanted != body:
            write_private(path, wanted)
    except msgspec.DecodeError as error:
        reason = "the passwords cannot be read"
        raise BadFile(path, 1, 1, reason, "restore the file, or delete it to make new ones") from error
    except OSError as error:
        reason = f"the passwords cannot be read or written: {error.strerror}"
        raise BadFile(path, 1, 1, reason, "check the folder, and run this as root or as the hotline's user") from error
    return full


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise BadFile(path, 1, 1, "others may read the passwords", f"run: chmod 600 {path}")
            return file.read()
    except FileNotFoundError:
        return None


def write_private(path: Path, body: bytes) -> None:
    """A file that only its owner reads, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
