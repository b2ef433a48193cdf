"""SIP messages (RFC 3261) as far as a telephone on one server needs them: text out, text in, digest answers (RFC 2617)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from uuid import uuid4

import msgspec

KEYS_PAYLOAD = 101
"""RTP payload type of RFC 4733 events in our offers and answers."""

_COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}


class Message(msgspec.Struct, frozen=True):
    """A request or a response. Header names are lower case; of repeated headers the first counts, except Via."""

    start: str
    headers: Mapping[str, str]
    vias: tuple[str, ...]
    body: str

    @property
    def status(self) -> int | None:
        """Of a response; None for a request."""
        return int(self.start.split(" ", 2)[1]) if self.start.startswith("SIP/2.0 ") else None

    @property
    def method(self) -> str:
        """The request's, or that of the request which a response answers."""
        return self.start.split(" ", 1)[0] if self.status is None else self.headers["cseq"].split()[1]

    @property
    def call_id(self) -> str:
        return self.headers["call-id"]

    @property
    def cseq(self) -> int:
        return int(self.headers["cseq"].split()[0])

    @property
    def contact(self) -> str:
        """The address in Contact, without its brackets."""
        return re.sub(r".*<(.*?)>.*", r"\1", self.headers.get("contact", ""))


def read(data: bytes) -> Message | None:
    """The message in a datagram; None for a keep-alive."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    lines = head.split("\r\n")
    if not lines[0]:
        return None
    headers: dict[str, str] = {}
    vias: list[str] = []
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name = _COMPACT.get(name.strip().lower(), name.strip().lower())
        if name == "via":
            vias.append(value.strip())
        headers.setdefault(name, value.strip())
    return Message(lines[0], headers, tuple(vias), body)


def request(method: str, uri: str, headers: Mapping[str, str], body: str = "") -> bytes:
    """A request's text; the caller gives all headers but the lengths."""
    return _text(f"{method} {uri} SIP/2.0", [f"{name}: {value}" for name, value in headers.items()], body)


def response(to: Message, status: int, reason: str, tag: str, contact: str = "", body: str = "") -> bytes:
    """The answer to a request."""
    told = to.headers["to"]
    lines = [f"Via: {via}" for via in to.vias]
    lines += [f"From: {to.headers['from']}", f"To: {told if ';tag=' in told else f'{told};tag={tag}'}"]
    lines += [f"Call-ID: {to.call_id}", f"CSeq: {to.headers['cseq']}"]
    if contact:
        lines.append(f"Contact: <{contact}>")
    return _text(f"SIP/2.0 {status} {reason}", lines, body)


def _text(start: str, lines: list[str], body: str) -> bytes:
    if body:
        lines = [*lines, "Content-Type: application/sdp"]
    return "\r\n".join([start, *lines, f"Content-Length: {len(body)}", "", body]).encode()


def new_branch() -> str:
    """A transaction's name."""
    return f"z9hG4bK{uuid4().hex}"


def offer(host: str, port: int) -> str:
    """The session description of a telephone that speaks A-law and presses keys as RTP events."""
    lines = (
        *("v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"),
        *(f"m=audio {port} RTP/AVP 8 {KEYS_PAYLOAD}", "a=rtpmap:8 PCMA/8000"),
        *(f"a=rtpmap:{KEYS_PAYLOAD} telephone-event/8000", f"a=fmtp:{KEYS_PAYLOAD} 0-15", "a=sendrecv", ""),
    )
    return "\r\n".join(lines)


def far_port(description: str) -> int | None:
    """Where the far side wants the sound; None when it says nothing of it."""
    found = re.search(r"^m=audio (\d+)", description, re.MULTILINE)
    return int(found[1]) if found else None


def digest(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    """The Authorization that answers a WWW-Authenticate."""
    asked = {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', challenge)}
    cnonce, count = uuid4().hex, "00000001"
    secret = _md5(f"{user}:{asked['realm']}:{password}")
    about = _md5(f"{method}:{uri}")
    proof = _md5(f"{secret}:{asked['nonce']}:{count}:{cnonce}:auth:{about}")
    return (
        f'Digest username="{user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}", '
        f'response="{proof}", algorithm=MD5, qop=auth, nc={count}, cnonce="{cnonce}"'
        + (f', opaque="{asked["opaque"]}"' if "opaque" in asked else "")
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
