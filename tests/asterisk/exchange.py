"""The small exchange on which phones are tried: it registers seats and takes any peer on the loopback as a trunk. Its numbers:

100  echoes what it hears            103  answers, and hangs up after a second
101  takes three keys, hangs up      104  rings, never answers
2xx  rings the seat of that number for 20 s
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from cti.phone.places import free_ports
from tests.asterisk_tree import Asterisk, asterisk, modules

SEATS = tuple(str(number) for number in range(201, 206))
PASSWORD = "secret-of-the-seat"

PJSIP = """[global]
type=global
endpoint_identifier_order=auth_username,username,ip
[udp]
type=transport
protocol=udp
bind={server}
[trunk]
type=endpoint
context=numbers
disallow=all
allow=alaw,ulaw
direct_media=no
rtp_symmetric=yes
dtmf_mode=rfc4733
[trunk]
type=identify
endpoint=trunk
match=127.0.0.0/8
"""

SEAT = """[{seat}]
type=endpoint
context=numbers
disallow=all
allow=alaw,ulaw
direct_media=no
rtp_symmetric=yes
dtmf_mode=rfc4733
auth={seat}
aors={seat}
[{seat}]
type=auth
auth_type=userpass
username={seat}
password={password}
[{seat}]
type=aor
max_contacts=1
remove_existing=yes
"""

EXTENSIONS = """[numbers]
exten => 100,1,Answer()
 same => n,Echo()
exten => 101,1,Answer()
 same => n,Read(KEYS,,3,,1,10)
 same => n,Verbose(1,KEYS=${KEYS})
 same => n,Hangup()
exten => 103,1,Answer()
 same => n,Wait(1)
 same => n,Hangup()
exten => 104,1,Ringing()
 same => n,Wait(20)
exten => _2XX,1,Dial(PJSIP/${EXTEN},20)
 same => n,Hangup(${HANGUPCAUSE})
"""


@contextlib.asynccontextmanager
async def exchange() -> AsyncIterator[tuple[Asterisk, str]]:
    """The running exchange, and its host:port for SIP."""
    server = f"127.0.0.1:{free_ports('127.0.0.1').sip}"
    seats = "".join(SEAT.format(seat=seat, password=PASSWORD) for seat in SEATS)
    files = {
        "pjsip.conf": PJSIP.format(server=server) + seats,
        "extensions.conf": EXTENSIONS,
        "modules.conf": modules("app_echo", "app_read"),
    }
    async with asterisk(files) as pbx:
        yield pbx, server
