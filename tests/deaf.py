"""A subscriber to the bus that never reads: it says hello, asks for everything, and leaves its socket alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

_SMALLEST_BUFFER = 2048


@contextmanager
def deaf_subscriber(host: str, port: int, username: str, password: str, qos: int) -> Iterator[None]:
    """Subscribed to `rexian/#` inside the block, with a receive buffer as small as the kernel lets it be."""
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALLEST_BUFFER)
        wire.connect((host, port))
        flags, keep_alive, receive_at_once = b"\xc2", b"\x00\x00", b"\x03\x21\xff\xff"
        hello = _text("MQTT") + b"\x05" + flags + keep_alive + receive_at_once
        wire.sendall(_packet(0x10, hello + _text(f"deaf{qos}") + _text(username) + _text(password)))
        if wire.recv(4)[:1] != b"\x20":
            raise ConnectionError("the broker does not answer CONNECT")
        wire.sendall(_packet(0x82, b"\x00\x01\x00" + _text("rexian/#") + bytes([qos])))
        yield


def _packet(kind: int, body: bytes) -> bytes:
    if len(body) > 127:
        raise ValueError("longer than one byte can say")
    return bytes([kind, len(body)]) + body


def _text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()
