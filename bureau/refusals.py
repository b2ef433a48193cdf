"""Why the bureau says no, as errors.

    Refused              nothing was changed
    ├── NotAllowed       not in this state, not to this citizen; kept as the answer to its key
    ├── Unknown          the word names nobody, or nobody any more; not kept, since the next word may
    └── KeyUsedOtherwise the same key came with another question
    InDoubt              the database was lost in the middle of a change

Only web.py knows HTTP statuses.
"""

from __future__ import annotations

from bureau.shapes import Code
from calls.errors import RexianError

REASONS: dict[Code, str] = {
    "malformed": "the question is not as the contract has it",
    "not_authorised": "the bearer token is missing or wrong",
    "no_such_operation": "there is no such operation",
    "citizen_unknown": "the word names nobody, or nobody any more: verify again",
    "no_card": "there is no card",
    "not_in_this_state": "the card is not in a state for this",
    "too_easily_guessed": "such a PIN is guessed too easily",
    "not_six_digits": "a PIN has six digits",
    "key_used_otherwise": "this idempotency key was used for something else",
    "unavailable": "not now; nothing was changed",
    "failed": "it failed, and what came of it is not known; ask again with the same key",
}


class Refused(RexianError):
    """The bureau says no, with a code; nothing was changed."""

    def __init__(self, code: Code) -> None:
        self.code: Code = code
        super().__init__(REASONS[code])


class NotAllowed(Refused):
    """Not in this state, or not this citizen."""


class Unknown(Refused):
    """The word is none, or none any more."""

    def __init__(self) -> None:
        super().__init__("citizen_unknown")


class KeyUsedOtherwise(Refused):
    """The same key came with another question."""

    def __init__(self) -> None:
        super().__init__("key_used_otherwise")


class InDoubt(RexianError):
    """The database was lost in the middle of a change."""
