"""Differences between the vendored description of ARI and another one, in words."""

import msgspec

from cti.asterisk.apidocs import differences, version_difference
from cti.asterisk.specification import vendored


def test_the_same_description_differs_in_nothing() -> None:
    assert differences(vendored(), vendored()) == []


def test_more_and_less_are_both_said() -> None:
    expected, live = vendored(), vendored()
    *kept, dropped = live["playbacks"].apis
    moved = msgspec.structs.replace(dropped, path="/playbacks/{playbackId}/rewind")
    live["playbacks"] = msgspec.structs.replace(live["playbacks"], apis=[*kept, moved])
    event = live["events"].models["Event"]
    newer = msgspec.structs.replace(event, sub_types=[*event.sub_types, "ChannelSang"])
    live["events"] = msgspec.structs.replace(live["events"], models={**live["events"].models, "Event": newer})

    assert differences(expected, live) == [
        "Asterisk lacks the operation POST /playbacks/{playbackId}/control, which the ARI client knows.",
        "Asterisk has the operation POST /playbacks/{playbackId}/rewind, unknown to the ARI client.",
        "Asterisk has the event type ChannelSang, unknown to the ARI client.",
    ]


def test_a_resource_that_is_not_described_is_not_counted_again() -> None:
    live = vendored()
    del live["events"]

    assert differences(vendored(), live) == []


def test_only_another_release_is_worth_a_word() -> None:
    assert version_difference("22.10.1+dfsg+~cs6.17.60671434-1") == []
    assert version_difference("22.10.1") == []
    assert "22.10.2" in version_difference("22.10.2~dfsg")[0]
    assert "22.10.11" in version_difference("22.10.11")[0]
