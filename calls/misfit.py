"""Why a file does not fit its shape, for the person who edits it: msgspec's sentence made place, reason, mend.

msgspec stops at the first thing that is wrong and names it as a path, `$.menus[...].choices[...].queue`, without saying
which key of a mapping `[...]` is. `explain` finds that key by trying each alone, and looks into the shape for what
could have stood there instead. To word another of msgspec's sentences, add it to `_reason_and_mend`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

_BOUNDS = {">=": "{:g} or more", "<=": "{:g} or less", ">": "more than {:g}", "<": "less than {:g}"}


class Misfit(NamedTuple):
    """What does not fit."""

    steps: list[Any]
    """Where it stands: keys of mappings, indexes of lists; for a key that is missing, the mapping that lacks it."""
    reason: str
    mend: str


_WHERE = re.compile(r" - at (`key` in )?`\$([^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"unknown field `(.*)`", re.DOTALL)

_KINDS = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date as in 2026-10-01",
    "datetime": "a date and time",
    "null": "nothing",
}
"""msgspec's kinds of value in the words of people who do not program."""


def explain(error: msgspec.ValidationError, tree: Any, convert: Callable[[Any], object], shape: Any) -> Misfit:
    """What `error`, raised by `convert(tree)` for `shape`, says to a person."""
    where = _WHERE.search(str(error))
    message = str(error)[: where.start()] if where else str(error)
    is_key = bool(where and where[1])
    path = _STEP.findall(where[2]) if where else []
    if is_key:
        path.append(("", "..."))
    steps: list[Any] = []
    for name, index in path:
        step = int(index) if index.isdigit() else name or _culprit(error, tree, steps, convert)
        steps.append(step)
    found = steps[-1] if is_key else _at(tree, steps)
    reason, mend = _reason_and_mend(message, found, list(_kinds_at(inspect.type_info(shape), steps, is_key)))
    if unknown := _UNKNOWN.search(message):
        steps.append(unknown[1])
    return Misfit(steps, reason, mend)


def _culprit(error: msgspec.ValidationError, tree: Any, steps: list[Any], convert: Callable[[Any], object]) -> Any:
    """The key of the mapping at `steps` that raises `error` even when it is alone there."""
    for key in _at(tree, steps):
        try:
            convert(_alone(tree, steps, key))
        except msgspec.ValidationError as same:
            if str(same) == str(error):
                return key
    raise AssertionError(f"no key of {steps} explains: {error}")


def _alone(node: Any, steps: list[Any], key: Any) -> Any:
    """The tree with nothing but `key` in the mapping at `steps`."""
    if not steps:
        return {key: node[key]}
    copy = dict(node) if isinstance(node, Mapping) else list(node)
    copy[steps[0]] = _alone(node[steps[0]], steps[1:], key)
    return copy


def _at(tree: Any, steps: list[Any]) -> Any:
    for step in steps:
        tree = tree[step]
    return tree


def _kinds_at(kind: inspect.Type, steps: list[Any], is_key: bool) -> Iterator[inspect.Type]:
    """Every kind of value that the shape allows at `steps` (of key, for the last of them, when `is_key`)."""
    match kind:
        case inspect.Metadata(type=inner):
            yield from _kinds_at(inner, steps, is_key)
        case inspect.UnionType(types=types):
            for one in types:
                yield from _kinds_at(one, steps, is_key)
        case _ if not steps:
            yield kind
        case inspect.StructType(fields=fields):
            for field in fields:
                if field.encode_name == steps[0]:
                    yield from _kinds_at(field.type, steps[1:], is_key)
        case inspect.DictType(key_type=key_type) if is_key and len(steps) == 1:
            yield from _kinds_at(key_type, [], False)
        case inspect.DictType(value_type=value_type):
            yield from _kinds_at(value_type, steps[1:], is_key)
        case inspect.VarTupleType(item_type=item_type) | inspect.ListType(item_type=item_type):
            yield from _kinds_at(item_type, steps[1:], is_key)


def _reason_and_mend(message: str, found: Any, kinds: list[inspect.Type]) -> tuple[str, str]:
    if unknown := _UNKNOWN.search(message):
        keys = [field.encode_name for kind in kinds if isinstance(kind, inspect.StructType) for field in kind.fields]
        return f"unknown key {unknown[1]}", f"{_one_of(keys, unknown[1])}, or remove it"
    if missing := re.search(r"missing required field `(.*)`", message):
        return f"missing key {missing[1]}", f"add a line `{missing[1]}: ...` here"
    return _other_value(message, found, kinds)


def _other_value(message: str, found: Any, kinds: list[inspect.Type]) -> tuple[str, str]:
    if message.startswith("Invalid enum value"):
        return f"{_written(found)} cannot stand here", _one_of(_allowed(kinds), _written(found))
    if message == "Invalid RFC3339 encoded date":
        return f"{found} is not a date", f"write {_KINDS['date']}"
    if bound := re.fullmatch(r"Expected `\w+` (>=|<=|>|<) (\S+)", message):
        return f"{found} is out of bounds", f"write {_BOUNDS[bound[1]].format(float(bound[2]))}"
    if kind := re.fullmatch(r"Expected `([^`]+)`(?:, got `(\w+)`)?", message):
        return _other_kind(kind[1].split(" | "), kind[2], found)
    return message, "correct it"


def _other_kind(expected: list[str], got: str | None, found: Any) -> tuple[str, str]:
    """A value of another kind; what only lacks quotes to be text is the commonest."""
    wanted = " or ".join(_KINDS.get(kind, kind) for kind in expected if kind != "null")
    in_quotes = "str" in expected and not isinstance(found, Mapping | list | None)
    mend = f'put it in quotes, "{_written(found)}"' if in_quotes else f"write {wanted}"
    return f"{wanted} is expected here" + (f", this is {_KINDS.get(got, got)}" if got else ""), mend


def _allowed(kinds: list[inspect.Type]) -> Iterator[str]:
    """What may be written where only certain words may."""
    for kind in kinds:
        match kind:
            case inspect.LiteralType(values=values):
                yield from map(_written, values)
            case inspect.VarTupleType() | inspect.ListType():
                yield _KINDS["array"]
            case inspect.StructType() | inspect.DictType():
                yield _KINDS["object"]


def _one_of(allowed: Iterable[str], found: str) -> str:
    """What to write: the word that was meant, if one is near, or all of them."""
    words = list(allowed)
    near = get_close_matches(found, words, n=1)
    if near or len(words) == 1:
        return f"write {(near or words)[0]}"
    return f"write one of: {', '.join(words)}"


def _written(value: object) -> str:
    """As it stands in the file."""
    return str(value).lower() if isinstance(value, bool) else str(value)
