"""The picture of the seat states, drawn from the table itself: `python -m queues.diagram` writes docs/seat-states.md.

A test fails when the file is not what the table says.
"""

from __future__ import annotations

from pathlib import Path

from queues.seats import MOVES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "seat-states.md"

_HEAD = """# Seat states (坐席状态)

Drawn from the table in `queues/seats.py` by `python -m queues.diagram`; change the table, not this page.
"""

_WORDS = {
    "logged_out": "签出",
    "not_ready": "置忙",
    "ready": "就绪",
    "reserved": "已预占",
    "ringing": "振铃",
    "calling": "回拨",
    "talking": "通话",
    "holding": "保持",
    "wrap_up": "话后处理",
}


def seat_states() -> str:
    """The page, in Markdown with a Mermaid diagram."""
    names = [f"    {state}: {state} {word}" for state, word in _WORDS.items()]
    moves = [f"    {state} --> {after}: {why}" for state, ways in MOVES.items() for after, why in ways.items()]
    diagram = "\n".join(["stateDiagram-v2", *names, "    [*] --> logged_out", *moves])
    return f"{_HEAD}\n```mermaid\n{diagram}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(seat_states(), encoding="utf-8")
