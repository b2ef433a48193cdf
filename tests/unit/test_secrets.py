"""The secrets: made once, kept, readable by their owner alone, shown nowhere."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from calls.errors import BadFile
from cti.secrets import Secrets, load_or_create


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "secrets.json"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_they_are_made_once_and_only_their_owner_reads_them(path: Path) -> None:
    made = load_or_create(path, ["1001", "1002"])

    assert mode(path) == 0o600
    assert load_or_create(path, ["1001", "1002"]) == made
    assert [*path.parent.iterdir()] == [path]
    passwords = [made.ari, made.mqtt_controller, made.mqtt_reader, *made.seats.values()]
    assert len(set(passwords)) == len(passwords)
    assert all(len(password) >= 24 for password in passwords)


def test_a_new_seat_gets_its_own_and_the_others_keep_theirs(path: Path) -> None:
    first = load_or_create(path, ["1001"])
    second = load_or_create(path, ["1001", "1002"])

    assert second.seats["1001"] == first.seats["1001"]
    assert second.ari == first.ari
    assert second.seats["1002"] != first.seats["1001"]
    assert mode(path) == 0o600
    assert load_or_create(path, ["1002"]).seats == {"1002": second.seats["1002"]}


def test_what_was_removed_is_made_anew_and_then_kept(path: Path) -> None:
    load_or_create(path, ["1001"])
    body = msgspec.json.decode(path.read_bytes())
    old = body.pop("ari")
    path.write_bytes(msgspec.json.encode(body))
    made = load_or_create(path, ["1001"])

    assert made.ari != old
    assert load_or_create(path, ["1001"]).ari == made.ari


def test_a_carriers_password_that_was_written_by_hand_stays(path: Path) -> None:
    load_or_create(path, ["1001"])
    body = msgspec.json.decode(path.read_bytes()) | {"trunks": {"telecom": "p;w"}}
    path.write_bytes(msgspec.json.encode(body))

    assert load_or_create(path, ["1001", "1002"]).trunks == {"telecom": "p;w"}
    assert load_or_create(path, ["1001", "1002"]).trunks == {"telecom": "p;w"}


def test_they_are_in_no_text(path: Path) -> None:
    made = load_or_create(path, ["1001"])

    for text in (repr(made), str(made), f"{made}", f"{[made]}", repr(made.__rich_repr__())):
        assert made.ari not in text
        assert made.seats["1001"] not in text


@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(path: Path, permissions: int) -> None:
    load_or_create(path, ["1001"])
    path.chmod(permissions)
    with pytest.raises(BadFile, match=rf"others may read the passwords\. Mend: run: chmod 600 {path}\."):
        load_or_create(path, ["1001"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"ari": 7}', b'{"aria": "x"}', b"\xff\xfe"])
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, body: bytes) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(body)
    with pytest.raises(
        BadFile, match=r"cannot be read\. Mend: restore the file, or delete it to make new ones\."
    ) as bad:
        load_or_create(path, ["1001"])

    assert bad.value.path == path
    assert path.read_bytes() == body


def test_a_place_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where a folder should be")
    with pytest.raises(BadFile, match=r"cannot be read or written: Not a directory\. Mend: check the folder"):
        load_or_create(tmp_path / "var" / "secrets.json", ["1001"])


def test_a_half_written_file_of_a_killed_start_is_no_hindrance(path: Path) -> None:
    path.parent.mkdir()
    path.with_suffix(".new").write_text("{")
    load_or_create(path, ["1001"])

    assert [*path.parent.iterdir()] == [path]
    assert isinstance(load_or_create(path, ["1001"]), Secrets)
