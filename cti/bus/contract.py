"""The contract with whoever reads the bus, as an AsyncAPI 3 document made from the classes.

`python -m cti.bus.contract > docs/asyncapi.yaml` writes it; a test fails when the file and the classes differ.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from calls.contractfile import contract_text
from calls.facts import VERSION, Stamped
from cti.bus.messages import ROOT, NodeNow, QueueNow, SeatNow

_SCHEMAS = "#/components/schemas/"
_NODE = {"description": "The node: one controller and its Asterisk."}

DESCRIPTION = """\
What a Rexian hotline publishes on MQTT 5. Publish only: nothing that is sent to it is obeyed.

Facts come at least once and in order; (node, seq) is their identity, so a reader drops what it has seen.
States are retained and complete: whoever subscribes knows at once how things stand.
The calling number is personal data and masked (+86138****1111).
Later versions may add fields and kinds of facts: a reader ignores what it does not know.
"""


def document() -> dict[str, Any]:
    """The AsyncAPI document."""
    schemas = _schemas()
    kinds = sorted(schema["properties"]["kind"]["enum"][0] for schema in schemas.values() if _is_fact(schema))
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Rexian", "version": f"{VERSION}.0.0", "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {
            "facts": _channel(
                "facts/{kind}", Stamped, "What happened.", kind={"description": "What kind of fact.", "enum": kinds}
            ),
            "queue": _channel("queue/{queue}", QueueNow, "Retained.", queue={"description": "The queue's name."}),
            "seat": _channel("seat/{seat}", SeatNow, "Retained.", seat={"description": "The seat's number."}),
            "status": _channel("status", NodeNow, "Retained; `offline` also as last will."),
        },
        "operations": {
            name: {"action": "send", "channel": {"$ref": f"#/channels/{name}"}, "bindings": {"mqtt": binding}}
            for name, binding in {
                "facts": {"qos": 1, "retain": False},
                "queue": {"qos": 1, "retain": True},
                "seat": {"qos": 1, "retain": True},
                "status": {"qos": 1, "retain": True},
            }.items()
        },
        "components": {
            "messages": {
                shape.__name__: {"payload": {"$ref": _SCHEMAS + shape.__name__}}
                for shape in (Stamped, QueueNow, SeatNow, NodeNow)
            },
            "schemas": schemas,
        },
    }


def text() -> str:
    """The document as YAML."""
    return contract_text(document(), "classes", "cti.bus.contract")


def _channel(address: str, shape: type, description: str, **parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": f"{ROOT}/{{node}}/{address}",
        "description": description,
        "parameters": {"node": _NODE, **parameters},
        "messages": {shape.__name__: {"$ref": f"#/components/messages/{shape.__name__}"}},
    }


def _schemas() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components((Stamped, QueueNow, SeatNow, NodeNow), ref_template=_SCHEMAS + "{name}")
    for schema in schemas.values():
        schema.pop("additionalProperties", None)
        for field in schema["properties"].values():
            field.pop("discriminator", None)  # OpenAPI's form of it, which AsyncAPI does not have
        if number := schema["properties"].get("calling_number"):
            number["description"] = "Masked: +86138****1111. Null when withheld or not a number."
    schemas["Stamped"]["properties"]["at"]["format"] = "date-time"
    return dict(sorted(schemas.items()))


def _is_fact(schema: dict[str, Any]) -> bool:
    return "kind" in schema["properties"]


if __name__ == "__main__":
    sys.stdout.write(text())
