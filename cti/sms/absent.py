"""A hotline that sends no texts: nothing is offered, and nothing can be sent."""

from __future__ import annotations

from calls.errors import NotPossible
from ivr.texts import Text


class NoTexts:
    """`ivr.texts.Texts` where there is no way to telephones."""

    offered = False

    def queue(self, text: Text) -> None:
        """Nobody may promise one."""
        raise NotPossible("this hotline sends no texts (setting `texts_url`)")

    def send_secret(self, text: Text) -> None:
        """Nobody may promise one."""
        raise NotPossible("this hotline sends no texts (setting `texts_url`)")
