"""`rexian account`: who may sign in at the desk, for the first admin and for the day on which no admin can sign in."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer

from calls.errors import NotPossible
from calls.words import ROLES, Role
from cti.commands.plain import Json, as_daemon, as_json_text, group, order, plainly, tell
from cti.control import AddAccount, AnyRequest, ChangeAccount, HelpAccount, ListAccounts, ask
from cti.settings import load_settings

commands = group("账号 Accounts: who may sign in at the desk.")

Name = Annotated[str, typer.Argument(help="The name to sign in with.")]
Roles = Annotated[list[str], typer.Option("--role", help=f"What they are: {', '.join(ROLES)}. May be repeated.")]
Adviser = Annotated[str | None, typer.Option(help="The number (工号) under which an adviser takes calls.")]


@commands.command("list")
@plainly
def account_list(as_json: Json = False) -> None:
    """Everybody who may sign in, with their roles."""
    from cti.desk.accounts import Everybody

    settings = load_settings()
    found = asyncio.run(ask(settings.control_socket, ListAccounts(), Everybody))
    if as_json:
        tell(as_json_text(found))
        return
    chinese = settings.language == "zh-CN"
    words = ("停用", "已锁定", "须改密码") if chinese else ("disabled", "locked", "must choose a password")
    for one in found.accounts:
        states = [word for word, so in zip(words, (one.disabled, one.locked, one.must_change), strict=True) if so]
        tell("  ".join(filter(None, (one.name, " ".join(one.roles), one.adviser, ", ".join(states)))))


@commands.command("add")
@plainly
def account_add(name: Name, roles: Roles, adviser: Adviser = None) -> None:
    """A new account. Its password is told this once, and its person chooses another at the first sign-in."""
    _hand(AddAccount(name, _roles(roles), adviser))


@commands.command("change")
@plainly
def account_change(
    name: Name,
    roles: Roles,
    adviser: Adviser = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="They may not sign in any more.")] = False,
) -> None:
    """Other roles, another number, or no more signing in: all that is not given is taken away."""
    order(ChangeAccount(name, _roles(roles), adviser, disabled))


@commands.command("help")
@plainly
def account_help(
    name: Name,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Also a second factor, where they had none.")
    ] = False,
) -> None:
    """A new password, and second factor, for somebody who lost theirs or is locked out."""
    _hand(HelpAccount(name, second_factor))


def _roles(given: list[str]) -> list[Role]:
    try:
        return msgspec.convert(given, list[Role])
    except msgspec.ValidationError:
        raise NotPossible(f"{', '.join(given)}: not a role. Mend: write of {', '.join(ROLES)}.") from None


def _hand(request: AnyRequest) -> None:
    from cti.desk.accounts import Handed

    settings = load_settings()
    handed = asyncio.run(ask(settings.control_socket, request, Handed))
    chinese = settings.language == "zh-CN"
    password, secret = ("一次性密码", "验证器密钥") if chinese else ("password, for once", "key for the authenticator")
    tell(f"{handed.name}  {password}: {handed.password}")
    if handed.code_secret:
        tell(f"{secret}: {handed.code_secret}")


@commands.command("audit")
@plainly
def account_audit() -> None:
    """Is the audit log as it was written? Names the first entry that is not. Exit code 1 when one is not."""
    from cti.audited import verify

    tell(asyncio.run(verify(as_daemon())))
