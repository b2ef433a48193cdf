"""Reading the line files: one a number, `lines/<number>.line.yaml`; the other files of that folder are not lines."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from calls.errors import BadFile
from calls.words import FIRST_LANGUAGE, Language
from calls.yamlfile import Document, load
from ivr.information import Speak, unheard
from ivr.line import Line
from ivr.rules import check

SUFFIX = ".line.yaml"


ONLY_FIRST = (FIRST_LANGUAGE,)


def load_line(
    path: Path, prompt_keys: Collection[str], languages: Collection[Language] = ONLY_FIRST, speak: Speak = unheard
) -> Line:
    """Read and check one line file; `prompt_keys` are the keys of the catalogue that need no values, `languages` its files;
    `speak` renders what the file itself has to say.

    Raises BadFile with line, column, reason and mend for the first thing in the file that is wrong."""
    return _load(path, prompt_keys, languages, speak)[0]


def load_lines(
    folder: Path, prompt_keys: Collection[str], languages: Collection[Language] = ONLY_FIRST, speak: Speak = unheard
) -> dict[str, Line]:
    """Every line file of `folder` by its number. Raises BadFile, also when two have one number or none is there."""
    lines: dict[str, Line] = {}
    paths: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        line, document = _load(path, prompt_keys, languages, speak)
        if line.number in lines:
            reason = f"the number {line.number} is taken by {paths[line.number]}"
            raise document.wrong("number", reason=reason, mend="give one of the two another number, or remove it")
        lines[line.number], paths[line.number] = line, path
    if not lines:
        raise BadFile(folder, 1, 1, "there is no line file in this folder", f"write one, named as 12333{SUFFIX}")
    return lines


def _load(
    path: Path, prompt_keys: Collection[str], languages: Collection[Language], speak: Speak
) -> tuple[Line, Document]:
    written, document = load(path, Line)
    for problem in check(written, document, prompt_keys, languages, speak):
        raise problem
    faxes = {
        key: msgspec.structs.replace(fax, file=str(path.parent.absolute() / fax.file))
        for key, fax in written.faxes.items()
    }
    return msgspec.structs.replace(written, version=f"{written.version}+{document.digest[:8]}", faxes=faxes), document
