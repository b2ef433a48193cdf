"""Figures that a test measured, printed where `pytest -s` or `-rP` shows them. No test passes or fails by the clock."""

from __future__ import annotations


def tell(name: str, value: float | str, unit: str = "") -> None:
    """Print one figure as a line of its own: `figure: controller killed: working again after 2.1 s`."""
    shown = value if isinstance(value, str) else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    print(f"figure: {name} {shown} {unit}".rstrip())  # noqa: T201 - to print it is what this is for
