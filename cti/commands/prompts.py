"""`rexian prompts`: what callers hear."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from calls.errors import RexianError
from cti.commands.plain import as_daemon, group, plainly, tell
from cti.settings import load_settings

commands = group("语音 Prompts: what callers hear.")


@commands.command("build")
@plainly
def prompts_build() -> None:
    """Build every voice that is missing or whose words changed."""
    from prompts import CATALOGUE, Catalogue, EspeakVoice, build

    settings = as_daemon()
    report = build(Catalogue.load(CATALOGUE), settings.voices_dir, settings.prompts_dir, EspeakVoice())
    counts = {name: len(getattr(report, name)) for name in ("built", "kept", "overridden", "removed")}
    tell(" ".join(f"{name} {count}" for name, count in counts.items()))
    _tell_problems(report.problems)


@commands.command("check")
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
