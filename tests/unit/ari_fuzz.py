"""Event messages as Asterisk's own description has them, and every way of spoiling one, for tests.

`whole(kind)` is a message of that kind with every field that it must have; `broken(whole)` draws what no Asterisk should
send: a field missing, another type in it, a text cut off, a nesting too deep to read. To add a way: a line in `WAYS`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from hypothesis import strategies as st

from cti.asterisk.generated import messages as told

KINDS: dict[str, type[told.Message]] = {
    kind.__name__: kind
    for kind in vars(told).values()
    if isinstance(kind, type) and issubclass(kind, told.Event) and kind is not told.Event
}

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
"""Any JSON at all."""

DEEP = "[" * 50_000
HUGE = "9" * 100_000
NOT_IN_JSON = ("NaN", "Infinity", "-Infinity", "'x'", "\x00", '"\\ud800"', DEEP, HUGE, f'"{HUGE}"', "{", "")

Fields = dict[str, object]


def whole(kind: str, text: str = "x") -> Fields:
    """The message as it should be, with `text` in every text: `told` reads it."""
    fields = _value(msgspec.inspect.type_info(KINDS[kind]), text)
    assert isinstance(fields, dict)
    return {**fields, "type": kind}


def _value(kind: msgspec.inspect.Type, text: str) -> object:  # noqa: PLR0911 - one case a type, each one line
    match kind:
        case msgspec.inspect.StructType(fields=fields):
            return {field.encode_name: _value(field.type, text) for field in fields if field.required}
        case msgspec.inspect.StrType():
            return text
        case msgspec.inspect.ListType(item_type=item):
            return [_value(item, text)]
        case msgspec.inspect.DictType():
            return {}
        case msgspec.inspect.LiteralType(values=values):
            return values[0]
        case msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            return 1
        case msgspec.inspect.BoolType():
            return True
        case _:
            return None


def missing(fields: Fields, draw: st.DrawFn) -> str:
    """One field is not there."""
    name = draw(st.sampled_from(sorted(fields)))
    return _text({key: value for key, value in fields.items() if key != name})


def another_type(fields: Fields, draw: st.DrawFn) -> str:
    """Anything stands in one field."""
    return _text({**fields, draw(st.sampled_from(sorted(fields))): draw(JUNK)})


def not_json(fields: Fields, draw: st.DrawFn) -> str:
    """Something that is no JSON, or none that anybody can read, stands in one field."""
    name, spoiled = draw(st.sampled_from(sorted(fields))), draw(st.sampled_from(NOT_IN_JSON))
    return _text({**fields, name: "@here@"}).replace('"@here@"', spoiled)


def cut(fields: Fields, draw: st.DrawFn) -> str:
    """The end has not come."""
    text = _text(fields)
    return text[: draw(st.integers(0, len(text) - 1))]


def unknown(fields: Fields, draw: st.DrawFn) -> str:
    """A type of which nobody has heard."""
    return _text({**fields, "type": draw(st.text(max_size=200))})


def doubled(fields: Fields, draw: st.DrawFn) -> str:
    """A field that is there twice, differently."""
    name = draw(st.sampled_from(sorted(fields)))
    return _text(fields)[:-1] + f", {_text({name: draw(JUNK)})[1:]}"


WAYS: tuple[Callable[[Fields, st.DrawFn], str], ...] = (missing, another_type, not_json, cut, unknown, doubled)


@st.composite
def broken(draw: st.DrawFn, text: str = "x", kinds: tuple[str, ...] = tuple(KINDS)) -> str:
    """A message spoiled in one way; some can still be read."""
    fields = whole(draw(st.sampled_from(kinds)), text)
    return draw(st.sampled_from(WAYS))(fields, draw)


def _text(fields: Fields) -> str:
    return msgspec.json.encode(fields).decode()
