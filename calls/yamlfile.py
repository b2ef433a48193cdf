"""Reading the files that people edit: YAML in, a typed frozen Struct out, and every error with its line and column.

msgspec checks the shape and names the offending field as a path (`$.menus[2].keys`); `misfit.py` puts that in plain
words, and this module finds the path in the text again, so that whoever edits the file is told where to look. Duplicate
keys and tabs are refused by the parser.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node
from ruamel.yaml.scalarfloat import ScalarFloat

from calls.errors import BadFile
from calls.misfit import explain

T = TypeVar("T")

Position = tuple[int, int]
"""(line, column), both from 1."""


class _Constructor(RoundTripConstructor):
    """Values as ruamel.yaml reads them, and a place for those that it cannot, such as the 30th of February.

    Fractions become plain ones: ruamel.yaml's own remember how they were written, and msgspec does not take them.
    """

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
            return float(value) if isinstance(value, ScalarFloat) else value
        except ValueError as error:
            raise ConstructorError(None, None, f"{error}: {node.value}", node.start_mark) from error


class Document:
    """A parsed YAML file that still knows where each of its values stands."""

    def __init__(self, path: Path, tree: Any, digest: str) -> None:
        self.path, self.tree = path, tree
        self.digest = digest
        """SHA-256 of the file, in hex."""

    def position(self, *steps: object) -> Position:
        """Where the value at `steps` begins; the nearest parent that is there when it is not.

        A step is a key of a mapping, as it stands in the file or as text, or an index of a list."""
        node, found = self.tree, (1, 1)
        for step in steps:
            match node:
                case CommentedMap() if written := [key for key in node if str(key) == str(step)]:
                    place, node = (node.lc.data or {}).get(written[0]), node[written[0]]
                case CommentedSeq() if isinstance(step, int) and step < len(node):
                    place, node = node.lc.item(step), node[step]
                case _:
                    break
            if place:  # what a merge key (<<) brings in stands elsewhere
                found = (place[0] + 1, place[1] + 1)
        return found

    def wrong(self, *steps: object, reason: str, mend: str) -> BadFile:
        """The error for what stands at `steps`; the caller raises it."""
        line, column = self.position(*steps)
        return BadFile(self.path, line, column, reason, mend)


def parse(path: Path) -> Document:
    """Parse the file at `path`. Raises BadFile when it cannot be read or is not YAML."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise BadFile(
            path, 1, 1, error.strerror or str(error), "check that the file is there and may be read"
        ) from error
    except UnicodeDecodeError as error:
        raise BadFile(path, 1, 1, "the file is not UTF-8", "save it as UTF-8") from error
    try:
        yaml = YAML(typ="rt")
        yaml.Constructor = _Constructor
        return Document(path, yaml.load(text), sha256(content).hexdigest())
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        reason = str(error.problem or error.context).splitlines()[0]
        if error.problem and error.context_mark and error.context_mark.line + 1 < line:
            reason += f", {error.context} from line {error.context_mark.line + 1}"
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

    def convert(tree: Any) -> T:
        return msgspec.convert(tree, shape, strict=False, dec_hook=decode_path)

    try:
        return convert(document.tree), document
    except msgspec.ValidationError as error:
        misfit = explain(error, document.tree, convert, shape)
        raise document.wrong(*misfit.steps, reason=misfit.reason, mend=misfit.mend) from error
