"""The control connection's bytes, and what a phone's messages mean."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.clock import Instant
from cti.phone.events import Closed, Established, Incoming, KeyHeard, RegistrationFailed, read
from cti.phone.places import Identity, account_line, free_ports
from cti.phone.wire import Control, Netstrings, PhoneFailed, netstring


@given(st.lists(st.binary(max_size=200)), st.integers(min_value=1, max_value=50))
def test_netstrings_come_out_as_they_went_in_however_they_are_cut(payloads: list[bytes], size: int) -> None:
    stream = b"".join(netstring(payload) for payload in payloads)
    netstrings = Netstrings()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [found for piece in pieces for found in netstrings.feed(piece)] == payloads


@pytest.mark.parametrize("stream", [b"x:{},", b":,", b"2:{}x", b"99999999999:", b"-1:,"])
def test_what_is_no_netstring_is_refused(stream: bytes) -> None:
    with pytest.raises(PhoneFailed, match="netstring"):
        Netstrings().feed(stream)


@given(st.binary(max_size=100))
def test_noise_is_refused_or_waited_on_but_never_breaks_the_reader(noise: bytes) -> None:
    with contextlib.suppress(PhoneFailed):
        assert all(netstring(found) in noise for found in Netstrings().feed(noise))


async def test_a_cancellation_at_the_moment_of_the_answer_is_not_forgotten() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours)

    def at_once(_: object) -> None:
        asking.cancel()

    control = Control(reader, writer, on_event=at_once)
    running = asyncio.create_task(control.run())
    asking = asyncio.create_task(control.command("callstat"))
    await asyncio.get_running_loop().sock_recv(theirs, 1000)
    theirs.send(netstring(b'{"response":true,"ok":true,"data":"","token":"1"}') + netstring(b'{"event":true}'))
    with pytest.raises(asyncio.CancelledError):
        await asking
    theirs.close()
    await running
    control.close()


async def test_a_command_fails_when_the_program_refuses_it_or_ends() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    control = Control(*await asyncio.open_connection(sock=ours), on_event=lambda _: None)
    running = asyncio.create_task(control.run())
    refused = asyncio.create_task(control.command("dial", "nobody"))
    await asyncio.get_running_loop().sock_recv(theirs, 1000)
    theirs.send(netstring(b'{"response":true,"ok":false,"data":"no such number","token":"1"}'))
    with pytest.raises(PhoneFailed, match="no such number"):
        await refused
    left_alone = asyncio.create_task(control.command("dial"))
    await asyncio.get_running_loop().sock_recv(theirs, 1000)
    theirs.close()
    with pytest.raises(PhoneFailed, match="ended"):
        await left_alone
    await running
    control.close()


AT = Instant(1.0)


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"type": "CALL_ESTABLISHED", "id": "c"}, Established(at=AT, call_id="c")),
        ({"type": "CALL_INCOMING", "id": "c", "peeruri": "sip:1@h"}, Incoming(at=AT, call_id="c", caller="sip:1@h")),
        ({"type": "CALL_DTMF_START", "id": "c", "param": "5"}, KeyHeard(at=AT, call_id="c", key="5")),
        ({"type": "REGISTER_FAIL", "param": "401 Unauthorized"}, RegistrationFailed(at=AT, reason="401 Unauthorized")),
        ({"type": "CALL_RTCP", "id": "c"}, None),
        ({}, None),
    ],
)
def test_messages_become_events(message: dict[str, str], event: object) -> None:
    assert read(message, AT) == event


@pytest.mark.parametrize(
    ("reason", "status", "by_peer"),
    [
        ("486 Busy Here", 486, False),
        ("Connection reset by peer", None, True),
        ("Connection reset by user", None, False),
        ("", None, False),
    ],
)
def test_how_a_call_ended(reason: str, status: int | None, by_peer: bool) -> None:
    closed = Closed(at=AT, reason=reason)
    assert (closed.status, closed.by_peer) == (status, by_peer)


def test_a_phone_registers_only_with_a_password() -> None:
    bare = account_line(Identity(user="13800001111", server="127.0.0.1:5060"))
    assert bare == "<sip:13800001111@127.0.0.1:5060>;regint=0;answermode=manual;audio_codecs=pcma,pcmu\n"
    seat = account_line(Identity(user="201", server="127.0.0.1:5060", password="p"))
    assert "auth_user=201;auth_pass=p;regint=60" in seat


def test_ports_do_not_overlap() -> None:
    ports = free_ports("127.0.0.1")
    assert ports.control == ports.sip + 2
