"""The offer to have an answer by text: on a key, to the number that the account is bound to, in the words that were said.

It is made only where a text can be sent and there is such a number; nothing is said of it otherwise. What was promised is on
the disk before the promise is said.
"""

from __future__ import annotations

from ivr.business import NotAllowed, NotAvailable
from ivr.texts import Said, Text
from ivr.window import Window

BY_TEXT = "1"
"""The key for it."""


class Offer:
    """An answer that the caller may have by text; at most once."""

    def __init__(self, window: Window, *said: Said) -> None:
        self._window, self._said = window, said
        self._number: str | None = None
        self._asked = self._taken = False

    async def stands(self) -> bool:
        """Whether it can be made now."""
        if not self._window.texts.offered or self._taken:
            return False
        if not self._asked:
            self._number = await self._bound_number()
            self._asked = True
        return self._number is not None

    async def take(self) -> None:
        """The caller wants it: promise the text, or say that it cannot be."""
        window, self._taken = self._window, True
        assert self._number is not None, "what does not stand cannot be taken"
        window.texts.queue(
            Text(
                call_id=window.caller.call_id,
                about=window.about,
                number=self._number,
                whose="bound",
                language=window.caller.language,
                said=self._said,
            )
        )
        promised = await window.caller.safe()
        await window.caller.say("text.promised" if promised else "text.unavailable", skippable=False)

    async def _bound_number(self) -> str | None:
        """What was done stays done when this cannot be told: there is only no offer."""
        try:
            return await self._window.caller.while_waiting(self._window.identification.bound_number())
        except (NotAvailable, NotAllowed):
            return None
