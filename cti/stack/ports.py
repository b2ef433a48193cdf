"""Which of our ports are taken, and by whom, before any daemon trips over one."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec

from calls.errors import NotPossible
from cti.settings import Settings

PROC = Path("/proc")


class Port(msgspec.Struct, frozen=True):
    """One port that a daemon listens on."""

    purpose: str
    number: int
    kind: socket.SocketKind = socket.SOCK_STREAM

    def __str__(self) -> str:
        return f"{'UDP' if self.kind == socket.SOCK_DGRAM else 'TCP'} port {self.number} ({self.purpose})"


def ports(settings: Settings) -> tuple[Port, ...]:
    """Every port that the stack listens on; the RTP ports are taken call by call and skipped when busy."""
    return (
        Port("SIP", settings.sip_port, socket.SOCK_DGRAM),
        Port("web", settings.web_port),
        Port("controller", settings.api_port),
        Port("MQTT", settings.mqtt_port),
        Port("Asterisk's ARI", settings.ari_port),
        *([Port("the reference business system", settings.bureau_port)] if settings.has_bureau else []),
        *([Port("the reference SMS gateway", settings.texting_port)] if settings.has_texting else []),
    )


def refuse_busy_ports(settings: Settings) -> None:
    """Raises NotPossible, naming every port of ours that another program holds, and that program where it is known."""
    busy = [port for port in ports(settings) if _is_busy(settings.host, port)]
    if busy:
        raise NotPossible(
            f"{'; '.join(f'{port} is held by {holder(port)}' for port in busy)}. "
            "Mend: stop that program, or move all ports at once, such as by REXIAN_PORT_OFFSET=100."
        )


def _is_busy(host: str, port: Port) -> bool:
    with socket.socket(socket.AF_INET, port.kind) as probe:
        if port.kind == socket.SOCK_STREAM:  # as the daemons do; on UDP it would let two bind the same port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port.number))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise NotPossible(
                f"{host}:{port.number} cannot be listened on: {error.strerror}. Mend: correct the setting host."
            ) from error
    return False


def holder(port: Port) -> str:
    """The name and process of whoever holds a port; `another program` where this user may not know."""
    inodes = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in PROC.glob("[0-9]*"):
        try:
            if any(str(handle.readlink()) in inodes for handle in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:  # it has ended, or is another user's
            continue
    return "another program"


def _inodes(port: Port) -> Iterator[str]:
    """The sockets that listen on the port, as the kernel's tables tell: local address in field 1, inode in field 9."""
    tables = ("udp", "udp6") if port.kind == socket.SOCK_DGRAM else ("tcp", "tcp6")
    for table in tables:
        try:
            rows = (PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:  # a kernel without IPv6
            continue
        for row in rows:
            fields = row.split()
            listens = port.kind == socket.SOCK_DGRAM or fields[3] == "0A"
            if listens and int(fields[1].rpartition(":")[2], 16) == port.number:
                yield fields[9]
