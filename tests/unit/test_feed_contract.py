"""The contract of the feed is what the feed tells."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import get_args

import jsonschema
import pytest

from cti.bus.messages import QueueNow, SeatNow
from cti.desk import feedcontract
from cti.desk.feed import Crisis, Feed, Form, Moved, Notice, Told
from cti.settings import CHECKOUT
from tests.unit.test_forms import CALL

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
NEWS = {"$ref": "#/components/schemas/News", "components": feedcontract.document()["components"]}


def test_the_contract_in_the_docs_is_what_the_classes_say() -> None:
    assert (CHECKOUT / "docs/feed.asyncapi.yaml").read_text(encoding="utf-8") == feedcontract.text(), (
        "stale: .venv/bin/python -m cti.desk.feedcontract > docs/feed.asyncapi.yaml, then npm run types in web/"
    )


async def test_every_kind_of_message_is_as_the_contract_says() -> None:
    feed = Feed()
    form = Form(visit="c.1", call_id="c", adviser=CALL.adviser, number=None, queue=None, begun_at=NOW)
    notice = Notice(notice="n", by="li.na", to=(CALL.adviser,), everybody=False, text="三点开会", sent_at=NOW, read={})
    with feed.opened(CALL.adviser, lead=True) as onlooker:
        for there in (True, False):
            feed.notice(notice) if there else feed.notice_gone(notice)
            feed.skills(CALL.adviser, {"cards": Moved(5, 3)} if there else {})
            feed.crisis(CALL.seat, Crisis("c", CALL.adviser, NOW, marked=True) if there else None)
            feed.silence(CALL.seat, CALL.adviser, silent=there)
            feed.state("seat/1001", SeatNow(state="ready", adviser="8001", since=NOW) if there else None)
            feed.state("queue/cards", QueueNow(waiting=0, longest_wait_ms=0, updated_at=NOW) if there else None)
            feed.call(CALL.seat, CALL.adviser, CALL if there else None)
            feed.form(form.visit, form.adviser, form if there else None)
        news = json.loads(await onlooker.next())
    jsonschema.validate(news, NEWS)
    assert {told["kind"] for told in news} == {kind.__struct_config__.tag for kind in get_args(Told)}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([told | {"seat": None, "form": None, "visit": 1, "queue": None} for told in news], NEWS)
