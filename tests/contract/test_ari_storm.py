"""A storm of broken, doubled and unknown events while a citizen talks, on the fake Asterisk: the call goes on unharmed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.facts import CallEnded, ConversationEnded
from cti.asterisk.generated import messages as told
from prompts import Sounds
from tests.contract.hotline_on_fake import Site
from tests.contract.steps import talking
from tests.eventually import eventually
from tests.fakes.ari import FakeAri
from tests.unit.ari_fuzz import KINDS, broken, whole

READ = msgspec.json.Decoder(told.AnyMessage)
TRUE_ONES_END = (told.ChannelDestroyed, told.StasisEnd)
"""Told of the caller or of the seat's leg, one of these is no fault but the end of the call."""

OBJECT = "@object@"
MESSAGES = broken(OBJECT) | st.sampled_from(tuple(KINDS)).map(
    lambda kind: msgspec.json.encode(whole(kind, OBJECT)).decode()
)
STORMS = st.lists(st.tuples(MESSAGES, st.sampled_from(("caller", "leg", "nobody", "PJSIP/seat1001"))), max_size=60)


def harmless(text: str, about: str) -> bool:
    """False for what nobody can tell from the truth, and what is the end of the call, or of this controller."""
    try:
        message = READ.decode(text)
    except (ValueError, RecursionError):
        return True
    return not (
        isinstance(message, told.ApplicationReplaced)
        or (about in ("caller", "leg") and isinstance(message, TRUE_ONES_END))
    )


@settings(deadline=None, max_examples=15)
@given(storm=STORMS)
async def test_a_conversation_outlives_a_storm_of_events(
    storm: list[tuple[str, str]], sounds: Sounds, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("storm")
    async with FakeAri() as fake, Site(fake, folder, sounds).controller() as calls:
        caller = await talking(calls)
        names = {"caller": caller, "leg": calls.leg()}
        for text, about in storm:
            if harmless(text, about):
                fake.tell_text(text.replace(OBJECT, names.get(about, about)))
        another = calls.dial()  # a citizen who calls now is heard, so the storm is over
        await eventually(lambda: another in calls.node.sessions)
        assert calls.node.socket.connections == 1
        assert not calls.of(ConversationEnded)
        assert {caller, names["leg"]} <= fake.legs.keys()

        fake.hangup(another)
        fake.hangup(caller)
        await calls.until(lambda: {end.call_id for end in calls.of(CallEnded)} >= {caller, another})
        await calls.nothing_left()
        assert [end.ended_by for end in calls.of(ConversationEnded)] == ["caller"]
