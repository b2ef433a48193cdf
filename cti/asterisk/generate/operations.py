"""The modules of operations. Pure: Swagger declarations in, Python text out."""

import re
from collections.abc import Iterable, Iterator

from cti.asterisk.generate.layout import (
    INDENT,
    bracketed,
    class_name,
    docstring,
    imported,
    model_name,
    module,
    python_type,
    snake,
)
from cti.asterisk.specification import Operation, Parameter, Resource

_UNDECODED = ("void",)

_FILE = "binary"
"""What an operation answers that hands out a file: requests go by websocket, where only JSON is answered."""


def operations_module(resource: str, declared: Resource, version: str) -> str:
    """One class with a method for each operation on one kind of object."""
    operations = [(path, each) for path, each in declared.operations() if each.response_class != _FILE]
    parameters = [each for _, operation in operations for each in operation.parameters]
    answers = sorted({each.response_class for _, each in operations} - {*_UNDECODED})
    choices = _choices(operations)
    body = _imports(parameters, answers)
    constants = [f"{_decoder(answer)} = msgspec.json.Decoder({python_type(answer)})" for answer in answers]
    for values, name in choices.items():
        constants += bracketed(f"{name} = Literal[", [f'"{value}"' for value in values], "]")
    body += ["", *constants] if constants else []
    body += ["", "", f"class {class_name(resource)}:", f'{INDENT}"""Every ARI operation on {resource}."""', ""]
    body += [f"{INDENT}def __init__(self, transport: Transport) -> None:", f"{INDENT * 2}self._transport = transport"]
    for path, operation in operations:
        body += ["", *_method(resource, path, operation, choices)]
    return module(version, f"ARI operations on {resource}.", body)


def package_module(resources: Iterable[str], version: str) -> str:
    """`Resources`: one attribute a kind of object."""
    names = sorted(resources, key=snake)
    body = [f"from cti.asterisk.generated.{snake(each)} import {class_name(each)}" for each in names]
    body += ["from cti.asterisk.transport import Transport", "", f'ASTERISK = "{version}"', "", "", "class Resources:"]
    body += [f'{INDENT}"""Everything ARI can be asked, by kind of object."""', ""]
    body += [f"{INDENT}def __init__(self, transport: Transport) -> None:"]
    body += [f"{INDENT * 2}self.{snake(each)} = {class_name(each)}(transport)" for each in names]
    return module(version, "The generated ARI client.", body)


def _imports(parameters: list[Parameter], answers: list[str]) -> list[str]:
    collections = [
        *(["Mapping"] if any(each.param_type == "body" for each in parameters) else []),
        *(["Sequence"] if any(each.allow_multiple or each.name == "fields" for each in parameters) else []),
    ]
    standard = imported("collections.abc", collections) if collections else []
    standard += ["from typing import Literal"] if any(each.choices for each in parameters) else []
    models = {name for answer in answers if (name := model_name(answer))}
    transport = ["Transport", *(["segment"] if any(each.param_type == "path" for each in parameters) else [])]
    return [
        *([*standard, ""] if standard else []),
        *(["import msgspec", ""] if answers else []),
        *(imported("cti.asterisk.generated.models", models) if models else []),
        *imported("cti.asterisk.transport", transport),
    ]


def _choices(operations: list[tuple[str, Operation]]) -> dict[tuple[str, ...], str]:
    """A name for each list of allowed values, after the first operation that has it."""
    named: dict[tuple[str, ...], str] = {}
    for _, operation in operations:
        for each in operation.parameters:
            if each.choices:
                named.setdefault(tuple(each.choices), class_name(operation.nickname) + class_name(each.name))
    return named


def _decoder(answer: str) -> str:
    return "_" + re.sub(r"List\[(.+)\]", r"\1_list", answer).upper()


def _method(resource: str, path: str, operation: Operation, choices: dict[tuple[str, ...], str]) -> list[str]:
    answer, name = operation.response_class, snake(operation.nickname)
    signature = ["self", *_signature(operation.parameters, choices)]
    arguments = [f'"{resource}.{name}"', f'"{operation.http_method}"', _path(path)]
    arguments = arguments if answer in _UNDECODED else [_decoder(answer), *arguments]
    verb = "send" if answer in _UNDECODED else "fetch"
    call = f"{'' if answer == 'void' else 'return '}await self._transport.{verb}("
    extra = [*_query(operation.parameters), *_body(operation.parameters)]
    lines = bracketed(f"async def {name}(", signature, f") -> {python_type(answer)}:", INDENT)
    lines += docstring(_explained(operation), INDENT * 2)
    if not extra:
        return [*lines, *bracketed(call, arguments, ")", INDENT * 2)]
    return [
        *lines,
        f"{INDENT * 2}{call}",
        *(f"{INDENT * 3}{argument}," for argument in arguments),
        *(f"{INDENT * 3}{line}" for line in extra),
        f"{INDENT * 2})",
    ]


def _path(path: str) -> str:
    filled = re.sub(r"\{(\w+)\}", lambda match: f"{{segment({snake(match[1])})}}", path)
    return f'f"{filled}"' if filled != path else f'"{path}"'


def _signature(parameters: list[Parameter], choices: dict[tuple[str, ...], str]) -> Iterator[str]:
    """Path first, then what is required, in the file's order; the rest by keyword, None meaning Asterisk's default."""
    required = [each for each in parameters if each.required or each.param_type == "path"]
    optional = [each for each in parameters if each not in required]
    for each in sorted(required, key=lambda each: each.param_type != "path"):
        yield f"{snake(each.name)}: {_argument(each, choices)}"
    if optional:
        yield "*"
    for each in optional:
        yield f"{snake(each.name)}: {_argument(each, choices)} | None = None"


def _argument(parameter: Parameter, choices: dict[tuple[str, ...], str]) -> str:
    if parameter.name == "fields":
        return "Sequence[Mapping[str, str]]"
    if parameter.param_type == "body":
        return "Mapping[str, object]"
    single = choices.get(tuple(parameter.choices), python_type(parameter.data_type))
    return f"{single} | Sequence[{single}]" if parameter.allow_multiple else single


def _explained(operation: Operation) -> Iterator[str]:
    yield operation.summary.rstrip(".") + "."
    yield operation.notes
    for each in operation.parameters:
        if each.description:
            yield f"- {snake(each.name)}: {each.description}"
    if operation.error_responses:
        reasons = (f"{each.code} {each.reason.rstrip('.')}" for each in operation.error_responses)
        yield f"Refusals: {'; '.join(reasons)}."


def _query(parameters: list[Parameter]) -> list[str]:
    named = [each for each in parameters if each.param_type == "query"]
    return ["query={", *(f'{INDENT}"{each.name}": {snake(each.name)},' for each in named), "},"] if named else []


def _body(parameters: list[Parameter]) -> list[str]:
    """`filter` is the whole body; everything else sits in the body under its own name."""
    for each in parameters:
        if each.param_type == "body":
            value = each.name if each.name == "filter" else f'{{"{each.name}": {each.name}}}'
            optional = "" if each.required or each.name == "filter" else f" if {each.name} is not None else None"
            return [f"body={value}{optional},"]
    return []
