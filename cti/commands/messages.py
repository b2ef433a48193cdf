"""`rexian message`: who waits for an answer."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cti.commands.plain import Json, as_json_text, group, order, plainly, tell
from cti.control import ListMessages, MessageAnswered, ask
from cti.settings import load_settings
from cti.status import OpenMessages

commands = group("留言 Voice messages: who waits for an answer.")


@commands.command("list")
@plainly
def message_list(as_json: Json = False) -> None:
    """The voice messages that nobody has answered, the most pressing first, and where their sound is."""
    settings = load_settings()
    found = asyncio.run(ask(settings.control_socket, ListMessages(), OpenMessages))
    if as_json:
        tell(as_json_text(found))
        return
    chinese = settings.language == "zh-CN"
    due, withheld = ("截止", "号码保密") if chinese else ("due", "number withheld")
    words: dict[str, str] = {"message": "留言", "complaint": "投诉"} if chinese else {}
    for one in found.messages:
        until = f"{due} {one.due_at.astimezone(settings.zone):%F %H:%M}"
        number = one.calling_number or withheld
        purpose = " ".join(filter(None, (words.get(one.purpose, one.purpose), one.adviser)))
        tell(f"{one.message}  {purpose}  {until}  {number}  {one.about}  {one.length_ms / 1000:.0f} s  {one.recording}")
    if not found.messages:
        tell("没有待答复的留言" if chinese else "no voice message waits for an answer")


@commands.command("answered")
@plainly
def message_answered(
    message: Annotated[str, typer.Argument(help="Its name, as `message list` tells it.")],
    adviser: Annotated[str, typer.Option(help="Who has answered it.")],
) -> None:
    """The citizen has their answer: the promise is kept."""
    order(MessageAnswered(message, adviser))
