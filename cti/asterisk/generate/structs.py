"""The modules of models and events. Pure: Swagger declarations in, Python text out."""

from cti.asterisk.generate.layout import INDENT, docstring, imported, model_name, module, python_type, snake
from cti.asterisk.specification import Model, Property, Resource, event_types

# The ids by which an event can be awaited: a field of this type names these objects.
_KEYS = {
    "Channel": ("{0}.id",),
    "Bridge": ("{0}.id",),
    "Playback": ("{0}.id", '{0}.target_uri.rpartition(":")[2]'),
    "LiveRecording": ("{0}.name", '{0}.target_uri.rpartition(":")[2]'),
    "Endpoint": ('f"{{{0}.technology}}/{{{0}.resource}}"',),
}

_MESSAGE = '''
class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Whatever comes over the event socket."""

    asterisk_id: str | None = None

    def concerns(self) -> list[str]:
        """The ids of the channels, bridges and playbacks concerned, names of recordings, `PJSIP/1001` of endpoints."""
        return []
'''.splitlines()


def models_module(resources: dict[str, Resource], version: str) -> str:
    """Every model that is not an event, dependencies first."""
    events = {*event_types(resources), "Message", "Event"}
    models = {name: model for each in resources.values() for name, model in each.models.items() if name not in events}
    body = ["import msgspec"]
    for name in _dependencies_first(models):
        body += _struct(name, "msgspec.Struct", models[name])
    return module(version, "What ARI answers with: frozen; fields of a newer Asterisk are ignored.", body)


def _dependencies_first(models: dict[str, Model]) -> list[str]:
    ordered: list[str] = []

    def visit(name: str) -> None:
        for declared in models[name].properties.values():
            if (needed := model_name(declared.type)) is not None:
                visit(needed)
        if name not in ordered:
            ordered.append(name)

    for name in sorted(models):
        visit(name)
    return ordered


def events_module(resources: dict[str, Resource], version: str) -> str:
    """One class an event, told apart by `type`, each knowing which objects it concerns."""
    models, names = resources["events"].models, event_types(resources)
    base = models["Event"]
    fields = [field for name in names for field in models[name].properties.values()]
    used = {name for field in fields if (name := model_name(field.type))}
    body = ["import msgspec", "", *imported("cti.asterisk.generated.models", used), "", *_MESSAGE]
    body += _struct("Event", "Message", base)
    for name in names:
        body += _event(name, "Event" if name in base.sub_types else "Message", models[name])
    body += ["", "", "AnyMessage = (", f"{INDENT}{names[0]}", *(f"{INDENT}| {name}" for name in names[1:]), ")"]
    return module(version, "What ARI tells: frozen messages, a union tagged by `type`.", body)


def _struct(name: str, base: str, model: Model) -> list[str]:
    doc = docstring([model.description or f"{name}, as Asterisk reports it."], INDENT)
    fields = [_field(key, declared) for key, declared in model.properties.items()]
    return ["", "", f"class {name}({base}, frozen=True, kw_only=True):", *doc, *([""] if fields else []), *fields]


def _field(name: str, declared: Property) -> str:
    python, typed = snake(name), python_type(declared.type)
    renamed = f'name="{name}"' if python != name else ""
    if declared.required:
        return f"{INDENT}{python}: {typed}" + (f" = msgspec.field({renamed})" if renamed else "")
    default = f"msgspec.field({renamed}, default=None)" if renamed else "None"
    return f"{INDENT}{python}: {typed} | None = {default}"


def _event(name: str, base: str, model: Model) -> list[str]:
    lines = _struct(name, base, model)
    concerned = {snake(key): each for key, each in model.properties.items() if each.type in _KEYS}
    if not concerned:
        return lines
    sure = [text for field, each in concerned.items() if each.required for text in _keys(field, each)]
    perhaps = {field: each for field, each in concerned.items() if not each.required}
    lines += ["", f"{INDENT}def concerns(self) -> list[str]:"]
    if not perhaps:
        return [*lines, f"{INDENT * 2}return [{', '.join(sure)}]"]
    lines += [f"{INDENT * 2}found = [{', '.join(sure)}]"]
    for field, each in perhaps.items():
        lines += [f"{INDENT * 2}if self.{field}:", f"{INDENT * 3}found += [{', '.join(_keys(field, each))}]"]
    return [*lines, f"{INDENT * 2}return found"]


def _keys(field: str, declared: Property) -> list[str]:
    return [template.format(f"self.{field}") for template in _KEYS[declared.type]]
