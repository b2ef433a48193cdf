"""What a caller can do without a person: one file a service, found by its name.

To add one, write `<name>.py` here with one coroutine,

    async def serve(window: Window) -> ServiceOutcome: ...

its words in the catalogue, and a choice `service: <name>` in a line file. Nothing else has to know of it.
A service says everything itself, also that it could not be done; it never hangs up, and answers what came of it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping

from calls.clock import ms_between
from calls.facts import ServiceOutcome, ServiceUsed
from ivr.served import WantsPerson
from ivr.window import Window

Service = Callable[[Window], Awaitable[ServiceOutcome]]


def _found() -> dict[str, Service]:
    """Every service of this folder by the name of its file."""
    return {name: importlib.import_module(f"{__name__}.{name}").serve for _, name, _ in pkgutil.iter_modules(__path__)}


VOICE_MESSAGE = "voice_message"
"""The service that the rules themselves lead to, when nobody can be reached."""

COMPLAINT = "complaint"
"""The service that a bad rating leads to."""

FOR_PEOPLE = (VOICE_MESSAGE, COMPLAINT)
"""These answer nothing themselves: what they take down is for people, and there is nothing of the machine to be rated."""

FAX_DOCUMENTS = "fax_documents"
"""The service that needs the line to have documents."""

SERVICES: Mapping[str, Service] = _found()


async def use(name: str, window: Window) -> ServiceOutcome:
    """Serve the caller at this window, and record what came of it, a hang-up too. Raises WantsPerson."""
    clock, began = window.caller.clock, window.caller.clock.now()
    outcome: ServiceOutcome = "hung_up"
    try:
        outcome = await SERVICES[name](window)
    except WantsPerson as wants:
        outcome = "done" if wants.served else "gave_up"
        raise
    finally:
        used = ServiceUsed(
            call_id=window.caller.call_id,
            service=name,
            about=window.about,
            outcome=outcome,
            lasted_ms=ms_between(began, clock.now()),
        )
        window.caller.record(used)
    return outcome
