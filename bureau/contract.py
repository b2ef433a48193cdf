"""The contract with whoever connects a real system, as an OpenAPI 3.1 document made from the application.

`python -m bureau.contract > docs/business.openapi.yaml` writes it; a test fails when the file and the application differ.
"""

from __future__ import annotations

import json
import sys
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from bureau.web import application


def document() -> dict[str, Any]:
    """The OpenAPI document."""

    def never() -> None:
        raise AssertionError("nothing is opened to describe it")

    schema: dict[str, Any] = json.loads(json.dumps(application(never, "").openapi_schema.to_schema()))
    schema["info"]["description"] = LiteralScalarString(schema["info"]["description"])
    return schema


def text() -> str:
    """The document as YAML."""
    yaml = YAML()
    yaml.width = 110
    yaml.representer.ignore_aliases = lambda _: True
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    out.write("# Made from the application by `python -m bureau.contract`; do not edit.\n")
    yaml.dump(document(), out)
    return out.getvalue()


if __name__ == "__main__":
    sys.stdout.write(text())
