"""`rexian block`: calling numbers that are refused for some days."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cti.commands.plain import Json, as_json_text, group, order, plainly, tell
from cti.control import BlockNumber, LiftBlock, ListBlocks, ReviewBlock, ask
from cti.settings import load_settings

commands = group("限制 Calling numbers that are refused for some days.")


Number = Annotated[str, typer.Argument(help="The calling number, as 13800001111 or +8657188881234.")]
Days = Annotated[float, typer.Option(help="For so many days from now, 90 at most; 0.5 is half a day.")]
By = Annotated[str, typer.Option(help="Who decides it.")]


@commands.command("add")
@plainly
def block_add(
    number: Number, days: Days, reason: Annotated[str, typer.Option(help="Why, in a sentence.")], by: By
) -> None:
    """Refuse a calling number; whoever says by key that a life is in danger is put through all the same."""
    order(BlockNumber(number, days, reason, by))


@commands.command("list")
@plainly
def block_list(as_json: Json = False) -> None:
    """The numbers that are refused now: until when, when somebody is to look again, by whom and why."""
    from cti.blocklist import Blocks

    settings = load_settings()
    found = asyncio.run(ask(settings.control_socket, ListBlocks(), Blocks))
    if as_json:
        tell(as_json_text(found))
        return
    chinese = settings.language == "zh-CN"
    until, look = ("至", "复核") if chinese else ("until", "review by")
    for one in found.blocks:
        end, review = (f"{at.astimezone(settings.zone):%F %H:%M}" for at in (one.until, one.review_at))
        tell(f"{one.calling_number}  {until} {end}  {look} {review}  {one.reviewed_by or one.by}  {one.reason}")
    if not found.blocks:
        tell("没有受限制的号码" if chinese else "no number is blocked")


@commands.command("review")
@plainly
def block_review(number: Number, days: Days, by: By) -> None:
    """Somebody has looked again, and it is still right: it stands for so many days from now."""
    order(ReviewBlock(number, days, by))


@commands.command("lift")
@plainly
def block_lift(number: Number, by: By) -> None:
    """The number may call again."""
    order(LiftBlock(number, by))
