"""Files that people edit: whatever stands in them is read, or refused at its place."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from calls.errors import BadFile
from calls.yamlfile import Document, load, parse


class Door(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shape to read."""

    name: str
    keys: tuple[int, ...] = ()
    folder: Path | None = None
    inner: dict[str, int] = {}


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "door.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(path: Path) -> BadFile:
    with pytest.raises(BadFile) as caught:
        load(path, Door)
    assert str(caught.value).startswith(f"{path}:{caught.value.line}:{caught.value.column}: ")
    assert ". Mend: " in str(caught.value)
    return caught.value


def test_a_file_is_read_as_its_shape(tmp_path: Path) -> None:
    text = "name: 前门\nkeys: [1, 2]\nfolder: a/b\ninner: {x: 3}\n"
    door, document = load(written(tmp_path, text), Door)

    assert door == Door("前门", (1, 2), Path("a/b"), {"x": 3})
    assert document.digest == sha256(text.encode()).hexdigest()


WRONG: dict[str, tuple[str | bytes, int, int, str]] = {
    "empty": ("", 1, 1, "the file is empty"),
    "only a remark": ("# nothing yet\n", 1, 1, "the file is empty"),
    "not UTF-8": (b"name: \xff\xfe\n", 1, 1, "the file is not UTF-8"),
    "a tab": ("name: a\nkeys:\n\t- 1\n", 3, 1, "found character"),
    "a key twice": ("name: a\nname: b\n", 2, 1, "found duplicate key"),
    "a bracket left open": ("name: a\nkeys: [1, 2\n", 3, 1, "expected ',' or ']'"),
    "a control character": ("name: \x01\n", 1, 1, "special characters"),
    "a list where a mapping belongs": ("- name\n", 1, 1, "a mapping"),
    "an unknown key": ("name: a\nkeyes: [1]\n", 2, 1, "keyes"),
    "a missing key": ("keys: [1]\n", 1, 1, "name"),
    "a wrong value in a list": ("name: a\nkeys:\n  - 1\n  - two\n", 4, 5, "a whole number is expected"),
    "a wrong value in a mapping": ("name: a\ninner:\n  x: 1\n  y: z\n", 4, 3, "a whole number is expected"),
    "a day that no month has": ("name: a\nkeys: [2026-02-30]\n", 2, 8, "day is out of range for month: 2026-02-30"),
    "not YAML at all": ("%!PS\n", 1, 2, "found '!'"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, wrong: str) -> None:
    text, line, column, reason = WRONG[wrong]
    error = refusal(written(tmp_path, text))

    assert (error.line, error.column) == (line, column)
    assert reason in error.reason


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.yaml").reason
    assert "directory" in refusal(tmp_path).reason


def test_a_place_is_that_of_the_key_and_of_the_item(tmp_path: Path) -> None:
    document = parse(written(tmp_path, "a:\n  b:\n    - x\n    - y: 1\n      z: 2\n7: seven\n"))

    assert document.position() == (1, 1)
    assert document.position("a", "b") == (2, 3)
    assert document.position("a", "b", 1) == (4, 7)
    assert document.position("a", "b", 1, "z") == (5, 7)
    assert document.position("7") == document.position(7) == (6, 1)


def test_the_place_of_what_is_missing_is_that_of_its_nearest_parent(tmp_path: Path) -> None:
    document = parse(written(tmp_path, "a:\n  b: [1, 2]\n"))

    assert document.position("a", "c") == (1, 1)
    assert document.position("a", "b", 5) == document.position("a", "b", "x") == (2, 3)
    assert document.position("a", "b", 0, "deeper") == document.position("a", "b", 0)


def test_what_is_merged_in_has_the_place_where_it_is_merged(tmp_path: Path) -> None:
    document = parse(written(tmp_path, "base: &base {x: 1}\nmine:\n  <<: *base\n  y: 2\n"))

    assert document.tree["mine"]["x"] == 1
    assert document.position("mine", "x") == (2, 1)
    assert document.position("mine", "y") == (4, 3)


LEAF = st.one_of(st.integers(), st.booleans(), st.text(st.characters(codec="utf-8", categories=("L", "N")), max_size=5))
NAME = st.text("abcdefgh", min_size=1, max_size=4)
TREE = st.dictionaries(
    NAME, st.recursive(LEAF, lambda inner: st.dictionaries(NAME, inner) | st.lists(inner), max_leaves=8), min_size=1
)


def _places(tree: Any, *steps: object) -> list[tuple[object, ...]]:
    """The steps to every key of every mapping."""
    if isinstance(tree, dict):
        return [place for key, value in tree.items() for place in ((*steps, key), *_places(value, *steps, key))]
    if isinstance(tree, list):
        return [place for index, value in enumerate(tree) for place in _places(value, *steps, index)]
    return []


@given(TREE)
def test_every_key_stands_at_its_place(tree: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tree.yaml"
        YAML().dump(tree, path)
        document = parse(path)
        lines = path.read_text().splitlines()

    assert document.tree == tree
    for steps in _places(tree):
        line, column = document.position(*steps)
        assert lines[line - 1][column - 1 :].lstrip("?'\" ").startswith(str(steps[-1]))


ANYTHING = st.one_of(
    st.binary(max_size=60),
    st.text("ab1:-.[]{}&*!|>'\"%@`#?,<~ \n\t\x00年", max_size=40).map(str.encode),
    st.sampled_from([b"name: 2026-13-45\n", b"name: !!int x\n", b"? [a]\n: 1\n", b"a: &a [*a]\n", b"--- a\n--- b\n"]),
)


@given(ANYTHING)
def test_whatever_is_in_a_file_it_is_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), content)
        with suppress(BadFile):
            assert isinstance(parse(path), Document)
            load(path, Door)
