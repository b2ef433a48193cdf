"""Asterisk's own description of ARI (Swagger 1.x files), read into typed data.

Two readers share it, so that they cannot disagree: the generator, which reads the vendored files, and the start-up
comparison, which reads the same files from the running Asterisk. To move to another Asterisk: copy its
`usr/share/asterisk/rest-api/*.json` over `swagger/`, write its version into `swagger/version.json`, generate again.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "swagger"


class Swagger(msgspec.Struct, frozen=True, rename="camel"):
    """What all parts share: the files spell their keys in camelCase, and say more than is needed here."""


class AllowableValues(Swagger, frozen=True):
    value_type: str
    values: list[str] = []


class Parameter(Swagger, frozen=True):
    name: str
    param_type: str
    data_type: str
    description: str = ""
    required: bool = False
    allow_multiple: bool = False
    allowable_values: AllowableValues | None = None

    @property
    def choices(self) -> list[str]:
        """The values that Asterisk accepts, where the file lists them."""
        return self.allowable_values.values if self.allowable_values else []


class ErrorResponse(Swagger, frozen=True):
    code: int | str
    reason: str


class Operation(Swagger, frozen=True):
    http_method: str
    nickname: str
    response_class: str
    summary: str = ""
    notes: str = ""
    parameters: list[Parameter] = []
    error_responses: list[ErrorResponse] = []
    upgrade: str = ""


class Api(Swagger, frozen=True):
    path: str
    operations: list[Operation] = []


class Property(Swagger, frozen=True):
    type: str
    required: bool = False
    description: str = ""


class Model(Swagger, frozen=True):
    id: str
    properties: dict[str, Property]
    description: str = ""
    sub_types: list[str] = []


class Resource(Swagger, frozen=True):
    """One file: the operations and the models of one kind of object."""

    apis: list[Api]
    models: dict[str, Model] = {}

    def operations(self) -> Iterator[tuple[str, Operation]]:
        """Each REST operation with its path; the upgrade to a websocket is not one."""
        for api in self.apis:
            for operation in api.operations:
                if not operation.upgrade:
                    yield api.path, operation


_resource = msgspec.json.Decoder(Resource)


def decode(text: bytes) -> Resource:
    """One Swagger file. Raises msgspec.DecodeError where it is not one."""
    return _resource.decode(text)


def names(listing: bytes) -> list[str]:
    """The resources that a `resources.json` lists."""
    return [Path(each.path).stem for each in decode(listing).apis]


def vendored() -> dict[str, Resource]:
    """The files that the client is generated from, by resource name."""
    listed = names((FOLDER / "resources.json").read_bytes())
    return {name: decode((FOLDER / f"{name}.json").read_bytes()) for name in sorted(listed)}


def vendored_version() -> str:
    """The Asterisk release that the vendored files came with."""
    return msgspec.json.decode((FOLDER / "version.json").read_bytes(), type=str)


def event_types(resources: dict[str, Resource]) -> list[str]:
    """Every value that `type` may have on the event socket."""
    models = resources["events"].models if "events" in resources else {}
    return ["MissingParams", *models["Event"].sub_types] if models else []
