"""Where a phone lives: its ports, and the few files that a baresip reads at its start.

Every phone has its own folder and its own block of ports, so that any number of them run beside each other.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

import msgspec

from cti.phone.wire import PhoneFailed

MODULES = Path("/usr/lib/baresip/modules")
PORTS = range(30000, 32700, 4)
"""Below the range from which Linux takes the ports of outgoing connections."""

PORT_TRIES = 50
RATE_HZ = 8000

CONFIG = """sip_listen {host}:{sip}
ctrl_tcp_listen {host}:{control}
rtp_ports {rtp_first}-{rtp_last}
call_max_calls 1
statmode_default off
jitter_buffer_delay 0-0
audio_source aufile,{microphone}
audio_player none,
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
ring_aufile none
ringback_disabled yes
snd_path {folder}
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
"""
# One call at a time, as a desk phone: a second caller hears 486. No jitter buffer: it keeps the last 100 ms of each
# sound until the next one comes. Never `net_interface lo`: the phone would not find its own address.


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the phone says it is, and where it calls. Without a password it does not register: a bare caller id."""

    user: str
    server: str
    """host:port"""
    password: str | None = None


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """SIP takes two (baresip opens TLS on the next), the control connection one."""

    host: str
    sip: int
    control: int


def free_ports(host: str, sip: int = 0) -> Ports:
    """Ports that nobody has at this moment; `sip` names the SIP port instead of choosing it. Raises PhoneFailed."""
    if sip:
        if _all_free(host, sip):
            return Ports(host=host, sip=sip, control=sip + 2)
        raise PhoneFailed(f"port {host}:{sip} (or one of the two after it) is taken. Mend: name another, or none")
    # Chance, not order: phones started at the same moment by several programs would otherwise all find the same block.
    for first in random.sample(PORTS, PORT_TRIES):
        if _all_free(host, first):
            return Ports(host=host, sip=first, control=first + 2)
    raise PhoneFailed(f"no free port found on {host} after {PORT_TRIES} tries. Mend: end phones that are not needed")


def _all_free(host: str, first: int) -> bool:
    wanted = [(first, socket.SOCK_DGRAM), *((first + n, socket.SOCK_STREAM) for n in range(3))]
    try:
        for port, kind in wanted:
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
    except OSError:
        return False
    return True


def write_files(folder: Path, identity: Identity, ports: Ports, rtp_ports: range, microphone: Path) -> None:
    """Put config, accounts and contacts into the phone's folder."""
    config = CONFIG.format(
        host=ports.host,
        sip=ports.sip,
        control=ports.control,
        rtp_first=rtp_ports.start,
        rtp_last=rtp_ports.stop - 1,
        microphone=microphone,
        folder=folder,
        modules=MODULES,
        rate=RATE_HZ,
    )
    (folder / "config").write_text(config)
    (folder / "accounts").write_text(account_line(identity))
    (folder / "contacts").touch()


def account_line(identity: Identity) -> str:
    """The phone's one account, in baresip's form. A-law first: what trunks in China speak."""
    register = f"auth_user={identity.user};auth_pass={identity.password};regint=60" if identity.password else "regint=0"
    return f"<sip:{identity.user}@{identity.server}>;{register};answermode=manual;audio_codecs=pcma,pcmu\n"
