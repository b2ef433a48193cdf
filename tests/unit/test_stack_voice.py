"""Which Asterisk is taken: only one between the two bounds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calls.errors import NotPossible
from cti.settings import CHECKOUT, Settings
from cti.stack import voice


def tree(folder: Path, says: str) -> Path:
    """A tree whose loader only says a version."""
    for name in ("lib64", "usr/lib/x86_64-linux-gnu/asterisk/modules"):
        (folder / name).mkdir(parents=True)
    loader = folder / "lib64" / "ld-linux-x86-64.so.2"
    loader.write_text(f"#!/bin/sh\necho '{says}'\n")
    loader.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def _no_asterisk_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "_of_the_system", lambda: None)


@pytest.mark.parametrize("version", ["22.10.1", "22.10.1~dfsg+~cs6.16.60671435-1", "22.11.0"])
def test_a_recent_asterisk_is_taken(tmp_path: Path, version: str) -> None:
    found = voice.find_asterisk(Settings(asterisk_tree=tree(tmp_path, f"Asterisk {version}")))
    assert found.modules == tmp_path / "usr/lib/x86_64-linux-gnu/asterisk/modules"
    assert found.command[-1] == str(tmp_path / "usr/sbin/asterisk")


@pytest.mark.parametrize("says", ["Asterisk 22.10.0", "Asterisk 20.15.2", "Asterisk 23.0.0", "not found", ""])
def test_any_other_is_refused(tmp_path: Path, says: str) -> None:
    with pytest.raises(NotPossible, match=r"22\.10\.1.*make run"):
        voice.find_asterisk(Settings(asterisk_tree=tree(tmp_path, says)))


def test_no_tree_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match="make run"):
        voice.find_asterisk(Settings(asterisk_tree=tmp_path))


@pytest.mark.parametrize("path", ["scripts/setup-asterisk", "docker/Dockerfile"])
def test_every_place_has_the_same_bounds(path: str) -> None:
    text = (CHECKOUT / path).read_text()
    oldest = ".".join(map(str, voice.OLDEST))
    found = re.search(r"oldest=(\S+).*?newest=(\S+)|ge (\S+) &&.* lt (\S+)", text, re.DOTALL)
    assert found
    assert [group for group in found.groups() if group] == [oldest, str(voice.TOO_NEW[0])]
