"""What every fact is."""

from __future__ import annotations

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Something that happened; its tag is the word for it in the journal, in SQL and on MQTT."""
