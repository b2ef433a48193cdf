"""`rexian`: the command line. Exit codes: 0 done, 1 failed, 2 wrong use. Sentences are in the language of the settings.

To add a command, add a function to its group in `cti/commands/`, or here when it has none; what it does lives elsewhere, and
is imported inside the command: the server alone takes 0.6 s to import, which `rexian status` should not wait for.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from calls.errors import NotPossible, RexianError
from calls.moments import Observation, decode_observation
from cti import __version__
from cti.commands import accounts, blocks, database, lines, messages, prompts, seats
from cti.commands.plain import Json, as_daemon, as_json_text, on_one_core, order, plainly, tell
from cti.control import AskStatus, Reload, ask, follow
from cti.settings import Settings, load_settings
from cti.status import Status

if TYPE_CHECKING:
    from cti.phone.plan import CallPlan
    from cti.phone.walkreport import WalkReport

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="热线 Rexian: the server of a public hotline.",
)
for word, group in (
    ("seat", seats),
    ("message", messages),
    ("block", blocks),
    ("account", accounts),
    ("line", lines),
    ("prompts", prompts),
    ("db", database),
):
    app.add_typer(group.commands, name=word)


@app.command()
@plainly
def serve() -> None:
    """Run the controller in the foreground (make run starts it with everything around it)."""
    from cti.server import serve as run

    run(as_daemon())


@app.command()
@plainly
def status(as_json: Json = False) -> None:
    """How the hotline is. Exit code 0 only when it takes calls and every part works."""
    settings = load_settings()
    try:
        now = asyncio.run(ask(settings.control_socket, AskStatus(), Status))
    except RexianError as error:
        if as_json:
            tell(msgspec.json.encode({"ready": False, "problems": [str(error)]}).decode())
            raise typer.Exit(1) from error
        raise
    tell(as_json_text(now) if as_json else _as_text(now, settings))
    raise typer.Exit(0 if now.ready else 1)


def _as_text(now: Status, settings: Settings) -> str:
    chinese = settings.language == "zh-CN"
    words = ("就绪", "未就绪", "问题") if chinese else ("ready", "not ready", "problem")
    seats = " ".join(f"{number}:{state}" for number, state in now.seats.items())
    return "\n".join(
        [
            f"{words[0] if now.ready else words[1]}  rexian {__version__}  asterisk {now.versions['asterisk']}",
            f"SIP {now.sip.host}:{now.sip.port}  {now.web}  {now.mqtt}",
            f"calls {now.calls}  facts {now.facts}",
            f"seats {seats}",
            *(f"{words[2]}: {problem}" for problem in now.problems),
        ]
    )


@app.command()
@plainly
def reload() -> None:
    """Read the hotline files again; calls that are up finish on theirs. Nothing changes when a file is wrong."""
    order(Reload())


@app.command()
@plainly
def call(
    to: Annotated[str, typer.Option(help="The number to dial.")] = "12333",
    keys: Annotated[str, typer.Option(help="One key for each menu, such as 1 or 51.")] = "",
    say: Annotated[Path | None, typer.Option(help="A WAV to say, over and over.")] = None,
    rate: Annotated[str | None, typer.Option(help="The key for the satisfaction question, 1 to 5.")] = None,
    barge: Annotated[bool, typer.Option(help="Key at once, without hearing the menu out.")] = False,
    script: Annotated[
        Path | None, typer.Option(help="Walk this script instead, by what is heard: docs/probe.md.")
    ] = None,
    calling_number: Annotated[str, typer.Option("--from", help="The calling number to show.")] = "13800001111",
    hold_s: Annotated[float | None, typer.Option(help="Hang up after so many seconds with the adviser.")] = None,
    hang_up_after_s: Annotated[float | None, typer.Option(help="Hang up so many seconds after dialling.")] = None,
    max_s: Annotated[float, typer.Option(help="Give up after so many seconds.")] = 120.0,
    as_json: Json = False,
) -> None:
    """Be a citizen: a real SIP call with real sound, and a report of each step and its time."""
    from cti.phone.citizen import call as place
    from cti.phone.plan import CallPlan

    settings = load_settings()
    plan = CallPlan(
        to=to,
        server=f"{settings.host}:{settings.sip_port}",
        calling_number=calling_number,
        keys=keys,
        barge=barge,
        rate=rate,
        say=say,
        hold_s=hold_s,
        hang_up_after_s=hang_up_after_s,
        max_s=max_s,
    )
    if script:
        if keys or say or rate or barge or hold_s or hang_up_after_s:
            raise NotPossible("--script says what is done: only --to, --from and --max-s may be given beside it")
        walked = _walk(settings, plan, script)
        tell(as_json_text(walked) if as_json else walked.text(settings.language))
        raise typer.Exit(0 if walked.completed else 1)

    async def watch(sip_call_id: str) -> AsyncIterator[Observation]:
        async with follow(settings.control_socket, sip_call_id) as lines:
            async for line in lines:
                yield decode_observation(line)

    report = asyncio.run(place(plan, watch))
    tell(as_json_text(report) if as_json else report.text(settings.language))
    raise typer.Exit(0 if report.completed else 1)


def _walk(settings: Settings, plan: CallPlan, script: Path) -> WalkReport:
    on_one_core()
    from cti.phone.script import load_script
    from cti.phone.walk import walk
    from prompts.hearing import Clips

    clips = Clips.load(settings.prompts_dir)
    return asyncio.run(walk(plan, load_script(script, clips.keys), clips))


@app.command("why")
@plainly
def tell_why(call: Annotated[str, typer.Argument(help="Its call_id or its SIP Call-ID.")]) -> None:
    """为什么 Why a call went where it went: who was chosen, and why every other was passed over."""
    from cti.why import why

    for line in asyncio.run(why(load_settings(), call)):
        tell(line)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotPossible(f"{text!r} is no day. Mend: write it as 2026-11-27.") from None


@app.command("twin")
@plainly
def run_twin(
    forecast: Annotated[
        Path | None, typer.Argument(help="The file of calls, patience and staff: docs/twin.md.")
    ] = None,
    recorded: Annotated[
        str | None, typer.Option(help="In place of a file: a day of this hotline, as 2026-11-27.")
    ] = None,
    add: Annotated[
        list[str] | None, typer.Option(help="What if so many more sit: 5@13:30-14:30. May be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the calls; the file's own when not given.")] = None,
    connected: Annotated[
        float | None, typer.Option(min=1, max=100, help="The cheapest staffing that answers so many % of the calls.")
    ] = None,
    in_time: Annotated[
        float | None, typer.Option(min=1, max=100, help="The cheapest staffing that answers so many % in time.")
    ] = None,
) -> None:
    """如果 A day that never was: waits, abandonment and service level by half hour, by the engine itself."""
    from cti.twin import again, staffing, twin
    from queues.cheapest import Target

    settings = load_settings()
    parts = [None if per_cent is None else per_cent / 100 for per_cent in (connected, in_time)]
    if (forecast is None) == (recorded is None):
        raise NotPossible("one of the two must be named: a forecast file, or --recorded DAY")
    if forecast is None:
        if parts != [None, None]:
            raise NotPossible(
                "a recorded day has the advisers that it had. Mend: look for a staffing with a forecast file."
            )
        lines = asyncio.run(again(settings, _day(recorded or ""), add or [], seed or 1, settings.language))
    elif parts == [None, None]:
        lines = twin(forecast, add or [], seed, settings.language)
    else:
        lines = staffing(forecast, add or [], seed, Target(*parts), settings.language)
    for line in lines:
        tell(line)


def main() -> None:
    """The entry point."""
    sys.exit(app())
