"""The API's description as a file: `python -m cti.desk.contract > docs/desk.openapi.yaml` writes it; a test compares."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, cast

from calls.contractfile import contract_text
from cti.desk.described import described
from cti.desk.web import all_routes

if TYPE_CHECKING:
    from cti.desk.entrance import Doors
    from cti.desk.house import House


class _Nothing:
    """What is not needed to describe it."""

    def __getattr__(self, name: str) -> Any:
        return self


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    routes = all_routes(cast("House", _Nothing()), cast("Doors", _Nothing()))
    document: dict[str, Any] = json.loads(json.dumps(described(routes)))
    return document


def text() -> str:
    """The document as YAML."""
    return contract_text(document(), "application", "cti.desk.contract")


if __name__ == "__main__":
    sys.stdout.write(text())
