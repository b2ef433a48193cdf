"""Texts in memory: an `ivr.texts.Texts` whose telephones are lists.

texts = FakeTexts()
texts.inbox["+8613800000002"]      # what that telephone received, in order
texts.offered = False              # as when the gateway is away
"""

from __future__ import annotations

from collections import defaultdict

from ivr.texts import Said, Text
from prompts.catalogue import CATALOGUE, Catalogue

SENTENCES = Catalogue.load(CATALOGUE).sentences


class FakeTexts:
    """A `Texts`."""

    def __init__(self) -> None:
        self.offered = True
        self.inbox: dict[str, list[str]] = defaultdict(list)
        self.queued: list[Text] = []
        self.secrets: list[Text] = []

    def queue(self, text: Text) -> None:
        """See the port."""
        if text not in self.queued:
            self.queued.append(text)
            self._arrives(text)

    def send_secret(self, text: Text) -> None:
        """See the port."""
        self.secrets.append(text)
        self._arrives(text)

    def _arrives(self, text: Text) -> None:
        self.inbox[text.number].append("".join(_written(said, text.language) for said in text.said))


def _written(said: Said, language: str) -> str:
    return SENTENCES[language][said.key].written(said.values)
