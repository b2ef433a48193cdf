"""The advisers' file: what is read, and what is refused with its place and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from calls.clock import Instant
from calls.errors import BadFile
from calls.words import Needs
from queues import Adviser, load_advisers
from queues.policy import Lack, ask_of, fit

CHECKOUT = Path(__file__).parent.parent.parent


def test_the_shipped_file_is_right() -> None:
    advisers = load_advisers(CHECKOUT / "lines" / "advisers.yaml")

    assert advisers["8002"] == Adviser("8002", {"cards": 5, "pension": 2})


def test_surplus_is_what_a_call_would_waste() -> None:
    profile = Adviser("8001", {"cards": 5, "pension": 2}).profile

    def beyond(needs: Needs) -> int | Lack:
        return fit(profile, ask_of(needs, (), Instant(0.0), Instant(0.0)))

    assert beyond(Needs({}, "general")) == 7
    assert beyond(Needs({"cards": 3}, "cards")) == 4
    assert beyond(Needs({"pension": 3}, "pension")) == ("skill", "pension 3")
    assert beyond(Needs({"labour": 1}, "labour")) == ("skill", "labour 1")
    assert beyond(Needs({}, "general", language="en")) == ("language", "en")
    assert beyond(Needs({}, "general", site="county")) == ("site", "county")


WRONG = [
    ('- {number: "８００１", skills: {}}', 3, "'８００１' is not a number", "0 to 9"),
    ('- {number: "80a1", skills: {}}', 3, "'80a1' is not a number", "0 to 9"),
    ('- {number: "8001", skills: {cards: 6}}', 3, "level 6 is not 1 to 5", "write 1 to 5"),
    ('- {number: "8001", skills: {cards: 0}}', 3, "level 0 is not 1 to 5", "write 1 to 5"),
    ('- {number: "8001", skills: {}}\n  - {number: "8001", skills: {}}', 4, "adviser 8001 stands twice", "once"),
    ('- {number: "8001", skill: {}}', 3, "unknown key skill", "write skills"),
]


@pytest.mark.parametrize(("entry", "line", "reason", "mend"), WRONG)
def test_a_wrong_file_is_refused(tmp_path: Path, entry: str, line: int, reason: str, mend: str) -> None:
    path = tmp_path / "advisers.yaml"
    path.write_text(f'version: "1"\nadvisers:\n  {entry}\n', encoding="utf-8")
    with pytest.raises(BadFile) as refused:
        load_advisers(path)

    assert (refused.value.path, refused.value.line) == (path, line)
    assert reason in refused.value.reason
    assert mend in refused.value.mend
