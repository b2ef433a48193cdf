"""Does the running Asterisk speak the ARI that this client was generated from? Asked once at start, answered in words.

A difference is never fatal: unknown fields and events are tolerated, and an operation that is missing fails where it is
used. But whoever runs the hotline should know before a citizen does.
"""

import re

from cti.asterisk.client import Ari
from cti.asterisk.errors import AriError, Unreadable
from cti.asterisk.specification import Resource, decode, event_types, vendored, vendored_version


async def compare_api(ari: Ari) -> list[str]:
    """One sentence a difference; empty when there is none. Raises AriError when Asterisk cannot be asked."""
    info = await ari.asterisk.get_info(only="system")
    version = info.system.version if info.system else "of unknown version"
    expected = vendored()
    live, unread = {}, []
    for name in expected:
        try:
            live[name] = await _declaration(ari, name)
        except AriError as error:
            unread.append(f"Asterisk does not describe its {name}: {error}. Load the module res_ari_{name}.so.")
    return [*version_difference(version), *unread, *differences(expected, live)]


async def _declaration(ari: Ari, name: str) -> Resource:
    answer = await ari.http.document(f"/api-docs/{name}.json")
    try:
        return decode(answer)
    except ValueError as error:
        raise Unreadable(str(error)) from error


def version_difference(running: str) -> list[str]:
    expected = vendored_version()
    if re.split(r"[^\d.]", running, maxsplit=1)[0] == expected:
        return []
    return [f"Asterisk is {running}, the ARI client was generated for {expected}: see cti/asterisk/specification.py."]


def differences(expected: dict[str, Resource], live: dict[str, Resource]) -> list[str]:
    """What the running Asterisk has more or less of, of the resources that it describes."""
    known = {name: each for name, each in expected.items() if name in live}
    return [
        *_difference("operation", _operations(known), _operations(live)),
        *_difference("event type", set(event_types(known)), set(event_types(live))),
    ]


def _operations(resources: dict[str, Resource]) -> set[str]:
    return {f"{each.http_method} {path}" for one in resources.values() for path, each in one.operations()}


def _difference(what: str, expected: set[str], live: set[str]) -> list[str]:
    return [
        *(f"Asterisk lacks the {what} {each}, which the ARI client knows." for each in sorted(expected - live)),
        *(f"Asterisk has the {what} {each}, unknown to the ARI client." for each in sorted(live - expected)),
    ]
