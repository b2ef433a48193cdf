"""A contract with other systems as a file: YAML that people read, made from code and held against it by a test."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString


def contract_text(document: dict[str, Any], made_from: str, module: str) -> str:
    """The document (OpenAPI, AsyncAPI) as YAML, with a first line that says what it is made from and by which module."""
    document["info"]["description"] = LiteralScalarString(document["info"]["description"])
    yaml = YAML()
    yaml.width = 110
    yaml.representer.ignore_aliases = lambda _: True
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    out.write(f"# Made from the {made_from} by `python -m {module}`; do not edit.\n")
    yaml.dump(document, out)
    return out.getvalue()
