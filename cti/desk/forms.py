"""The routes for what advisers write down of their conversations."""

from __future__ import annotations

import msgspec
from litestar import get, post, put
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from cti.categories import Category
from cti.desk.entrance import Asked
from cti.desk.house import House
from cti.desk.mine import adviser_of
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
        house.forms.write(visit, adviser_of(request), data)

    @post(FORM, opt=adviser, status_code=204, sync_to_thread=False)
    def save(visit: FromPath[str], data: JSONBody[Draft], request: Asked) -> None:
        """It is whole, and the form is closed."""
        house.forms.save(visit, adviser_of(request), data)

    return [categories, write, save]
