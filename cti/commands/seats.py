"""`rexian seat`: who is ready, and where."""

from __future__ import annotations

from typing import Annotated

import typer

from cti.commands.plain import group, order, plainly
from cti.control import SeatLogOut, SeatMoreTime, SeatNotReady, SeatReady, SeatRedial, SeatVerify

commands = group("坐席 Seats: who is ready, and where.")


@commands.command("ready")
@plainly
def seat_ready(
    seat: Annotated[str, typer.Argument(help="The seat's number.")],
    adviser: Annotated[str | None, typer.Option(help="Who sits there; may be left out once somebody does.")] = None,
) -> None:
    """An adviser is ready at a seat whose telephone is registered."""
    order(SeatReady(seat, adviser))


@commands.command("not-ready")
@plainly
def seat_not_ready(
    seat: Annotated[str, typer.Argument(help="The seat's number.")],
    reason: Annotated[str, typer.Option(help="Why, for people to read.")] = "break",
) -> None:
    """A seat takes no more calls; one that talks finishes first."""
    order(SeatNotReady(seat, reason))


@commands.command("more-time")
@plainly
def seat_more_time(seat: Annotated[str, typer.Argument(help="The seat's number.")]) -> None:
    """A minute more for the wrap-up, five in all at most."""
    order(SeatMoreTime(seat))


@commands.command("redial")
@plainly
def seat_redial(seat: Annotated[str, typer.Argument(help="The seat's number.")]) -> None:
    """Call back whom this seat's adviser spoke to last: the line was cut, or somebody is in danger."""
    order(SeatRedial(seat))


@commands.command("verify")
@plainly
def seat_verify(seat: Annotated[str, typer.Argument(help="The seat's number.")]) -> None:
    """The machine asks the caller who they are, apart from the adviser, who then hears whether it is so."""
    order(SeatVerify(seat))


@commands.command("log-out")
@plainly
def seat_log_out(seat: Annotated[str, typer.Argument(help="The seat's number.")]) -> None:
    """The adviser leaves the seat."""
    order(SeatLogOut(seat))
