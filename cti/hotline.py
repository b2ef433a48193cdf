"""The hotline files of a deployment, read and checked together: lines, their queues, advisers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from calls.errors import BadFile
from calls.words import FIRST_LANGUAGE, Language
from cti.settings import Settings
from ivr.line import Line
from ivr.lines import load_lines
from prompts import CATALOGUE, Catalogue
from prompts.catalogue import Piece
from queues import Adviser, QueueRules, load_advisers


def vocabulary() -> tuple[list[str], list[Language]]:
    """What a line file may name: the sentences that need no value, and the languages."""
    catalogue = Catalogue.load(CATALOGUE)
    sentences = catalogue.sentences[FIRST_LANGUAGE]
    plain = [key for key, sentence in sentences.items() if all(isinstance(part, Piece) for part in sentence.parts)]
    return plain, list(catalogue.tongues)


class Hotline(msgspec.Struct, frozen=True):
    """What people edit, as one consistent whole."""

    lines: Mapping[str, Line]
    queues: Mapping[str, QueueRules]
    advisers: Mapping[str, Adviser]


def load_hotline(settings: Settings) -> Hotline:
    """Read every file anew. Raises BadFile for the first thing that is wrong; nothing is taken then."""
    folder = settings.lines_dir
    lines = load_lines(folder, *vocabulary())
    rules: dict[str, QueueRules] = {}
    for line in lines.values():
        for name, queue in line.queues.items():
            mine = QueueRules(queue.max_waiting, queue.relax, queue.site, queue.keeps)
            if rules.setdefault(name, mine) != mine:
                reason = f"queue {name} has other rules in another line"
                raise BadFile(
                    folder, 1, 1, reason, f"give {name} the same max_waiting, relax, site and keeps everywhere"
                )
    return Hotline(lines, rules, load_advisers(folder / "advisers.yaml"))
