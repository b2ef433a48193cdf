"""The hotline files of a deployment, read and checked together: lines, their queues, advisers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec

from calls.errors import BadFile, NotPossible
from calls.words import FIRST_LANGUAGE, Language
from cti.categories import Category, load_categories
from cti.settings import Settings
from ivr.information import Speak, unheard
from ivr.line import Line
from ivr.lines import load_lines
from prompts import CATALOGUE, Catalogue, OwnWords
from prompts.catalogue import Piece
from queues import Adviser, QueueRules, load_advisers


def vocabulary(own_words: OwnWords | None = None) -> tuple[list[str], list[Language], Speak]:
    """What a line file may name: the sentences that need no value, and the languages; and how its own words are rendered.

    Without `own_words` they are not, and nobody knows whether they can be said."""
    catalogue = Catalogue.load(CATALOGUE)
    sentences = catalogue.sentences[FIRST_LANGUAGE]
    plain = [key for key, sentence in sentences.items() if all(isinstance(part, Piece) for part in sentence.parts)]
    return plain, list(catalogue.tongues), partial(own_words.render, catalogue) if own_words else unheard


class Hotline(msgspec.Struct, frozen=True):
    """What people edit, as one consistent whole."""

    lines: Mapping[str, Line]
    queues: Mapping[str, QueueRules]
    advisers: Mapping[str, Adviser]
    categories: tuple[Category, ...]


def load_hotline(settings: Settings, own_words: OwnWords | None = None) -> Hotline:
    """Read every file anew, and render into `own_words` what the lines say in words of their own. Blocks while it does.

    Raises BadFile for the first thing that is wrong, NotPossible when there is no room for it; nothing is taken then."""
    folder = settings.lines_dir
    try:
        lines = load_lines(folder, *vocabulary(own_words))
    except OSError as error:
        reason = f"{error.filename or settings.prompts_dir} cannot be written: {error.strerror}"
        raise NotPossible(f"{reason}. Mend: free some space there, or give it to the user that runs rexian.") from error
    rules: dict[str, QueueRules] = {}
    for line in lines.values():
        for name, queue in line.queues.items():
            mine = QueueRules(queue.max_waiting, queue.relax, queue.site, queue.keeps)
            if rules.setdefault(name, mine) != mine:
                reason = f"queue {name} has other rules in another line"
                raise BadFile(
                    folder, 1, 1, reason, f"give {name} the same max_waiting, relax, site and keeps everywhere"
                )
    return Hotline(lines, rules, load_advisers(folder / "advisers.yaml"), load_categories(folder))
