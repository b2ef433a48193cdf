"""How hypothesis plays: without a clock, which a loaded machine would lose; in continuous integration by the same dice.

And numpy on one core: the tests run beside each other already, and its threads would wait for each other."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
