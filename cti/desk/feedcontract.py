"""What the feed tells, as an AsyncAPI 3 document made from the classes; the page's types are made from it in turn.

`python -m cti.desk.feedcontract > docs/feed.asyncapi.yaml` writes it, `npm run types` in web/ the types; tests fail when either
is stale.
"""

from __future__ import annotations

import sys
from typing import Any, get_args

import msgspec

from calls.contractfile import contract_text
from cti.desk.described import VERSION
from cti.desk.entrance import COOKIE
from cti.desk.feed import Told
from cti.desk.watching import FEED, LEFT_BEHIND, SESSION_OVER

_SCHEMAS = "#/components/schemas/"

DESCRIPTION = f"""\
How every queue and seat of a hotline stands, and the call and the forms of whoever looks on, by a websocket. Nothing is to be
said on it.

Each message is an array of all that is new, in its order: the first is how all stands; when nothing is new for a second the
array is empty. It is closed with {SESSION_OVER} when the session is over, with {LEFT_BEHIND} when a page does not read.
Later versions may add fields and kinds: a reader ignores what it does not know.
"""


def document() -> dict[str, Any]:
    """The AsyncAPI document."""
    headers = {
        "type": "object",
        "properties": {
            "Cookie": {"type": "string", "description": f"The session: `{COOKIE}=...`, as signing in answers it."},
            "Origin": {"type": "string", "description": "The web door's own."},
        },
        "required": ["Cookie", "Origin"],
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "The feed of a hotline's desk", "version": f"{VERSION}.0.0", "description": DESCRIPTION},
        "servers": {"door": {"host": "127.0.0.1:8080", "protocol": "ws", "description": "The web door of `make run`."}},
        "defaultContentType": "application/json",
        "channels": {
            "feed": {
                "address": FEED,
                "messages": {"News": {"$ref": "#/components/messages/News"}},
                "bindings": {"ws": {"method": "GET", "headers": headers}},
            }
        },
        "operations": {"tell": {"action": "send", "channel": {"$ref": "#/channels/feed"}}},
        "components": {
            "messages": {"News": {"payload": {"$ref": _SCHEMAS + "News"}}},
            "schemas": _schemas(),
        },
    }


def text() -> str:
    """The document as YAML."""
    return contract_text(document(), "classes", "cti.desk.feedcontract")


def _schemas() -> dict[str, Any]:
    kinds = get_args(Told)
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_SCHEMAS + "{name}")
    for schema in schemas.values():
        schema.pop("additionalProperties", None)
        if properties := schema.get("properties"):
            schema["required"] = list(properties)  # what has a default is told all the same
    items = {"oneOf": [{"$ref": _SCHEMAS + kind.__name__} for kind in kinds]}
    schemas["News"] = {"type": "array", "items": items, "description": "All that is new, in its order."}
    return dict(sorted(schemas.items()))


if __name__ == "__main__":
    sys.stdout.write(text())
