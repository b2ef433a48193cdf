"""Texts (短信) to a citizen's telephone."""

from __future__ import annotations

from typing import Literal

from calls.facts.fact import Fact

Whose = Literal["bound", "calling"]
"""Whose telephone a text goes to: the one that the account is bound to, or the one that is calling."""

TextOutcome = Literal["delivered", "undeliverable", "refused", "too_late", "unreported", "lost"]
"""`refused`: the gateway will not take it; `too_late`: nobody took it in time; `unreported`: taken, and no word since; `lost`:
a secret, and the controller died before it was sent."""


class TextQueued(Fact, frozen=True, kw_only=True, tag="text_queued"):
    """A text (短信) to a citizen's telephone is to be sent. What it says and the number are in no fact."""

    call_id: str
    text: str
    """Its name, the same in all that is told of it; the gateway knows it by it too."""
    about: str
    """The service that it is about; `code`: a code by which somebody shows who they are."""
    whose: Whose


class TextTaken(Fact, frozen=True, kw_only=True, tag="text_taken"):
    """The gateway has taken the text; what becomes of it is reported later."""

    call_id: str
    text: str
    tries: int
    """How often it was handed over by the controller that told this."""


class TextEnded(Fact, frozen=True, kw_only=True, tag="text_ended"):
    """What became of the text."""

    call_id: str
    text: str
    outcome: TextOutcome
