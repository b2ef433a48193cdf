"""`python -m texting`: the gateway on loopback, until SIGTERM. The common key stands in a file, not in the arguments."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web

from texting.gateway import Gateway
from texting.kept import Kept

FAREWELL_S = 1.0
"""How long what is being answered may take when the service is told to stop."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("texting", description="The reference SMS gateway.")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0: any free one")
    parser.add_argument("--key-file", type=Path, required=True, help="the key that both sides sign with, in a file")
    parser.add_argument("--file", type=Path, required=True, help="where it keeps which texts it has taken")
    parser.add_argument("--reports-to", required=True, help="the hotline's address for delivery reports")
    parser.add_argument("--faults", action="store_true", help="for tests: /faults makes things go wrong")
    return parser.parse_args()


async def _serve(told: argparse.Namespace, listener: socket.socket) -> None:
    key = told.key_file.read_text().strip().encode()
    gateway = Gateway(Kept(told.file, key), key, told.reports_to, faulty=told.faults)
    runner = web.AppRunner(gateway.application(), access_log=None, shutdown_timeout=FAREWELL_S)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    await stopped.wait()
    await runner.cleanup()


def main() -> None:
    """Run until SIGTERM."""
    told = _arguments()
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", told.port))  # it listens once it can answer; until then whoever comes is refused
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    asyncio.run(_serve(told, listener))


if __name__ == "__main__":
    main()
