"""Scripts of a mystery caller: what may stand in one, and where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from calls.errors import BadFile
from cti.phone.script import ScriptStep, load_script

KNOWN = {"notice", "menu.main", "queue.enter", "queue.kept", "queue.position"}


def written(folder: Path, text: str) -> Path:
    path = folder / "script.yaml"
    path.write_text(text)
    return path


def test_a_script_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """steps:
  - {hear: notice, to_end: true, within_s: 30}
  - {hear: menu.main, language: zh-CN}
  - key: "*"
  - wait_s: 0.5
  - {hear: [queue.enter, queue.kept], passing: [queue.position, any]}
""",
    )
    notice, menu, key, wait, queue = load_script(path, KNOWN).steps
    assert (notice.wanted, notice.to_end, notice.within_s) == (("notice",), True, 30)
    assert menu == ScriptStep(hear="menu.main", language="zh-CN")
    assert (key.key, wait.wait_s) == ("*", 0.5)
    assert queue.wanted == ("queue.enter", "queue.kept")


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("steps: []", "1:1", "length"),
        ("steps:\n  - {}", "2:5", "this step has none of hear, key and wait_s"),
        ('steps:\n  - key: "1"\n    hear: notice', "2:5", "this step has hear and key of hear, key and wait_s"),
        ('steps:\n  - key: "1"\n  - hear: menu.moon', "3:5", "menu.moon cannot be heard"),
        ("steps:\n  - hear: notice\n    passing: [moon]", "3:5", "moon cannot be heard"),
        ('steps:\n  - key: "1a"', "2:5", "1a is no key"),
        ("steps:\n  - wait_s: 0", "2:5", "more than 0"),
        ("steps:\n  - say: notice", "2:5", "say"),
    ],
    ids=[
        "empty",
        "nothing",
        "two at once",
        "unknown sentence",
        "unknown in passing",
        "no key",
        "no wait",
        "no such step",
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, place: str, reason: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadFile) as error:
        load_script(path, KNOWN)
    assert str(error.value).startswith(f"{path}:{place}: ")
    assert reason in str(error.value)
