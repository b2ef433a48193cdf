"""What was measured: figures with their rival's, told as a table and kept as JSON.

`var/bench/latest.json` is a public face: {figure: {"value", "unit", "rival", "rival_value", "ratio"}}; names stay.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

Better = Literal["higher", "lower"]


class Target(msgspec.Struct, frozen=True):
    """What was promised, of the value or of its ratio to the rival's."""

    limit: float
    better: Better
    of: Literal["value", "ratio"] = "value"

    def reached(self, figure: Figure) -> bool:
        measured = figure.value if self.of == "value" else figure.ratio
        if measured is None:
            return False
        return measured >= self.limit if self.better == "higher" else measured <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.better == "higher" else "<="
        return f"{sign} {self.limit:g}{'x' if self.of == 'ratio' else ''}"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `rival_value` is None where the rival does no such thing."""

    name: str
    value: float
    unit: str
    rival: str | None = None
    rival_value: float | None = None
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """The value in units of the rival's."""
        return self.value / self.rival_value if self.rival_value else None


def percentile(values: Iterable[float], percent: float) -> float:
    """The value that so many percent do not exceed (nearest rank); NaN of nothing."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def table(figures: Iterable[Figure]) -> str:
    """For people."""
    rows = [("figure", "value", "unit", "rival", "ratio", "target", "")]
    for figure in figures:
        target = figure.target
        rows.append(
            (
                figure.name,
                _number(figure.value),
                figure.unit,
                _number(figure.rival_value),
                _number(figure.ratio),
                str(target or ""),
                "" if target is None else "reached" if target.reached(figure) else "NOT REACHED",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    left = {0, 2, 6}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def save(figures: Iterable[Figure], path: Path) -> None:
    """For scripts. Raises OSError."""
    kept = {
        figure.name: {
            "value": _json(figure.value),
            "unit": figure.unit,
            "rival": figure.rival,
            "rival_value": _json(figure.rival_value),
            "ratio": _json(figure.ratio),
        }
        for figure in figures
    }
    write(path, msgspec.json.format(msgspec.json.encode(kept)) + b"\n")


def write(path: Path, content: bytes) -> None:
    """With its folder, where there is none yet. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _json(value: float | None) -> float | None:
    """JSON has no NaN."""
    return None if value is None or math.isnan(value) else round(value, 4)
