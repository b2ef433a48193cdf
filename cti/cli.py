"""`rexian`: the command line. Exit codes: 0 done, 1 failed, 2 wrong use. Sentences are in the language of the settings.

To add a command, add a function here; what it does lives elsewhere, and is imported inside the command: the server alone
takes 0.6 s to import, which `rexian status` should not wait for.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, TypeVar

import msgspec
import typer

from calls.errors import NotPossible, RexianError
from calls.moments import Observation, decode_observation
from cti import __version__
from cti.control import (
    AnyRequest,
    AskStatus,
    BlockNumber,
    LiftBlock,
    ListBlocks,
    ListMessages,
    MessageAnswered,
    Reload,
    ReviewBlock,
    SeatLogOut,
    SeatMoreTime,
    SeatNotReady,
    SeatReady,
    SeatRedial,
    SeatVerify,
    ask,
    follow,
)
from cti.settings import Settings, load_settings
from cti.status import Done, OpenMessages, Status

if TYPE_CHECKING:
    from cti.phone.plan import CallPlan
    from cti.phone.walkreport import WalkReport

P = ParamSpec("P")
R = TypeVar("R")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="热线 Rexian: the server of a public hotline.",
)
seat_commands = typer.Typer(no_args_is_help=True, help="坐席 Seats: who is ready, and where.")
message_commands = typer.Typer(no_args_is_help=True, help="留言 Voice messages: who waits for an answer.")
block_commands = typer.Typer(no_args_is_help=True, help="限制 Calling numbers that are refused for some days.")
line_commands = typer.Typer(no_args_is_help=True, help="线路 Lines: the hotline files in lines/.")
prompt_commands = typer.Typer(no_args_is_help=True, help="语音 Prompts: what callers hear.")
database_commands = typer.Typer(no_args_is_help=True, help="数据库 The database.")
app.add_typer(seat_commands, name="seat")
app.add_typer(message_commands, name="message")
app.add_typer(block_commands, name="block")
app.add_typer(line_commands, name="line")
app.add_typer(prompt_commands, name="prompts")
app.add_typer(database_commands, name="db")

Number = Annotated[str, typer.Argument(help="The calling number, as 13800001111 or +8657188881234.")]
Days = Annotated[float, typer.Option(help="For so many days from now, 90 at most; 0.5 is half a day.")]
By = Annotated[str, typer.Option(help="Who decides it.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


def tell(text: str = "") -> None:
    """To standard output."""
    typer.echo(text)


def fail(error: object) -> NoReturn:
    """To standard error, and exit code 1."""
    typer.echo(f"rexian: {error}", err=True)
    raise typer.Exit(1)


def plainly(command: Callable[P, R]) -> Callable[P, R]:
    """What went wrong is one sentence, never a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except RexianError as error:
            fail(error)

    return run


def _as_daemon() -> Settings:
    """The settings, as the user who owns the state directory: root does not leave files there that are root's."""
    from cti.stack.owner import become_daemon_user

    settings = load_settings()
    for line in become_daemon_user(settings):
        tell(f"rexian: {line}")
    return settings


def _ask(request: AnyRequest) -> None:
    done = asyncio.run(ask(load_settings().control_socket, request, Done))
    tell(done.done)


@app.command()
@plainly
def serve() -> None:
    """Run the controller in the foreground (make run starts it with everything around it)."""
    from cti.server import serve as run

    run(_as_daemon())


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
    tell(msgspec.json.format(msgspec.json.encode(now)).decode() if as_json else _as_text(now, settings))
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
    _ask(Reload())


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
        tell(msgspec.json.format(msgspec.json.encode(walked)).decode() if as_json else walked.text(settings.language))
        raise typer.Exit(0 if walked.completed else 1)

    async def watch(sip_call_id: str) -> AsyncIterator[Observation]:
        async with follow(settings.control_socket, sip_call_id) as lines:
            async for line in lines:
                yield decode_observation(line)

    report = asyncio.run(place(plan, watch))
    tell(msgspec.json.format(msgspec.json.encode(report)).decode() if as_json else report.text(settings.language))
    raise typer.Exit(0 if report.completed else 1)


def _walk(settings: Settings, plan: CallPlan, script: Path) -> WalkReport:
    _on_one_core()
    from cti.phone.script import load_script
    from cti.phone.walk import walk
    from prompts.hearing import Clips

    clips = Clips.load(settings.prompts_dir)
    return asyncio.run(walk(plan, load_script(script, clips.keys), clips))


def _on_one_core() -> None:
    """Before numpy is imported: what is heard is compared in small pieces, and more threads would wait for each other."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


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


@seat_commands.command("ready")
@plainly
def seat_ready(
    seat: Annotated[str, typer.Argument(help="The seat's number.")],
    adviser: Annotated[str | None, typer.Option(help="Who sits there; may be left out once somebody does.")] = None,
) -> None:
    """An adviser is ready at a seat whose telephone is registered."""
    _ask(SeatReady(seat, adviser))


@seat_commands.command("not-ready")
@plainly
def seat_not_ready(
    seat: Annotated[str, typer.Argument(help="The seat's number.")],
    reason: Annotated[str, typer.Option(help="Why, for people to read.")] = "break",
) -> None:
    """A seat takes no more calls; one that talks finishes first."""
    _ask(SeatNotReady(seat, reason))


@seat_commands.command("more-time")
@plainly
def seat_more_time(seat: Annotated[str, typer.Argument(help="The seat's number.")]) -> None:
    """A minute more for the wrap-up, five in all at most."""
    _ask(SeatMoreTime(seat))


@seat_commands.command("redial")
@plainly
def seat_redial(seat: Annotated[str, typer.Argument(help="The seat's number.")]) -> None:
    """Call back whom this seat's adviser spoke to last: the line was cut, or somebody is in danger."""
    _ask(SeatRedial(seat))


@seat_commands.command("verify")
@plainly
def seat_verify(seat: Annotated[str, typer.Argument(help="The seat's number.")]) -> None:
    """The machine asks the caller who they are, apart from the adviser, who then hears whether it is so."""
    _ask(SeatVerify(seat))


@seat_commands.command("log-out")
@plainly
def seat_log_out(seat: Annotated[str, typer.Argument(help="The seat's number.")]) -> None:
    """The adviser leaves the seat."""
    _ask(SeatLogOut(seat))


@message_commands.command("list")
@plainly
def message_list(as_json: Json = False) -> None:
    """The voice messages that nobody has answered, the most pressing first, and where their sound is."""
    settings = load_settings()
    found = asyncio.run(ask(settings.control_socket, ListMessages(), OpenMessages))
    if as_json:
        tell(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    chinese = settings.language == "zh-CN"
    due, withheld = ("截止", "号码保密") if chinese else ("due", "number withheld")
    words: dict[str, str] = {"message": "留言", "complaint": "投诉"} if chinese else {}
    for one in found.messages:
        until = f"{due} {one.due_at.astimezone(settings.zone):%F %H:%M}"
        number = one.calling_number or withheld
        purpose = " ".join(filter(None, (words.get(one.purpose, one.purpose), one.adviser)))
        tell(f"{one.message}  {purpose}  {until}  {number}  {one.about}  {one.length_ms / 1000:.0f} s  {one.recording}")
    if not found.messages:
        tell("没有待答复的留言" if chinese else "no voice message waits for an answer")


@message_commands.command("answered")
@plainly
def message_answered(
    message: Annotated[str, typer.Argument(help="Its name, as `message list` tells it.")],
    adviser: Annotated[str, typer.Option(help="Who has answered it.")],
) -> None:
    """The citizen has their answer: the promise is kept."""
    _ask(MessageAnswered(message, adviser))


@block_commands.command("add")
@plainly
def block_add(
    number: Number, days: Days, reason: Annotated[str, typer.Option(help="Why, in a sentence.")], by: By
) -> None:
    """Refuse a calling number; whoever says by key that a life is in danger is put through all the same."""
    _ask(BlockNumber(number, days, reason, by))


@block_commands.command("list")
@plainly
def block_list(as_json: Json = False) -> None:
    """The numbers that are refused now: until when, when somebody is to look again, by whom and why."""
    from cti.blocklist import Blocks

    settings = load_settings()
    found = asyncio.run(ask(settings.control_socket, ListBlocks(), Blocks))
    if as_json:
        tell(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    chinese = settings.language == "zh-CN"
    until, look = ("至", "复核") if chinese else ("until", "review by")
    for one in found.blocks:
        end, review = (f"{at.astimezone(settings.zone):%F %H:%M}" for at in (one.until, one.review_at))
        tell(f"{one.calling_number}  {until} {end}  {look} {review}  {one.reviewed_by or one.by}  {one.reason}")
    if not found.blocks:
        tell("没有受限制的号码" if chinese else "no number is blocked")


@block_commands.command("review")
@plainly
def block_review(number: Number, days: Days, by: By) -> None:
    """Somebody has looked again, and it is still right: it stands for so many days from now."""
    _ask(ReviewBlock(number, days, by))


@block_commands.command("lift")
@plainly
def block_lift(number: Number, by: By) -> None:
    """The number may call again."""
    _ask(LiftBlock(number, by))


@line_commands.command("check")
@plainly
def line_check(
    files: Annotated[list[Path] | None, typer.Argument(help="Line files; all of lines/ when none is named.")] = None,
) -> None:
    """Are the line files right, and can all their words be said? Names file, line, column, reason and mend."""
    from tempfile import TemporaryDirectory

    from cti.hotline import load_hotline, vocabulary
    from ivr.lines import load_line
    from prompts import EspeakVoice, OwnWords

    with TemporaryDirectory(prefix="rexian-") as folder:
        own_words = OwnWords(Path(folder), EspeakVoice())
        words = vocabulary(own_words)
        lines = [load_line(file, *words) for file in files or ()] or load_hotline(
            load_settings(), own_words
        ).lines.values()
    for line in lines:
        tell(f"{line.number} {line.version}: ok, {len(line.menus)} menus, {len(line.queues)} queues")


@line_commands.command("draw")
@plainly
def line_draw(file: Annotated[Path, typer.Argument(help="The line file.")]) -> None:
    """A line as a picture: a Mermaid flow chart of its menus, services and queues."""
    from cti.hotline import vocabulary
    from ivr.draw import draw
    from ivr.lines import load_line

    typer.echo(draw(load_line(file, *vocabulary())), nl=False)


@line_commands.command("probe")
@plainly
def line_probe(
    file: Annotated[Path | None, typer.Argument(help="The line file; every line of lines/ when not named.")] = None,
    only_person: Annotated[
        bool, typer.Option("--only-person", help="Only: can a person be reached, how soon?")
    ] = False,
    person: Annotated[bool, typer.Option(help="Whether a person is to be reached, too.")] = True,
    at_once: Annotated[int, typer.Option(min=1, max=100, help="Most calls at once.")] = 20,
    ringing: Annotated[int, typer.Option(min=1, max=100, help="Most calls at once where a seat may ring.")] = 2,
    tries: Annotated[int, typer.Option(min=1, max=9, help="Most calls to reach a person.")] = 3,
    patience_s: Annotated[float, typer.Option(min=1, help="How long each of them waits.")] = 120.0,
    calling_numbers: Annotated[
        str, typer.Option("--from", help="What the calling numbers begin with; five digits follow.")
    ] = "100000",
    as_json: Json = False,
) -> None:
    """神秘来电 Call every branch of a line, and judge by sound alone. Exit code 0: all is as the line file has it."""
    _on_one_core()
    from cti.hotline import load_hotline, vocabulary
    from cti.probe.line import Wishes, probe
    from ivr.lines import load_line

    settings = load_settings()
    wishes = Wishes(
        branches=not only_person,
        person=person,
        at_once=at_once,
        ringing=ringing,
        tries=tries,
        patience_s=patience_s,
        calling_numbers=calling_numbers,
    )
    lines = [load_line(file, *vocabulary())] if file else load_hotline(settings).lines.values()
    reports = [asyncio.run(probe(settings, line, wishes)) for line in lines]
    if as_json:
        tell(msgspec.json.format(msgspec.json.encode([report.told() for report in reports])).decode())
    else:
        tell("\n\n".join(report.text(settings.language) for report in reports))
    raise typer.Exit(0 if all(report.all_right for report in reports) else 1)


@prompt_commands.command("build")
@plainly
def prompts_build() -> None:
    """Build every voice that is missing or whose words changed."""
    from prompts import CATALOGUE, Catalogue, EspeakVoice, build

    settings = _as_daemon()
    report = build(Catalogue.load(CATALOGUE), settings.voices_dir, settings.prompts_dir, EspeakVoice())
    counts = {name: len(getattr(report, name)) for name in ("built", "kept", "overridden", "removed")}
    tell(" ".join(f"{name} {count}" for name, count in counts.items()))
    _tell_problems(report.problems)


@prompt_commands.command("check")
@plainly
def prompts_check() -> None:
    """Is every sentence there, in every language, and its voice built? What a partial language lacks is told."""
    from prompts import CATALOGUE, Catalogue, EspeakVoice, check

    settings = load_settings()
    catalogue = Catalogue.load(CATALOGUE)
    for note in catalogue.notes:
        tell(note)
    _tell_problems(check(catalogue, settings.voices_dir, settings.prompts_dir, EspeakVoice()))
    tell("ok")


def _tell_problems(problems: Sequence[RexianError]) -> None:
    for problem in problems:
        typer.echo(f"rexian: {problem}", err=True)
    if problems:
        raise typer.Exit(1)


@database_commands.command("migrate")
@plainly
def database_migrate() -> None:
    """Bring the database up to date; the controller does so itself when it starts."""
    from cti.store import migrate

    settings = _as_daemon()
    asyncio.run(migrate(settings.postgres_dsn("rexian"), settings.time_zone))
    tell("ok")


def main() -> None:
    """The entry point."""
    sys.exit(app())
