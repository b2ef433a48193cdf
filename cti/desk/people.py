"""The routes for accounts: for the admin alone, each change an entry of the audit log."""

from __future__ import annotations

import msgspec
from litestar import get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from calls.words import Role
from cti.desk.accounts import Handed, Shown
from cti.desk.entrance import Asked, Doors, Field, known
from cti.desk.roles import only

ACCOUNTS = "/api/v1/accounts"


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who is to sign in."""

    name: Field
    roles: list[Role]
    adviser: Field | None = None


class Rights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody may do from now on."""

    roles: list[Role]
    adviser: Field | None = None
    disabled: bool = False


class Help(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is given besides a new password."""

    second_factor: bool = False
    """Also to an account that had none."""


def people(doors: Doors) -> list[HTTPRouteHandler]:
    """The routes."""
    accounts, admin = doors.accounts, only("admin")

    @get(ACCOUNTS, opt=admin, sync_to_thread=False)
    def every() -> list[Shown]:
        """Everybody who may sign in, by name."""
        return accounts.all()

    @post(ACCOUNTS, opt=admin)
    async def add(data: JSONBody[NewAccount], request: Asked) -> Handed:
        """A new account, with a password that is shown this once."""
        return await accounts.add(data.name, data.roles, data.adviser, by=known(request)[0].account.name)

    @put(ACCOUNTS + "/{name:str}", opt=admin)
    async def change(name: FromPath[str], data: JSONBody[Rights], request: Asked) -> Shown:
        """Other roles, another number, or no more signing in. The last admin stays one."""
        by = known(request)[0].account.name
        return await accounts.change(name, data.roles, data.adviser, disabled=data.disabled, by=by)

    @post(ACCOUNTS + "/{name:str}/help", opt=admin, status_code=200)
    async def help_out(name: FromPath[str], data: JSONBody[Help], request: Asked) -> Handed:
        """A new password, and second factor where there is one, for somebody who lost theirs or is locked out."""
        return await accounts.help(name, second_factor=data.second_factor, by=known(request)[0].account.name)

    return [every, add, change, help_out]
