"""The written contract: made from the application, and what it promises of every operation."""

from __future__ import annotations

from typing import Any

import pytest

from bureau.contract import document, text
from bureau.shapes import Identity, OfIdentity, ResetPin, Verify
from cti.settings import CHECKOUT

DOCUMENT = document()
OPERATIONS: dict[str, Any] = {path: methods["post"] for path, methods in DOCUMENT["paths"].items() if path != "/health"}
WRITES = ["/v1/card/report-loss", "/v1/card/undo-loss", "/v1/card/activate", "/v1/pin/reset"]


def test_the_file_is_what_the_application_says() -> None:
    assert (CHECKOUT / "docs/business.openapi.yaml").read_text(encoding="utf-8") == text(), (
        "stale: .venv/bin/python -m bureau.contract > docs/business.openapi.yaml"
    )


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")


@pytest.mark.parametrize("path", OPERATIONS)
def test_nothing_of_a_citizen_is_ever_in_a_url(path: str) -> None:
    """A body only: no parameter but the key of a write, which is a header."""
    operation = OPERATIONS[path]
    parameters = [(one["name"], one["in"]) for one in operation.get("parameters", [])]

    assert parameters == ([("Idempotency-Key", "header")] if path in WRITES else [])
    assert "{" not in path
    assert operation["requestBody"]["required"]
    assert operation["security"] == [{"hotline": []}]
    assert operation["description"]


@pytest.mark.parametrize("path", OPERATIONS)
def test_every_answer_is_told(path: str) -> None:
    statuses = {"200", "400", "401", "403", "503"} | ({"409", "500"} if path in WRITES else set())

    assert set(OPERATIONS[path]["responses"]) == statuses


def test_what_is_personal_is_in_no_repr() -> None:
    identity = Identity("id_card", "990101198509032310")
    for told in (identity, Verify(identity, "246810"), OfIdentity(identity), ResetPin("word", "246810")):
        assert "990101198509032310" not in repr(told)
        assert "246810" not in repr(told)
