"""Values as they are written in a text: figures that every language reads alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prompts.reading.values import Value, day, digits, grouped, moment, money, whole


def as_written(kind: str, value: Value) -> str:
    """`20261128001`, `182`, `¥3120.50`, `2026-11-15`, `2026-10`, `08:30`. Raises CannotSay, as reading it out does."""
    return WRITTEN[kind](value)


def _digits(value: Value) -> str:
    digits(value)
    return str(value)


def _grouped(value: Value) -> str:
    grouped(value)
    return str(value)


def _amount(value: Value) -> str:
    yuan, jiao, fen = money(value)
    return f"¥{yuan}.{jiao}{fen}"


WRITTEN: Mapping[str, Callable[[Value], str]] = {
    "digits": _digits,
    "grouped": _grouped,
    "cardinal": lambda value: str(whole(value)),
    "ordinal": lambda value: str(whole(value)),
    "amount": _amount,
    "date": lambda value: f"{day(value):%Y-%m-%d}",
    "month": lambda value: f"{day(value):%Y-%m}",
    "clock": lambda value: f"{moment(value):%H:%M}",
    "words": str,
}
