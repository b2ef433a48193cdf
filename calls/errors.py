"""What can go wrong, in the words of the trade.

    RexianError                 a sentence for a person: what is wrong, where, and the mend
    ├── BadFile                 a file that people edit is wrong: path, line, column, reason, mend
    ├── BadSetting              a setting is wrong: its name, the reason, the mend
    ├── IllegalMove             a state machine was asked for a move that its table does not have
    └── NotPossible             a command cannot be carried out as things stand

Only the edges know exit codes and HTTP statuses.
"""

from __future__ import annotations

from pathlib import Path


class RexianError(Exception):
    """Something went wrong that a person can read about and mend."""


class BadFile(RexianError):
    """A file that people edit is wrong. Lines and columns count from 1, as editors do."""

    def __init__(self, path: Path, line: int, column: int, reason: str, mend: str) -> None:
        self.path, self.line, self.column, self.reason, self.mend = path, line, column, reason, mend
        super().__init__(f"{path}:{line}:{column}: {reason}. Mend: {mend}.")


class BadSetting(RexianError):
    """A setting is wrong; `name` is the setting as the person wrote it (a key of the file or a variable)."""

    def __init__(self, name: str, reason: str, mend: str) -> None:
        self.name, self.reason, self.mend = name, reason, mend
        super().__init__(f"{name}: {reason}. Mend: {mend}.")


class IllegalMove(RexianError):
    """A state machine was asked for a move that its table does not have."""


class NotPossible(RexianError):
    """A command is understood and cannot be carried out as things stand; the sentence says why and the mend."""
