"""What sipp plays, put together from steps: a scenario is read like the call that it makes.

    citizen(pause(1000), key("1"), pause(700), hang_up())
    seat(wait_for_hang_up())

Each moment that matters is a line of sipp's log: word, seconds, microseconds, who; see `load.py`. To add a step, add a function
that answers with its XML. CSeq numbers are given when the steps are put together: `@CSEQ@`.
"""

from __future__ import annotations

from itertools import count

OFFER = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=phone 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
"""

VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"

OUR_SIDE = """From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: @CSEQ@ {method}
Max-Forwards: 70"""

SAME = """[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]"""

TAG = ";tag=[pid]-[call_number]"


def citizen(*steps: str) -> str:
    """Calls and is answered, then does what the steps say. `[field0]` is the calling number."""
    return _scenario("citizen", _dial(), *steps)


def seat(*steps: str) -> str:
    """Any number of seats: answers Asterisk's question whether it is there; is called, answers at once, does the steps."""
    return _scenario(
        "seat",
        '  <recv request="OPTIONS" optional="true" next="ping"/>\n',
        f"""  <recv request="INVITE" rrs="true"><action>
    <ereg regexp="seat[0-9]+" search_in="hdr" header="To:" assign_to="seat"/>
    <ereg regexp="1[0-9]{{10}}" search_in="hdr" header="From:" assign_to="number"/>
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
    {_stamp("INVITE", "[$seat] [$number]")}
  </action></recv>
  <Reference variables="from"/>
""",
        _answer("180 Ringing", "Contact: <sip:[local_ip]:[local_port]>\nContent-Length: 0\n", TAG),
        _answer("200 OK", f"Contact: <sip:[local_ip]:[local_port]>\n{OFFER}", TAG, again=True),
        '  <recv request="ACK"/>\n',
        *steps,
        '  <nop next="end"/>\n  <label id="ping"/>\n',
        _answer("200 OK", "Content-Length: 0\n", TAG),
        '  <label id="end"/>\n  <nop/>\n',
    )


def registration() -> str:
    """A seat's telephone registers. `[field0]` is its user, `[field1]` sipp's word for user and password."""

    def register(answer: str) -> str:
        return _send(
            f"""REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
{VIA}
From: <sip:[field0]@[remote_ip]>;tag=[pid]-[call_number]
To: <sip:[field0]@[remote_ip]>
Call-ID: [call_id]
CSeq: @CSEQ@ REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
{answer}Max-Forwards: 70
Expires: 3600
Content-Length: 0
"""
        )

    return _scenario(
        "register",
        register(""),
        '  <recv response="401" auth="true"/>\n',
        register("[field1]\n"),
        '  <recv response="200"/>\n',
    )


def pause(ms: int) -> str:
    """Nothing happens for so long."""
    return f'  <pause milliseconds="{ms}"/>\n'


def speak() -> str:
    """Says the tone in `tone.al` over and over from here on."""
    return '  <nop><action><exec rtp_stream="tone.al,-1,8"/></action></nop>\n'


def key(digit: str) -> str:
    """Presses a key, by SIP INFO: it costs no packets of sound."""
    body = f"Content-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal={digit}\nDuration=100\n"
    return _moment("KEY", "[field0]") + _request("INFO", body)


def hang_up() -> str:
    """The citizen leaves."""
    return _request("BYE", "Content-Length: 0\n")


def seat_hangs_up() -> str:
    """The adviser leaves."""
    request = f"""BYE [next_url] SIP/2.0
{VIA}
From: <sip:[local_ip]:[local_port]>{TAG}
To:[$from]
Call-ID: [call_id]
CSeq: @CSEQ@ BYE
Max-Forwards: 70
Content-Length: 0
"""
    return _moment("BYE", "[$seat] [$number]") + _send(request) + '  <recv response="200"/>\n'


def wait_for_hang_up(who: str = "") -> str:
    """Until the far side leaves; a seat says which one it is, so that the moment is known."""
    action = f"<action>{_stamp('BYE', who)}</action>" if who else ""
    return f'  <recv request="BYE">{action}</recv>\n' + _answer("200 OK", "Content-Length: 0\n")


def wait_or_hang_up(ms: int, who: str) -> str:
    """Until the far side leaves, but no longer than so long: then the adviser leaves."""
    return (
        f'  <recv request="BYE" timeout="{ms}" ontimeout="leave"><action>{_stamp("BYE", who)}</action></recv>\n'
        + _answer("200 OK", "Content-Length: 0\n")
        + '  <nop next="end"/>\n  <label id="leave"/>\n'
        + seat_hangs_up()
    )


SEAT = "[$seat] [$number]"


def _dial() -> str:
    return (
        _moment("INVITE", "[field0]")
        + _send(
            f"""INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{VIA}
{OUR_SIDE.format(method="INVITE")}
Contact: <sip:citizen@[local_ip]:[local_port]>
{OFFER}"""
        )
        + "".join(f'  <recv response="{code}" optional="true"/>\n' for code in (100, 180, 183))
        + f'  <recv response="200" rrs="true"><action>{_stamp("ANSWER", "[field0]")}</action></recv>\n'
        + _send(
            f"""ACK [next_url] SIP/2.0
{VIA}
{OUR_SIDE.format(method="ACK").replace("@CSEQ@", "1")}
Content-Length: 0
""",
            again=False,
        )
    )


def _request(method: str, rest: str) -> str:
    head = f"{method} [next_url] SIP/2.0\n{VIA}\n{OUR_SIDE.format(method=method)}\n"
    return _send(head + rest) + '  <recv response="200"/>\n'


def _answer(status: str, rest: str, tag: str = "", *, again: bool = False) -> str:
    return _send(f"SIP/2.0 {status}\n{SAME.format(tag=tag)}\n{rest}", again=again)


def _send(message: str, *, again: bool = True) -> str:
    retransmitted = ' retrans="500"' if again else ""
    return f"  <send{retransmitted}><![CDATA[\n{message}\n]]></send>\n"


def _moment(word: str, who: str) -> str:
    return f"  <nop><action>{_stamp(word, who)}</action></nop>\n"


def _stamp(word: str, who: str) -> str:
    return f'<gettimeofday assign_to="s,us"/><log message="{word} [$s] [$us] {who}"/>'


def _scenario(name: str, *steps: str) -> str:
    numbers = count(1)
    first, *rest = "".join(steps).split("@CSEQ@")
    text = first + "".join(f"{next(numbers)}{part}" for part in rest)
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="{name}">\n{text}</scenario>\n'
