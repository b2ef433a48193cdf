"""The contract with whoever connects a real system, as an OpenAPI 3.1 document made from the application.

`python -m bureau.contract > docs/business.openapi.yaml` writes it; a test fails when the file and the application differ.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from bureau.web import application
from calls.contractfile import contract_text


def document() -> dict[str, Any]:
    """The OpenAPI document."""

    def never() -> None:
        raise AssertionError("nothing is opened to describe it")

    described: dict[str, Any] = json.loads(json.dumps(application(never, "").openapi_schema.to_schema()))
    return described


def text() -> str:
    """The document as YAML."""
    return contract_text(document(), "application", "bureau.contract")


if __name__ == "__main__":
    sys.stdout.write(text())
