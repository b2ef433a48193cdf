"""A small real Asterisk for tests: any configuration, started from the tree in `.asterisk`, gone when the test is.

    async with asterisk({"pjsip.conf": ..., "extensions.conf": ..., "modules.conf": modules("app_echo", ...)}) as pbx:
        await pbx.cli("core show channels count")

Why not the hotline's own configuration: a test of one part wants an exchange that it can read in one breath.
Settings that every such exchange shares (folders, logging, the modules of a SIP call) are here; a file of the same name
given by the test replaces them. The configuration may say `@VAR@` for the folder the exchange runs in.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

TREE = Path(__file__).parent.parent / ".asterisk"
START_S = 30
STOP_S = 10

ASTERISK_CONF = """[directories]
astetcdir => @VAR@/etc
astmoddir => @TREE@/usr/lib/x86_64-linux-gnu/asterisk/modules
astvarlibdir => @VAR@/varlib
astdbdir => @VAR@/varlib
astkeydir => @VAR@/varlib
astdatadir => @TREE@/usr/share/asterisk
astagidir => @TREE@/usr/share/asterisk/agi-bin
astspooldir => @VAR@/spool
astrundir => @VAR@/run
astlogdir => @VAR@/log
astcachedir => @VAR@/run
[options]
verbose=3
"""

LOGGER_CONF = """[general]
dateformat=%F %T.%3q
[logfiles]
messages => notice,warning,error,verbose(3)
"""

RTP_CONF = """[general]
rtpstart=15100
rtpend=15899
strictrtp=no
icesupport=no
"""

SIP_CALL = (
    "res_timing_timerfd",
    "codec_alaw",
    "codec_ulaw",
    "codec_resample",
    "format_pcm",
    "format_wav",
    "format_sln",
    "bridge_simple",
    "bridge_softmix",
    "bridge_holding",
    "bridge_builtin_features",
    "res_rtp_asterisk",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_session",
    "res_pjsip_sdp_rtp",
    "res_pjsip_pubsub",
    "res_pjsip_authenticator_digest",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_endpoint_identifier_user",
    "res_pjsip_registrar",
    "res_pjsip_caller_id",
    "res_pjsip_nat",
    "res_pjsip_dlg_options",
    "chan_pjsip",
    "func_callerid",
    "func_channel",
    "func_logic",
    "func_strings",
    "pbx_config",
    "app_dial",
    "app_playback",
    "app_verbose",
)
"""The modules of a plain SIP call, in an order that loads without complaint."""


def modules(*more: str) -> str:
    """modules.conf that loads the modules of a SIP call and `more` (names without `.so`)."""
    sorcery = "".join(f"preload=res_sorcery_{kind}.so\n" for kind in ("config", "memory", "astdb"))
    return f"[modules]\nautoload=no\n{sorcery}" + "".join(f"load={name}.so\n" for name in (*SIP_CALL, *more))


class Asterisk:
    """A running exchange; `var` is its folder (etc, spool, log, run)."""

    def __init__(self, var: Path) -> None:
        self.var = var

    async def cli(self, command: str) -> str:
        """What Asterisk's own console answers. Raises RuntimeError when it cannot be reached."""
        process = await asyncio.create_subprocess_exec(
            *self.command(), "-rx", command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"asterisk -rx {command!r}: {output.decode().strip()}\n{self.log()}")
        return output.decode()

    async def channels(self) -> int:
        """How many channels are up."""
        first = (await self.cli("core show channels count")).split(maxsplit=1)[0]
        return int(first)

    def log(self) -> str:
        """The last lines of its log, for the message of a failed test."""
        messages = self.var / "log" / "messages"
        return "\n".join(messages.read_text().splitlines()[-40:]) if messages.exists() else "(no log)"

    def command(self) -> list[str]:
        """How the binary of the tree is run: by the tree's own loader, without root, chroot or mounts."""
        libraries = TREE / "usr/lib/x86_64-linux-gnu"
        path = f"{libraries}:{libraries}/asterisk:{libraries}/pulseaudio"
        loader, binary = TREE / "lib64/ld-linux-x86-64.so.2", TREE / "usr/sbin/asterisk"
        return [str(loader), "--library-path", path, str(binary), "-C", str(self.var / "etc/asterisk.conf")]


@contextlib.asynccontextmanager
async def asterisk(files: Mapping[str, str]) -> AsyncIterator[Asterisk]:
    """Start an exchange with these configuration files, wait until it is fully booted, stop it at the end.

    Raises RuntimeError with the end of its log when it does not come up.
    """
    # Not pytest's tmp_path: a Unix socket's path may have 107 characters, and asterisk.ctl is one.
    var = Path(tempfile.mkdtemp(prefix="pbx-"))
    pbx = Asterisk(var)
    try:
        _write(var, files)
        with (var / "console").open("wb") as console:
            process = await asyncio.create_subprocess_exec(
                *pbx.command(), "-f", stdin=asyncio.subprocess.DEVNULL, stdout=console, stderr=console
            )
        try:
            await _booted(pbx, process)
            yield pbx
        finally:
            await _stop(process)
    finally:
        shutil.rmtree(var)


def _write(var: Path, files: Mapping[str, str]) -> None:
    for folder in ("etc", "varlib", "spool/recording", "run", "log/cdr-csv", "log/cdr-custom"):
        (var / folder).mkdir(parents=True)
    common = {
        "asterisk.conf": ASTERISK_CONF,
        "logger.conf": LOGGER_CONF,
        "rtp.conf": RTP_CONF,
        "modules.conf": modules(),
    }
    for name, text in {**common, **files}.items():
        (var / "etc" / name).write_text(text.replace("@VAR@", str(var)).replace("@TREE@", str(TREE)))


async def _booted(pbx: Asterisk, process: asyncio.subprocess.Process) -> None:
    control = pbx.var / "run" / "asterisk.ctl"
    try:
        async with asyncio.timeout(START_S):
            while not control.exists() and process.returncode is None:  # noqa: ASYNC110 - a socket file has no event
                await asyncio.sleep(0.05)
            if process.returncode is not None:
                raise RuntimeError(f"Asterisk ended at once:\n{(pbx.var / 'console').read_text()[-2000:]}\n{pbx.log()}")
            await pbx.cli("core waitfullybooted")
    except TimeoutError as error:
        raise RuntimeError(f"Asterisk was not up after {START_S} s:\n{pbx.log()}") from error


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
