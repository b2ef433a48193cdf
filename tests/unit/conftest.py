"""What several tests of the parts share, because it takes long to make."""

from __future__ import annotations

from pathlib import Path

import pytest

from prompts.builder import BuildReport, build
from prompts.catalogue import CATALOGUE, Catalogue
from prompts.voice import EspeakVoice


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load(CATALOGUE)


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> tuple[Path, BuildReport]:
    """The shipped catalogue, spoken by espeak-ng once for all the tests that listen to it."""
    target = tmp_path_factory.mktemp("prompts")
    return target, build(catalogue, None, target, EspeakVoice())
