"""How a hotline is that does well, for tests that only pass it on."""

from __future__ import annotations

from cti.status import SipAddress, Status

STATUS = Status(
    ready=True,
    answering=True,
    sip=SipAddress("127.0.0.1", 5060),
    web="http://127.0.0.1:8080",
    mqtt="mqtt://127.0.0.1:1883",
    postgres="postgresql:///rexian",
    ari="http://127.0.0.1:8088/ari",
    versions={"asterisk": "22.10.1"},
    calls={"up": 2},
    seats={"1001": "ready"},
    skills_moved={},
    callbacks=0,
    messages=0,
    business="closed",
    texts="closed",
    texts_waiting=0,
    facts={},
    mailboxes=0,
    tasks=40,
    problems=[],
)
