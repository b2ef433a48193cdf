"""Busy ports are found before a daemon trips over one, and the holder is named."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from calls.errors import NotPossible
from cti.settings import Settings
from cti.stack.ports import Port, holder, ports, refuse_busy_ports

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


@contextmanager
def held(kind: socket.SocketKind) -> Iterator[int]:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == TCP:
            taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "base", "words"), [(TCP, 8080, r"TCP port \d+ \(web\)"), (UDP, 5060, r"UDP port \d+ \(SIP\)")]
)
def test_a_busy_port_is_refused_with_its_holder_and_the_mend(kind: socket.SocketKind, base: int, words: str) -> None:
    with held(kind) as number, pytest.raises(NotPossible) as refused:
        refuse_busy_ports(Settings(port_offset=number - base))
    assert refused.match(words)
    assert f"(process {os.getpid()})" in str(refused.value)
    assert "REXIAN_PORT_OFFSET" in str(refused.value)


def test_a_port_that_a_closed_connection_still_holds_is_free() -> None:
    with held(TCP) as number:
        client = socket.create_connection(("127.0.0.1", number))
        client.close()
    refuse_busy_ports(Settings(port_offset=number - 8080))


def test_a_holder_that_nobody_knows_is_another_program() -> None:
    with held(TCP) as number:
        pass
    assert holder(Port("web", number)) == "another program"


def test_an_address_that_is_not_here_is_told() -> None:
    with pytest.raises(NotPossible, match="setting host"):
        refuse_busy_ports(Settings(host="192.0.2.1"))


def test_one_offset_moves_every_port() -> None:
    here, there = Settings(), Settings(port_offset=1000)
    moved = [msgspec.structs.replace(port, number=port.number + 1000) for port in ports(here)]
    assert list(ports(there)) == moved
