"""What all commands share: how they speak, how they fail, and how they ask the running controller."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Callable
from typing import Annotated, NoReturn, ParamSpec, TypeVar

import msgspec
import typer

from calls.errors import RexianError
from cti.control import AnyRequest, ask
from cti.settings import Settings, load_settings
from cti.status import Done

P = ParamSpec("P")
R = TypeVar("R")

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


def as_daemon() -> Settings:
    """The settings, as the user who owns the state directory: root does not leave files there that are root's."""
    from cti.stack.owner import become_daemon_user

    settings = load_settings()
    for line in become_daemon_user(settings):
        tell(f"rexian: {line}")
    return settings


def group(explained: str) -> typer.Typer:
    """Commands that belong together under one word."""
    return typer.Typer(no_args_is_help=True, help=explained)


def as_json_text(answer: object) -> str:
    """As scripts read it, and people can."""
    return msgspec.json.format(msgspec.json.encode(answer)).decode()


def order(request: AnyRequest) -> None:
    """Have the controller do something, and tell what is so now."""
    tell(asyncio.run(ask(load_settings().control_socket, request, Done)).done)


def on_one_core() -> None:
    """Before numpy is imported: what is heard is compared in small pieces, and more threads would wait for each other."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
