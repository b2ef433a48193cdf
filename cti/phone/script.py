"""What a mystery caller does, step by step, as data: a file that people write, or what the probe makes of a line.

    steps:
      - hear: notice             # the next sentence must be this one
        within_s: 30
      - key: "5"                 # pressed at once, also in mid-sentence
      - hear: [queue.enter, queue.kept]
        passing: [queue.position]
      - wait_s: 2

docs/lines.md tells editors what may stand in it. After its last step the caller hangs up.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import msgspec

from calls.words import Language
from calls.yamlfile import load

PATIENCE_S = 60.0
"""Longer than any menu and the wait for a key after it."""


class ScriptStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of `hear`, `key` and `wait_s`."""

    hear: str | tuple[str, ...] | None = None
    """The next sentence is this one, or one of these; `any`: whichever is the next."""
    language: Language | None = None
    """... in this language; None: in any."""
    passing: tuple[str, ...] = ()
    """Sentences that may be said before it; `any`: whatever is said."""
    to_end: bool = False
    """Hear it out before going on; else go on as soon as it can be no other."""
    within_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = PATIENCE_S
    """It must begin to be heard within so many seconds of the step before."""
    key: str | None = None
    """Keys to press, one after the other. More than one may be a secret: then they are in no report."""
    wait_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The sentences, one of which is to be heard."""
        return (self.hear,) if isinstance(self.hear, str) else self.hear or ()


ANY = "any"
KEYS = frozenset("0123456789*#")


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the caller does."""

    steps: Annotated[tuple[ScriptStep, ...], msgspec.Meta(min_length=1)]


def load_script(path: Path, sentences: Collection[str]) -> Script:
    """Read a script that hears `sentences`. Raises BadFile with the place of the first thing that is wrong."""
    script, document = load(path, Script)
    for place, step in enumerate(script.steps):
        kinds = [name for name in ("hear", "key", "wait_s") if getattr(step, name)]
        if len(kinds) != 1:
            reason = f"this step has {' and '.join(kinds) or 'none'} of hear, key and wait_s"
            raise document.wrong("steps", place, reason=reason, mend="write one of them; another step for another")
        if step.key and set(step.key) - KEYS:
            reason, mend = f"{step.key} is no key of a telephone", 'write some of 0-9, * and #, in quotes: "5"'
            raise document.wrong("steps", place, "key", reason=reason, mend=mend)
        for name, keys in (("hear", step.wanted), ("passing", step.passing)):
            for key in keys:
                if key not in sentences and key != ANY:
                    mend = "write a key of prompts/catalogue whose sentence has words enough to be recognised by"
                    raise document.wrong("steps", place, name, reason=f"{key} cannot be heard", mend=mend)
    return script
