"""The torture messages of RFC 4475, each written anew for this hotline: what a SIP door must read, refuse or drop.

    for torture in tortures(server):
        wire.send(torture.raw)

Names, sections and the points that they make are the RFC's; the calls among them dial 12333, so that those which are valid
get as far as a call can. A message is given by what is unusual in it: `_request` fills in the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import msgspec

from tests.asterisk.malformed import SDP


class Torture(msgspec.Struct, frozen=True):
    """One message. `valid` is the RFC's judgement of its syntax; of section 3.2 on, all are, and ask too much."""

    section: str
    name: str
    call_id: str
    raw: bytes

    @property
    def valid(self) -> bool:
        return not self.section.startswith("3.1.2")


def tortures(server: str) -> list[Torture]:
    """All 49, with Call-IDs that no message had before."""
    made = []
    for section, messages in SECTIONS.items():
        for number, (name, make) in enumerate(messages.items(), 1):
            call_id = f"{name}.{os.urandom(6).hex()}"
            made.append(Torture(f"{section}.{number}", name, call_id, make(server=server, call_id=call_id)))
    return made


Make = Callable[..., bytes]

_USUAL = {
    "via": "Via: SIP/2.0/UDP 192.0.2.15;rport;branch=z9hG4bK@unique@",
    "max_forwards": "Max-Forwards: 70",
    "sender": "From: <sip:13900004475@example.net>;tag=a4475",
    "to": "To: <sip:12333@@server@>",
    "call_id": "Call-ID: @call_id@",
    "cseq": "CSeq: 1 @method@",
    "contact": "Contact: <sip:13900004475@127.0.0.1>",
    "more": "",
    "type": "Content-Type: application/sdp",
    "length": "Content-Length: @length@",
}


def _filled(first: str, lines: dict[str, str], body: bytes, server: str, call_id: str, after: bytes = b"") -> bytes:
    values = {
        "method": first.split(maxsplit=1)[0],
        "server": server,
        "call_id": call_id,
        "unique": os.urandom(6).hex(),
        "length": str(len(body)),
    }
    text = "\r\n".join([first, *(line for line in lines.values() if line), "", ""])
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text.encode("utf-8", "surrogateescape") + body + after


def _request(
    method: str = "INVITE",
    uri: str = "sip:12333@@server@",
    version: str = "SIP/2.0",
    body: bytes | None = None,
    after: bytes = b"",
    **headers: str,
) -> Make:
    """A header is a whole line, or several; an empty one is left out. Only an INVITE has a body unless it is given."""
    content = (SDP.encode() if method == "INVITE" else b"") if body is None else body
    untyped = {} if content else {"type": ""}
    lines = _USUAL | untyped | headers
    return partial(_filled, f"{method} {uri} {version}", lines, content, after=after)


def _response(first: str, **headers: str) -> Make:
    return partial(_filled, first, _USUAL | {"cseq": "CSeq: 1 INVITE", "type": "", **headers}, b"")


_LONG = "long" * 40
_WSINV = "\r\n".join(
    [
        "TO :\r\n 12333 < sip:12333@@server@ >",
        'from   : "J Rosenberg \\\\\\""       <sip:13900004475@example.com>\r\n  ;\r\n  tag = 98asjd8',
        "MaX-fOrWaRdS: 0068",
        "Call-ID: @call_id@",
        "Content-Length   : @length@",
        "cseq: 0009\r\n  INVITE",
        "Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;rport;branch=z9hG4bK@unique@",
        "s :",
        "NewFangledHeader:   newfangled value\r\n continued newfangled value",
        "UnknownHeaderWithUnusualValue: ;;,,;;,;",
        "Content-Type: application/sdp",
        "Route:\r\n <sip:@server@;unknownwith=value;unknown-no-value;lr>",
        "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
        " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239",
        'm:"Quoted string \\"\\"" <sip:13900004475@127.0.0.1> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33',
    ]
)

VALID: dict[str, Make] = {
    "wsinv": partial(_filled, "INVITE sip:12333@@server@;unknownparam SIP/2.0", {"all": _WSINV}, SDP.encode()),
    "intmeth": _request(
        "!interesting-Method0123456789_*+`.%indeed'~",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@@server@",
        sender="From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>"
        ";fromParam''~+*_!.-%=\"\u0440\u0430\u0431\u043e\u0442\";tag=_t1",
        more="extensionHeader-.!%*+_`'~: \ufeff\u5927\u505c\u96fb",
    ),
    "esc01": _request(
        uri="sip:%31233%33@@server@",
        sender="From: <sip:I%20have%20spaces@example.net>;tag=938",
        contact="Contact: <sip:cal%6Cer@127.0.0.1;%6C%72;n%61me=v%61lue%25%34%31>",
    ),
    "escnull": _request("REGISTER", contact="Contact: <sip:%00@127.0.0.1>\r\nContact: <sip:%00%00@127.0.0.1>"),
    "esc02": _request("RE%47IST%45R"),
    "lwsdisp": _request("OPTIONS", sender="From: caller<sip:caller@example.com>;tag=323"),
    "longreq": _request(
        to=f'To: "I have a user name of {_LONG} proportion" <sip:12333@@server@;unknownparam1={_LONG}longvalue;'
        f"{_LONG}parametername={_LONG}value>;{_LONG}ParameterName={_LONG}value",
        sender=f"F: sip:{_LONG}username@example.net;tag=12{_LONG}982424;unknownheaderparam{_LONG}=x",
        call_id=f"Call-ID: @call_id@.{_LONG}",
        more=f"{_LONG}Header: {_LONG}{_LONG}; {_LONG}-parameter={_LONG}\r\n"
        + "\r\n".join(f"Via: SIP/2.0/TCP sip{n}.example.com" for n in range(33, 0, -1))
        + f"\r\nVia: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch={_LONG}",
    ),
    "dblreq": _request(
        "REGISTER", after=b"INVITE sip:12333@127.0.0.1 SIP/2.0\r\nt: sip:12333@127.0.0.1\r\n\r\nv=0\r\n"
    ),
    "semiuri": _request("OPTIONS", "sip:user;par=u%40example.net@@server@"),
    "transports": _request(
        "OPTIONS",
        more="Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKkdjuw\r\nVia: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2\r\n"
        "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bK3\r\nVia: SIP/2.0/TCP t5.example.com;branch=z9hG4bK4",
    ),
    "mpart01": _request(
        "MESSAGE",
        type="Content-Type: multipart/mixed;boundary=7a9cbec02ceef655",
        body=b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nHello\r\n"
        b"--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n" + bytes(range(256)) + b"\r\n"
        b"--7a9cbec02ceef655--\r\n",
    ),
    "unreason": _response(
        "SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e \u043f\u0440\u043e\u0441\u0442\u043e\u0435"
    ),
    "noreason": _response("SIP/2.0 100 "),
}

INVALID: dict[str, Make] = {
    "badinv01": _request(
        to="To: sip:12333@@server@;tag=1923001293;;;",
        contact='Contact: "Joe" <sip:joe@example.org>;;;;',
        via="Via: SIP/2.0/UDP 192.0.2.15;;;;,;,;rport;branch=z9hG4bK@unique@",
    ),
    "clerr": _request(length="Content-Length: 9999"),
    "ncl": _request(length="Content-Length: -999"),
    "scalar02": _request(
        "REGISTER",
        cseq="CSeq: 36893488147419103232 REGISTER",
        max_forwards="Max-Forwards: 300",
        more="Expires: 10000000000000000000000000000",
        contact="Contact: <sip:user@127.0.0.1>;expires=280297596632815",
    ),
    "scalarlg": _response(
        "SIP/2.0 503 Service Unavailable",
        cseq="CSeq: 9292394834772304023312 OPTIONS",
        more='Retry-After: 949302838503028349304023988\r\nWarning: 1812 overture "In Progress"',
    ),
    "quotbal": _request(to='To: "Mr. J. User <sip:12333@@server@>'),
    "ltgtruri": _request(uri="<sip:12333@@server@>"),
    "lwsruri": _request(uri="sip:12333@@server@; lr"),
    "lwsstart": _request(uri=" sip:12333@@server@ "),
    "trws": _request("OPTIONS", version="SIP/2.0  "),
    "escruri": _request(uri="sip:12333@@server@?Route=%3Csip:example.com%3E"),
    "baddate": _request(more="Date: Fri, 01 Jan 2010 16:00:00 EST"),
    "regbadct": _request("REGISTER", contact="Contact: sip:user@127.0.0.1?Route=%3Csip:sip.example.com%3E"),
    "badaspec": _request("OPTIONS", to='To: "Watson, Thomas" < sip:t.watson@example.org >'),
    "baddn": _request("OPTIONS", sender="From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"),
    "badvers": _request("OPTIONS", version="SIP/7.0"),
    "mismatch01": _request("OPTIONS", cseq="CSeq: 8 INVITE"),
    "mismatch02": _request("NEWMETHOD", cseq="CSeq: 8 INVITE"),
    "bigcode": _response("SIP/2.0 4294967301 better not break the receiver"),
}

TRANSACTION: dict[str, Make] = {
    "badbranch": _request("OPTIONS", via="Via: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK"),
}

APPLICATION: dict[str, Make] = {
    "insuf": _request(to="", sender="", call_id=""),
    "unkscm": _request("OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent"),
    "novelsc": _request("OPTIONS", "soap.beep://192.0.2.103:3002"),
    "unksm2": _request(
        "REGISTER",
        to="To: isbn:2983792873",
        sender="From: <http://www.example.com>;tag=3234233",
        contact="Contact: <name:John_Smith>",
    ),
    "bext01": _request(
        "OPTIONS",
        more="Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\r\n"
        "Require: nothingSupportsThis, nothingSupportsThisEither",
    ),
    "invut": _request(
        type="Content-Type: application/unknownformat", body=b'<audio>\r\n <pcmu port="443"/>\r\n</audio>\r\n'
    ),
    "regaut01": _request("REGISTER", more="Authorization: NoOneKnowsThisScheme opaque-data=here"),
    "multi01": _request(
        more="CSeq: 59 INVITE\r\nCall-ID: @call_id@.second\r\nFrom: <sip:other@example.com>;tag=12\r\n"
        "To: <sip:12334@@server@>\r\nMax-Forwards: 5\r\nCSeq: 59 OPTIONS"
    ),
    "mcl01": _request(
        "OPTIONS",
        length="Content-Length: 13\r\nContent-Length: 5",
        body=b"There's no way to know how many octets are supposed to be here.",
    ),
    "bcast": _response("SIP/2.0 200 OK", more="Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23"),
    "zeromf": _request("OPTIONS", max_forwards="Max-Forwards: 0"),
    "cparam01": _request("REGISTER", contact="Contact: sip:+19725552222@127.0.0.1;unknownparam"),
    "cparam02": _request("REGISTER", contact="Contact: <sip:+19725552222@127.0.0.1;unknownparam>"),
    "regescrt": _request("REGISTER", contact="Contact: <sip:user@127.0.0.1?Route=%3Csip:sip.example.com%3E>"),
    "sdp01": _request(more="Accept: text/nobodyKnowsThis"),
}

BACKWARD: dict[str, Make] = {
    "inv2543": _request(
        via="Via: SIP/2.0/UDP iftgw.example.com;rport",
        max_forwards="",
        sender="From: <sip:+13035551111@ift.client.example.net;user=phone>",
        contact="",
        more="Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>",
    ),
}

SECTIONS: dict[str, dict[str, Make]] = {
    "3.1.1": VALID,
    "3.1.2": INVALID,
    "3.2": TRANSACTION,
    "3.3": APPLICATION,
    "3.4": BACKWARD,
}
