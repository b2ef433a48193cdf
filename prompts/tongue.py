"""A language that callers are spoken to in: the head of its file in the catalogue.

    language:
      espeak: yue        # the voice of espeak-ng that speaks it, as `espeak-ng --voices` lists them
      reads: chinese     # by whose rules numbers, money, days and times are read: a name of `reading.READINGS`
      partial: true      # sentences may be missing; they are said in zh-CN. Left out: every sentence is there
      pronounced:        # what the voice gets wrong, and what it is to be given instead. Left out: nothing
        重新: "chong2 xin1"

So a language is data: whoever adds one adds its file. Only a language that counts as none of the others needs code, the
rules by which it does.
"""

from __future__ import annotations

import msgspec

from calls.errors import BadFile
from calls.misfit import explain
from calls.words import FIRST_LANGUAGE
from calls.yamlfile import Document
from prompts.reading import READINGS

HEAD = "language"
"""The one key of a file that is no sentence."""


class Tongue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a language is spoken."""

    espeak: str
    """A voice of espeak-ng. Other engines find theirs by it, too."""
    reads: str
    """The rules by which it reads numbers and times."""
    partial: bool = False
    """What is missing is said in zh-CN, and that is no fault."""
    pronounced: dict[str, str] = {}
    """Words that the voice gets wrong -> what to give it instead."""


def introduced(document: Document) -> Tongue:
    """The language of one file. Raises BadFile when the head is missing or wrong."""
    head = document.tree.get(HEAD)
    if head is None:
        mend = f"begin it with `{HEAD}:` and, below, `espeak:` and `reads:`, as {FIRST_LANGUAGE}.yaml does"
        raise document.wrong(reason="the file does not say how its language is spoken", mend=mend)

    def convert(tree: object) -> Tongue:
        return msgspec.convert(tree, Tongue, strict=False)

    try:
        tongue = convert(head)
    except msgspec.ValidationError as error:
        misfit = explain(error, head, convert, Tongue)
        raise document.wrong(HEAD, *misfit.steps, reason=misfit.reason, mend=misfit.mend) from error
    if problem := _unusable(tongue, document):
        raise problem
    return tongue


def _unusable(tongue: Tongue, document: Document) -> BadFile | None:
    """What is wrong although it has the right shape."""
    if tongue.reads not in READINGS:
        reason, mend = f"there are no rules {tongue.reads}", f"write one of: {', '.join(READINGS)}"
        return document.wrong(HEAD, "reads", reason=reason, mend=mend)
    if tongue.partial and document.path.stem == FIRST_LANGUAGE:
        reason, mend = f"{FIRST_LANGUAGE} may lack no sentence: what others lack is said in it", "remove this line"
        return document.wrong(HEAD, "partial", reason=reason, mend=mend)
    return None
