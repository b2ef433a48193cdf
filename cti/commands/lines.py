"""`rexian line`: the hotline files in lines/."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cti.commands.plain import Json, as_json_text, group, on_one_core, plainly, tell
from cti.settings import load_settings

commands = group("线路 Lines: the hotline files in lines/.")


@commands.command("check")
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


@commands.command("draw")
@plainly
def line_draw(file: Annotated[Path, typer.Argument(help="The line file.")]) -> None:
    """A line as a picture: a Mermaid flow chart of its menus, services and queues."""
    from cti.hotline import vocabulary
    from ivr.draw import draw
    from ivr.lines import load_line

    typer.echo(draw(load_line(file, *vocabulary())), nl=False)


@commands.command("probe")
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
    on_one_core()
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
        tell(as_json_text([report.told() for report in reports]))
    else:
        tell("\n\n".join(report.text(settings.language) for report in reports))
    raise typer.Exit(0 if all(report.all_right for report in reports) else 1)
