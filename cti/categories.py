"""What conversations are about (业务分类): the centre's own table, which advisers choose from after each one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from calls.yamlfile import load
from cti.settings import CHECKOUT

FILE = "categories.yaml"
SHIPPED = CHECKOUT / "lines" / FILE
"""Used where a deployment's own folder has none."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category and its topics, as people read them."""

    name: Name
    topics: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    categories: Annotated[tuple[Category, ...], msgspec.Meta(min_length=1)]


def load_categories(folder: Path) -> tuple[Category, ...]:
    """Those of the folder of hotline files. Raises BadFile with line, column, reason and mend."""
    path = folder / FILE
    file, document = load(path if path.exists() else SHIPPED, _File)
    seen: set[str] = set()
    for index, category in enumerate(file.categories):
        if category.name in seen:
            reason = f"category {category.name} stands twice"
            raise document.wrong("categories", index, "name", reason=reason, mend="put all its topics into one")
        seen.add(category.name)
        if not all(category.topics) or not category.topics:
            reason = f"category {category.name} lacks a topic"
            raise document.wrong("categories", index, "topics", reason=reason, mend="name at least one, none empty")
        if len(set(category.topics)) < len(category.topics):
            reason = f"a topic of {category.name} stands twice"
            raise document.wrong("categories", index, "topics", reason=reason, mend="name each topic once")
    return file.categories
