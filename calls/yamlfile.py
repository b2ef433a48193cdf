"""Reading the files that people edit: YAML in, a typed frozen Struct out, and every error with its line and column.

msgspec checks the shape and names the offending field as a path (`$.menus[2].keys`); this module finds that path in the
text again, so that whoever edits the file is told where to look. Duplicate keys and tabs are refused by the parser.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from calls.errors import BadFile

T = TypeVar("T")

Position = tuple[int, int]
"""(line, column), both from 1."""

_STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+|\.\.\.)\]")


class Document:
    """A parsed YAML file that still knows where each of its values stands."""

    def __init__(self, path: Path, tree: Any) -> None:
        self.path, self.tree = path, tree

    def position(self, *steps: str | int) -> Position:
        """Where the value at `steps` begins; the nearest parent that is there when it is not."""
        node, found = self.tree, (1, 1)
        for step in steps:
            match node:
                case CommentedMap() if step in node:
                    line, column = node.lc.key(step)
                case CommentedSeq() if isinstance(step, int) and step < len(node):
                    line, column = node.lc.item(step)
                case _:
                    break
            found, node = (line + 1, column + 1), node[step]
        return found

    def wrong(self, *steps: str | int, reason: str, mend: str) -> BadFile:
        """The error for what stands at `steps`; the caller raises it."""
        line, column = self.position(*steps)
        return BadFile(self.path, line, column, reason, mend)


def parse(path: Path) -> Document:
    """Parse the file at `path`. Raises BadFile when it cannot be read or is not YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile(
            path, 1, 1, error.strerror or str(error), "check that the file is there and may be read"
        ) from error
    except UnicodeDecodeError as error:
        raise BadFile(path, 1, 1, "the file is not UTF-8", "save it as UTF-8") from error
    try:
        return Document(path, YAML(typ="rt").load(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        reason = str(error.problem or error.context).splitlines()[0]
        raise BadFile(path, line, column, reason, "correct the YAML there (two spaces a level, no tabs)") from error
    except YAMLError as error:
        raise BadFile(path, 1, 1, str(error).splitlines()[0], "correct the YAML") from error


def decode_path(kind: type, value: object) -> Path:
    """msgspec's hook for the one kind that it does not know and that settings and files use."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"no reader for {kind}")


def load(path: Path, shape: type[T]) -> tuple[T, Document]:
    """Read `path` as a `shape`. Raises BadFile naming line, column, reason and mend."""
    document = parse(path)
    if document.tree is None:
        raise BadFile(path, 1, 1, "the file is empty", "write at least its required keys")
    try:
        return msgspec.convert(document.tree, shape, strict=False, dec_hook=decode_path), document
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at ")
        raise document.wrong(
            *_steps(where, reason, document.tree), reason=_plain(reason), mend=_mend(reason)
        ) from error


def _steps(where: str, reason: str, tree: Any) -> list[str | int]:
    """msgspec's path as steps; an unknown field is named in the reason, and stands at its own line."""
    steps: list[str | int] = []
    for name, index in _STEP.findall(where):
        if index == "...":  # msgspec does not say which key of a mapping: look for the one that is there
            break
        steps.append(int(index) if index else name)
    if unknown := re.search(r"unknown field `(.+?)`", reason):
        steps.append(unknown[1])
    return steps


def _plain(reason: str) -> str:
    return reason.replace("Object contains unknown field", "unknown key").replace(
        "Object missing required field", "missing key"
    )


def _mend(reason: str) -> str:
    if "unknown field" in reason:
        return "remove it, or correct its spelling"
    if "missing required field" in reason:
        return "add it"
    return "write a value of that kind"
