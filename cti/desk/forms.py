"""The routes for what advisers write down of their conversations."""

from __future__ import annotations

import msgspec
from litestar import get, post, put
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from cti.categories import Category
from cti.desk.entrance import Asked, known
from cti.desk.house import House
from cti.desk.roles import only
from cti.forms import Draft

FORM, CATEGORIES = "/api/v1/forms/{visit:str}", "/api/v1/categories"


class Categories(msgspec.Struct, frozen=True):
    """The centre's own table."""

    categories: tuple[Category, ...]


def forms(house: House) -> list[BaseRouteHandler]:
    """The routes."""
    adviser = only("adviser")

    @get(CATEGORIES, opt=only("adviser", "lead", "quality", "manager"), sync_to_thread=False)
    def categories() -> Categories:
        """What conversations are about."""
        return Categories(house.categories())

    @put(FORM, opt=adviser, status_code=204, sync_to_thread=False)
    def write(visit: FromPath[str], data: JSONBody[Draft], request: Asked) -> None:
        """Keep what is written so far."""
        house.forms.write(visit, _adviser(request), data)

    @post(FORM, opt=adviser, status_code=204, sync_to_thread=False)
    def save(visit: FromPath[str], data: JSONBody[Draft], request: Asked) -> None:
        """It is whole, and the form is closed."""
        house.forms.save(visit, _adviser(request), data)

    return [categories, write, save]


def _adviser(request: Asked) -> str:
    adviser = known(request)[0].account.adviser
    if adviser is None:
        raise PermissionDeniedException("only whoever takes calls writes them down")
    return adviser
