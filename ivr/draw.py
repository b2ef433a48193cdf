"""A line as a picture: Mermaid's words for it, which a browser, an editor or a repository's page draws.

From the number a caller dials to every leaf: a queue, a service, an announcement. What a person is reached by (0, or keys that
do not work) is drawn once a menu.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivr.line import PERSON, Choice, Line


def draw(line: Line) -> str:
    """The whole line; ends with a newline."""
    return "\n".join(["flowchart LR", *(f"    {row}" for row in _rows(line))]) + "\n"


def _rows(line: Line) -> Iterator[str]:
    yield f'start(["{line.number}: {line.welcome}, {line.notice.prompt}"])'
    yield f"start --> {_menu(line.menu)}" if line.menu else f"start --> {_queue(line.person)}"
    if line.hours != "always":
        yield f'start -- "{line.closed}" --> {_menu(line.night) if line.night else "ends([goodbye])"}'
    for name, menu in line.menus.items():
        asks = menu.prompt or line.words(menu.words or name, line.language).replace('"', "'")
        yield f'{_menu(name)}{{"{name}: {asks}"}}'
        for key, choice in menu.choices.items():
            yield f'{_menu(name)} -- "{key} {choice.name}" --> {_leaf(line, choice)}'
        yield f'{_menu(name)} -- "{PERSON}" --> {_queue(line.person)}'
    for region in line.regions:
        if region.queue:
            yield f'regions -- "{region.name}" --> {_queue(region.queue)}'
    for name, queue in line.queues.items():
        skills = " ".join(f"{skill} {level}" for skill, level in queue.skills.items())
        yield f'{_queue(name)}[/"{name}{": " if skills else ""}{skills}"/]'
        if overflow := queue.overflow:
            ways = {"to": overflow.to and _queue(overflow.to), "callback": "callback([callback])"}
            way = ways["to"] or (ways["callback"] if overflow.callback else "voice_message([voice_message])")
            yield f"{_queue(name)} -. overflow .-> {way}"


def _leaf(line: Line, choice: Choice) -> str:
    if choice.menu:
        return _menu(choice.menu)
    if choice.say:
        return f'say_{choice.name}["{choice.say}"]'
    if choice.service:
        return f"{choice.service}([{choice.service}])"
    return _queue(choice.queue or line.person)


def _menu(name: str) -> str:
    return f"menu_{name}"


def _queue(name: str) -> str:
    return f"queue_{name}"
